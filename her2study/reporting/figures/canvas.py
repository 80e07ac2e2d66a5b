"""A drawing board in millimetres."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from her2study.reporting.journals import current
from her2study.reporting.lettering import MM_PER_POINT
from her2study.reporting.style import GREY, INK, MARK_MM, new_figure, room_mm

LINE_SPACING = 1.3


def board(height_mm: float) -> tuple[Figure, Axes]:
    """A figure as wide as the page whose one invisible axes counts in millimetres from its lower left corner."""
    figure = new_figure(height_mm)
    figure.set_layout_engine("none")
    height_mm = min(height_mm, room_mm())
    axes = figure.add_axes((0, 0, 1, height_mm / (height_mm + MARK_MM)))
    axes.set(xlim=(0, current().width_mm), ylim=(0, height_mm))
    axes.axis("off")
    return figure, axes


def lines_mm(lines: int, size: float | None = None) -> float:
    """Height of so many lines of text, by default of running text."""
    return lines * (size or current().sizes_pt.text) * LINE_SPACING * MM_PER_POINT


def write_lines(axes: Axes, x: float, top: float, lines: list[str], **style: object) -> float:
    """Lines of running text from the top down; returns the y below the last one."""
    for line in lines:
        axes.text(x, top - lines_mm(1) / 2, line, va="center_baseline", **style)
        top -= lines_mm(1)
    return top


def box(axes: Axes, x: float, y: float, width: float, height: float, face: str = "white", edge: str = GREY) -> None:
    """A box with its lower left corner at (x, y)."""
    style = {"boxstyle": "round,pad=0,rounding_size=0.8", "linewidth": 0.7, "facecolor": face, "edgecolor": edge}
    axes.add_patch(FancyBboxPatch((x, y), width, height, **style))


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A thin arrow from one point to another."""
    look = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.7, "mutation_scale": 6, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=look)
