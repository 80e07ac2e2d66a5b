"""Delimited text (.csv, .tsv, .txt) as a grid: every row of the file, every row as wide as it is."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from her2study.cohort.findings import findings, none
from her2study.cohort.tables import encodings
from her2study.cohort.tables.sheet import Grid
from her2study.study import Reading
from her2study.types import StudyError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""What may stand between cells, and its name."""

BINARY = {
    b"\x89PNG": "a picture", b"\xff\xd8\xff": "a picture", b"GIF8": "a picture", b"%PDF": "a PDF",
    b"\x1f\x8b": "a compressed file (.gz)", b"7z\xbc\xaf": "a compressed file (.7z)",
    b"Rar!": "a compressed file (.rar)",
}  # fmt: skip
"""How files that are no text begin."""

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a]")


def read_delimited(path: Path, reading: Reading) -> Grid:
    """The grid of a delimited text file.

    Raises
    ------
    StudyError
        Wrong encoding; a quotation mark that is never closed; a row with more cells than the header; a
        workbook that was given the name of a text file.
    """
    data = path.read_bytes()
    refuse_binary(data, path)
    encodings.check(data, reading.encoding, path)
    widths = row_widths(data, reading.encoding, reading.delimiter, path)
    header = range(reading.header_row - 1, min(reading.header_row - 1 + reading.header_rows, len(widths)))
    width = max((int(widths[i]) for i in header), default=0)
    cells = _cells(data, reading, int(widths.max(initial=0)), path)
    if width == 1:
        _refuse_uncut(str(cells.iloc[header.start, 0]), reading, path)
    _refuse_longer(cells, widths, width, header, reading, path)
    found = [_other_encoding(data, reading.encoding, path), _shorter(cells, widths, width, header, path)]
    cells.index = np.arange(1, len(cells) + 1)
    return Grid(cells.iloc[:, :width] if width else cells, findings=pd.concat(found, ignore_index=True))


def refuse_binary(data: bytes, path: Path) -> None:
    """Insist that a file is text."""
    if not data.strip():
        raise StudyError(f"{path}: the file is empty")
    if data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise StudyError(f"{path}: cannot be read: it is an Excel workbook; name it .xlsx, or save it as .csv")
    if data.lstrip(b"\xef\xbb\xbf \r\n\t")[:9].lower().startswith((b"<html", b"<!doctype", b"<table")):
        raise StudyError(f"{path}: cannot be read: it is a web page; open it in Excel and save it as .xlsx")
    kind = next((kind for start, kind in BINARY.items() if data.startswith(start)), "")
    if kind or (_CONTROL.search(data[:4000]) and not encodings.guess(data).startswith("utf-16")):
        raise StudyError(
            f"{path}: cannot be read: it is not text but {kind or 'a binary file'}; name the table of the patients"
        )
    if data[:4] == b"PAR1":
        raise StudyError(f"{path}: cannot be read: it is a Parquet file; name it .parquet")


def row_widths(data: bytes, encoding: str, delimiter: str, path: Path) -> np.ndarray:
    """The number of cells of every row, line breaks in quotation marks being part of a cell."""
    lines = io.TextIOWrapper(io.BytesIO(data), encoding=encoding, newline="")
    reader = csv.reader(lines, delimiter=delimiter)
    before = csv.field_size_limit(2**31 - 1)
    try:
        return np.fromiter((len(row) for row in reader), dtype="int32")
    except csv.Error as error:
        raise StudyError(f"{path}: cannot be read: line {reader.line_num}: {error}") from None
    finally:
        csv.field_size_limit(before)


def sniff_delimiter(data: bytes, encoding: str) -> str:
    """The delimiter that cuts most rows of the file's beginning into the same number of cells, more than one."""
    text = data[:400_000].decode(encoding, errors="ignore")
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        rows = [len(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)][:300]
        usual, often = Counter(n for n in rows if n).most_common(1)[0] if any(rows) else (1, 0)
        score = (often / max(1, sum(map(bool, rows)))) * min(usual, 4) if usual > 1 else 0.0
        if score > best_score + 1e-9:
            best, best_score = delimiter, score
    return best


