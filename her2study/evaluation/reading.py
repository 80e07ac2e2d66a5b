"""Predictions that came from anywhere: a table in one of two shapes, read into the predictions contract.

Tidy: one row a patient and model (``patient_id, model, label, probability``). Wide: one row a patient and one
column of probabilities a model. Every default that is filled in and every column that is left aside is told.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from her2study.evaluation.cells import read_cells
from her2study.evaluation.predictions import IN_SAMPLE, Origin, check_predictions
from her2study.study import nearest
from her2study.types import NO_FOLD, PREDICTION_COLUMNS, StudyError

PATIENT_COLUMNS = ("patient_id", "centre", "split", "label", "fold")
"""Columns of both shapes; ``centre``, ``split`` and ``fold`` may be absent."""

ONE_CENTRE, UNSEEN = "all", "external"
"""What stands in for a column ``centre`` or ``split`` that a file does not have."""

STRATEGIES = ("treat_all", "treat_none")
"""Names that a decision curve needs for itself."""

MOSTLY = 0.5
"""A column of a wide file is a model if more than this share of its filled cells are numbers."""

SHAPES = (
    "A tidy table has the columns patient_id, model, label, probability; a wide one has patient_id, label and one "
    "column of probabilities a model. Both may have split, centre and fold."
)


class Reading(NamedTuple):
    """Checked predictions, the models in the order of the file, and what was assumed on the way, in sentences."""

    predictions: pd.DataFrame
    models: tuple[str, ...]
    notes: tuple[str, ...]


def read_predictions(path: Path) -> Reading:
    """Read and check a table of predictions, tidy or wide: .csv, .xlsx or .parquet.

    ``patient_id`` stays text. Without a column ``split`` all patients are ``external`` (the models never saw
    them), without ``centre`` they are of one centre, without ``fold`` it is -1 outside development.

    Raises
    ------
    StudyError
        The file is missing, empty, no table or lacks a column; or it breaks the contract of
        :func:`~her2study.evaluation.predictions.check_predictions`. Lines of the file are named.
    """
    cells = read_cells(Path(path))
    frame, notes = cells.frame, list(cells.notes)
    tidy = "model" in frame
    _require(frame, ("patient_id", "label", *(("model", "probability") if tidy else ())), cells.name)
    shaped, models, told = _tidy(frame) if tidy else _wide(frame, cells.name)
    filled, assumed = _fill(shaped, cells.name)
    lines = cells.lines.loc[filled.pop("row")].set_axis(filled.index)
    mend = "" if tidy else "; if this column is no model, remove it from the table"
    check_predictions(filled, Origin(cells.name, lines, cells.unit, mend))
    reserved = [model for model in models if model in STRATEGIES]
    if reserved:
        raise StudyError(f"{cells.name}: a model is called {reserved[0]!r}, a line of every decision curve; rename it")
    typed = filled.astype({"label": "int64", "fold": "int64", "probability": "float64"})
    predictions = typed.loc[:, list(PREDICTION_COLUMNS)].sort_values(["model", "patient_id"], ignore_index=True)
    return Reading(predictions, models, (*notes, *told, *assumed))


def _tidy(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...], list[str]]:
    """The rows as they are; columns outside the contract are left aside."""
    others = [column for column in frame if column not in PREDICTION_COLUMNS]
    models = tuple(frame["model"].unique())
    notes = [f"Tidy table: one row a patient and model. Models: {', '.join(models)}.", *_aside(others)]
    return frame.drop(columns=others).assign(row=frame.index), models, notes


def _wide(frame: pd.DataFrame, name: str) -> tuple[pd.DataFrame, tuple[str, ...], list[str]]:
    """One row a patient and model, from one column a model."""
    others = [column for column in frame if column not in PATIENT_COLUMNS]
    models = tuple(column for column in others if _is_model(frame[column]))
    if not models:
        raise StudyError(f"{name}: no column holds the probabilities of a model. {SHAPES}")
    patients = frame[[column for column in PATIENT_COLUMNS if column in frame]].assign(row=frame.index)
    parts = [patients.assign(model=model, probability=frame[model]) for model in models]
    notes = [
        f"Wide table: one row a patient. Columns taken as models: {', '.join(models)}.",
        *_aside([column for column in others if column not in models]),
    ]
    return pd.concat(parts, ignore_index=True), models, notes


def _is_model(column: pd.Series) -> bool:
    filled = column[column != ""]
    return len(filled) > 0 and bool(pd.to_numeric(filled, errors="coerce").notna().mean() > MOSTLY)


def _aside(columns: list[str]) -> list[str]:
    return [f"Columns left aside: {', '.join(columns)}."] if columns else []


def _fill(frame: pd.DataFrame, name: str) -> tuple[pd.DataFrame, list[str]]:
    """Numbers as numbers, and the columns that a file need not have."""
    filled, notes = frame.copy(), []
    for column in {"label", "probability", "fold"} & set(filled.columns):
        filled[column] = _numbers(filled[column])
    if "split" not in filled:
        held_out = "fold" in filled and pd.to_numeric(filled["fold"], errors="coerce").ge(0).any()
        if held_out:
            raise StudyError(
                f"{name} has a column 'fold' with held-out folds but no column 'split': add it, with development in "
                "the rows that were scored out-of-fold and internal or external in the others"
            )
        filled["split"] = UNSEEN
        notes.append(f"No column split: all patients are taken as {UNSEEN}, that is, never seen by any of the models.")
    if "centre" not in filled:
        filled["centre"] = ONE_CENTRE
        notes.append("No column centre: all patients are taken as one centre.")
    elsewhere = filled["split"] != "development"
    if "fold" not in filled:
        if not elsewhere.all():
            raise StudyError(f"{name} has development rows but no column 'fold'; {IN_SAMPLE}")
        filled["fold"] = NO_FOLD
    filled.loc[elsewhere & (filled["fold"].astype("str") == ""), "fold"] = NO_FOLD
    return filled, notes


def _numbers(texts: pd.Series) -> pd.Series:
    """Cells that are numbers as numbers, to the last digit; others stay as they are, for the check to name them."""
    numeric = pd.to_numeric(texts, errors="coerce").notna()
    values = np.array([float(text) if fine else text for text, fine in zip(texts, numeric, strict=True)], dtype=object)
    return pd.Series(values, index=texts.index).infer_objects()


def _require(frame: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    for column in columns:
        if column not in frame:
            raise StudyError(
                f"{name} has no column {column!r}{nearest(column, frame.columns)} "
                f"Columns found: {', '.join(frame.columns)}. {SHAPES}"
            )
