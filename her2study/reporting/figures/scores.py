"""What single patients got: confusion matrices and distributions of scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from her2study.reporting.figures.panels import model_panels, title_panels
from her2study.reporting.style import (
    CLASS_COLOURS,
    GREY,
    legible_on,
    model_shorts,
)
from her2study.words import number

CLASS_LABELS = {0: "Negative patients", 1: "Positive patients"}


def confusion(frame: pd.DataFrame) -> Figure:
    """Confusion matrices at the frozen thresholds, a row a model, a column a split."""
    shorts, thresholds = model_shorts(frame["model"]), frame.groupby("model")["threshold"].first()
    names = {model: f"{short}, threshold {_threshold(thresholds[model])}" for model, short in shorts.items()}
    figure, panels = model_panels(frame, names, side_mm=46, below_mm=8)
    for panel in panels:
        here = frame[(frame["model"] == panel.model) & (frame["split"] == panel.split)]
        if here.empty:
            panel.axes.axis("off")
            continue
        confusion_panel(here.iloc[0], panel.axes)
        panel.axes.set_ylabel("True class" if panel.leftmost else "")
        panel.axes.set_xlabel("Called by the model" if panel.lowest else "")
    title_panels(panels)
    return figure


def _threshold(threshold: float) -> str:
    """Two decimals, or as many as it takes to tell a small threshold from zero."""
    return number(threshold, next((places for places in (2, 3, 4) if threshold >= 0.5 * 10**-places), 5))


def confusion_panel(counts: pd.Series, axes: Axes) -> Axes:
    """One matrix; colour and percentage are shares of the row, i.e. of the true class."""
    import seaborn as sns  # only here: who applies a frozen model has no seaborn

    matrix = np.array([[counts["tn"], counts["fp"]], [counts["fn"], counts["tp"]]], dtype=float)
    rows = matrix.sum(axis=1, keepdims=True)
    share = np.divide(matrix, rows, out=np.zeros_like(matrix), where=rows > 0)
    shades = ScalarMappable(Normalize(0, 1.35), "Blues")
    sns.heatmap(share, ax=axes, vmin=0, vmax=1.35, cmap="Blues", cbar=False, square=True, linewidths=1)
    for (y, x), count in np.ndenumerate(matrix):
        text = f"{count:.0f}\n({100 * share[y, x]:.0f}%)"
        axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", color=legible_on(shades.to_rgba(share[y, x])))
    axes.set_xticklabels(["negative", "positive"], rotation=0)
    axes.set_yticklabels(["negative", "positive"], rotation=90, va="center")
    axes.tick_params(length=0)
    return axes


def score_distribution(frame: pd.DataFrame) -> Figure:
    """Predicted probabilities of negative and positive patients, a row a model, a column a split."""
    figure, panels = model_panels(frame, model_shorts(frame["model"]), side_mm=34, below_mm=20)
    for panel in panels:
        here = frame[(frame["model"] == panel.model) & (frame["split"] == panel.split)]
        if here.empty:
            panel.axes.axis("off")
            continue
        distribution_panel(here, panel.axes)
        panel.axes.set_xlabel("Predicted probability" if panel.lowest else "")
        panel.axes.set_ylabel("Patients (%)" if panel.leftmost else "")
    title_panels(panels)
    handles = [Patch(facecolor=CLASS_COLOURS[k], alpha=0.55, label=CLASS_LABELS[k]) for k in (0, 1)]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def distribution_panel(frame: pd.DataFrame, axes: Axes) -> Axes:
    """Histogram of each class in percent of the class, with one tick a patient below."""
    import seaborn as sns  # only here: who applies a frozen model has no seaborn

    for label, colour in CLASS_COLOURS.items():
        scores = frame.loc[frame["label"] == label, "probability"]
        if scores.empty:
            continue
        look = {"bins": np.linspace(0, 1, 21), "stat": "percent", "element": "step", "alpha": 0.4, "linewidth": 0.9}
        sns.histplot(x=scores, ax=axes, color=colour, **look)
    bottom = -0.1 * axes.get_ylim()[1]
    for label, colour in CLASS_COLOURS.items():
        scores = frame.loc[frame["label"] == label, "probability"]
        low, high = (bottom * (0.95 - 0.45 * label), bottom * (0.6 - 0.45 * label))
        axes.vlines(scores, low, high, color=colour, linewidth=0.5, alpha=0.8)
    axes.axhline(0, color=GREY, linewidth=0.6)
    axes.set(xlim=(0, 1), ylim=(bottom, axes.get_ylim()[1]))
    axes.set_yticks([tick for tick in axes.get_yticks() if 0 <= tick <= axes.get_ylim()[1]])
    return axes
