"""What if she had been otherwise? Sliders for every predictor of a frozen model, and its probability at once."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
from scipy.special import expit, logit

from her2study.evaluation.intervals import Interval, z_value
from her2study.models.encoding import design_matrix
from her2study.models.frozen import contributions, frozen_terms, predict_frozen
from her2study.reporting.explorer.chooser import Chooser
from her2study.reporting.explorer.part import Part, absent, threshold_words
from her2study.reporting.explorer.svg import Plot, row
from her2study.reporting.style import CLASS_COLOURS, GREY, INK, model_colours, model_label
from her2study.words import interval, listing, number, percent_of

TITLE = "What if?"
HALO = {"paint_order": "stroke", "stroke": "white", "stroke_width": 4}
BEYOND = 0.25
"""Sliders go so far beyond the training patients' range, as a share of it; there the answer carries a warning."""


class WhatIf(Part):
    """Sliders that start at the chosen patient; ``controls`` holds one for each predictor."""

    def __init__(
        self, chooser: Chooser, frozen: Mapping[str, Any], patients: pd.DataFrame, confidence: float, simulated: bool
    ) -> None:
        self.chooser, self.frozen, self.confidence = chooser, frozen, confidence
        self.patients = patients.set_index("patient_id")
        self.controls = {name: _control(name, frozen) for name in frozen["variables"]}
        self.back = widgets.Button(description="Back to the patient", icon="undo", layout={"width": "180px"})
        self.answer, self.plot = widgets.HTML(), widgets.HTML()
        super().__init__(
            f"{TITLE} ({model_label(frozen['model'])} model)",
            [widgets.VBox(list(self.controls.values())), self.back, self.answer, self.plot],
            simulated,
        )
        for control in self.controls.values():
            control.observe(self._draw, "value")
        self.back.on_click(self._start)
        chooser.observe(self._start, "value")
        self._start()

    @property
    def given(self) -> dict[str, Any]:
        """What the sliders say. A browser rounds them to whole steps; one left alone is the patient's own value."""
        return {name: self._own.get(name) if self._left(name) else c.value for name, c in self.controls.items()}

    def _left(self, name: str) -> bool:
        control, own = self.controls[name], self._own[name]
        rounding = getattr(control, "step", 0) / 2
        return control.value == own or (rounding > 0 and abs(control.value - own) <= 1.0001 * rounding)

    def _start(self, _: object = None) -> None:
        """Set the sliders to the chosen patient; what is not known of her is what the model imputes."""
        known = self.patients.loc[self.chooser.value]
        imputed = {name: variable["imputation"] for name, variable in self.frozen["variables"].items()}
        self._own = {name: imputed[name] if pd.isna(known[name]) else known[name] for name in self.controls}
        self._moving = True
        for name, control in self.controls.items():
            control.value = self._own[name]
        self._moving = False
        self._draw()

    def _draw(self, _: object = None) -> None:
        if self._moving:
            return
        with self.answering():
            values = self.given
            self.code = what_if_line(self.frozen["model"], values)
            now = frozen_interval(self.frozen, values, self.confidence)
            own = float(predict_frozen(self.frozen, self.patients.loc[[self.chooser.value]])[0])
            self.answer.value = answer(self.frozen, values, now, self.confidence)
            self.plot.value = row(scale(self.frozen, now, own), shares(self.frozen, values))


def what_if(
    chooser: Chooser, frozen: Mapping[str, Any] | None, patients: pd.DataFrame, confidence: float, simulated: bool
) -> Part:
    """Sliders for the predictors of a frozen model, starting at the chosen patient."""
    if frozen is None or frozen["null_model"]:
        why = "No frozen model with predictors exists in this study: there is nothing to turn."
        return absent(TITLE, why, simulated)
    return WhatIf(chooser, frozen, patients, confidence, simulated)


def frozen_interval(frozen: Mapping[str, Any], values: Mapping[str, Any], confidence: float = 0.95) -> Interval:
    """Probability of one patient with the interval that the coefficients' covariance gives (delta method, log odds).

    It is about the average of patients with these values; what one patient turns out to be is far less certain.
    """
    patient = pd.DataFrame([dict(values)])
    imputation = {name: variable["imputation"] for name, variable in frozen["variables"].items()}
    design = np.r_[1.0, design_matrix(patient, frozen_terms(frozen), imputation)[0]]
    probability = float(predict_frozen(frozen, patient)[0])
    reach = z_value(confidence) * float(np.sqrt(design @ np.array(frozen["covariance"]) @ design))
    low, high = expit(logit(np.clip(probability, 1e-12, 1 - 1e-12)) + np.array([-reach, reach]))
    return Interval(probability, float(low), float(high))


