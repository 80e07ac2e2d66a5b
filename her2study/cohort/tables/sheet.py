"""What a reader of tables returns: the grid of a file as it stands, and the table made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from her2study.cohort.findings import none
from her2study.study import Reading

FORMATS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".parquet")
"""File names of tables end like this."""


class Merge(NamedTuple):
    """Cells of a workbook that are one: rows counted from 1 as in the file, columns from 0; both ends included."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int

    @property
    def name(self) -> str:
        """As a spreadsheet says it: ``A5:A6``."""
        return f"{letter(self.first_column)}{self.first_row}:{letter(self.last_column)}{self.last_row}"


@dataclass(frozen=True)
class Grid:
    """A file as it stands, before anybody says which row is the header.

    ``cells`` is text, missing where nothing stands, columns counted from 0, the index being the row of the file.
    Of a workbook only: ``merged``; ``dated`` and ``uncomputed``, column to file rows that are dates, or formulas
    without a result.
    """

    cells: pd.DataFrame
    sheet: str | None = None
    merged: tuple[Merge, ...] = ()
    dated: Mapping[int, list[int]] = field(default_factory=dict)
    uncomputed: Mapping[int, list[int]] = field(default_factory=dict)
    findings: pd.DataFrame = field(default_factory=none)


@dataclass(frozen=True)
class Sheet:
    """A table of text.

    Attributes
    ----------
    path : Path
    name : str or None
        Of the sheet of a workbook.
    reading : Reading
        How it was read.
    cells : DataFrame
        Text, missing cells missing, column names unique; the index counts from 0.
    rows : ndarray
        Row of the file of each row, counted from 1, headers included.
    headers : dict
        Column to the cells of its header, upper first, as they stand in the file.
    findings : DataFrame
        What is odd about the file, in the columns of :data:`her2study.cohort.findings.FINDING_COLUMNS`.
    no_patients : ndarray
        Rows of the file that repeat the header or sum up others; they are not in ``cells`` and are findings.
    """

    path: Path
    name: str | None
    reading: Reading
    cells: pd.DataFrame
    rows: np.ndarray
    headers: Mapping[str, tuple[str, ...]]
    findings: pd.DataFrame
    no_patients: np.ndarray


def counted(n: int, word: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{n} {word}{'' if n == 1 else 's'}"


def letter(column: int) -> str:
    """The name that a spreadsheet gives to a column counted from 0: A, B, ..., Z, AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
