"""Learning curves of the network."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from her2study.reporting.figures.panels import grid_of_panels, tag
from her2study.reporting.style import ACCENT, GREY, INK, MODEL_COLOURS, PALE, letter, new_figure

AREA = MODEL_COLOURS["dscore"]


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
        upper.plot(here["epoch"], here["inner_loss"], color=ACCENT, linestyle="--", label="Inner validation loss")
        lower.plot(here["epoch"], here["inner_auc"], color=AREA, linestyle="-.", label="Inner validation AUC")
        lower.axhline(0.5, color=PALE, linewidth=1, zorder=0)
        for axes in (upper, lower):
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
            for epoch in here.loc[here["chosen"].astype(bool), "epoch"]:
                axes.axvline(epoch, color=GREY, linewidth=0.8, linestyle=(0, (1, 1.5)), label="Epoch kept")
        upper.set(ylim=(low - margin, high + margin))
        letter(upper, tag(place, len(folds)), f"Fold {folds[place] + 1}")
        lower.set(xlabel="Epoch", ylim=(-0.02, 1.02))
        if place % columns == 0:
            upper.set_ylabel("Loss")
            lower.set_ylabel("AUC")
        else:
            upper.tick_params(labelleft=False)
            lower.tick_params(labelleft=False)
    shown = {}
    for axes in (cells[0][0], cells[1][0]):
        handles, labels = axes.get_legend_handles_labels()
        shown |= dict(zip(labels, handles, strict=True))
    shown["Epoch kept"] = shown.pop("Epoch kept")  # last
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=4)
    return figure
