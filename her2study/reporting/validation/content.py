"""What a validation found, handed over to be told."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Validation:
    """All that was found, and what a run would do.

    ``screened`` patients stand in the table; ``included`` are left after exclusions and unfit scans, none if that
    cannot be said; ``excluded`` has
    ``patient_id, centre, reason``; ``flow`` is that of the report, none where no split can be made.
    """

    name: str
    title: str
    profile: str
    simulated: bool
    source: str
    findings: pd.DataFrame
    screened: int = 0
    columns: int = 0
    included: int | None = None
    excluded: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["patient_id", "centre", "reason"]))
    flow: pd.DataFrame | None = None
    sample_size: pd.DataFrame | None = None
    sample_size_sentence: str = ""
    scans_of: int | None = None
    seconds: float = 0.0

    def count(self, severity: str) -> int:
        """Findings of one severity."""
        return int((self.findings["severity"] == severity).sum())

    @property
    def fit(self) -> bool:
        """Whether a run would go through: there is no error."""
        return self.count("error") == 0
