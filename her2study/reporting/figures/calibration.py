"""Calibration: observed against predicted probability."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from her2study.reporting.figures.panels import ci, legend_columns, model_panels, title_panels
from her2study.reporting.style import GREY, INK, model_colours, model_shorts
from her2study.words import number

IDEAL = {"color": GREY, "linewidth": 0.7, "linestyle": (0, (4, 3))}


def calibration(frame: pd.DataFrame, confidence: float = 0.95) -> Figure:
    """Observed against predicted probability, a row a model, a column a split."""
    colours = model_colours(frame["model"])
    figure, panels = model_panels(frame, model_shorts(frame["model"]), side_mm=53, below_mm=18)
    facts = {}
    for panel in panels:
        here = frame[(frame["model"] == panel.model) & (frame["split"] == panel.split)]
        calibration_panel(here, panel.axes, colours[panel.model])
        facts[panel.model, panel.split] = _facts(here)
        panel.axes.set_xlabel("Predicted probability" if panel.lowest else "")
        panel.axes.set_ylabel("Observed proportion" if panel.leftmost else "")
    title_panels(panels, facts)
    keys = _keys(confidence)
    columns = legend_columns(figure.get_size_inches()[0] * 25.4, len(keys))
    figure.legend(handles=keys, loc="outside lower center", ncols=columns)
    return figure


def calibration_panel(frame: pd.DataFrame, axes: Axes, colour: str) -> Axes:
    """One calibration curve with band and bins; the spikes at the bottom are patients per bin."""
    curve = frame[frame["kind"] == "curve"].sort_values("predicted")
    bins = frame[frame["kind"] == "bin"].sort_values("predicted")
    axes.plot([0, 1], [0, 1], zorder=1, **IDEAL)
    axes.fill_between(curve["predicted"], curve["low"], curve["high"], color=colour, alpha=0.18, linewidth=0, zorder=2)
    axes.plot(curve["predicted"], curve["observed"], color=colour, zorder=3)
    reach = [(bins["observed"] - bins["low"]).clip(lower=0), (bins["high"] - bins["observed"]).clip(lower=0)]
    look = {"fmt": "o", "color": INK, "markersize": 3, "elinewidth": 0.7, "capsize": 1.5, "capthick": 0.7}
    axes.errorbar(bins["predicted"], bins["observed"], yerr=reach, zorder=4, **look)
    floor = -0.16  # the spikes stand below the plot's zero, clear of the points
    spikes = floor + 0.12 * bins["n"] / max(1, bins["n"].max())
    axes.vlines(bins["predicted"], floor, spikes, color=GREY, linewidth=2.2, zorder=2)
    axes.set(xlim=(-0.02, 1.02), ylim=(floor, 1.02), box_aspect=1)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set_yticks(np.linspace(0, 1, 6))
    return axes


def _facts(frame: pd.DataFrame) -> str:
    """Calibration in the large and slope of one panel."""
    if frame.empty:
        return "not available"
    return f"intercept {number(frame.iloc[0]['intercept'])}, slope {number(frame.iloc[0]['slope'])}"


def _keys(confidence: float) -> list[Line2D]:
    spikes = {"linestyle": "", "marker": "|", "markersize": 6, "markeredgewidth": 2.2}
    return [
        Line2D([], [], label="Ideal", **IDEAL),
        Line2D([], [], color=INK, label=f"Smoothed ({ci(confidence)} band)"),
        Line2D([], [], color=INK, linestyle="", marker="o", markersize=3, label=f"Bins ({ci(confidence)})"),
        Line2D([], [], color=GREY, label="Patients in the bin", **spikes),
    ]
