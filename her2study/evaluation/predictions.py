"""The predictions table checked against its contract, and cut into the arrays that statistics need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.types import PREDICTION_COLUMNS, SPLITS, Labels, StudyError


class SplitScores(NamedTuple):
    """Labels ``(n,)`` and probabilities ``(n, models)`` of the patients of one split, in patient order."""

    split: str
    models: tuple[str, ...]
    labels: Labels
    scores: NDArray[np.float64]


def gather_predictions(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """One checked predictions table from the tables of several notebooks, sorted by model and patient."""
    together = pd.concat(list(frames), ignore_index=True)
    check_predictions(together)
    return together.loc[:, list(PREDICTION_COLUMNS)].sort_values(["model", "patient_id"], ignore_index=True)


def check_predictions(predictions: pd.DataFrame) -> None:
    """Refuse a predictions table that breaks the contract.

    Raises
    ------
    StudyError
        A column is missing; an unknown split; a label that is not 0 or 1; a probability outside 0-1 or
        not finite; a patient twice in one model, in two splits or with two labels; a model that
        lacks patients of a split that other models have. The first offending row is named.
    """
    missing = [column for column in PREDICTION_COLUMNS if column not in predictions]
    if missing:
        raise StudyError(f"predictions lack the column {missing[0]!r}; needed are {', '.join(PREDICTION_COLUMNS)}")
    probability = pd.to_numeric(predictions["probability"], errors="coerce")
    _refuse(predictions, ~predictions["split"].isin(SPLITS), "split", f"must be one of {', '.join(SPLITS)}")
    _refuse(predictions, ~predictions["label"].isin((0, 1)), "label", "must be 0 or 1; exclude unlabelled patients")
    _refuse(predictions, ~probability.between(0, 1), "probability", "must be a number from 0 to 1")
    twice = predictions.duplicated(["model", "patient_id"])
    _refuse(predictions, twice, "patient_id", "has two rows for this model; keep one row a patient and model")
    for column, mend in (("split", "a patient belongs to one split"), ("label", "a patient has one label")):
        _refuse(predictions, predictions.groupby("patient_id")[column].transform("nunique") > 1, column, mend)
    present = predictions.pivot_table(index=["split", "patient_id"], columns="model", values="label", aggfunc="size")
    gaps = present.isna()
    if gaps.to_numpy().any():
        row, column = np.argwhere(gaps.to_numpy())[0]
        split, patient = present.index[row]
        raise StudyError(
            f"predictions: model {present.columns[column]!r} has no row for patient {patient!r} ({split}), whom other "
            "models score; models are compared on the same patients: score the patient or leave it out of all"
        )


def by_split(predictions: pd.DataFrame, models: Iterable[str] | None = None) -> Iterator[SplitScores]:
    """Labels and score matrix of each split there is, in reading order; models in the order asked for.

    Raises
    ------
    StudyError
        A split holds one class only.
    """
    names = tuple(sorted(predictions["model"].unique()) if models is None else models)
    for split in SPLITS:
        rows = predictions[(predictions["split"] == split) & predictions["model"].isin(names)]
        if rows.empty:
            continue
        # pivot, since it refuses a patient who is there twice
        wide = rows.pivot(index="patient_id", columns="model", values="probability")  # noqa: PD010
        labels = rows.drop_duplicates("patient_id").set_index("patient_id").loc[wide.index, "label"]
        if labels.nunique() < 2:
            raise StudyError(
                f"predictions, {split}: all {len(labels)} patients have the label {labels.iloc[0]}; nothing can be "
                "evaluated without positives and negatives; leave the split out or add patients"
            )
        yield SplitScores(split, names, labels.to_numpy(np.int64), wide[list(names)].to_numpy(np.float64))


def _refuse(predictions: pd.DataFrame, bad: pd.Series, column: str, rule: str) -> None:
    """Raise for the first row where ``bad`` holds."""
    if bad.any():
        row = predictions.loc[bad].iloc[0]
        raise StudyError(
            f"predictions, model {row['model']!r}, patient {row['patient_id']!r}: {column} '{row[column]}' {rule} "
            f"({int(bad.sum())} such rows)"
        )