def _cells(data: bytes, reading: Reading, width: int, path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(
            io.BytesIO(data),
            header=None,
            names=range(width),
            dtype="str",
            keep_default_na=False,
            skip_blank_lines=False,
            encoding=reading.encoding,
            sep=reading.delimiter,
            index_col=False,
            low_memory=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        told = str(error)
        if "EOF inside string" in told:
            row = int(told.rsplit(" ", 1)[-1]) + 1
            told = f'row {row} has a quotation mark (") that is never closed; close or remove it'
        raise StudyError(f"{path}: cannot be read: {told}") from None


def _refuse_uncut(name: str, reading: Reading, path: Path) -> None:
    """One name only, with another delimiter inside: the file was cut at the wrong character."""
    for delimiter, spelled in DELIMITERS.items():
        if delimiter != reading.delimiter and delimiter in name:
            written = '"\\t"' if delimiter == "\t" else f'"{delimiter}"'
            raise StudyError(
                f"{path}: cannot be read: row {reading.header_row} is one cell, {name[:60]!r}, whose names seem to be "
                f"separated by a {spelled}; set source.reading.delimiter: {written} in study.yml"
            )


def _refuse_longer(
    cells: pd.DataFrame, widths: np.ndarray, width: int, header: range, reading: Reading, path: Path
) -> None:
    """A row with more cells than the header has names, unless the cells beyond are empty."""
    longer = np.flatnonzero(widths > width)
    longer = longer[longer >= header.stop]
    if width and len(longer):
        beyond = cells.iloc[longer, width:]
        longer = longer[((beyond.notna()) & (beyond != "")).any(axis=1).to_numpy()]
    if not len(longer):
        return
    row, others = int(longer[0]), len(longer) - 1
    named = DELIMITERS.get(reading.delimiter, repr(reading.delimiter))
    raise StudyError(
        f"{path}: cannot be read: row {row + 1} has {widths[row]} cells, the header (row {reading.header_row}) has "
        f"{width}{f' ({others} more rows likewise)' if others else ''}; put cells that hold a {named} into quotation "
        "marks, or correct source.reading (header_row, delimiter) in study.yml"
    )


def _shorter(cells: pd.DataFrame, widths: np.ndarray, width: int, header: range, path: Path) -> pd.DataFrame:
    """Rows with fewer cells than the header: a lost delimiter would shift every cell behind it."""
    short = np.flatnonzero((widths < width) & (widths > 1))
    short = short[short >= header.stop]
    return findings(
        {
            "severity": "warning",
            "area": "table",
            "file": path.name,
            "row": int(i) + 1,
            "value": f"{widths[i]} cells",
            "rule": f"the row has {widths[i]} cells and the header {width}: those at its end are taken as missing",
            "mend": "look whether a delimiter is lost in this row; write all cells",
        }
        for i in short[:100]
    )


def _other_encoding(data: bytes, encoding: str, path: Path) -> pd.DataFrame:
    """A file that can be read as told, but with other words than its writer's."""
    if data.isascii():
        return none()
    likely = encodings.guess(data)
    chinese, western = ("gb18030", "gbk", "gb2312"), ("cp1252", "latin-1", "iso-8859-1", "windows-1252")
    same = [("utf-8-sig", "utf-8", "utf8"), chinese, western]
    declared = encoding.lower().replace("_", "-")
    if declared == likely or declared.startswith("utf-16") or any(declared in f and likely in f for f in same):
        return none()
    return findings(
        [
            {
                "severity": "warning",
                "area": "file",
                "file": path.name,
                "value": encodings.words(data, encoding),
                "rule": f"read as {encoding}, but the file is probably {encodings.NAMES[likely]}, in which it says "
                f"{encodings.words(data, likely)}",
                "mend": f"if the second words are right, set source.reading.encoding: {likely} in study.yml",
            }
        ]
    )
