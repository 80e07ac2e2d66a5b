"""ROC and precision-recall curves: every model in one panel a split, with its area and interval below."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from her2study.reporting.figures.panels import ci, legend_panel, tag
from her2study.reporting.journals import current
from her2study.reporting.lettering import upwards
from her2study.reporting.style import (
    GREY,
    PALE,
    letter,
    model_colours,
    model_dashes,
    model_order,
    model_shorts,
    new_figure,
    split_label,
    split_order,
)
from her2study.words import number

PREVALENCE_DASH = (0, (1, 1.5))


def roc(frame: pd.DataFrame, confidence: float = 0.95) -> Figure:
    """ROC curves, a panel a split, with every AUC and its interval in the legend."""
    return _curves(frame, roc_panel, f"AUC ({ci(confidence)})")


algorithms_roc = roc
"""The conventional algorithms beside the network: the same drawing of other rows."""


def precision_recall(frame: pd.DataFrame, confidence: float = 0.95) -> Figure:
    """Precision against recall, a panel a split; the dotted line is what a score that says nothing would reach."""
    return _curves(frame, precision_recall_panel, f"Average precision ({ci(confidence)})", more_lines=1)


def _curves(frame: pd.DataFrame, panel: Callable[..., list[Line2D]], title: str, more_lines: int = 0) -> Figure:
    """A square panel a split with its legend below; a model looks the same in every panel."""
    splits, models = split_order(frame["split"]), model_order(frame["model"])
    colours, dashes, names = model_colours(models), model_dashes(models), model_shorts(models)
    looks = {m: {"color": colours[m], "linestyle": dashes[m], "label": names[m]} for m in models}
    side, below = 44.0, upwards(3.75) * (len(models) + more_lines + 1.5)
    figure = new_figure(side + 17 + below, max(0.45, len(splits) / 3) * current().width_mm)
    cells = figure.subplots(2, len(splits), squeeze=False, height_ratios=[side, below])
    for place, split in enumerate(splits):
        axes, key = cells[0][place], cells[1][place]
        legend_panel(key, panel(frame[frame["split"] == split], axes, looks), title=title)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.set_yticks(np.linspace(0, 1, 6))
        letter(axes, tag(place, len(splits)), split_label(split))
    return figure


def roc_panel(frame: pd.DataFrame, axes: Axes, looks: dict[str, dict]) -> list[Line2D]:
    """ROC curves of one split; returns the legend's keys, each with AUC and interval."""
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=1, zorder=0)
    handles = []
    for model in model_order(frame["model"]):
        curve = frame[frame["model"] == model]
        axes.plot(curve["fpr"], curve["tpr"], **looks[model])
        handles.append(_key(curve.iloc[0], "auc", looks[model]))
    axes.set(xlabel="1 − specificity", ylabel="Sensitivity")
    return handles


def precision_recall_panel(frame: pd.DataFrame, axes: Axes, looks: dict[str, dict]) -> list[Line2D]:
    """Precision-recall curves of one split; returns the legend's keys, each with average precision and interval.

    From recall 0 upwards in steps, since average precision is the area under steps and not under straight lines.
    """
    prevalence = float(frame["prevalence"].iloc[0])
    axes.axhline(prevalence, color=GREY, linewidth=0.9, linestyle=PREVALENCE_DASH, zorder=0)
    handles = []
    for model in model_order(frame["model"]):
        curve = frame[frame["model"] == model]
        axes.plot(curve["recall"], curve["precision"], drawstyle="steps-pre", **looks[model])
        handles.append(_key(curve.iloc[0], "average_precision", looks[model]))
    axes.set(xlabel="Recall (sensitivity)", ylabel="Precision (PPV)")
    text = f"Prevalence {number(prevalence)}"
    return [*handles, Line2D([], [], color=GREY, linewidth=0.9, linestyle=PREVALENCE_DASH, label=text)]


def _key(row: pd.Series, name: str, look: dict) -> Line2D:
    """A legend's key: the model with its area and interval."""
    bounds = f"{number(row[f'{name}_low'])}–{number(row[f'{name}_high'])}"
    return Line2D([], [], **{**look, "label": f"{look['label']} {number(row[name])} ({bounds})"})
