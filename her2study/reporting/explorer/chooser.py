"""Choose a patient: a list that is sorted and narrowed down by any variable or by the error of any model."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import ipywidgets as widgets
import pandas as pd
import traitlets

from her2study.reporting.explorer.part import Part
from her2study.reporting.explorer.patients import ALL, choose, choose_line, column_words
from her2study.reporting.style import model_label, split_label
from her2study.study import Variable
from her2study.types import SPLITS
from her2study.words import ABSENT, number

OWN = ("combined", "dscore", "clinical")
"""Models of the paper; the errors of the first that exists are shown first."""

CLASSES = {1: "positive", 0: "negative"}


class Chooser(Part):
    """The part on which the others depend: ``value`` is the patient, and setting it chooses another."""

    value = traitlets.Unicode(help="patient_id of the chosen patient")

    def __init__(self, table: pd.DataFrame, variables: Mapping[str, Variable], outcome: str, simulated: bool) -> None:
        self.table, self.variables, self.outcome = table, variables, outcome
        words, style = column_words(table, variables), {"description_width": "88px"}
        fits = widgets.Layout(width="330px")
        self.by = widgets.Dropdown(
            options=[(label, name) for name, label in words.items()],
            value=next((f"error_{model}" for model in OWN if f"error_{model}" in words), next(iter(words))),
            description="Sort by",
            style=style,
            layout=fits,
        )
        self.largest_first = widgets.ToggleButtons(
            options=[("largest first", True), ("smallest first", False)],
            style={"button_width": "116px", "description_width": "88px"},
        )
        splits = [(split_label(split), split) for split in SPLITS if split in set(table["split"])]
        self.split = widgets.Dropdown(
            options=[("All patients", ALL), *splits], description="Patients", style=style, layout=fits
        )
        labels = [(f"{outcome} or not", ALL), (outcome, 1), (f"not {outcome}", 0)]
        self.label = widgets.Dropdown(options=labels, description="Outcome", style=style, layout=fits)
        self.narrow = widgets.VBox()
        self.listed = widgets.Select(rows=16, tooltip="Patients found", layout=widgets.Layout(width="345px"))
        self.count, self.facts = widgets.HTML(), widgets.HTML(layout=widgets.Layout(flex="1 1 380px"))
        controls = widgets.HBox(
            [
                widgets.VBox([self.by, self.narrow, self.largest_first]),
                widgets.VBox([self.split, self.label, self.count]),
            ],
            layout=widgets.Layout(flex_flow="row wrap"),
        )
        found = widgets.HBox([self.listed, self.facts], layout=widgets.Layout(flex_flow="row wrap", grid_gap="18px"))
        super().__init__("Choose a patient", [controls, found], simulated)
        self._listing = False
        self._offer_values()
        self._list()
        self.by.observe(self._new_column, "value")
        for control in (self.largest_first, self.split, self.label):
            control.observe(self._list, "value")
        self.listed.observe(self._take, "value")

    @property
    def only(self) -> Any:
        """What the variable that sorts is narrowed down to."""
        if not self.narrow.children:
            return None
        control = self.narrow.children[0]
        if isinstance(control, widgets.FloatRangeSlider):
            return None if control.value == (control.min, control.max) else tuple(control.value)
        return None if control.value == ALL else control.value

    def _new_column(self, _: object = None) -> None:
        self._offer_values()
        self._list()

    def _offer_values(self) -> None:
        """A control for the values of the variable that sorts."""
        column, style = self.table[self.by.value], {"description_width": "88px"}
        if self.by.value == "patient_id":
            self.narrow.children = []
            return
        if pd.api.types.is_numeric_dtype(column):
            low, high = (float(column.min()), float(column.max())) if column.notna().any() else (0.0, 1.0)
            step = 0.01 if high - low <= 1 else 0.1 if high - low <= 20 else 1.0
            low, high = (
                step * (low // step),
                step * -(-high // step),
            )  # whole steps, or the ends would leave someone out
            control: widgets.Widget = widgets.FloatRangeSlider(
                value=(low, high), min=low, max=max(high, low + step), step=step, description="between", style=style,
                readout_format=".2f" if step < 0.1 else ".1f" if step < 1 else ".0f", layout={"width": "330px"},
            )  # fmt: skip
        else:
            present = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else sorted(set(column))
            control = widgets.Dropdown(
                options=[("any", ALL), *((str(v), v) for v in present)], description="only", style=style,
                layout={"width": "330px"},
            )  # fmt: skip
        control.observe(self._list, "value")
        self.narrow.children = [control]

    def _list(self, _: object = None) -> None:
        with self.answering():
            asked = (self.by.value, self.largest_first.value, self.split.value, self.label.value, self.only)
            found = choose(self.table, *asked)
            self.code = choose_line(*asked)
            kept = self.value if self.value in set(found["patient_id"]) else None
            self.count.value = f"<div>{len(found)} of {len(self.table)} patients</div>"
            self._listing = True  # new options first choose none, which is nobody's wish
            self.listed.options = [(self._entry(row), row["patient_id"]) for row in found.to_dict("records")]
            if len(found):
                self.listed.value = kept or found["patient_id"].iloc[0]
            self._listing = False
            self._take()

    def _entry(self, row: Mapping[str, Any]) -> str:
        shown = "" if self.by.value in ("patient_id", "centre") else f" · {printed(row[self.by.value])}"
        return f"{row['patient_id']} · {row['centre']} · {row['split']} · {CLASSES[row['label']]}{shown}"

    def _take(self, _: object = None) -> None:
        if self.listed.value and not self._listing:
            self.value = self.listed.value

    @traitlets.observe("value")
    def _show(self, change: dict) -> None:
        row = self.table[self.table["patient_id"] == change["new"]]
        if row.empty:
            self.facts.value = f'<div class="her2-said">There is no patient {escape(repr(change["new"]))}.</div>'
            return
        self.facts.value = patient_facts(row.iloc[0], self.variables, self.outcome)
        if self.listed.value != change["new"] and change["new"] in {value for _, value in self.listed.options}:
            self.listed.value = change["new"]


def choose_patient(table: pd.DataFrame, variables: Mapping[str, Variable], outcome: str, simulated: bool) -> Chooser:
    """A list of all patients; the other parts of the explorer follow its ``value``.

    Parameters
    ----------
    table : DataFrame
        From :func:`~her2study.reporting.explorer.patients.patient_table`.
    outcome : str
        What positive means, in print.
    """
    return Chooser(table, variables, outcome, simulated)


def patient_facts(row: pd.Series, variables: Mapping[str, Variable], outcome: str) -> str:
    """A patient as two small tables: what is known of her, and what each model says."""
    head = f"{row['patient_id']}: {outcome if row['label'] == 1 else f'not {outcome}'}"
    place = f"{split_label(row['split'])}, centre {row['centre']}"
    known = [
        (v.printed, printed(row[name])) for name, v in variables.items() if name in row and v.role != "acquisition"
    ]
    models = [name.removeprefix("probability_") for name in row.index if name.startswith("probability_")]
    scores = [(model_label(model), number(row[f"probability_{model}"])) for model in models]
    tables = "".join(
        f'<table class="her2-table"><tr><th colspan="2">{title}</th></tr>{_rows(lines)}</table>'
        for title, lines in (("Known of her", known), ("Probability by", scores))
        if lines
    )
    return f'<div><b>{escape(head)}</b><br>{escape(place)}</div><div class="her2-row">{tables}</div>'


def printed(value: Any) -> str:
    """A value of the table in print."""
    if pd.isna(value):
        return ABSENT
    if isinstance(value, float):
        return number(value, 0) if value == round(value) else number(value, 2)
    return str(value)


def _rows(lines: list[tuple[str, str]]) -> str:
    return "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in lines)
