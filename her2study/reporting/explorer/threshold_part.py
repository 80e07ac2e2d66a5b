"""One threshold, three views: the point on the ROC curve, the confusion matrix, and what acting on it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, NamedTuple

import ipywidgets as widgets
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.evaluation.compare import roc_points
from her2study.evaluation.decision import threshold_grid
from her2study.evaluation.intervals import wilson
from her2study.evaluation.predictions import by_split
from her2study.evaluation.usefulness import net_benefit
from her2study.reporting.explorer.part import Part, threshold_words
from her2study.reporting.explorer.svg import Plot, diagonal, row
from her2study.reporting.style import CLASS_COLOURS, GREY, INK, model_colours, model_label, model_order, split_label
from her2study.types import SPLITS, Labels, Scores
from her2study.words import interval, number, percent_of

GRID = threshold_grid(0.01, 0.99)
ABOUT = (
    "A threshold is chosen in development and frozen. Turning it on patients whose outcome is known shows its effect; "
    "the one that looks best here would be chosen on the patients it is judged on."
)


class Curves(NamedTuple):
    """What does not move with the threshold: one model in one split."""

    model: str
    split: str
    labels: Labels
    scores: Scores
    roc: pd.DataFrame
    benefit: NDArray[np.float64]
    """``(thresholds, 2)``: the model and treating all, at :data:`GRID`."""


class ThresholdPart(Part):
    """``slider`` moves all three views; ``model`` and ``split`` say of what."""

    def __init__(
        self, predictions: pd.DataFrame, thresholds: Mapping[str, float], confidence: float, simulated: bool
    ) -> None:
        self.predictions, self.thresholds, self.confidence = predictions, thresholds, confidence
        models, present = model_order(predictions["model"]), set(predictions["split"])
        splits = [(split_label(split), split) for split in SPLITS if split in present]
        wide = {"style": {"description_width": "80px"}, "layout": {"width": "330px"}}
        self.model = widgets.Dropdown(
            options=[(model_label(model), model) for model in models], value=_first(models), description="Model", **wide
        )
        self.split = widgets.Dropdown(options=splits, value=splits[-1][1], description="Patients", **wide)
        self.slider = widgets.FloatSlider(
            min=0, max=1, step=0.001, description="Threshold", readout_format=".3f",
            style={"description_width": "80px"}, layout={"width": "720px", "max_width": "98%"},
        )  # fmt: skip
        self.frozen = widgets.Button(icon="undo", layout={"width": "auto"})
        self.plots = widgets.HTML()
        super().__init__(
            "One threshold, three views",
            [
                widgets.HBox([self.model, self.split, self.frozen], layout={"flex_flow": "row wrap"}),
                self.slider,
                self.plots,
                widgets.HTML(f"<div>{escape(ABOUT)}</div>"),
            ],
            simulated,
        )
        self.slider.observe(self._draw, "value")
        self.model.observe(self._start, "value")
        self.split.observe(self._gather, "value")
        self.frozen.on_click(self._start)
        self._start()

    def _start(self, _: object = None) -> None:
        """Gather the model's curves and go to its frozen threshold."""
        frozen = self.thresholds[self.model.value]
        self.frozen.description = f"Frozen threshold {threshold_words(frozen)}"
        with self.hold_sync():
            self.slider.value = frozen
        self._gather()

    def _gather(self, _: object = None) -> None:
        with self.answering():
            self.curves = gather_curves(self.predictions, self.model.value, self.split.value)
            self._draw()

    def _draw(self, _: object = None) -> None:
        curves = getattr(self, "curves", None)
        if curves is None or curves.model != self.model.value:
            return
        with self.answering():
            frozen = self.thresholds[self.model.value]
            threshold = float(self.slider.value)
            if abs(threshold - frozen) <= self.slider.step / 2:  # a browser rounds a slider to whole steps
                threshold = float(frozen)
            self.code = threshold_line(self.model.value, self.split.value, threshold)
            self.plots.value = three_views(curves, at_threshold(curves, threshold), threshold, frozen, self.confidence)


def threshold_views(
    predictions: pd.DataFrame, thresholds: Mapping[str, float], confidence: float, simulated: bool
) -> ThresholdPart:
    """ROC point, confusion matrix and decision curve of a threshold that can be turned.

    Parameters
    ----------
    thresholds : dict
        The frozen threshold of each model, where the slider starts.
    """
    return ThresholdPart(predictions, thresholds, confidence, simulated)


def gather_curves(predictions: pd.DataFrame, model: str, split: str) -> Curves:
    """ROC curve and net benefit of one model in one split.

    Raises
    ------
    StudyError
        The split has patients of one class only.
    """
    own = predictions[(predictions["model"] == model) & (predictions["split"] == split)]
    (part,) = by_split(own)
    scores = part.scores[:, 0]
    benefit = net_benefit(part.labels, np.column_stack([scores, np.ones(len(scores))]), GRID)
    return Curves(model, split, part.labels, scores, roc_points(own), benefit)


def at_threshold(curves: Curves, threshold: float) -> dict[str, Any]:
    """Counts and net benefit where patients at or above the threshold are called positive."""
    called, positive = curves.scores >= threshold, curves.labels == 1
    tp, fp = int((called & positive).sum()), int((called & ~positive).sum())
    counts = {"tp": tp, "fp": fp, "fn": int(positive.sum()) - tp, "tn": int((~positive).sum()) - fp}
    odds = threshold / (1 - threshold) if threshold < 1 else np.inf
    worth = tp / len(called) - (fp / len(called) * odds if fp else 0.0)
    return counts | {"net_benefit": worth if threshold < 1 else np.nan}


