"""Small things that several figures share: grids, legends, which models fit a page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from her2study.reporting.journals import current, load_journal
from her2study.reporting.lettering import across, upwards
from her2study.reporting.style import (
    GREY,
    INK,
    MARK_MM,
    letter,
    model_order,
    new_figure,
    room_mm,
    split_label,
    split_order,
)
from her2study.words import percent_of

MOST_ROWS, MOST_COLUMNS = 4, 3
"""Panels of a page that can still be read."""

LETTERED_MM = 14
"""Of a panel's height, what its texts need in the default journal's letters."""

LEAST_HEIGHT = 0.85
"""Of a panel's usual height, what a low page may leave of it before rows and columns change places."""

FIRST = ("combined", "dscore", "clinical")


class Panel(NamedTuple):
    """One panel of a page on which every model has its own."""

    axes: Axes
    model: str
    split: str
    title: str
    leftmost: bool
    lowest: bool


def ci(confidence: float) -> str:
    """``95% CI``, as every axis and legend names an interval."""
    return f"{percent_of(confidence)} CI"


def grid_of_panels(figure: Figure, rows: int, columns: int) -> list[list[Axes]]:
    """Axes as a list of rows."""
    return [list(row) for row in figure.subplots(rows, columns, squeeze=False)]


def model_panels(
    frame: pd.DataFrame, names: Mapping[str, str], side_mm: float, below_mm: float
) -> tuple[Figure, list[Panel]]:
    """A page with a row a model and a column a split; the models of a single split stand side by side.

    Where a journal's page is too low for the rows, the models stand side by side with a row a split.
    Models that find no room are counted in the strip above the panels, since they are in the tables.
    """
    side_mm += upwards(LETTERED_MM) - LETTERED_MM
    splits, found = split_order(frame["split"]), model_order(frame["model"])
    alone = len(splits) == 1
    models = chosen_models(found, MOST_ROWS * (MOST_COLUMNS if alone else 1))
    squeezed = (room_mm() - below_mm) / len(models) < LEAST_HEIGHT * side_mm
    too_high = not alone and squeezed and len(models) > len(splits)
    if alone or too_high:
        places = [(model, split) for split in splits for model in models]
        columns = min(MOST_COLUMNS, len(models)) if alone else len(models)
    else:
        places = [(model, split) for model in models for split in splits]
        columns = len(splits)
    rows = math.ceil(len(places) / columns)
    figure = new_figure(rows * side_mm + below_mm, page_mm(columns))
    panels = []
    for place, axes in enumerate(axes for row in grid_of_panels(figure, rows, columns) for axes in row):
        if place >= len(places):
            axes.remove()
            continue
        model, split = places[place]
        row, column = (split_label(split), names[model]) if too_high else (names[model], split_label(split))
        title = names[model] if alone else column if place < columns else ""
        leftmost, lowest = place % columns == 0, place + columns >= len(places)
        if leftmost and not alone:
            row_label(axes, row)
        panels.append(Panel(axes, model, split, title, leftmost, lowest))
    left_out = f"{len(models)} of {len(found)} models; the tables have all" if len(models) < len(found) else ""
    strip_text(figure, ". ".join(text for text in (split_label(splits[0]) if alone else "", left_out) if text))
    return figure, panels


def page_mm(columns: int) -> float:
    """Width of a figure with panels in so many columns; at least half a page, for the legend."""
    journal, share = current(), max(0.5, columns / MOST_COLUMNS)
    if journal.exact_columns and share == 0.5:
        return journal.columns_mm[0]
    return journal.column_mm(share * journal.width_mm)


def title_panels(panels: Sequence[Panel], more: Mapping[tuple[str, str], str] | None = None) -> None:
    """Letter and title of each panel, with another line from ``more`` by model and split."""
    for place, panel in enumerate(panels):
        lines = [panel.title, (more or {}).get((panel.model, panel.split), "")]
        letter(panel.axes, tag(place, len(panels)), "\n".join(line for line in lines if line))


def strip_text(figure: Figure, text: str) -> None:
    """Text at the left of the strip at the top of a figure, opposite the mark of simulated patients."""
    width_mm, height_mm = figure.get_size_inches() * 25.4
    figure.text(2 / width_mm, 1 - MARK_MM / 2 / height_mm, text, va="center", color=INK)


def tag(place: int, panels: int) -> str:
    """The letter of a panel; none for a panel that is alone."""
    return chr(ord("A") + place) if panels > 1 else ""


def row_label(axes: Axes, text: str) -> None:
    """A bold heading for a row of panels, left of the first panel's axis label."""
    axes.annotate(
        text, (0, 0.5), (-8, 0), xycoords=(axes.yaxis.label, "axes fraction"), textcoords="offset points",
        ha="right", va="center", rotation=90, weight="bold", fontsize=current().sizes_pt.label,
    )  # fmt: skip


def legend_panel(axes: Axes, handles: Sequence[Artist], title: str = "") -> None:
    """A legend in a panel of its own, below another, which it shares its left margin with."""
    axes.axis("off")
    legend = axes.legend(
        handles=handles, title=title, loc="upper left", bbox_to_anchor=(-0.22, 1), alignment="left",
        borderpad=0, labelspacing=0.35, title_fontsize=current().sizes_pt.text, handlelength=2,
    )  # fmt: skip
    legend.get_title().set_weight("bold")


def legend_columns(width_mm: float, entries: int, most: int = 4) -> int:
    """Columns of a legend below the panels of a figure so wide, of at most so many on a full page."""
    return max(1, min(entries, int(most * width_mm / across(load_journal().width_mm) + 1e-6)))


def zero_line(axes: Axes) -> None:
    """The horizontal line of no difference."""
    axes.axhline(0, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)


def chosen_models(models: Iterable[str], most: int = MOST_ROWS) -> list[str]:
    """The models that get a row of their own: the paper's first, then others."""
    found = model_order(models)
    first = [model for model in FIRST if model in found]
    others = [model for model in found if model not in first]
    return [model for model in found if model in (first + others)[:most]]
