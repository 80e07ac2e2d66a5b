"""A table file as text: every cell stripped, with the line it stands in, whatever program wrote the file."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from her2study.study import nearest
from her2study.types import StudyError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}

DECIMAL_COMMA = r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?"

TEXT_ENDINGS = (".csv", ".tsv", ".txt")


class Cells(NamedTuple):
    """Named columns of text, where each row stands in the file, and how the file was read, in sentences."""

    name: str
    frame: pd.DataFrame
    lines: pd.Series
    unit: str
    notes: tuple[str, ...]


def read_cells(path: Path) -> Cells:
    """The cells of a .csv (commas, semicolons or tabs; UTF-8 or UTF-16), .xlsx (first sheet) or .parquet file.

    With semicolons or tabs between columns, a number may have a decimal comma.

    Raises
    ------
    StudyError
        There is no such file; it is empty, of an unknown kind, no table, or has a line with another number of
        fields than its header; a column name is there twice.
    """
    readers = dict.fromkeys(TEXT_ENDINGS, _read_text) | {".xlsx": _read_workbook, ".parquet": _read_parquet}
    if path.is_dir():
        raise StudyError(f"{path} is a folder; give the table file inside it")
    if not path.is_file():
        beside = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
        raise StudyError(f"{path} does not exist{nearest(path.name, beside)}")
    if path.suffix.lower() not in readers:
        raise StudyError(f"{path}: tables are read from {', '.join(readers)}; save it as .csv")
    if path.stat().st_size == 0:
        raise StudyError(f"{path} is empty; it must have a line of column names and one line a patient")
    cells = readers[path.suffix.lower()](path)
    if cells.frame.empty:
        raise StudyError(f"{path}: there are no rows below the column names; add at least one patient of each class")
    return cells


def _read_text(path: Path) -> Cells:
    text = _decode(path)
    head = text.lstrip().split("\n", 1)[0]
    separator = max(SEPARATORS, key=head.count)
    if head.count(separator) == 0:
        raise StudyError(
            f"{path} is no table: its first line is {head.strip()[:60]!r}, but must be column names between commas, "
            "semicolons or tabs"
        )
    records = _records(path, text, separator)
    _, header = next(records)
    rows, lines = [], []
    for line, row in records:
        if len(row) != len(header):
            raise StudyError(
                f"{path}, line {line}: {len(row)} fields where the first line has {len(header)} column names; a comma "
                "inside a field needs quotation marks, and decimal commas need semicolons between columns"
            )
        rows.append(row)
        lines.append(line)
    frame, notes = _named(path, header, rows)
    if separator != ",":
        commas = frame.apply(lambda column: column.str.fullmatch(DECIMAL_COMMA))
        frame = frame.where(~commas, frame.apply(lambda column: column.str.replace(",", ".", regex=False)))
        notes.append(
            f"Columns are separated by {SEPARATORS[separator]}"
            + (", and decimal commas were read as points." if commas.to_numpy().any() else ".")
        )
    return Cells(str(path), frame, pd.Series(lines, index=frame.index, dtype="int64"), "line", tuple(notes))


def _decode(path: Path) -> str:
    """The text of a file, whichever byte order mark and line ends it has."""
    data = path.read_bytes()
    if data.startswith(b"PK\x03\x04"):
        raise StudyError(f"{path} is no text but a workbook or an archive; rename a workbook to .xlsx")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if encoding != "utf-16" and b"\0" in data[:4096]:
        raise StudyError(f"{path} is no table but binary data; save the table as .csv")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise StudyError(
            f"{path}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8; save the table as 'CSV UTF-8'"
        ) from None
    if not text.strip():
        raise StudyError(f"{path} is empty; it must have a line of column names and one line a patient")
    return text


def _records(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped fields of each record that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for row in reader:
            fields = [field.strip() for field in row]
            if any(fields):
                yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        raise StudyError(
            f"{path}, line {line}: not readable as a table ({error}); look for a quotation mark without its partner"
        ) from None


def _read_workbook(path: Path) -> Cells:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of styles, which hold no data
        try:
            raw = pd.read_excel(path, header=None, dtype=str, keep_default_na=False, na_filter=False)
        except Exception as error:  # each kind of damage has an exception of its own
            raise StudyError(f"{path} is not readable as a workbook ({error}); save the sheet as .csv") from None
    rows = [[str(cell).strip() for cell in row] for row in raw.to_numpy()]
    filled = [i for i, row in enumerate(rows) if any(row)]
    if not filled:
        raise StudyError(f"{path}: its first sheet is empty; put the table there")
    frame, notes = _named(path, rows[filled[0]], [rows[i] for i in filled[1:]])
    lines = pd.Series([i + 1 for i in filled[1:]], index=frame.index, dtype="int64")
    return Cells(str(path), frame, lines, "row", ("First sheet of the workbook.", *notes))


def _read_parquet(path: Path) -> Cells:
    try:
        raw = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise StudyError(f"{path} is not readable as parquet ({error}); save the table as .csv") from None
    texts = {str(name): raw[name].map(_text) for name in raw.columns}
    frame, notes = _named(path, list(texts), list(zip(*texts.values(), strict=True)))
    return Cells(str(path), frame, pd.Series(range(1, len(frame) + 1), index=frame.index), "row", tuple(notes))


def _text(value: object) -> str:
    return "" if pd.isna(value) else str(value).strip()


def _named(path: Path, header: list[str], rows: list) -> tuple[pd.DataFrame, list[str]]:
    """The columns that have a name; spreadsheets and R write row numbers without one."""
    twice = [name for i, name in enumerate(header) if name and name in header[:i]]
    if twice:
        raise StudyError(f"{path}: two columns are called {twice[0]!r}; rename or remove one")
    frame = pd.DataFrame(rows, columns=range(len(header)), dtype="str")
    keep = [i for i, name in enumerate(header) if name]
    notes = ["A column without a name was left aside."] if len(keep) < len(header) else []
    return frame[keep].set_axis([header[i] for i in keep], axis=1), notes
