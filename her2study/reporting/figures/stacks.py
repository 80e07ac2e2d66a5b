"""Pages of rows that count in millimetres: labels, plots and numbers stand side by side at the same heights."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from her2study.reporting.style import COLUMN_MM, new_figure

WIDTH = COLUMN_MM["double"]


def stack(heights: list[float], head_mm: float, foot_mm: float = 11) -> tuple[Figure, float, np.ndarray, float]:
    """A figure for rows of given heights: figure, top and row centres and bottom of the rows in mm."""
    figure = new_figure(sum(heights) + head_mm + foot_mm + 2)
    figure.set_layout_engine("none")
    top = foot_mm + sum(heights) + 1
    y = top - np.cumsum(heights) + np.array(heights) / 2
    return figure, top, y, foot_mm


def sheet(figure: Figure) -> Axes:
    """An invisible axes over the whole figure that counts in millimetres."""
    axes = figure.add_axes((0, 0, 1, 1), zorder=5)
    axes.patch.set_visible(False)
    axes.set(xlim=(0, WIDTH), ylim=(0, figure.get_size_inches()[1] * 25.4))
    axes.axis("off")
    return axes


def plot_area(figure: Figure, left: float, width: float, bottom: float, top: float) -> Axes:
    """Axes over the rows whose y axis counts in millimetres too."""
    height = figure.get_size_inches()[1] * 25.4
    axes = figure.add_axes((left / WIDTH, bottom / height, width / WIDTH, (top - bottom) / height))
    axes.set_ylim(bottom, top)
    return axes
