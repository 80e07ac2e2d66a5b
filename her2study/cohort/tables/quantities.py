"""Numbers with units as people type them: ``2,3 cm``, ``23``, ``５mm``. What is no single number is not guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

_NUMBER = re.compile(r"(?P<number>[+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>[^\d\s.,<>=+-].*)?")
_BOUND = re.compile(r"[<>≤≥~≈]|.*±|(ca|circa|approx|about|over|under)\b|大于|小于|约", re.IGNORECASE)
_RANGE = re.compile(r"\d\s*(-|–|—|to|bis|à|至|~)\s*\d")
_PRODUCT = re.compile(r"\d\s*(mm|cm)?\s*[x×*]\s*\d", re.IGNORECASE)
_LETTERS = re.compile(r"\d[\d.,]*[oOlI][\d.,oOlI]*")  # a letter typed for a nought or a one
AMBIGUOUS = re.compile(r"[1-9]\d{0,2}\.\d{3}")
"""Where the comma is the decimal sign, such a number may be thousands."""


def quantity(
    text: str, unit: str | None = None, units: Mapping[str, float] | None = None, decimal: str = "."
) -> tuple[str | None, str]:
    """One cell as a plain number in the unit whose factor is 1, and what is wrong with it, empty if nothing is.

    Parameters
    ----------
    text : str
        The cell.
    unit : str, optional
        The unit of a number that has none; its factor is 1 if ``units`` does not name it.
    units : mapping, optional
        What a number with a unit is multiplied with: ``{"cm": 10, "mm": 1}``.
    decimal : str
        ``"."`` or ``","``; with a comma, a point is read as a decimal point too.
    """
    plain = unicodedata.normalize("NFKC", text).strip().replace("−", "-")
    if _PRODUCT.search(plain):
        return None, "is several sizes and not one number"
    if _RANGE.search(plain):
        return None, "is a range and not one number"
    if _BOUND.match(plain):
        return None, "is a bound or an estimate and not a number"
    found = _NUMBER.fullmatch(plain)
    if not found or _LETTERS.fullmatch(plain):
        return None, "is not a number"
    number = found["number"]
    if "," in number:
        if decimal != ",":
            return None, "has a comma, and decimal is '.'"
        number = number.replace(",", ".")
    factor = _factor(found["unit"], unit, units or {})
    if factor is None:
        known = ", ".join(dict.fromkeys([*([unit] if unit else []), *(units or {})])) or "none"
        return None, f"has the unit {found['unit'].strip()!r}, which is none of {known}"
    if factor == 1 and re.fullmatch(r"-?\d+(\.\d*[1-9])?", number):
        return number, ""
    return plain_number(Decimal(number) * factor), ""


def plain_number(value: Decimal) -> str:
    """Without exponent and without zeros at its end."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _factor(written: str | None, unit: str | None, units: Mapping[str, float]) -> Decimal | None:
    said = _spelled(written or unit or "")
    for name, factor in units.items():
        if said == _spelled(name):
            return Decimal(repr(factor))
    return Decimal(1) if not written or said == _spelled(unit or "") else None


def _spelled(unit: str) -> str:
    return unicodedata.normalize("NFKC", unit).strip(" .()[]").casefold()
