"""What a check found: one row a finding, for people and machines, found without stopping at the first.

``severity`` is ``error`` (a run would stop, or mean something wrong), ``warning`` (it goes on; somebody must
look) or ``note`` (a decision that was taken and can be changed). ``row`` is the row of the file as a spreadsheet
shows it, counted from 1, headers included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import pandas as pd

FINDING_COLUMNS = ("severity", "area", "patient", "file", "row", "column", "value", "rule", "mend")
"""Text, empty where it does not apply, but ``row``, which is a whole number or missing."""

SEVERITIES = ("error", "warning", "note")
"""Worst first."""

AREAS = (
    "settings", "file", "table", "identifiers", "outcome", "centres", "dates", "variables", "splits", "images",
    "masks", "geometry", "phases",
)  # fmt: skip
"""What findings are grouped by, in reading order."""


def findings(rows: Iterable[Mapping[str, Any]] | pd.DataFrame) -> pd.DataFrame:
    """Findings in the columns of the contract; columns that are not given are empty.

    Raises
    ------
    ValueError
        An unknown column, severity or area: a mistake of the caller.
    """
    frame = pd.DataFrame(rows if isinstance(rows, pd.DataFrame) else list(rows))
    if unknown := set(frame) - set(FINDING_COLUMNS):
        raise ValueError(f"findings have no column {sorted(unknown)[0]!r}; they have {', '.join(FINDING_COLUMNS)}")
    frame = frame.reindex(columns=list(FINDING_COLUMNS))
    text = [name for name in FINDING_COLUMNS if name != "row"]
    frame[text] = frame[text].astype("str").fillna("")
    for column, known in (("severity", SEVERITIES), ("area", AREAS)):
        if other := set(frame[column]) - set(known):
            raise ValueError(f"{column} {sorted(other)[0]!r} is none of {', '.join(known)}")
    return frame.astype({"row": "Int64"}).reset_index(drop=True)


def none() -> pd.DataFrame:
    """No finding."""
    return _empty().copy()


def join(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All findings, the worst first, then by area, file and row; otherwise in the order given."""
    given = [frame for frame in frames if len(frame)]
    if not given:
        return none()
    together = pd.concat(given, ignore_index=True)
    order = pd.DataFrame(
        {
            "severity": together["severity"].map(SEVERITIES.index),
            "area": together["area"].map(AREAS.index),
            "file": together["file"],
            "row": together["row"],
        }
    )
    kept = order.sort_values(["severity", "area", "file", "row"], kind="stable", na_position="first").index
    return together.loc[kept].drop_duplicates().reset_index(drop=True)


def worst(frame: pd.DataFrame) -> str | None:
    """The worst severity there is."""
    return next((severity for severity in SEVERITIES if (frame["severity"] == severity).any()), None)


@cache
def _empty() -> pd.DataFrame:
    return findings([])
