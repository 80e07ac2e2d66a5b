"""What a reader of a score has to know of the patient: values out of range, imputed, scans unlike those of training.

Every flag is a row: ``patient_id, kind, about, text``. Nobody is left out for a flag; who cannot be scored is told in
``reason_unscored``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from her2study.cohort.findings import none
from her2study.models.bundle import Bundle

FLAG_COLUMNS = ("patient_id", "kind", "about", "text")

KINDS = {
    "excluded": "outside the population that was studied",
    "range": "outside the training range",
    "value": "value that cannot be used",
    "imputed": "predictor missing, imputed",
    "pictures": "scan unlike the training scans",
    "protocol": "scan protocol unlike that of training",
    "quality": "quality of the scan",
    "mask": "doubt about the mask",
}
"""Kinds of flags, the weightiest first, and what they mean."""


def flag_frame(rows: Iterable[tuple[str, str, str, str]]) -> pd.DataFrame:
    """Rows ``patient_id, kind, about, text`` as a frame, by patient, the weightiest kind first."""
    frame = pd.DataFrame(list(rows), columns=list(FLAG_COLUMNS), dtype="str")
    order = frame.assign(kind=frame["kind"].map(list(KINDS).index)).sort_values(["patient_id", "kind"], kind="stable")
    return frame.loc[order.index].reset_index(drop=True)


def table_flags(bundle: Bundle, table: pd.DataFrame, told: pd.DataFrame | None = None) -> list[tuple]:
    """Flags about the predictors of patients, and whether the study was about such patients.

    Parameters
    ----------
    table, told : DataFrame
        ``table`` and ``findings`` of :class:`~her2study.models.apply.patients.NewPatients`.
    """
    told = none() if told is None else told
    rows: list[tuple] = [
        (patient, "excluded", "", f"the study left such patients out: {reason}")
        for patient, reason in zip(table["patient_id"], table.get("excluded", []), strict=False)
        if reason
    ]
    unusable = told[(told["area"] == "variables") & (told["patient"] != "")]
    rows += [
        (item.patient, "value", item.column, f"{item.column} is {item.value!r}: {item.rule}")
        for item in unusable.itertuples()
    ]
    for name, known in _predictors(bundle).items():
        if name in table:
            rows += _about(name, known, table)
    return rows


def joined(flags: pd.DataFrame, patients: pd.Series) -> list[str]:
    """The flags of each patient in one cell, parted by semicolons."""
    texts = flags.groupby("patient_id")["text"].agg("; ".join) if len(flags) else pd.Series(dtype="str")
    return [texts.get(patient, "") for patient in patients]


def _predictors(bundle: Bundle) -> dict[str, Mapping[str, Any]]:
    """Label, range and imputation of each predictor; the same in every model that has it."""
    known: dict[str, Mapping[str, Any]] = {}
    for frozen in bundle.logistic.values():
        for name, variable in frozen["variables"].items():
            known.setdefault(name, variable)
    return known


def _about(name: str, known: Mapping[str, Any], table: pd.DataFrame) -> list[tuple]:
    """Flags about one predictor."""
    values, patients, label = table[name], table["patient_id"], known["label"]
    filled = known["imputation"]
    shown = f"{filled:.3g}" if isinstance(filled, float) else filled
    which = "their most frequent category" if known["levels"] else "their median"
    rows = [
        (patient, "imputed", name, f"{label} is missing: {shown} is taken, {which} in training")
        for patient in patients[values.isna()]
    ]
    if known["range"]:
        low, high = known["range"]
        out = (values < low) | (values > high)
        rows += [
            (patient, "range", name, f"{label} {value:.3g} is outside the training range {low:.3g} to {high:.3g}")
            for patient, value in zip(patients[out], values[out], strict=True)
        ]
    return rows
