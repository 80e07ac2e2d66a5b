"""Dates as people type them, as ISO text. A date that can be read in two ways, or not at all, is said."""

from __future__ import annotations

import datetime
import re
import unicodedata

EXCEL_ZERO = datetime.date(1899, 12, 30)
"""Day 0 of Excel's calendar, right for every day after February 1900."""

FIRST_DAY, LAST_DAY = 10_000, 80_000
"""Numbers from 1927 to 2119 are days of Excel's calendar; smaller ones are years, ages or codes."""

PIVOT = 50
"""Two-digit years below it are of this century."""

_TIME = re.compile(r"[ T]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([AaPp][Mm])?Z?$")
_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.年 ]\s*(\d{1,2})\s*[-/.月 ]\s*(\d{1,2})日?")
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_THREE = re.compile(r"(\d{1,2})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{4}|\d{1,2})\.?")
_DAY_NAME = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[-/. ]*([^\W\d_]{3,})[-/., ]*(\d{4}|\d{2})")
_NAME_DAY = re.compile(r"([^\W\d_]{3,})[-/. ]*(\d{1,2})(?:st|nd|rd|th)?[-/., ]+(\d{4}|\d{2})")
_MONTHS = {
    "jan": 1, "ene": 1, "feb": 2, "fev": 2, "mar": 3, "mrz": 3, "apr": 4, "avr": 4, "abr": 4, "may": 5, "mai": 5,
    "jun": 6, "juin": 6, "jul": 7, "juil": 7, "aug": 8, "aou": 8, "ago": 8, "sep": 9, "oct": 10, "okt": 10, "nov": 11,
    "dec": 12, "dez": 12, "dic": 12,
}  # fmt: skip
_PARTS = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}


def iso_date(text: str, order: str = "ymd", excel_days: bool = False) -> tuple[str | None, str, bool]:
    """One cell as an ISO date, what is wrong with it (empty if nothing is), and whether its century was assumed.

    Parameters
    ----------
    text : str
        The cell; a time of day behind the date is left out.
    order : str
        Of day, month and year where all are numbers: ``dmy``, ``mdy`` or ``ymd``. A year of four digits in front
        is read as one whatever the order is.
    excel_days : bool
        Read whole numbers of five digits as days of Excel's calendar.
    """
    plain = _TIME.sub("", unicodedata.normalize("NFKC", text).strip())
    if re.fullmatch(r"\d{5}(\.\d+)?", plain):
        if not excel_days:
            return None, "is a number and not a date", False
        days = int(float(plain))
        if FIRST_DAY <= days <= LAST_DAY:
            return (EXCEL_ZERO + datetime.timedelta(days=days)).isoformat(), "", False
    found = _YEAR_FIRST.fullmatch(plain) or _COMPACT.fullmatch(plain)
    if found:
        return _day(*map(int, found.groups()))
    if found := _THREE.fullmatch(plain):
        parts = found.groups()
        if order == "ymd" and len(parts[2]) == 4:
            return None, "has its year at the end, and order is ymd", False
        year, month, day = (parts[i] for i in _PARTS[order])
        if len(year) == 1:
            return None, "has a year of one digit; another order of day, month and year?", False
        return _day(_year(year), int(month), int(day), assumed=len(year) < 4)
    for pattern, places in ((_DAY_NAME, (2, 1, 0)), (_NAME_DAY, (2, 0, 1))):
        if found := pattern.fullmatch(plain):
            year, name, day = (found.groups()[i] for i in places)
            month_number = _month(name)
            if month_number:
                return _day(_year(year), month_number, int(day), assumed=len(year) < 4)
    if re.fullmatch(r"(19|20)\d{2}([-/.年]\d{1,2}月?)?|\d{1,2}[-/.](19|20)\d{2}", plain):
        return None, "is not a whole date", False
    return None, "is not a date", False


def _day(year: int, month: int, day: int, assumed: bool = False) -> tuple[str | None, str, bool]:
    if not 1 <= month <= 12:
        return None, f"has no month {month}; another order of day, month and year?", False
    try:
        return datetime.date(year, month, day).isoformat(), "", assumed
    except ValueError:
        return None, "is no day of the calendar", False


def _year(text: str) -> int:
    if len(text) == 4:
        return int(text)
    return int(text) + (2000 if int(text) < PIVOT else 1900)


def _month(name: str) -> int | None:
    letters = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return _MONTHS.get(letters[:4]) or _MONTHS.get(letters[:3])