def outside(frozen: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """Labels of the predictors whose value no training patient had."""
    ranges = {name: variable["range"] for name, variable in frozen["variables"].items() if variable["range"]}
    beyond = [name for name, (low, high) in ranges.items() if not low <= values[name] <= high]
    return [frozen["variables"][name]["label"] for name in beyond]


def what_if_line(model: str, values: Mapping[str, Any]) -> str:
    """The line that asks the frozen model the same."""
    shown = {name: float(value) if isinstance(value, float) else value for name, value in values.items()}
    return f"predict_frozen(frozen[{model!r}], pd.DataFrame([{shown}]))"


def answer(frozen: Mapping[str, Any], values: Mapping[str, Any], now: Interval, confidence: float) -> str:
    """The probability with its interval, the frozen threshold's verdict and a warning, as HTML."""
    threshold = frozen.get("thresholds", {}).get("youden")
    verdict = ""
    if threshold is not None:
        side = "at or above" if now.estimate >= threshold else "below"
        verdict = f"{side} the threshold {threshold_words(threshold)} that was frozen in development (Youden)"
    beyond = outside(frozen, values)
    warning = f"Outside the range of the training patients: {listing(beyond)}." if beyond else ""
    spread = interval(*now, decimals=3).partition(" ")[2]
    return (
        f'<div><span class="her2-big">{number(now.estimate, 3)}</span> {escape(percent_of(confidence))} interval of '
        f"the average such patient {spread}; {verdict}. Research use only."
        f'<div class="her2-said">{escape(warning)}</div></div>'
    )  # fmt: skip


def scale(frozen: Mapping[str, Any], now: Interval, own: float) -> str:
    """Where the probability stands between 0 and 1, beside the patient's own and the threshold."""
    colour = model_colours([frozen["model"]])[frozen["model"]]
    plot = Plot((0, 1), (0, 1), "", "Probability", width=500, height=130, left=20, yticks={})
    threshold = frozen.get("thresholds", {}).get("youden")
    if threshold is not None:
        plot.upright(threshold).text(threshold, 0, "threshold", dx=4, dy=-4, fill=GREY)
    plot.upright(own, INK, "").text(own, 1, "this patient", dy=-3, anchor="middle")
    plot.line([now.low, now.high], [0.5, 0.5], colour, 5).dots(now.estimate, 0.5, colour, 8)
    plot.text(now.estimate, 0.5, number(now.estimate, 3), dy=-13, anchor="middle", font_weight="600", **HALO)
    words = f"Probability {number(now.estimate, 3)}, from {number(now.low, 3)} to {number(now.high, 3)}"
    return plot.svg(f"{words}; the patient's own {number(own, 3)}")


def shares(frozen: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """What each predictor adds to the log odds: coefficient times value."""
    given = contributions(frozen, pd.DataFrame([dict(values)]))[0]
    labels = [frozen["variables"][name]["label"] for name in frozen["variables"]]
    owners = [term["variable"] for term in frozen["terms"]]
    sums = [float(sum(g for g, owner in zip(given, owners, strict=True) if owner == name)) for name in values]
    reach = 1.25 * max([abs(share) for share in sums] + [0.5])
    plot = Plot(
        (-reach, reach), (-0.6, len(sums) - 0.4), "Share of the log odds", f"intercept {number(frozen['intercept'])}",
        width=500, height=88 + 32 * len(sums), left=270,
        yticks={float(i): label[:42] for i, label in enumerate(labels[::-1])},
    )  # fmt: skip
    plot.upright(0, GREY, "")
    for place, share in enumerate(sums[::-1]):
        plot.box((0, share), (place - 0.3, place + 0.3), CLASS_COLOURS[int(share > 0)])
        side = {"dx": 5, "anchor": "start"} if share >= 0 else {"dx": -5, "anchor": "end"}
        plot.text(share, place, number(share), **side)
    return plot.svg("; ".join(f"{label} {number(share)}" for label, share in zip(labels, sums, strict=True)))


def slider_range(name: str, frozen: Mapping[str, Any]) -> tuple[float, float, float]:
    """Low, high and step of a number's slider: the training range and some more, where the value has a meaning."""
    low, high = frozen["variables"][name]["range"] or (0.0, 1.0)
    kind = next(term["kind"] for term in frozen["terms"] if term["variable"] == name)
    if kind == "logit":
        return 0.0, 1.0, 0.001
    span = (high - low) or 1.0
    step = 10.0 ** np.floor(np.log10(span / 50))
    start = step * np.floor((low - BEYOND * span) / step)
    if low >= 0:
        start = max(start, step if kind == "log" else 0.0)
    end = step * np.ceil((high + BEYOND * span) / step)
    return round(float(start), 10), round(float(end), 10), round(float(step), 10)


def _control(name: str, frozen: Mapping[str, Any]) -> widgets.Widget:
    variable = frozen["variables"][name]
    look = {"style": {"description_width": "270px"}, "layout": {"width": "720px", "max_width": "98%"}}
    if variable["levels"]:
        return widgets.Dropdown(options=list(map(str, variable["levels"])), description=variable["label"], **look)
    low, high, step = slider_range(name, frozen)
    decimals = max(0, int(-np.floor(np.log10(step))))
    return widgets.FloatSlider(
        min=low, max=high, step=step, description=variable["label"], readout_format=f".{decimals}f", **look
    )
