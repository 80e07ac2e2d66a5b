"""The table under examination, and findings made from its cells: one a cell, vectorised."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.cohort.findings import findings, join, none
from her2study.study import Source, nearest

MOST = 10_000
"""Findings of one rule that are listed one by one; of more, the last says how many there are besides."""


class Patients(NamedTuple):
    """A table as ``sources.read_table`` returns it: text, one row a patient.

    ``cells`` keeps the index of the file: row ``i`` is row ``i + 2`` of the spreadsheet. ``included`` marks who is
    left after the exclusions of the study: what is wrong with others stops no run.
    """

    cells: pd.DataFrame
    source: Source
    included: pd.Series

    def of(self, column: str) -> pd.Series:
        """One column as text; all missing if the table has no such column."""
        if column in self.cells:
            return self.cells[column]
        return pd.Series(pd.NA, index=self.cells.index, dtype="str")


def patients_of(cells: pd.DataFrame, source: Source, included: pd.Index | None = None) -> Patients:
    """All rows, or those of ``included``, counted as included."""
    marked = pd.Series(True, cells.index) if included is None else pd.Series(cells.index.isin(included), cells.index)
    return Patients(cells, source, marked)


def cell_findings(
    patients: Patients,
    where: pd.Series | NDArray[np.bool_],
    column: str,
    area: str,
    rule: str | Callable[[str], str] | pd.Series,
    mend: str | Callable[[str], str] | pd.Series,
    severity: str = "error",
    value: pd.Series | None = None,
) -> pd.DataFrame:
    """One finding for each cell of a column that a rule does not accept.

    Parameters
    ----------
    where : (n,) bool
        Rows of the table that are told.
    rule, mend : str, function or Series
        A function is given the value and called once a distinct value; a series is on the index of the table.
    severity : str
        For included patients; an error of a patient who is excluded anyway is a note.
    value : Series, optional
        What to show in the cell's place, on the index of the table.
    """
    where = np.asarray(where, dtype=bool)
    total = int(where.sum())
    if not total:
        return none()
    if total > MOST:
        where = where & (np.cumsum(where) <= MOST)
    told = patients.cells[where]
    values = patients.of(column)[where]
    degree: Any = severity
    if severity == "error":
        degree = np.where(patients.included[where], "error", "note")
    frame = pd.DataFrame(
        {
            "severity": degree,
            "area": area,
            "patient": told.get(patients.source.patient_column),
            "file": patients.source.table,
            "row": told.index + 2,
            "column": column,
            "value": values.fillna("empty") if value is None else value[told.index],
            "rule": _said(rule, values),
            "mend": _said(mend, values),
        }
    )
    listed = findings(frame)
    if total <= MOST:
        return listed
    rest = listed.iloc[[-1]].assign(patient="", value=f"{total - MOST:,} more cells likewise")
    return join([listed, rest.assign(row=rest["row"] + 1)])  # stands behind those that are listed


def about(
    patients: Patients, area: str, severity: str, value: str, rule: str, mend: str, column: str = "", patient: str = ""
) -> pd.DataFrame:
    """One finding about a column or about the table as a whole."""
    place = {"file": patients.source.table, "column": column, "patient": patient}
    return findings([{"severity": severity, "area": area, "value": value, "rule": rule, "mend": mend, **place}])


def share(part: int, whole: int) -> str:
    """``23 of 450 (5%)``."""
    percent = 100 * part / whole if whole else 0.0
    words = "under 1%" if 0 < percent < 1 else f"{percent:.0f}%"
    return f"{part:,} of {whole:,} ({words})"


def suggest(value: str, known: Iterable[str]) -> str:
    """``did you mean 'x'? `` to begin a mend with, or nothing."""
    close = nearest(value, known).removeprefix("; ").removesuffix(".")
    return f"{close} " if close else ""


def _said(words: str | Callable[[str], str] | pd.Series, values: pd.Series) -> str | pd.Series:
    if isinstance(words, str):
        return words
    if isinstance(words, pd.Series):
        return words[values.index]
    shown = values.fillna("")
    return shown.map({value: words(value) for value in shown.unique()})
