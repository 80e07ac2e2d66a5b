"""Curves over thresholds and epochs: ROC, calibration, decision curves, learning curves."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from her2study.reporting.figures.panels import chosen_models, grid_of_panels, legend_panel, row_label, tag
from her2study.reporting.style import (
    COLUMN_MM,
    GREY,
    INK,
    PALE,
    letter,
    model_colours,
    model_dashes,
    model_order,
    model_short,
    new_figure,
    split_label,
    split_order,
)  # fmt: skip
from her2study.reporting.words import number

AUC_HEAD = "AUC (95% CI)"
MOST_BANDS = 4
"""Models whose bands can lie over each other and still be told apart."""

LOSS, AREA = "#B22A55", "#0072B2"


def roc(frame: pd.DataFrame) -> Figure:
    """ROC curves, a panel a split, with every AUC and its interval in the legend."""
    splits, models = split_order(frame["split"]), model_order(frame["model"])
    side, below = 44.0, 3.75 * (len(models) + 1.5)
    figure = new_figure(side + 17 + below, max(0.45, len(splits) / 3) * COLUMN_MM["double"])
    cells = figure.subplots(2, len(splits), squeeze=False, height_ratios=[side, below])
    for place, split in enumerate(splits):
        axes, key = cells[0][place], cells[1][place]
        legend_panel(key, roc_panel(frame[frame["split"] == split], axes), title=AUC_HEAD)
        letter(axes, tag(place, len(splits)), split_label(split))
    return figure


algorithms_roc = roc
"""The conventional algorithms beside the network: the same drawing of other rows."""


def roc_panel(frame: pd.DataFrame, axes: Axes) -> list[Line2D]:
    """ROC curves of one split; returns the legend's keys, each with AUC and interval."""
    models = model_order(frame["model"])
    colours, dashes = model_colours(models), model_dashes(models)
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=1, zorder=0)
    handles = []
    for model in models:
        curve = frame[frame["model"] == model]
        area = curve.iloc[0]
        axes.plot(curve["fpr"], curve["tpr"], color=colours[model], linestyle=dashes[model])
        bounds = f"{number(area['auc_low'])}–{number(area['auc_high'])}"
        text = f"{model_short(model)} {number(area['auc'])} ({bounds})"
        handles.append(Line2D([], [], color=colours[model], linestyle=dashes[model], label=text))
    axes.set(xlabel="1 − specificity", ylabel="Sensitivity", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set_yticks(np.linspace(0, 1, 6))
    return handles


def calibration(frame: pd.DataFrame) -> Figure:
    """Observed against predicted probability, a row a model, a column a split."""
    splits, models = split_order(frame["split"]), chosen_models(frame["model"])
    figure = new_figure(len(models) * 53 + 18, max(0.5, len(splits) / 3) * COLUMN_MM["double"])
    cells = grid_of_panels(figure, len(models), len(splits))
    colours = model_colours(frame["model"])
    for row, model in enumerate(models):
        for column, split in enumerate(splits):
            axes, here = cells[row][column], frame[(frame["model"] == model) & (frame["split"] == split)]
            calibration_panel(here, axes, colours[model])
            head = [split_label(split)] if row == 0 else []
            letter(axes, tag(row * len(splits) + column, len(models) * len(splits)), "\n".join([*head, _facts(here)]))
            axes.set_xlabel("Predicted probability" if row == len(models) - 1 else "")
            axes.set_ylabel("Observed proportion" if column == 0 else "")
            if column == 0:
                row_label(axes, model_short(model))
    figure.legend(handles=_calibration_keys(), loc="outside lower center", ncols=4 if len(splits) > 2 else 2)
    return figure


def _facts(frame: pd.DataFrame) -> str:
    """Calibration in the large and slope of one panel."""
    if frame.empty:
        return "not available"
    return f"intercept {number(frame.iloc[0]['intercept'])}, slope {number(frame.iloc[0]['slope'])}"


def _calibration_keys() -> list[Line2D]:
    return [
        Line2D([], [], color=GREY, linewidth=0.7, linestyle=(0, (4, 3)), label="Ideal"),
        Line2D([], [], color=INK, label="Smoothed (95% CI band)"),
        Line2D([], [], color=INK, linestyle="", marker="o", markersize=3, label="Bins (95% CI)"),
        Line2D(
            [], [], color=GREY, linestyle="", marker="|", markersize=6, markeredgewidth=2.2, label="Patients in the bin"
        ),
    ]


def calibration_panel(frame: pd.DataFrame, axes: Axes, colour: str) -> Axes:
    """One calibration curve with band and bins; the spikes at the bottom are patients per bin."""
    curve = frame[frame["kind"] == "curve"].sort_values("predicted")
    bins = frame[frame["kind"] == "bin"].sort_values("predicted")
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
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


def decision_curve(frame: pd.DataFrame) -> Figure:
    """Net benefit of each model against treating all and treating none, a panel a split."""
    splits, models = split_order(frame["split"]), model_order(frame["model"])
    figure = new_figure(62 + 4.2 * math.ceil(len(models) / 4))
    cells = grid_of_panels(figure, 1, len(splits))[0]
    for place, (axes, split) in enumerate(zip(cells, splits, strict=True)):
        decision_panel(frame[frame["split"] == split], axes)
        letter(axes, tag(place, len(splits)), split_label(split))
        axes.set_ylabel("Net benefit" if place == 0 else "")
    colours, dashes = model_colours(models), model_dashes(models)
    handles = [Line2D([], [], color=colours[m], linestyle=dashes[m], label=model_short(m)) for m in models]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4 if len(models) > 5 else 5, len(models)))
    return figure


