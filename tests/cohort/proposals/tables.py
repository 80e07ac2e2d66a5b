"""Small tables as hospitals write them, for the tests of proposals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from her2study.cohort.findings import none
from her2study.cohort.proposals.columns import propose_column
from her2study.cohort.proposals.proposal import Proposal
from her2study.cohort.tables import Sheet
from her2study.study import Reading


def text(values: Sequence[str | None]) -> pd.Series:
    """A column as a sheet has it."""
    return pd.Series(list(values), dtype="str")


def column(header: str, values: Sequence[str | None], **known) -> Proposal:
    """What is proposed for one column."""
    return propose_column(header, "patients.csv", text(values), **known)


def sheet(columns: dict[str, Sequence[str | None]], name: str = "patients.csv") -> Sheet:
    """A table whose header stands in row 1."""
    cells = pd.DataFrame({header: text(values) for header, values in columns.items()})
    rows = np.arange(2, len(cells) + 2)
    return Sheet(Path(name), None, Reading(), cells, rows, {c: (c,) for c in cells}, none(), np.array([], int))


def cohort(n: int = 60) -> dict[str, list[str | None]]:
    """A table of two hospitals that says little: numbers, names, age, size, HER2."""
    ids = [f"P{i:03d}" for i in range(n)]
    return {
        "Patient": ids,
        "Name": [f"Family{i}, Given" for i in range(n)],
        "Hospital": ["North" if i % 3 else "South" for i in range(n)],
        "Age": [str(35 + i * 7 % 40) for i in range(n)],
        "Size (mm)": [str(8 + i * 11 % 37) for i in range(n)],
        "HER2": ["positive" if i % 5 < 2 else "negative" for i in range(n)],
    }
