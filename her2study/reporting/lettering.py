"""Text that knows how wide it is, in the font of the journal that is drawn for."""

from __future__ import annotations

from functools import lru_cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from her2study.reporting.journals import current, load_journal

MM_PER_POINT = 25.4 / 72
SPECIMEN = "Largest axillary node diameter (mm) 0.81 (0.73 to 0.89), n = 520, HER2-positive"
"""Words and numbers as figures print them, to compare fonts by."""


def text_width_mm(text: str, size: float | None = None, weight: str = "normal") -> float:
    """Width of one line of text at a font size in points, by default that of running text."""
    return _width_mm(text, size or current().sizes_pt.text, weight, current().font)


@lru_cache(maxsize=4096)
def _width_mm(text: str, size: float, weight: str, family: str) -> float:
    if not text.strip():
        return 0.0
    font = FontProperties(family=family, size=size, weight=weight)
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] * MM_PER_POINT


def across(needed_mm: float) -> float:
    """Width for text that needs so much in the letters of the default journal."""
    usual = load_journal()
    return needed_mm * (text_width_mm(SPECIMEN) / _width_mm(SPECIMEN, usual.sizes_pt.text, "normal", usual.font))


def upwards(needed_mm: float) -> float:
    """Height for text that needs so much at the font size of the default journal."""
    return needed_mm * (current().sizes_pt.text / load_journal().sizes_pt.text)


def wrap(text: str, width_mm: float, size: float | None = None, weight: str = "normal") -> list[str]:
    """Break text at spaces so that each line fits the width; a longer word is cut with an ellipsis."""
    lines: list[str] = []
    for word in str(text).split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width_mm(joined, size, weight) <= width_mm:
            lines[-1] = joined
        else:
            lines.append(fit(word, width_mm, size, weight))
    return lines or [""]


def fit(text: str, width_mm: float, size: float | None = None, weight: str = "normal") -> str:
    """The text, or its two ends around an ellipsis if it is wider than the width."""
    if text_width_mm(text, size, weight) <= width_mm:
        return text
    letters = min(len(text) - 1, int(1.5 * len(text) * width_mm / text_width_mm(text, size, weight)) + 3)
    while letters > 3 and text_width_mm(shortened(text, letters), size, weight) > width_mm:
        letters -= 1
    return shortened(text, letters)


def shortened(text: str, letters: int) -> str:
    """The text, or its two ends around an ellipsis if it has more letters than that."""
    keep = letters - 1
    return text if len(text) <= letters else f"{text[: (keep + 1) // 2]}…{text[len(text) - keep // 2 :]}"
