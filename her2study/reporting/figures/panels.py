"""Small things that several figures share: grids, legends, which models fit a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from her2study.reporting.style import model_order

MOST_ROWS = 4
"""Models that a figure with a row a model can show and still be read."""

FIRST = ("combined", "dscore", "clinical")


def grid_of_panels(figure: Figure, rows: int, columns: int) -> list[list[Axes]]:
    """Axes as a list of rows."""
    return [list(row) for row in figure.subplots(rows, columns, squeeze=False)]


def tag(place: int, panels: int) -> str:
    """The letter of a panel; none for a panel that is alone."""
    return chr(ord("A") + place) if panels > 1 else ""


def row_label(axes: Axes, text: str) -> None:
    """A bold heading for a row of panels, left of the first panel's axis label."""
    axes.annotate(
        text, (0, 0.5), (-8, 0), xycoords=(axes.yaxis.label, "axes fraction"), textcoords="offset points",
        ha="right", va="center", rotation=90, weight="bold", fontsize=7.5,
    )  # fmt: skip


def legend_panel(axes: Axes, handles: Sequence[Artist], title: str = "") -> None:
    """A legend in a panel of its own, below another, which it shares its left margin with."""
    axes.axis("off")
    legend = axes.legend(
        handles=handles, title=title, loc="upper left", bbox_to_anchor=(-0.22, 1), alignment="left",
        borderpad=0, labelspacing=0.35, title_fontsize=7, handlelength=2,
    )  # fmt: skip
    legend.get_title().set_weight("bold")


def chosen_models(models: Iterable[str], most: int = MOST_ROWS) -> list[str]:
    """The models that get a row of their own: the paper's first, then others."""
    found = model_order(models)
    first = [model for model in FIRST if model in found]
    others = [model for model in found if model not in first]
    return [model for model in found if model in (first + others)[:most]]
