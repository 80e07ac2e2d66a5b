"""Numbers as words: rounded, never truncated, in one spelling everywhere."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

ABSENT = "–"
"""Printed where a number could not be estimated."""

PROPER = {
    word.lower().replace("-", ""): word
    for word in (
        "AUC AIC CI ROC PPV NPV MCC VIF ICC ICI NRI IDI SD SMD SHAP HER2 MRI F1 D-score DeLong Holm Hosmer-Lemeshow "
        "McNemar Firth Spiegelhalter Youden Brier Riley Wald Newcombe E50 E90 Emax"
    ).split()
}
"""Words of names that keep their capitals: ``inner_auc`` is the inner AUC."""


def rounded(value: float, decimals: int, percent: bool = False) -> Decimal:
    """A number rounded as by hand, halves away from zero: 0.125 to 0.13, as its shortest decimal form is read.

    Python's own formatting rounds the binary number beneath (0.0045 to 0.004) and exact halves to even (0.125 to
    0.12), so that of two values a reader sees as equally far from both neighbours one goes up and one goes down.
    """
    exact = Decimal(repr(float(value))) * (100 if percent else 1)
    if exact.adjusted() > 20:
        return exact  # has no decimals to lose, and more digits than a context allows
    return exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def number(value: float, decimals: int = 2, percent: bool = False) -> str:
    """``0.8149`` as ``0.81``; a true minus sign; :data:`ABSENT` for anything not finite.

    With ``percent`` the value is a fraction and is printed as a percentage, without the sign.
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    near = rounded(value, decimals, percent)
    text = f"{abs(near):,.{decimals}f}"
    return f"−{text}" if near < 0 else text  # no negative zero in print


def interval(value: float, low: float, high: float, decimals: int = 2, percent: bool = False) -> str:
    """``0.81 (0.73 to 0.89)``; without bounds ``0.81 (–)``."""
    if number(value) == ABSENT:
        return ABSENT
    return f"{number(value, decimals, percent)} ({reach(low, high, decimals, percent)})"


def reach(low: float, high: float, decimals: int = 2, percent: bool = False) -> str:
    """``0.73 to 0.89``; :data:`ABSENT` unless both bounds are numbers."""
    bounds = [number(bound, decimals, percent) for bound in (low, high)]
    return ABSENT if ABSENT in bounds else " to ".join(bounds)


def p_value(p: float) -> str:
    """Rounded to three decimals, but ``< 0.001`` and ``> 0.999`` where p itself, not p rounded, lies beyond.

    So 0.0496 is 0.050 and 0.00096 is ``< 0.001``: nothing is truncated and no relation printed is untrue.
    """
    if p is None or not math.isfinite(p):
        return ABSENT
    if p < 0.001:
        return "< 0.001"
    return "> 0.999" if p > 0.999 else number(p, 3)


def percent_of(confidence: float) -> str:
    """``0.95`` as ``95%`` and ``0.975`` as ``97.5%``."""
    return f"{confidence * 100:g}%"


def decimals_for(values: Sequence[float]) -> int:
    """Decimals that show about three digits of the typical value of a column."""
    sizes = sorted(abs(v) for v in values if v is not None and math.isfinite(v) and v != 0)
    if not sizes:
        return 2
    typical = sizes[len(sizes) // 2]
    return 0 if typical >= 100 else 1 if typical >= 10 else 2 if typical >= 0.1 else 3


def spell(name: str) -> str:
    """A column's or a model's name as print text: ``random_forest`` is ``Random forest``, ``inner_auc`` ``Inner AUC``.

    A first word that has capitals of its own keeps its first letter: ``nnU-Net``.
    """
    words = str(name).replace("_", " ").split()
    known = [PROPER.get(word, word) for word in words]
    if known and known[0] == words[0].lower():
        known[0] = known[0][:1].upper() + known[0][1:]
    return " ".join(known)


def listing(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    words = [str(word) for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "none"


def valued(value: object) -> str:
    """A value of ``values.json`` as text: a plain value, or one with format (``p`` is a p value), unit and interval."""
    if not isinstance(value, dict):
        return number(value) if isinstance(value, float) else str(value)
    spec = value.get("format") or (".2f" if isinstance(value.get("value"), float) else "")
    fixed = re.fullmatch(r",?\.(\d+)f", spec)

    def one(x: Any) -> str:
        if x is not None and spec == "p":
            return p_value(x)
        if x is not None and fixed:
            return number(x, int(fixed[1]))
        text = ABSENT if x is None else format(x, spec)
        return text if isinstance(x, str) else text.replace("-", "−")

    text = one(value.get("value"))
    if value.get("low") is not None and value.get("high") is not None:
        text += f" ({one(value['low'])} to {one(value['high'])})"
    unit = value.get("unit")
    return f"{text} {unit}" if unit else text
