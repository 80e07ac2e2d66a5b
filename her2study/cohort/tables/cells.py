"""Cells as text: spaces, whole numbers, decimals and what means missing, whole columns at a time."""

from __future__ import annotations

import datetime

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

MISSING_CODES = ("", "NA", "N/A", "n/a", "NaN", "nan", "<NA>", "NULL", "null", "#N/A", ".")
"""Cells that mean missing. Other codes (-9, 999, unknown) are named in reading.missing or in mending.yml."""

FORMULA_ERRORS = ("#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA")
"""What a spreadsheet shows in place of a value that it cannot compute; ``#N/A`` is taken as missing."""

_SPACE = r"[\s\x{1c}-\x{1f}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+"
_UNSEEN = r"[\x{200b}\x{200c}\x{200d}\x{2060}\x{feff}]"
_WHOLE = r"^(-?\d+)\.0+$"
_COMMA = r"^([+-]?\d+),(\d+)$"


def clean(values: pd.Series, missing: tuple[str, ...] = (), decimal: str = ".") -> pd.Series:
    """A column of text, its distinct values cleaned once.

    Spaces of every kind are joined and trimmed, characters without width removed, whole numbers lose the ``.0``
    that spreadsheets add, and cells of :data:`MISSING_CODES` or ``missing`` become missing.

    Parameters
    ----------
    values : Series
        Text or missing.
    missing : tuple of str
        Further cells that mean missing.
    decimal : str
        With ``","``, cells that are one number with a comma get a point: ``2,3`` is ``2.3``.
    """
    array = pa.array(values, type=pa.large_string(), from_pandas=True)
    coded = (array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array).dictionary_encode()
    text = coded.dictionary
    for pattern, by in ((_UNSEEN, ""), (_SPACE, " ")):
        text = pc.replace_substring_regex(text, pattern=pattern, replacement=by)
    text = pc.utf8_trim(text, characters=" ")
    if decimal == ",":
        text = pc.replace_substring_regex(text, pattern=_COMMA, replacement=r"\1.\2")
    text = pc.replace_substring_regex(text, pattern=_WHOLE, replacement=r"\1")
    gone = pc.is_in(text, value_set=pa.array([*MISSING_CODES, *missing], pa.large_string()))
    text = pc.if_else(gone, pa.scalar(None, pa.large_string()), text)
    return pd.Series(text.take(coded.indices), index=values.index, dtype="str", name=values.name)


def text_of(value: object) -> str | None:
    """One cell of a workbook as text: dates as ISO, without the time if that is midnight."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime.datetime):
        return iso(value)
    if isinstance(value, float):
        return repr(value)
    return str(value)  # whole numbers, TRUE and FALSE, dates and times of day


def iso(moment: datetime.datetime) -> str:
    """``2020-03-01``, or ``2020-03-01 10:30:00`` where there is a time."""
    text = moment.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
    return text.removesuffix(" 00:00:00")


def joined_spaces(text: object) -> str:
    """A header cell on one line, without spaces at its ends; empty for a missing one."""
    return "" if text is None or text != text else " ".join(str(text).replace("\ufeff", "").split())
