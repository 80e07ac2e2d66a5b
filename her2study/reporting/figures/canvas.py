"""A drawing board in millimetres, and text that knows how wide it is."""

from __future__ import annotations

from functools import lru_cache

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch
from matplotlib.textpath import TextPath

from her2study.reporting.style import COLUMN_MM, GREY, INK, MARK_MM, new_figure

MM_PER_POINT = 25.4 / 72
LINE_SPACING = 1.3


def board(height_mm: float, width_mm: float = COLUMN_MM["double"]) -> tuple[Figure, Axes]:
    """A figure whose one invisible axes counts in millimetres from its lower left corner."""
    figure = new_figure(height_mm, width_mm)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, height_mm / (height_mm + MARK_MM)))
    axes.set(xlim=(0, width_mm), ylim=(0, height_mm))
    axes.axis("off")
    return figure, axes


@lru_cache(maxsize=4096)
def text_width_mm(text: str, size: float = 7, weight: str = "normal") -> float:
    """Width of one line of text at a font size in points."""
    if not text.strip():
        return 0.0
    font = FontProperties(family="DejaVu Sans", size=size, weight=weight)
    return TextPath((0, 0), text, prop=font).get_extents().width * MM_PER_POINT


def wrap(text: str, width_mm: float, size: float = 7, weight: str = "normal") -> list[str]:
    """Break text at spaces so that each line fits the width; a longer word is cut with an ellipsis."""
    lines: list[str] = []
    for word in str(text).split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width_mm(joined, size, weight) <= width_mm:
            lines[-1] = joined
        else:
            lines.append(fit(word, width_mm, size, weight))
    return lines or [""]


def fit(text: str, width_mm: float, size: float = 7, weight: str = "normal") -> str:
    """The text, or its two ends around an ellipsis if it is wider than the width."""
    if text_width_mm(text, size, weight) <= width_mm:
        return text
    keep = len(text) - 1
    while keep > 2 and text_width_mm(_shortened(text, keep), size, weight) > width_mm:
        keep -= 1
    return _shortened(text, keep)


def _shortened(text: str, keep: int) -> str:
    return f"{text[: (keep + 1) // 2]}…{text[len(text) - keep // 2 :]}"


def lines_mm(lines: int, size: float = 7) -> float:
    """Height of so many lines of text."""
    return lines * size * LINE_SPACING * MM_PER_POINT


def write_lines(axes: Axes, x: float, top: float, lines: list[str], size: float = 7, **style: object) -> float:
    """Lines of text from the top down; returns the y below the last one."""
    for line in lines:
        axes.text(x, top - lines_mm(1, size) / 2, line, fontsize=size, va="center_baseline", **style)
        top -= lines_mm(1, size)
    return top


def box(axes: Axes, x: float, y: float, width: float, height: float, face: str = "white", edge: str = GREY) -> None:
    """A box with its lower left corner at (x, y)."""
    style = {"boxstyle": "round,pad=0,rounding_size=0.8", "linewidth": 0.7, "facecolor": face, "edgecolor": edge}
    axes.add_patch(FancyBboxPatch((x, y), width, height, **style))


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A thin arrow from one point to another."""
    look = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.7, "mutation_scale": 6, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=look)
