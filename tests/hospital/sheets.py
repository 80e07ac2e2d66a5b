"""Sheets as hospitals keep them: lines of text to cells, cells to workbooks and to delimited text."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import openpyxl

Cell = str | int | float | datetime.date | None


def typed(raw: str) -> Cell:
    """A cell as a spreadsheet takes what is typed into it."""
    if raw.startswith("'"):
        return raw[1:]
    if re.fullmatch(r"-?\d+", raw):
        return int(raw)
    if re.fullmatch(r"-?\d+\.\d+", raw):
        return float(raw)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", raw):
        try:
            return datetime.date.fromisoformat(raw)
        except ValueError:
            return raw  # no such day: a spreadsheet keeps the text
    return raw or None


@dataclass
class Sheet:
    """A table before it is a file: ``headers`` are (short name, upper, lower), rows map short names to raw cells."""

    headers: list[tuple[str, str, str]]
    rows: list[dict[str, str]]
    title: str = ""
    after: list[Callable[[openpyxl.Workbook], None]] = field(default_factory=list)  # to the workbook, once filled

    @classmethod
    def of(cls, headers: str, rows: str, title: str = "") -> Sheet:
        """From the literal text of a module of cells."""
        heads = [tuple(part.strip() for part in line.split("|")) for line in headers.strip().splitlines()]
        keys = [key for key, _, _ in heads]
        lines = [dict(zip(keys, line.split("|"), strict=True)) for line in rows.strip().splitlines()]
        return cls(heads, lines, title)

    def of_patient(self, patient: str) -> dict[str, str]:
        """The one row of a patient, by the first column."""
        (row,) = [row for row in self.rows if row.get(self.headers[0][0]) == patient]
        return row

    def name(self, key: str) -> str:
        """The whole name of a column: upper and lower header cell."""
        return column_names(self.headers)[key]

    def lines(self) -> Iterable[list[Cell]]:
        """Cells, row by row, as in the file."""
        if self.title:
            yield [self.title]
        yield [upper or None for _, upper, _ in self.headers]
        yield [lower or None for _, _, lower in self.headers]
        for row in self.rows:
            yield [typed(row.get(key, "")) for key, _, _ in self.headers]

    def to_xlsx(self, path: Path, name: str) -> None:
        """A workbook of one sheet; title and upper header cells are merged over what they span."""
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.title = name
        for line in self.lines():
            sheet.append(line)
        top = 1 if self.title else 0
        if self.title:
            sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(self.headers))
        starts = [i for i, (_, upper, _) in enumerate(self.headers) if upper] + [len(self.headers)]
        for first, after in pairwise(starts):
            if after - first > 1:
                sheet.merge_cells(start_row=top + 1, end_row=top + 1, start_column=first + 1, end_column=after)
            elif not self.headers[first][2]:  # a column with one name, written over both rows
                sheet.merge_cells(start_row=top + 1, end_row=top + 2, start_column=first + 1, end_column=first + 1)
        for change in self.after:
            change(book)
        book.save(path)

    def to_csv(self, path: Path, encoding: str, delimiter: str = ",") -> None:
        """The same cells as text, as "save as CSV" writes them."""
        lines = [[_text(cell) for cell in line] for line in self.lines()]
        width = len(self.headers)
        rows = [
            delimiter.join(_quoted(cell, delimiter) for cell in line + [""] * (width - len(line))) for line in lines
        ]
        path.write_bytes(("\r\n".join(rows) + "\r\n").encode(encoding))


def column_names(headers: list[tuple[str, str, str]]) -> dict[str, str]:
    """Short name to full name: ``upper / lower``, the upper one carried over the blanks it spans."""
    names, above = {}, ""
    for key, upper, lower in headers:
        above = upper or above
        names[key] = f"{above} / {lower}" if lower else above
    return names


def _text(cell: Cell) -> str:
    return "" if cell is None else cell.isoformat() if isinstance(cell, datetime.date) else str(cell)


def _quoted(text: str, delimiter: str) -> str:
    return f'"{text}"' if delimiter in text or '"' in text else text
