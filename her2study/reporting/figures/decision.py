"""Net benefit over threshold probabilities: of models, and of one model over another."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from her2study.reporting.figures.panels import ci, grid_of_panels, legend_columns, page_mm, strip_text, tag, zero_line
from her2study.reporting.lettering import upwards
from her2study.reporting.style import (
    DASHES,
    GREY,
    REFERENCES,
    letter,
    model_colours,
    model_dashes,
    model_order,
    model_shorts,
    new_figure,
    split_label,
    split_order,
)

MOST_BANDS = 4
"""Bands that can lie over each other and still be told apart."""

PAIR_COLOURS = ("#2F4B7C", "#D45087", "#4C9F70", "#8C510A")
"""Of comparisons, which have no colour of their own in other figures."""


def decision_curve(frame: pd.DataFrame, confidence: float = 0.95) -> Figure:
    """Net benefit of each model against treating all and treating none, a panel a split."""
    models = model_order(frame["model"])
    colours, dashes, names = model_colours(models), model_dashes(models), model_shorts(models)
    looks = {m: {"color": colours[m], "linestyle": dashes[m]} for m in models}
    bands = len(set(models) - set(REFERENCES)) <= MOST_BANDS
    keys = [Line2D([], [], label=names[model], **looks[model]) for model in models]
    figure, cells = _page(frame, keys + _band_key(confidence) * bands, most=5 if len(models) <= 5 and not bands else 4)
    for axes, split in cells:
        decision_panel(frame[frame["split"] == split], axes, looks, bands)
    cells[0][0].set_ylabel("Net benefit")
    return figure


def decision_panel(frame: pd.DataFrame, axes: Axes, looks: dict[str, dict], bands: bool) -> Axes:
    """Decision curves of one split; far below zero is cut off, where nobody would act."""
    for model in model_order(frame["model"]):
        curve = frame[frame["model"] == model].sort_values("threshold")
        plain = model in REFERENCES
        if bands and not plain:
            _band(curve, axes, looks[model]["color"])
        axes.plot(curve["threshold"], curve["net_benefit"], linewidth=0.9 if plain else 1.4, **looks[model])
    best = frame.loc[frame["model"] != "treat_none", "net_benefit"].max()
    top = max(0.05, float(best) if pd.notna(best) else 0.05) * 1.12
    axes.set_ylim(-0.25 * top, top)
    return _threshold_axis(axes)


def decision_difference(frame: pd.DataFrame, confidence: float = 0.95) -> Figure:
    """Net benefit of one model minus another's with its band, a panel a split; above zero the first is worth more."""
    pairs = list(dict.fromkeys(zip(frame["model_a"], frame["model_b"], strict=True)))
    names = model_shorts([*frame["model_a"], *frame["model_b"]])
    shown = pairs[:MOST_BANDS]
    looks = {pair: {"color": PAIR_COLOURS[i], "linestyle": DASHES[i]} for i, pair in enumerate(shown)}
    keys = [Line2D([], [], label=f"{names[a]} − {names[b]}", **look) for (a, b), look in looks.items()]
    figure, cells = _page(frame, keys + _band_key(confidence), most=3)
    for axes, split in cells:
        difference_panel(frame[frame["split"] == split], axes, looks)
    drawn = frame[[pair in looks for pair in zip(frame["model_a"], frame["model_b"], strict=True)]]
    reach = _reach(drawn)
    for axes, _ in cells:
        axes.set_ylim(-reach, reach)  # one scale, zero in the middle: no side looks larger than it is
    cells[0][0].set_ylabel("Difference in net benefit")
    if len(shown) < len(pairs):
        strip_text(figure, f"First {len(shown)} of {len(pairs)} comparisons; the table has all")
    return figure


def difference_panel(frame: pd.DataFrame, axes: Axes, looks: dict[tuple[str, str], dict]) -> Axes:
    """Differences in net benefit of one split."""
    zero_line(axes)
    for (a, b), look in looks.items():
        curve = frame[(frame["model_a"] == a) & (frame["model_b"] == b)].sort_values("threshold")
        _band(curve, axes, look["color"])
        axes.plot(curve["threshold"], curve["difference"], linewidth=1.4, **look)
    return _threshold_axis(axes)


def _page(frame: pd.DataFrame, keys: list, most: int) -> tuple[Figure, list[tuple[Axes, str]]]:
    """A panel a split in one row, the legend below with at most so many columns on a full page."""
    splits = split_order(frame["split"])
    width_mm = page_mm(len(splits))
    columns = legend_columns(width_mm, len(keys), most)
    figure = new_figure(57.8 + upwards(4.2) * math.ceil(len(keys) / columns), width_mm)
    cells = list(zip(grid_of_panels(figure, 1, len(splits))[0], splits, strict=True))
    for place, (axes, split) in enumerate(cells):
        letter(axes, tag(place, len(splits)), split_label(split))
    figure.legend(handles=keys, loc="outside lower center", ncols=columns)
    return figure, cells


def _band(curve: pd.DataFrame, axes: Axes, colour: str) -> None:
    axes.fill_between(curve["threshold"], curve["low"], curve["high"], color=colour, alpha=0.12, linewidth=0)


def _band_key(confidence: float) -> list[Patch]:
    return [Patch(facecolor=GREY, alpha=0.25, edgecolor="none", label=f"Band: {ci(confidence)}")]


def _reach(frame: pd.DataFrame) -> float:
    """Half the height of a panel: all differences, and their bands unless a few ends would flatten the rest."""
    bounds = np.abs(frame[["low", "high"]].to_numpy(dtype=float))
    ends = np.quantile(bounds[np.isfinite(bounds)], 0.97) if np.isfinite(bounds).any() else 0
    return 1.1 * max(0.01, float(ends), float(frame["difference"].abs().max()))


def _threshold_axis(axes: Axes) -> Axes:
    axes.set_xlabel("Threshold probability")
    axes.xaxis.set_major_formatter(PercentFormatter(1, 0))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    return axes
