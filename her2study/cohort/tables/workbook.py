"""Excel workbooks (.xlsx, .xlsm) as a grid: values as they were last computed, dates as ISO text."""

from __future__ import annotations

import datetime
import warnings
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from her2study.cohort.findings import findings, join
from her2study.cohort.tables.cells import text_of
from her2study.cohort.tables.sheet import Grid
from her2study.cohort.tables.structure import Structure, read_structure
from her2study.study import nearest
from her2study.types import StudyError

DAMAGE = (
    zipfile.BadZipFile, zlib.error, SyntaxError, InvalidFileException, LookupError, ValueError, TypeError,
    AttributeError, OSError, EOFError, RuntimeError,
)  # fmt: skip
"""What openpyxl, zipfile and the XML parsers raise where a byte of a workbook is wrong."""

DIGITS = 15
"""Excel keeps so many digits of a number; of a longer one the last digits are lost."""


class Book:
    """An open workbook; a context manager.

    Raises
    ------
    StudyError
        A password, an old or another format, a damaged file.
    """

    def __init__(self, path: Path) -> None:
        refuse_others(path)
        self.path = path
        try:
            with warnings.catch_warnings():  # of styles and validations that openpyxl leaves out
                warnings.simplefilter("ignore")
                self._book = load_workbook(path, read_only=True, data_only=True)
        except DAMAGE as error:
            raise _damaged(path, error) from None
        self.visible = [s.title for s in self._book.worksheets if s.sheet_state == "visible"]
        self.hidden = [s.title for s in self._book.worksheets if s.sheet_state != "visible"]

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()

    def grid(self, sheet: str | None) -> Grid:
        """One sheet, the first visible one if none is named."""
        known = self.visible + self.hidden
        if not known:
            raise StudyError(f"{self.path}: the workbook has no sheet with cells")
        name = sheet or known[0]
        if name not in known:
            raise StudyError(
                f"{self.path}: there is no sheet {name!r}{nearest(name, known)} Sheets: {', '.join(known)}; "
                "set source.sheet in study.yml"
            )
        page: Any = self._book[name]
        try:
            with warnings.catch_warnings():  # a date beyond Excel's calendar becomes #VALUE!, which is a finding
                warnings.simplefilter("ignore")
                page.reset_dimensions()  # some programs write wrong ones, which would cut the sheet
                rows = [list(row) for row in page.iter_rows(values_only=True)]
            structure = read_structure(self.path, page)
        except DAMAGE as error:
            raise _damaged(self.path, error) from None
        grid = _grid(rows, name, structure, self.path.name)
        return replace(grid, findings=join([self._hidden_sheets(name), grid.findings]))

    def _hidden_sheets(self, read: str) -> pd.DataFrame:
        return findings(
            {
                "severity": "warning",
                "area": "file",
                "file": self.path.name,
                "value": name,
                "rule": f"the sheet {name!r} is hidden and is {'the one that is' if name == read else 'not'} read",
                "mend": "delete it before sharing the file, or set source.sheet if another one is meant",
            }
            for name in self.hidden
        )


def refuse_others(path: Path) -> None:
    """Insist that a file is a workbook that can be opened without a password."""
    with path.open("rb") as file:
        data = file.read(8)
        if not data:
            raise StudyError(f"{path}: the file is empty")
        if data.startswith(b"PK"):
            return
        start = (data + file.read(200)).lstrip(b"\xef\xbb\xbf \r\n\t").lower() if b"<" in data else b""
        if start.startswith((b"<html", b"<!doctype", b"<table", b"<meta", b"<?xml", b"<head")):
            raise StudyError(
                f"{path}: cannot be read: it is a web page (HTML or XML) with the name of a workbook, as some systems "
                "export it; open it in Excel and save it as .xlsx"
            )
        rest = file.read() if data.startswith(b"\xd0\xcf\x11\xe0") else b""
    if "EncryptedPackage".encode("utf-16-le") in rest:
        raise StudyError(
            f"{path}: cannot be read: the workbook is protected by a password; open it in Excel, remove the password "
            "(File, Info, Protect Workbook) and save it on a disk that is itself encrypted"
        )
    if rest:
        raise StudyError(f"{path}: cannot be read: a workbook of Excel 97-2003 (.xls); save it as .xlsx")
    raise StudyError(f"{path}: cannot be read: not a workbook, or a damaged one; if it is text, name it .csv")


def _grid(rows: list[list], name: str, structure: Structure, file: str) -> Grid:
    width = max((len(row) for row in rows), default=0)
    columns: dict[int, list[str | None]] = {}
    dated: dict[int, list[int]] = {}
    found: list[dict] = [
        {**f, "file": file, "area": "table", "value": f["value"], "rule": f"{f['rule']} (sheet {name!r})"}
        for f in structure.findings
    ]
    for j in range(width):
        values = [row[j] if j < len(row) else None for row in rows]
        columns[j] = [text_of(value) for value in values]
        days = [i + 1 for i, v in enumerate(values) if isinstance(v, datetime.datetime)]
        if days:
            dated[j] = days
        long = [i + 1 for i, v in enumerate(values) if isinstance(v, int | float) and abs(v) >= 10**DIGITS]
        if long:
            found.append(_long(columns[j], long, file))
    cells = pd.DataFrame(
        {j: pd.Series(values, dtype="str") for j, values in columns.items()}, index=np.arange(len(rows))
    )
    cells.index = np.arange(1, len(rows) + 1)
    uncomputed: dict[int, list[int]] = {}
    for row, column in structure.uncomputed:
        uncomputed.setdefault(column, []).append(row)
    return Grid(cells, name, structure.merged, dated, uncomputed, findings(found))


def _long(text: list[str | None], rows: list[int], file: str) -> dict:
    return {
        "severity": "warning",
        "area": "table",
        "file": file,
        "row": rows[0],
        "value": text[rows[0] - 1],
        "rule": f"{len(rows)} numbers of the column have more than {DIGITS} digits, of which Excel keeps {DIGITS}: "
        "the last digits are lost and two patients may have become one",
        "mend": "store numbers of this length as text (format the column as text before typing) and export again",
    }


def _damaged(path: Path, error: Exception) -> StudyError:
    told = (str(error).splitlines() or [""])[0][:160]
    return StudyError(
        f"{path}: cannot be read: the workbook is damaged or not one of Excel ({told or type(error).__name__}); open "
        "it in Excel and save it again as .xlsx"
    )
