"""Pages of rows that count in millimetres: labels, plots and numbers stand side by side at the same heights."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from her2study.reporting.journals import current
from her2study.reporting.style import new_figure, room_mm


def stack(heights: list[float], head_mm: float, foot_mm: float = 11) -> tuple[Figure, float, np.ndarray, float]:
    """A figure for rows of given heights: figure, top and row centres and bottom of the rows in mm.

    Rows move together where the journal's page is not high enough for them.
    """
    squeeze = min(1, (room_mm() - head_mm - foot_mm - 2) / sum(heights))
    heights = [height * squeeze for height in heights]
    figure = new_figure(sum(heights) + head_mm + foot_mm + 2)
    figure.set_layout_engine("none")
    top = foot_mm + sum(heights) + 1
    y = top - np.cumsum(heights) + np.array(heights) / 2
    return figure, top, y, foot_mm


def sheet(figure: Figure) -> Axes:
    """An invisible axes over the whole figure that counts in millimetres."""
    axes = figure.add_axes((0, 0, 1, 1), zorder=5)
    axes.patch.set_visible(False)
    axes.set(xlim=(0, current().width_mm), ylim=(0, figure.get_size_inches()[1] * 25.4))
    axes.axis("off")
    return axes


def plot_area(figure: Figure, left: float, width: float, bottom: float, top: float) -> Axes:
    """Axes over the rows whose y axis counts in millimetres too."""
    page_mm, height = current().width_mm, figure.get_size_inches()[1] * 25.4
    axes = figure.add_axes((left / page_mm, bottom / height, width / page_mm, (top - bottom) / height))
    axes.set_ylim(bottom, top)
    return axes
