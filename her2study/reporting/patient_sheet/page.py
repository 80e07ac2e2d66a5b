"""A page in millimetres from its top left corner, and text on it that knows how wide it is."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager, get_font
from matplotlib.patches import FancyBboxPatch

from her2study.reporting.journals import ALWAYS_THERE, current
from her2study.reporting.lettering import MM_PER_POINT, wrap
from her2study.reporting.style import GREY, INK, journal_style

WIDTH_MM, HEIGHT_MM, MARGIN_MM = 210.0, 297.0, 14.0
INSIDE_MM = WIDTH_MM - 2 * MARGIN_MM

LINE_SPACING = 1.32

FURTHER_SCRIPTS = (
    "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "Droid Sans Fallback", "Microsoft YaHei", "SimHei",
    "PingFang SC", "Arial Unicode MS",
)  # fmt: skip
"""Fonts for names that the usual font cannot write, such as Chinese ones; whichever is installed."""


def fonts_of_sheet() -> list[str]:
    """The usual font, and those for further scripts that are installed here."""
    installed = {font.name for font in fontManager.ttflist}
    return [current().font, ALWAYS_THERE, *(name for name in FURTHER_SCRIPTS if name in installed)]


@contextmanager
def sheet_style() -> Iterator[None]:
    """Fonts and sizes of a sheet, for the block only."""
    told = logging.getLogger("matplotlib.font_manager")
    level = told.level
    told.setLevel(logging.ERROR)  # it tells of every bold text that a font of the list has no bold letters
    try:
        with journal_style(), mpl.rc_context({"font.family": list(dict.fromkeys(fonts_of_sheet()))}):
            yield
    finally:
        told.setLevel(level)


def writable(text: str) -> str:
    """The text with a question mark for each letter that no font here can write."""
    known = _letters(tuple(dict.fromkeys(fonts_of_sheet())))
    return "".join(letter if ord(letter) in known or letter == "\n" else "?" for letter in text)


@cache
def _letters(families: tuple[str, ...]) -> frozenset[int]:
    fonts = (get_font(fontManager.findfont(FontProperties(family=family))) for family in families)
    return frozenset(letter for font in fonts for letter in font.get_charmap())


def new_page() -> tuple[Figure, Axes]:
    """An empty A4 page and an invisible axes that counts in millimetres, downwards."""
    figure = Figure(figsize=(WIDTH_MM / 25.4, HEIGHT_MM / 25.4), facecolor="white")
    board = figure.add_axes((0, 0, 1, 1))
    board.set(xlim=(0, WIDTH_MM), ylim=(HEIGHT_MM, 0))
    board.axis("off")
    return figure, board


def panel(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes of a panel, by its place in millimetres."""
    return figure.add_axes((left / WIDTH_MM, 1 - (top + height) / HEIGHT_MM, width / WIDTH_MM, height / HEIGHT_MM))


def line_mm(size: float) -> float:
    """Height of a line of text of so many points."""
    return size * LINE_SPACING * MM_PER_POINT


def write(board: Axes, left: float, top: float, text: str, size: float = 8, **style: object) -> float:
    """One line of text; returns where the next one begins."""
    board.text(left, top + line_mm(size) / 2, text, fontsize=size, va="center_baseline", **{"color": INK, **style})
    return top + line_mm(size)


def paragraph(
    board: Axes, left: float, top: float, width: float, text: str, size: float = 8, most: int = 99, **style: object
) -> float:
    """Text broken into lines, at most so many; returns where the next one begins."""
    lines = wrap(text, width, size, str(style.get("weight", "normal")))
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1]} …"]
    for line in lines:
        top = write(board, left, top, line, size, **style)
    return top


def heading(board: Axes, left: float, top: float, width: float, text: str) -> float:
    """A heading above a thin line."""
    below = write(board, left, top, text, 9.5, weight="bold")
    board.plot([left, left + width], [below + 0.6, below + 0.6], color=GREY, linewidth=0.6)
    return below + 2.2


def box(board: Axes, left: float, top: float, width: float, height: float, face: str, edge: str) -> None:
    """A box with rounded corners behind what is written in it."""
    look = {"boxstyle": "round,pad=0,rounding_size=1.2", "linewidth": 0.8, "facecolor": face, "edgecolor": edge}
    board.add_patch(FancyBboxPatch((left, top), width, height, zorder=0, **look))