def decision_panel(frame: pd.DataFrame, axes: Axes) -> Axes:
    """Decision curves of one split; far below zero is cut off, where nobody would act."""
    models = model_order(frame["model"])
    colours, dashes = model_colours(models), model_dashes(models)
    for model in models:
        curve = frame[frame["model"] == model].sort_values("threshold")
        plain = model.startswith("treat_")
        if not plain and len(models) <= MOST_BANDS + 2:
            axes.fill_between(
                curve["threshold"], curve["low"], curve["high"], color=colours[model], alpha=0.12, linewidth=0
            )
        axes.plot(
            curve["threshold"], curve["net_benefit"], color=colours[model], linestyle=dashes[model],
            linewidth=0.9 if plain else 1.4,
        )  # fmt: skip
    best = frame.loc[frame["model"] != "treat_none", "net_benefit"].max()
    top = max(0.05, float(best) if pd.notna(best) else 0.05) * 1.12
    axes.set(ylim=(-0.25 * top, top), xlabel="Threshold probability")
    axes.xaxis.set_major_formatter(PercentFormatter(1, 0))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    return axes


def learning_curves(frame: pd.DataFrame) -> Figure:
    """Loss above and inner AUC below, a column a fold; the line marks the epoch that was kept."""
    folds = sorted(frame["fold"].unique())
    columns = min(5, len(folds))
    bands = math.ceil(len(folds) / columns)
    figure = new_figure(78 * bands + 6)
    cells = grid_of_panels(figure, 2 * bands, columns)
    losses = frame[["train_loss", "inner_loss"]].to_numpy()
    low, high = np.nanmin(losses), np.nanmax(losses)
    margin = 0.05 * (high - low or 1)
    for place in range(bands * columns):
        upper, lower = (cells[2 * (place // columns) + part][place % columns] for part in (0, 1))
        if place >= len(folds):
            upper.remove()
            lower.remove()
            continue
        here = frame[frame["fold"] == folds[place]].sort_values("epoch")
        upper.plot(here["epoch"], here["train_loss"], color=INK, label="Training loss")
        upper.plot(here["epoch"], here["inner_loss"], color=LOSS, linestyle="--", label="Inner validation loss")
        lower.plot(here["epoch"], here["inner_auc"], color=AREA, linestyle="-.", label="Inner validation AUC")
        lower.axhline(0.5, color=PALE, linewidth=1, zorder=0)
        for axes in (upper, lower):
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
            for epoch in here.loc[here["chosen"].astype(bool), "epoch"]:
                axes.axvline(epoch, color=GREY, linewidth=0.8, linestyle=(0, (1, 1.5)), label="Epoch kept")
        upper.set(ylim=(low - margin, high + margin))
        letter(upper, "", f"Fold {folds[place] + 1}")
        lower.set(xlabel="Epoch", ylim=(0, 1))
        if place % columns == 0:
            upper.set_ylabel("Cross-entropy")
            lower.set_ylabel("AUC")
        else:
            upper.tick_params(labelleft=False)
            lower.tick_params(labelleft=False)
    shown = {}
    for axes in (cells[0][0], cells[1][0]):
        handles, labels = axes.get_legend_handles_labels()
        shown |= dict(zip(labels, handles, strict=True))
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=4)
    return figure
