"""Whether the results of a study are finished, for the commands that only read them."""

from __future__ import annotations

from her2study.pipeline.graph import Chain
from her2study.pipeline.records import reason_to_run
from her2study.types import StudyError

READERS = ("report",)
"""Steps at the end of the chain that only read results: a manuscript does not wait for the report."""


def check_finished(chain: Chain) -> None:
    """Refuse results of which a part is missing or out of date.

    Raises
    ------
    StudyError
        Names the first such step, the reason, how many more there are, and the command that mends it.
    """
    reasons = {name: reason_to_run(chain, node) for name, node in chain.nodes.items() if name not in READERS}
    due = {name: reason for name, reason in reasons.items() if reason}
    if not due:
        return
    first, reason = next(iter(due.items()))
    more = f" ({len(due) - 1} more steps are due)" if len(due) > 1 else ""
    raise StudyError(
        f"{chain.run.folder}: the results are not finished: {chain.nodes[first].label}: {reason}{more}; "
        f"finish them first: {mending_command(chain)}"
    )


def mending_command(chain: Chain) -> str:
    """The command that brings the results of a chain up to date."""
    settings = {"STUDY": chain.study.name, "PROFILE": chain.study.profile, "DATA": chain.data}
    usual = {"STUDY": "hong2025", "PROFILE": "full", "DATA": ""}
    return " ".join(["make reproduce", *(f"{key}={value}" for key, value in settings.items() if value != usual[key])])
