"""From a hospital's table to a proposed study, every decision a line that its owner can change.

:func:`propose` looks at every column (:mod:`columns`) with what is known of such tables (``lexicon.yml``), then at
all of them together (:mod:`relations`, :mod:`people`, :mod:`outcomes`, :mod:`design`, :mod:`alarms`).
:func:`study_files` writes what was proposed as the files of a study.
"""

from her2study.cohort.proposals.files import study_files
from her2study.cohort.proposals.legend import read_legend
from her2study.cohort.proposals.propose import StudyProposal, propose

__all__ = ["StudyProposal", "propose", "read_legend", "study_files"]
