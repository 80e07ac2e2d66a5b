"""Any two models on the same patients: their ROC curves, and DeLong's test where it is valid."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets
import pandas as pd

from her2study.evaluation.compare import (
    FEW_IN_A_CLASS,
    FEW_NOTE,
    LEARNT_TOGETHER,
    compare_models,
    roc_points,
)
from her2study.evaluation.differences import DelongTest
from her2study.evaluation.verdicts import difference_sentences
from her2study.reporting.explorer.part import Part, absent
from her2study.reporting.explorer.svg import Plot, diagonal, row
from her2study.reporting.style import model_colours, model_label, model_order, split_label
from her2study.types import SPLITS
from her2study.words import interval, number, p_value, percent_of

TITLE = "Two models side by side"


class Comparison(Part):
    """``a``, ``b`` and ``split`` say what is compared."""

    def __init__(self, predictions: pd.DataFrame, a: str, b: str, confidence: float, simulated: bool) -> None:
        self.predictions, self.confidence = predictions, confidence
        options = [(model_label(model), model) for model in model_order(predictions["model"])]
        present = set(predictions["split"])
        splits = [(split_label(split), split) for split in SPLITS if split in present]
        wide = {"style": {"description_width": "80px"}, "layout": {"width": "330px"}}
        self.a = widgets.Dropdown(options=options, value=a, description="Model A", **wide)
        self.b = widgets.Dropdown(options=options, value=b, description="Model B", **wide)
        self.split = widgets.Dropdown(options=splits, value=splits[-1][1], description="Patients", **wide)
        self.shown = widgets.HTML()
        chosen = widgets.HBox([self.a, self.b, self.split], layout={"flex_flow": "row wrap"})
        super().__init__(TITLE, [chosen, self.shown], simulated)
        for control in (self.a, self.b, self.split):
            control.observe(self._draw, "value")
        self._draw()

    def _draw(self, _: object = None) -> None:
        a, b, split = self.a.value, self.b.value, self.split.value
        self.code, beside = comparison_line(a, b, split, self.confidence), ""
        with self.answering():
            test = compare_models(self.predictions, a, b, split, self.confidence)
            beside = _numbers(test, comparison_words(self.predictions, test, a, b, split), self.confidence)
        self.shown.value = both_curves(self.predictions, a, b, split, self.confidence, beside)


def comparison(predictions: pd.DataFrame, confidence: float, simulated: bool) -> Part:
    """Any two models of the predictions table; starts with the two that a paper compares first."""
    models = model_order(predictions["model"])
    if len(models) < 2:
        return absent(TITLE, "There is one model only; nothing to compare it with.", simulated)
    a, b = ("combined", "clinical") if {"combined", "clinical"} <= set(models) else models[:2]
    return Comparison(predictions, a, b, confidence, simulated)


def comparison_line(a: str, b: str, split: str, confidence: float = 0.95) -> str:
    """The line that computes the same test."""
    level = "" if confidence == 0.95 else f", confidence={confidence!r}"
    return f"compare_models(predictions, {a!r}, {b!r}, split={split!r}{level})"


def comparison_words(predictions: pd.DataFrame, test: DelongTest, a: str, b: str, split: str) -> list[str]:
    """What the test says, in a sentence read from the interval, and what is to be held against it."""
    if a == b:
        return ["A model does not differ from itself."]
    row = {"split": split, "model_a": a, "model_b": b, "difference": test.difference, "difference_low": test.low}
    row |= {"difference_high": test.high, "z": test.z, "p": test.p, "p_holm": test.p}
    # one test by itself: nothing was adjusted
    words = [sentence.partition(", Holm-adjusted")[0] + ")." for sentence in difference_sentences(pd.DataFrame([row]))]
    labels = predictions.loc[(predictions["split"] == split) & (predictions["model"] == a), "label"]
    if split == "development":
        words.append(f"Note: {LEARNT_TOGETHER}.")
    elif labels.value_counts().min() < FEW_IN_A_CLASS:
        words.append(f"Note: {FEW_NOTE}.")
    return words


def both_curves(predictions: pd.DataFrame, a: str, b: str, split: str, confidence: float, beside: str = "") -> str:
    """Both ROC curves with the AUCs, and what stands beside them."""
    own = predictions[(predictions["split"] == split) & predictions["model"].isin({a, b})]
    curves, colours = roc_points(own, confidence), model_colours([a, b])
    plot = diagonal(Plot((0, 1), (0, 1), split_label(split), "1 − specificity", "Sensitivity", width=340, height=310))
    told = []
    for place, model in enumerate(dict.fromkeys((a, b))):
        curve = curves[curves["model"] == model]
        area = interval(*curve[["auc", "auc_low", "auc_high"]].iloc[0])
        plot.line(curve["fpr"], curve["tpr"], colours[model], 2.2, "" if place == 0 else "7 3")
        told.append((model, area))
    lines = "".join(
        f'<tr><td style="color:{colours[model]}">{"━━" if place == 0 else "╍╍"}</td>'
        f"<td>{escape(model_label(model))}</td><td>AUC <b>{area}</b></td></tr>"
        for place, (model, area) in enumerate(told)
    )
    said = "; ".join(f"{model_label(model)} AUC {area}" for model, area in told)
    return row(plot.svg(f"ROC curves. {said}"), f'<div><table class="her2-table">{lines}</table>{beside}</div>')


def _numbers(test: DelongTest, words: list[str], confidence: float) -> str:
    cells = {
        f"Difference in AUC, A − B ({percent_of(confidence)} CI)": interval(*test[:3], decimals=3),
        "z": number(test.z),
        "p (DeLong, paired)": p_value(test.p),
    }
    lines = "".join(f"<tr><td>{escape(name)}</td><td><b>{escape(value)}</b></td></tr>" for name, value in cells.items())
    told = "".join(f"<p>{escape(word)}</p>" for word in words)
    return f'<table class="her2-table">{lines}</table><div style="max-width: 560px">{told}</div>'
