"""Find out how a table must be read: sheet, encoding, delimiter, decimal comma and header rows."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pandas as pd

from her2study.cohort.findings import findings, join
from her2study.cohort.tables import encodings
from her2study.cohort.tables.delimited import DELIMITERS, refuse_binary, sniff_delimiter
from her2study.cohort.tables.reading import check_file, read_sheet
from her2study.cohort.tables.sheet import Merge
from her2study.cohort.tables.top import find_header
from her2study.cohort.tables.workbook import Book
from her2study.study import Reading

_COMMA = re.compile(r"[+-]?\d+,\d+")
_POINT = re.compile(r"[+-]?\d+\.\d+")
_PATIENT = re.compile(r"patient|subject|case|\bid\b|pid|mrn|患者|病人|编号|住院号|病例|姓名", re.IGNORECASE)
_LEGEND = re.compile(r"legend|code ?book|dictionary|readme|notes?$|info$|说明|字典|备注|lists?$", re.IGNORECASE)
TOP_ROWS = 60


def sniff(path: Path, sheet: str | None = None) -> tuple[str | None, Reading, pd.DataFrame]:
    """Which sheet to read, how, and what a person should know of the file.

    Parameters
    ----------
    path : Path
        An .xlsx, .csv or .parquet file.
    sheet : str, optional
        The sheet to look at; if none is named, the visible one that looks most like a table of patients.

    Returns
    -------
    sheet : str or None
    reading : Reading
    findings : DataFrame
        What was decided and can be changed, and all findings of :func:`read_sheet` with this reading.

    Raises
    ------
    StudyError
        What :func:`read_sheet` refuses.
    """
    path = Path(path)
    kind = check_file(path)
    decided: list[dict] = []
    if kind == "parquet":
        reading = Reading()
    elif kind == "workbook":
        with Book(path) as book:
            sheet = _choose(book, sheet, decided)
            grid = book.grid(sheet)
        top = grid.cells.head(TOP_ROWS).astype(object).where(grid.cells.head(TOP_ROWS).notna(), None)
        row, rows = find_header(top.to_numpy().tolist(), grid.merged)
        reading = Reading(header_row=row, header_rows=rows)
        _tell_merged(grid.merged, row + rows - 1, decided)
    else:
        reading = _sniff_text(path, decided)
    _tell_header(reading, decided)
    read = read_sheet(path, sheet, reading)
    told = findings({"severity": "note", "area": "file", "file": path.name, **f} for f in decided)
    return read.name, reading, join([told, read.findings])


def _sniff_text(path: Path, decided: list[dict]) -> Reading:
    data = path.read_bytes()
    refuse_binary(data, path)
    encoding = encodings.guess(data)
    if encoding != "utf-8-sig":
        shown = encodings.words(data, encoding)
        decided.append(
            {
                "severity": "note" if encoding == "utf-16" else "warning",
                "value": shown,
                "rule": f"the file is not UTF-8; taken for {encodings.NAMES[encoding]}"
                f"{f', in which it says {shown}' if shown else ''}",
                "mend": "if these words are wrong, set source.reading.encoding, or save the file as UTF-8",
            }
        )
    delimiter = sniff_delimiter(data, encoding)
    if delimiter != ",":
        decided.append(
            {
                "value": delimiter.replace("\t", "\\t"),
                "rule": f"cells are separated by a {DELIMITERS[delimiter]}",
                "mend": "change source.reading.delimiter if that is wrong",
            }
        )
    text = data[:2_000_000].decode(encoding, errors="ignore").removeprefix("\ufeff")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    width = max(map(len, rows[:TOP_ROWS]), default=0)
    row, header_rows = find_header([[c or None for c in r] + [None] * (width - len(r)) for r in rows[:TOP_ROWS]], ())
    cells = [cell.strip() for r in rows[row + header_rows - 1 :] for cell in r]
    commas, points = (sum(1 for c in cells if p.fullmatch(c)) for p in (_COMMA, _POINT))
    decimal = "," if commas and not points and delimiter != "," else "."
    if decimal == ",":
        example = next(c for c in cells if _COMMA.fullmatch(c))
        decided.append(
            {
                "value": example,
                "rule": f"numbers have a decimal comma: {example} is read as {example.replace(',', '.')}",
                "mend": "set source.reading.decimal: '.' if a comma separates something else",
            }
        )
    return Reading(header_row=row, header_rows=header_rows, encoding=encoding, delimiter=delimiter, decimal=decimal)


def _choose(book: Book, sheet: str | None, decided: list[dict]) -> str | None:
    """The visible sheet with most cells, those with a patient column first and legends last."""
    if sheet or len(book.visible) < 2:
        return sheet
    scores = {name: _score(name, book.grid(name).cells) for name in book.visible}
    best = max(scores, key=lambda name: scores[name])
    others = [name for name in book.visible if name != best and scores[name]]
    if others:
        decided.append(
            {
                "value": best,
                "rule": f"the sheet {best!r} is read and not {', '.join(map(repr, others))}",
                "mend": "name another with --sheet or source.sheet in study.yml",
            }
        )
    return best


def _score(name: str, cells: pd.DataFrame) -> float:
    if cells.empty:
        return 0
    names = " | ".join(cells.head(6).astype(object).fillna("").to_numpy().ravel().astype(str))
    weight = (10 if _PATIENT.search(names) else 1) * (0.01 if _LEGEND.search(name) else 1)
    return float(cells.notna().to_numpy().sum()) * weight


def _tell_header(reading: Reading, decided: list[dict]) -> None:
    if reading.header_row > 1:
        decided.append(
            {
                "row": reading.header_row,
                "value": str(reading.header_row),
                "rule": f"names of columns stand in row {reading.header_row}; what stands above them is not read",
                "mend": "change source.reading.header_row if that is wrong",
            }
        )
    if reading.header_rows == 2:
        decided.append(
            {
                "row": reading.header_row,
                "value": f"{reading.header_row}-{reading.header_row + 1}",
                "rule": f"names stand in two rows, {reading.header_row} and {reading.header_row + 1}; they are joined "
                "as 'upper / lower'",
                "mend": "change source.reading.header_rows if that is wrong",
            }
        )


def _tell_merged(merged: tuple[Merge, ...], last_header_row: int, decided: list[dict]) -> None:
    above = [m for m in merged if m.first_row <= last_header_row]
    if above:
        decided.append(
            {
                "value": ", ".join(m.name for m in above[:5]),
                "rule": "merged cells of the header belong to all columns below them",
                "mend": "nothing, if the names of the columns read right in the codebook",
            }
        )
