"""The files of a proposed study, by name."""

from __future__ import annotations

from collections.abc import Sequence

from her2study.cohort.proposals.codebook import codebook_text
from her2study.cohort.proposals.companions import CLAIMS, assumptions_text, readme_text
from her2study.cohort.proposals.form import study_text
from her2study.cohort.proposals.mending_form import mending_text
from her2study.cohort.proposals.propose import StudyProposal


def study_files(
    name: str, proposal: StudyProposal, written_by: str, data: str, notes: Sequence[str] = ()
) -> dict[str, str]:
    """Text of every file of ``papers/<name>/``.

    Parameters
    ----------
    written_by : str
        The command, to be named in the form.
    data : str
        The folder of the table, as the user will type it.
    notes : sequence of str
        What is odd about the file itself, a sentence each.
    """
    return {
        "study.yml": study_text(name, proposal, written_by),
        "mending.yml": mending_text(name, proposal),
        "codebook.md": codebook_text(name, proposal, notes),
        "claims.yml": CLAIMS,
        "assumptions.yml": assumptions_text(proposal),
        "README.md": readme_text(name, proposal, data),
    }
