"""The predictions table checked against its contract, and cut into the arrays that statistics need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.study import nearest
from her2study.types import NO_FOLD, PREDICTION_COLUMNS, SPLITS, Labels, StudyError

FIRST_ROWS = 5
"""Offending rows that an error names."""

IN_SAMPLE = (
    "development scores must be out-of-fold: each patient scored by a model that did not see the patient, and fold "
    "(0, 1, 2, ...) says which part was held out; in-sample scores are refused"
)


class SplitScores(NamedTuple):
    """Labels ``(n,)`` and probabilities ``(n, models)`` of the patients of one split, in patient order."""

    split: str
    models: tuple[str, ...]
    labels: Labels
    scores: NDArray[np.float64]


class Origin(NamedTuple):
    """Where predictions come from, so that an error can point at it: a name, and the line of each row of a file."""

    name: str = "predictions"
    lines: pd.Series | None = None
    unit: str = "line"
    probability_mend: str = ""


def gather_predictions(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """One checked predictions table from the tables of several notebooks, sorted by model and patient."""
    together = pd.concat(list(frames), ignore_index=True)
    check_predictions(together)
    return together.loc[:, list(PREDICTION_COLUMNS)].sort_values(["model", "patient_id"], ignore_index=True)


def check_predictions(predictions: pd.DataFrame, origin: Origin | None = None) -> None:
    """Refuse a predictions table that breaks the contract.

    Parameters
    ----------
    predictions : DataFrame
        The columns of :data:`~her2study.types.PREDICTION_COLUMNS`; other columns are ignored.
    origin : Origin, optional
        Name of the file and the line of each row (same index), for the message.

    Raises
    ------
    StudyError
        A column is missing; there are no rows; a patient, centre or model has no name; an unknown split; a
        label that is missing or not 0 or 1; a probability outside 0-1 or not finite; a development row without
        the fold that held it out, or a model with one fold only (in-sample scores); a fold outside
        development; a patient twice in one model, in two splits or with two labels; a model that lacks
        patients whom others have; a split of one class. The first offending rows are named.
    """
    origin = origin or Origin()
    missing = [column for column in PREDICTION_COLUMNS if column not in predictions]
    if missing:
        raise StudyError(f"{origin.name} lack the column {missing[0]!r}; needed are {', '.join(PREDICTION_COLUMNS)}")
    if predictions.empty:
        raise StudyError(f"{origin.name}: there are no rows; give at least one patient of each class")
    _check_values(predictions, origin)
    _check_patients(predictions, origin)
    _check_folds(predictions, origin)
    for split, rows in predictions.groupby("split", sort=False):
        _check_classes(rows.drop_duplicates("patient_id")["label"], str(split), origin.name)


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
        _check_classes(labels, split, "predictions")
        yield SplitScores(split, names, labels.to_numpy(np.int64), wide[list(names)].to_numpy(np.float64))


def _check_values(predictions: pd.DataFrame, origin: Origin) -> None:
    """Each cell by itself."""
    for column in ("patient_id", "centre", "model"):
        _refuse(predictions, _blank(predictions[column]), column, "is missing; fill it in", origin)
    unknown = ~predictions["split"].isin(SPLITS)
    rule = f"must be one of {', '.join(SPLITS)}"
    if unknown.any():
        rule += nearest(str(predictions.loc[unknown, "split"].iloc[0]).strip().lower(), SPLITS).removesuffix(".")
    _refuse(predictions, unknown, "split", rule, origin)
    rule = "is missing; leave an unlabelled patient out, never counted as negative"
    _refuse(predictions, _blank(predictions["label"]), "label", rule, origin)
    rule = "must be 0 or 1: code positive as 1, negative as 0, and leave unlabelled patients out"
    _refuse(predictions, ~_number(predictions["label"]).isin((0, 1)), "label", rule, origin)
    rule = "is missing; score the patient or leave the patient out of all models" + origin.probability_mend
    _refuse(predictions, _blank(predictions["probability"]), "probability", rule, origin)
    rule = "must be a number from 0 to 1: turn log odds x into 1 / (1 + exp(-x)), divide percentages by 100"
    bad = ~_number(predictions["probability"]).between(0, 1)
    _refuse(predictions, bad, "probability", rule + origin.probability_mend, origin)


def _check_folds(predictions: pd.DataFrame, origin: Origin) -> None:
    """What can be told of in-sample scores from the table alone."""
    fold, development = _number(predictions["fold"]), predictions["split"] == "development"
    whole = fold.notna() & (fold == fold.round())
    _refuse(predictions, development & ~(whole & (fold >= 0)), "fold", f"is no held-out fold; {IN_SAMPLE}", origin)
    rule = f"must be {NO_FOLD} outside development, whose patients no fold held out; call out-of-fold rows development"
    _refuse(predictions, ~development & (fold != NO_FOLD), "fold", rule, origin)
    folds = predictions[development].groupby("model", sort=False)["fold"].nunique()
    if (folds < 2).any():
        model = folds.index[folds < 2][0]
        raise StudyError(
            f"{origin.name}, model {model!r}: all its development rows have one fold, so no model was ever trained "
            f"without the patients it scores; {IN_SAMPLE}"
        )


def _check_patients(predictions: pd.DataFrame, origin: Origin) -> None:
    """Each patient once a model, in one split, with one label, and in every model."""
    _refuse(
        predictions, _differs(predictions, "split"), "split", "is one of two: a patient belongs to one split", origin
    )
    twice = predictions.duplicated(["model", "patient_id"], keep=False)
    _refuse(predictions, twice, "patient_id", "has two rows for this model; keep one row a patient and model", origin)
    _refuse(predictions, _differs(predictions, "label"), "label", "is one of two: a patient has one label", origin)
    present = predictions.pivot_table(index=["split", "patient_id"], columns="model", values="label", aggfunc="size")
    gaps = present.isna().to_numpy()
    if gaps.any():
        row, column = np.argwhere(gaps)[0]
        split, patient = present.index[row]
        model, lacking = present.columns[column], [f"{present.index[i][1]!r}" for i in np.flatnonzero(gaps[:, column])]
        more = f" ({len(lacking)} such patients: {_few(lacking)})" if len(lacking) > 1 else ""
        raise StudyError(
            f"{origin.name}: model {model!r} has no row for patient {patient!r} ({split}), whom other models "
            f"score{more}; models are compared on the same patients: score the patient or leave it out of all"
        )


def _check_classes(labels: pd.Series, split: str, name: str) -> None:
    if labels.nunique() < 2:
        raise StudyError(
            f"{name}, {split}: all {len(labels)} patients have the label {int(labels.iloc[0])}; nothing can be "
            "evaluated without positives and negatives; leave the split out or add patients"
        )


def _number(column: pd.Series) -> pd.Series:
    """The column as numbers, missing where a cell is none."""
    return pd.to_numeric(column, errors="coerce")


def _blank(column: pd.Series) -> pd.Series:
    return column.isna() | (column.astype("str").str.strip() == "")


def _differs(predictions: pd.DataFrame, column: str) -> pd.Series:
    """Whether rows of the same patient disagree."""
    return predictions.groupby("patient_id")[column].transform("nunique") > 1


def _few(items: Iterable[str]) -> str:
    items = list(items)
    return ", ".join(items[:FIRST_ROWS]) + (", ..." if len(items) > FIRST_ROWS else "")


def _refuse(predictions: pd.DataFrame, bad: pd.Series, column: str, rule: str, origin: Origin) -> None:
    """Raise for the first row where ``bad`` holds, and name a few more."""
    if not bad.any():
        return
    rows = predictions.loc[bad]
    first, where, unit = rows.iloc[0], origin.name, "patient"
    named = [str(name) for name in dict.fromkeys(rows["patient_id"])]
    if origin.lines is not None:
        unit, named = origin.unit, [str(line) for line in dict.fromkeys(origin.lines.loc[rows.index])]
        where += f", {unit} {named[0]}"
    value = "" if rule.startswith("is missing") else f" '{str(first[column]).removesuffix('.0')}'"
    more = f" ({len(named)} such {unit}s: {_few(named)})" if len(named) > 1 else ""
    raise StudyError(
        f"{where}, model {first['model']!r}, patient {first['patient_id']!r}: {column}{value} {rule}{more}"
    )
