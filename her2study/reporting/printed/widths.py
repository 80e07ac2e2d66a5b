"""How wide columns are: measured by their longest words and texts, so that a page holds them."""

from __future__ import annotations

import re

from her2study.reporting.printed.sheet import Sheet

PORTRAIT_MM, LANDSCAPE_MM = 180.0, 267.0
"""Text width of A4 with margins of 15 mm."""

FONT_POINTS = 8.0
GAP_MM = 2.4
"""Left and right of a column's text together."""

INDENT_MM = 2.0
"""Of rows below the name of their group."""

STRETCHED = 1.3
"""A table that would fill less of the page is made wider by up to this factor."""

WRAPPED_MM = 38.0
"""A column of text is not made narrower than this for the page to stay upright, unless its texts are shorter."""

NARROW, WIDE = frozenset("iljtfrI.,;:()[]|'’ -–"), frozenset("mwMW%&@ABCDEGHKNOPQRSUVXYZ<>=+−±")


def text_mm(text: str, points: float = FONT_POINTS) -> float:
    """About the width of a text in Arial or Helvetica; a little too much rather than too little."""
    em = sum(0.32 if letter in NARROW else 0.74 if letter in WIDE else 0.57 for letter in text)
    return em * points * 25.4 / 72


def fit(sheet: Sheet) -> tuple[list[float], bool]:
    """Width of each column in millimetres, and whether the page must be turned.

    Columns of numbers keep their cells on one line if the turned page allows it; columns of text are broken between
    words. Only if that is not enough are intervals broken too.
    """
    texts = [(head, [cell for cell in cells if cell.strip()]) for head, cells in sheet.columns()]
    full = [max([_head_mm(head.text), *map(_padded, cells)]) for head, cells in texts]
    broken = [max([_head_mm(head.text), *(_longest_word(cell) for cell in cells)]) for head, cells in texts]
    full[0], broken[0] = full[0] + INDENT_MM, broken[0] + INDENT_MM
    whole = [
        wide if head.numeric else min(wide, max(narrow, WRAPPED_MM))
        for (head, _), wide, narrow in zip(texts, full, broken, strict=True)
    ]
    for room, least in ((PORTRAIT_MM, whole), (LANDSCAPE_MM, whole), (LANDSCAPE_MM, broken)):
        if sum(least) <= room:
            return _share(least, full, room), room > PORTRAIT_MM
    scale = LANDSCAPE_MM / sum(broken)
    return [width * scale for width in broken], True


def _share(least: list[float], full: list[float], room: float) -> list[float]:
    """The least widths and, of what is left on the page, to each in proportion to what it lacks."""
    lacking = [wide - narrow for wide, narrow in zip(full, least, strict=True)]
    part = min(1.0, (room - sum(least)) / sum(lacking)) if sum(lacking) > 0 else 0.0
    widths = [narrow + part * lack for narrow, lack in zip(least, lacking, strict=True)]
    stretch = min(STRETCHED, room / sum(widths))
    return [width * stretch for width in widths]


def _padded(text: str) -> float:
    return text_mm(text) + GAP_MM


def _longest_word(text: str) -> float:
    return max(_padded(word) for word in text.split())


def _head_mm(text: str) -> float:
    """Of a head in bold, broken into words but for its last bracket, with room for the letter of a footnote."""
    return max(_padded(word) for word in unbroken(text).split(" ")) * 1.08 + 1.0


def unbroken(text: str) -> str:
    """With hard spaces where a head must not be broken: ``95% CI``, ``n = 57``."""
    return re.sub(r" (?=CI\b)|(?<=\bn) (?==)|(?<=\bn =) ", "\u00a0", text)
