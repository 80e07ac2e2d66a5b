"""Why the model says so of the chosen patient: a waterfall from the average prediction to hers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd

from her2study.explain.attribution import explain_linear
from her2study.reporting.explorer.chooser import Chooser
from her2study.reporting.explorer.part import Part, absent
from her2study.reporting.explorer.svg import Plot
from her2study.reporting.style import CLASS_COLOURS, GREY, model_label
from her2study.types import StudyError
from her2study.words import number

MOST = 8
"""Bars; what is smaller is added up in one."""

TITLE = "What moved the prediction"


class ShapPart(Part):
    """The waterfall of the chosen patient, for the model chosen here."""

    def __init__(
        self,
        chooser: Chooser,
        frozen: Mapping[str, Mapping[str, Any]],
        patients: pd.DataFrame,
        splits: pd.DataFrame,
        stored: pd.DataFrame,
        simulated: bool,
    ) -> None:
        self.frozen, self.patients, self.splits, self.stored = frozen, patients, splits, stored
        self.chooser = chooser
        self.model = widgets.ToggleButtons(
            options=[(model_label(model), model) for model in explained_models(frozen, stored)],
            style={"button_width": "auto"},
        )  # fmt: skip
        self.plot = widgets.HTML()
        super().__init__(TITLE, [self.model, self.plot], simulated)
        chooser.observe(self._draw, "value")
        self.model.observe(self._draw, "value")
        self._draw()

    def _draw(self, _: object = None) -> None:
        model, patient = self.model.value, self.chooser.value
        self.plot.value = ""
        with self.answering():
            if model in self.frozen:
                self.code = f"explain_linear(frozen[{model!r}], inputs, splits, [{patient!r}])"
                explained = explain_linear(self.frozen[model], self.patients, self.splits, [patient])
            else:
                self.code = f"stored_explanation(stored, patients, {model!r}, {patient!r})"
                explained = stored_explanation(self.stored, self.chooser.table, model, patient)
            self.plot.value = waterfall(explained, patient)


def shap_waterfall(
    chooser: Chooser,
    frozen: Mapping[str, Mapping[str, Any]],
    patients: pd.DataFrame,
    splits: pd.DataFrame,
    stored: pd.DataFrame,
    simulated: bool,
) -> Part:
    """The waterfall of the chosen patient.

    Parameters
    ----------
    frozen : dict
        Frozen models by name: exact for every patient. Those without predictors are left out.
    patients : DataFrame
        What the frozen models take, development patients included.
    stored : DataFrame
        Figure data ``shap_summary``: of other models, what notebook 10 explained.
    """
    if not explained_models(frozen, stored):
        return absent(
            TITLE, "No predictor entered any frozen model, so nothing can have moved a prediction.", simulated
        )
    return ShapPart(chooser, frozen, patients, splits, stored, simulated)


def explained_models(frozen: Mapping[str, Mapping[str, Any]], stored: pd.DataFrame) -> list[str]:
    """Frozen models with predictors, then those of which SHAP values are stored."""
    exact = [name for name, model in frozen.items() if not model["null_model"]]
    return exact + [str(name) for name in stored["model"].unique() if name not in frozen]


def stored_explanation(shap: pd.DataFrame, table: pd.DataFrame, model: str, patient_id: str) -> pd.DataFrame:
    """SHAP values that notebook 10 stored, of a model that is not stored itself.

    ``table`` is the table of patients, whose ``probability_<model>`` is where the waterfall ends.

    Raises
    ------
    StudyError
        The patient is not among those explained.
    """
    own = shap[(shap["model"] == model) & (shap["patient_id"] == patient_id)]
    if own.empty:
        raise StudyError(
            f"{model_label(model)} was explained for {shap['patient_id'].nunique()} patients only (notebook 10), "
            f"and {patient_id} is not among them; choose one of them, or another model."
        )
    probability = float(table.set_index("patient_id").loc[patient_id, f"probability_{model}"])
    return own.assign(base_value=probability - own["shap"].sum(), probability=probability, value_label="")


def bars(explained: pd.DataFrame, most: int = MOST) -> pd.DataFrame:
    """``label, shap, start, end`` of each bar, the largest last, from the average to the patient's own prediction."""
    ordered = explained.reindex(explained["shap"].abs().sort_values(kind="stable").index)
    labels = [f"{r.label} = {r.value_label}" if r.value_label else str(r.label) for r in ordered.itertuples()]
    steps = ordered["shap"].to_list()
    many = len(steps) - most + 1 if len(steps) > most else 0
    if many:
        labels, steps = [f"{many} others", *labels[many:]], [sum(steps[:many]), *steps[many:]]
    ends = float(explained["base_value"].iloc[0]) + np.cumsum(steps)
    return pd.DataFrame({"label": labels, "shap": steps, "start": ends - steps, "end": ends})


def shortened(label: str, most: int = 52) -> str:
    """A label that fits beside its bar; of a long one the name is cut and never the value."""
    name, equals, value = label.rpartition(" = ")
    room = most - len(equals + value)
    return label if len(label) <= most else f"{(name or value)[: room - 1]}…{equals}{value if name else ''}"


def waterfall(explained: pd.DataFrame, patient_id: str) -> str:
    """The waterfall as SVG, the largest contribution on top."""
    table, unit = bars(explained), str(explained["unit"].iloc[0]).replace("log-odds", "log odds")
    base, own = float(explained["base_value"].iloc[0]), float(table["end"].iloc[-1])
    reach = [base, *table["start"], *table["end"]]
    span = (max(reach) - min(reach)) or 1.0
    labels = {float(i): shortened(label) for i, label in enumerate(table["label"])}
    plot = Plot(
        (min(reach) - 0.16 * span, max(reach) + 0.16 * span), (-0.6, len(table) - 0.4),
        f"{patient_id}: predicted {number(float(explained['probability'].iloc[0]))}", f"Prediction ({unit})",
        width=800, height=92 + 34 * len(table), left=350, yticks=labels,
    )  # fmt: skip
    plot.upright(base, GREY, "2 3").upright(own, GREY, "")
    plot.text(base, plot.y[1], "average", dy=-3, anchor="middle", fill=GREY)
    plot.text(own, plot.y[1], "this patient", dy=-3, anchor="middle", fill=GREY)
    for place, r in enumerate(table.itertuples()):
        plot.box((r.start, r.end), (place - 0.3, place + 0.3), CLASS_COLOURS[int(r.shap > 0)])
        text = f"+{number(r.shap)}" if r.shap > 0 else number(r.shap)
        plot.text(max(r.start, r.end), place, text, dx=5)
    told = "; ".join(f"{r.label}: {number(r.shap)}" for r in table[::-1].itertuples())
    return plot.svg(f"From the average {number(base)} to {number(own)} ({unit}): {told}")
