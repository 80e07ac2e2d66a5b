"""Numbers as words: rounded, never truncated, in one spelling everywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence

ABSENT = "–"
"""Printed where a number could not be estimated."""


def number(value: float, decimals: int = 2, percent: bool = False) -> str:
    """``0.8149`` as ``0.81``; a true minus sign; :data:`ABSENT` for anything not finite.

    With ``percent`` the value is a fraction and is printed as a percentage, without the sign.
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    text = f"{value * (100 if percent else 1):,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")  # no negative zero in print
    return text.replace("-", "−")


def interval(value: float, low: float, high: float, decimals: int = 2, percent: bool = False) -> str:
    """``0.81 (0.73 to 0.89)``; without bounds ``0.81 (–)``."""
    if number(value) == ABSENT:
        return ABSENT
    bounds = [number(bound, decimals, percent) for bound in (low, high)]
    inside = ABSENT if ABSENT in bounds else " to ".join(bounds)
    return f"{number(value, decimals, percent)} ({inside})"


def p_value(p: float) -> str:
    """Three decimals, ``< 0.001`` below, ``> 0.999`` above."""
    if p is None or not math.isfinite(p):
        return ABSENT
    if p < 0.001:
        return "< 0.001"
    return "> 0.999" if p > 0.999 else f"{p:.3f}"


def decimals_for(values: Sequence[float]) -> int:
    """Decimals that show about three digits of the typical value of a column."""
    sizes = sorted(abs(v) for v in values if v is not None and math.isfinite(v) and v != 0)
    if not sizes:
        return 2
    typical = sizes[len(sizes) // 2]
    return 0 if typical >= 100 else 1 if typical >= 10 else 2 if typical >= 0.1 else 3


def spell(name: str) -> str:
    """A column's or a model's name as print text: ``random_forest`` as ``Random forest``."""
    text = str(name).replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def listing(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    words = [str(word) for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "none"


def valued(value: object) -> str:
    """A value of ``values.json`` as text: a plain value, or one with format, unit and interval."""
    if not isinstance(value, dict):
        return number(value) if isinstance(value, float) else str(value)
    spec = value.get("format") or (".2f" if isinstance(value.get("value"), float) else "")

    def one(x: object) -> str:
        return ABSENT if x is None else format(x, spec).replace("-", "−")

    text = one(value.get("value"))
    if value.get("low") is not None and value.get("high") is not None:
        text += f" ({one(value['low'])} to {one(value['high'])})"
    unit = value.get("unit")
    return f"{text} {unit}" if unit else text
