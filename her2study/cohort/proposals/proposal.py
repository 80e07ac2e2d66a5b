"""What is proposed for one column of a table, and why; nothing of it is done before the owner has seen it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from her2study.cohort.proposals.content import Content
from her2study.cohort.proposals.headers import Header
from her2study.cohort.proposals.lexicon import Concept

LEFT_OUT = ("leak", "identifying", "text", "scan", "unused")
"""Uses of columns that no notebook reads."""


@dataclass(frozen=True)
class Mends:
    """How the cells of a column are read: value maps, codes for missing, units and decimals, order of dates.

    ``suggested`` are cells that were not understood; they are shown and left as they are. ``coded`` says that the
    table or its legend tells what codes mean.
    """

    maps: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    numbers: Mapping[str, Any] | None = None
    dates: Mapping[str, Any] | None = None
    suggested: Mapping[str, str | None] = field(default_factory=dict)
    coded: bool = False

    def read(self, value: str) -> str | None:
        """A cell as the study reads it, units aside."""
        return None if value in self.missing else self.maps.get(value, value)


@dataclass(frozen=True)
class Proposal:
    """One column.

    Attributes
    ----------
    column, file : str
        As in the table.
    use : str
        variable, second_reader, patient, centre, outcome, ihc, ish, ratio, copies, date, times, lesion, breast,
        visit, exclusion, derived_from, or one of :data:`LEFT_OUT`.
    variable : dict
        Settings of the variable as in ``study.yml``, with its ``name``; empty for other uses.
    why : str
        The reason of the use, as a clause.
    doubts : tuple of str
        What a person must decide, each a sentence that names the mend.
    description : str or None
        What the legend of the workbook says.
    """

    column: str
    file: str
    header: Header
    concept: Concept | None
    content: Content
    use: str
    variable: Mapping[str, Any] = field(default_factory=dict)
    mends: Mends = Mends()
    why: str = ""
    doubts: tuple[str, ...] = ()
    description: str | None = None

    @property
    def share_known(self) -> float:
        """Share of rows with a value, codes for missing not counted."""
        missing = sum(self.content.counts.get(code, 0) for code in self.mends.missing)
        return (self.content.known - missing) / self.content.n if self.content.n else 0.0

    @property
    def name(self) -> str:
        """Of the variable."""
        return self.variable.get("name", "")

    def but(self, **changes: Any) -> Proposal:
        """The same with some fields changed."""
        return replace(self, **changes)

    def left_out(self, use: str, why: str) -> Proposal:
        """The same column, used for nothing; as a variable it could be taken up again."""
        return replace(self, use=use, why=why, doubts=())

    def no_candidate(self, why: str) -> Proposal:
        """The same variable, described but not offered to models."""
        return replace(self, variable={**self.variable, "candidate": False}, why=why)

    def doubted(self, sentence: str) -> Proposal:
        """The same with one more question for the owner."""
        return replace(self, doubts=(*self.doubts, sentence))