def threshold_line(model: str, split: str, threshold: float) -> str:
    """The line that computes the same counts, and all rates with their intervals."""
    asked = f"model == '{model}' and split == '{split}'"
    return f'threshold_metrics(predictions.query("{asked}"), {{{model!r}: {threshold!r}}})'


def three_views(curves: Curves, now: Mapping[str, Any], threshold: float, frozen: float, confidence: float) -> str:
    """The three panels, and the rates below them."""
    return row(roc_view(curves, now), confusion_view(now), decision_view(curves, now, threshold, frozen)) + _rates(
        now, confidence
    )


def roc_view(curves: Curves, now: Mapping[str, Any]) -> str:
    """The ROC curve with the threshold's point."""
    colour, first = model_colours([curves.model])[curves.model], curves.roc.iloc[0]
    fpr, tpr = now["fp"] / (now["fp"] + now["tn"]), now["tp"] / (now["tp"] + now["fn"])
    area = interval(first["auc"], first["auc_low"], first["auc_high"])
    plot = Plot((0, 1), (0, 1), f"AUC {area}", "1 − specificity", "Sensitivity")
    diagonal(plot).line(curves.roc["fpr"], curves.roc["tpr"], colour).dots(fpr, tpr, INK, 6)
    return plot.svg(f"ROC curve, AUC {area}; at the threshold sensitivity {number(tpr)}, specificity {number(1 - fpr)}")


def confusion_view(now: Mapping[str, Any]) -> str:
    """The confusion matrix, darker where more patients are."""
    cells = (("tp", 0, 1, 1), ("fn", 1, 1, 1), ("fp", 0, 0, 0), ("tn", 1, 0, 0))
    total = sum(now[key] for key in ("tp", "fp", "fn", "tn"))
    plot = Plot(
        (0, 2), (0, 2), "Patients", "Called", "Outcome", left=76, width=270,
        xticks={0.5: "positive", 1.5: "negative"}, yticks={0.5: "negative", 1.5: "positive"},
    )  # fmt: skip
    for key, column, line, label in cells:
        share = now[key] / total
        colour = _mixed(CLASS_COLOURS[label], 0.12 + 0.88 * share)
        plot.box((column + 0.02, column + 0.98), (line + 0.02, line + 0.98), colour)
        ink = "white" if _dark(colour) else INK
        plot.text(column + 0.5, line + 0.5, str(now[key]), dy=8, anchor="middle", font_size=24, fill=ink)
        plot.text(column + 0.06, line + 0.94, key.upper(), dy=14, fill=ink, font_size=11)
    return plot.svg(", ".join(f"{now[key]} {key.upper()}" for key in ("tp", "fp", "fn", "tn")))


def decision_view(curves: Curves, now: Mapping[str, Any], threshold: float, frozen: float) -> str:
    """Net benefit over all thresholds, with the one chosen."""
    colour, prevalence = model_colours([curves.model])[curves.model], float(curves.labels.mean())
    low = -0.35 * prevalence
    plot = Plot((0, 1), (low, 1.12 * prevalence), "", "Threshold probability", "Net benefit", left=60)
    worth = "not defined at 1" if np.isnan(now["net_benefit"]) else number(now["net_benefit"], 3)
    plot.title = f"Net benefit {worth}"
    for column, look in ((curves.benefit[:, 1], (GREY, 1.5, "5 3")), (curves.benefit[:, 0], (colour, 2, ""))):
        seen = column >= low
        plot.line(GRID[seen], column[seen], *look)
    plot.line([0, 1], [0, 0], INK, 1.2).upright(threshold, INK, "2 2")
    if np.isfinite(now["net_benefit"]):
        plot.dots(threshold, now["net_benefit"], INK, 6)
    plot.text(1, plot.y[1], "╌ treat all", dy=10, anchor="end", fill=GREY)
    plot.text(1, 0, "treat none", dy=14, anchor="end", fill=INK)
    told = f"Decision curve; at threshold {number(threshold, 3)} the net benefit is {worth}"
    return plot.svg(f"{told}; the frozen threshold is {threshold_words(frozen)}")


def _rates(now: Mapping[str, Any], confidence: float) -> str:
    shown = {
        "Sensitivity": (now["tp"], now["tp"] + now["fn"]),
        "Specificity": (now["tn"], now["tn"] + now["fp"]),
        "PPV": (now["tp"], now["tp"] + now["fp"]),
        "NPV": (now["tn"], now["tn"] + now["fn"]),
    }
    cells = "".join(
        f"<td>{name}<br><b>{interval(*wilson(part, whole, confidence))}</b></td>"
        for name, (part, whole) in shown.items()
    )
    return f'<table class="her2-table"><tr>{cells}<td>Intervals:<br>Wilson, {percent_of(confidence)}</td></tr></table>'


def _parts(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def _dark(colour: str) -> bool:
    """Whether white letters can be read on it better than dark ones."""
    red, green, blue = _parts(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue < 130


def _mixed(colour: str, share: float) -> str:
    """A colour over white."""
    parts = _parts(colour)
    return "#" + "".join(f"{round(255 - (255 - part) * min(share, 1)):02x}" for part in parts)


def _first(models: list[str]) -> str:
    return next((model for model in ("combined", "clinical") if model in models), models[0])
