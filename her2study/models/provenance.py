"""Who a model has seen, and the refusal of any score that is not out of fold.

Fitting the combined model on scores of patients the network was trained on is the commonest way in
which such studies fool themselves (double dipping). So every score travels with its fold, every
fold with the list of everyone its model has seen, and nothing is reported before both agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pandas as pd

from her2study.types import NO_FOLD, PREDICTION_COLUMNS, StudyError

TRAINED_ON_COLUMNS = ("model", "fold", "patient_id")
"""One row for each patient whom the model that scored ``fold`` has seen, in whatever way.

A model that was trained on patients outside the study has one row a fold whose patient is missing.
"""


def check_out_of_fold(predictions: pd.DataFrame, trained_on: pd.DataFrame, splits: pd.DataFrame) -> None:
    """Refuse predictions unless every score comes from a model that never saw its patient.

    Parameters
    ----------
    predictions : DataFrame
        The predictions contract, one model or many.
    trained_on : DataFrame
        ``model, fold, patient_id``; fold -1 is the model applied to internal and external patients.
    splits : DataFrame
        ``patient_id, split, fold``: the only authority on who belongs where.

    Raises
    ------
    StudyError
        Naming the model, patient and fold of the first offence, the rule and the mend: a column or
        patient that is unknown, two scores of one patient, no probability, a split or fold that
        differs from ``splits``, a fold without provenance, a model that saw an internal or external
        patient, a model that saw the patient it scores.
    """
    _require(predictions, PREDICTION_COLUMNS, "predictions")
    _require(trained_on, TRAINED_ON_COLUMNS, "the provenance (trained_on)")
    _require(splits, ("patient_id", "split", "fold"), "splits")
    place = splits.set_index("patient_id")
    scored = predictions.assign(
        true_split=predictions["patient_id"].map(place["split"]),
        true_fold=predictions["patient_id"].map(place["fold"]),
        repeated=predictions.duplicated(["model", "patient_id"]),
    )
    trained_on = trained_on[trained_on["model"].isin(scored["model"])]
    seen = pd.MultiIndex.from_frame(trained_on[list(TRAINED_ON_COLUMNS)])
    known = seen.droplevel("patient_id").unique()
    named = trained_on[trained_on["patient_id"].notna()]
    elsewhere = named[named["patient_id"].map(place["split"]) != "development"]

    _refuse(scored, scored["true_split"].isna(), "is not in splits", "score only patients of this study")
    _refuse(scored, scored["repeated"], "is scored twice", "keep one row per patient and model")
    _refuse(scored, ~scored["probability"].between(0, 1), "has no probability between 0 and 1", "run the model again")
    _refuse(
        scored,
        scored["split"] != scored["true_split"],
        "stands in another split than splits.parquet says",
        "take split from splits.parquet",
    )
    _refuse(
        scored,
        scored["fold"] != scored["true_fold"],
        "carries another fold than the one that held her out in splits.parquet",
        "a development score must come from the model of the patient's own fold, all others from fold -1",
    )
    _refuse(
        scored,
        ~pd.MultiIndex.from_frame(scored[["model", "fold"]]).isin(known),
        "has a score without provenance: nothing says who that model was trained on",
        "save trained_on_{model} for every fold",
    )
    _refuse(
        scored,
        pd.MultiIndex.from_frame(scored[list(TRAINED_ON_COLUMNS)]).isin(seen),
        "was seen in training by the model that scores her",
        "use the out-of-fold score, from the model that held her fold out",
    )
    if len(elsewhere):
        row = elsewhere.iloc[0]
        where = place["split"].get(row["patient_id"], "not part of the study")
        raise StudyError(
            f"model {row['model']!r}, fold {row['fold']}: was trained on patient {row['patient_id']!r}, who is "
            f"{where}; rule: only development patients may be in any fit; train it again without her"
        )


def make_trained_on(model: str, splits: pd.DataFrame) -> pd.DataFrame:
    """Provenance of a model that was cross-fitted on the study's folds in the ordinary way.

    The model of fold ``k`` saw all development patients outside fold ``k``; the model applied to
    internal and external patients (fold -1) saw all of development.
    """
    development = splits.loc[splits["split"] == "development", ["patient_id", "fold"]]
    folds = sorted(development["fold"].unique())
    parts = [development.loc[development["fold"] != fold, ["patient_id"]].assign(fold=fold) for fold in folds]
    parts.append(development[["patient_id"]].assign(fold=NO_FOLD))
    rows = pd.concat(parts).assign(model=model)
    return rows[list(TRAINED_ON_COLUMNS)].sort_values(["fold", "patient_id"], ignore_index=True)


def fingerprint(patient_ids: Iterable[str], labels: Iterable[int]) -> str:
    """SHA-256 of who was trained on with which label, whatever their order: names a training set."""
    lines = sorted(f"{patient}\t{int(label)}\n" for patient, label in zip(patient_ids, labels, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _require(frame: pd.DataFrame, columns: Iterable[str], what: str) -> None:
    """Refuse a frame that lacks a column."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise StudyError(f"{what} lacks the column {missing[0]!r}; it needs {', '.join(columns)}")


def _refuse(scored: pd.DataFrame, offends: pd.Series, rule: str, mend: str) -> None:
    """Raise for the first offending row, if any."""
    offences = scored.loc[offends]
    if offences.empty:
        return
    row = offences.iloc[0]
    more = f" (and {len(offences) - 1} more)" if len(offences) > 1 else ""
    raise StudyError(
        f"model {row['model']!r}, patient {row['patient_id']!r}, fold {row['fold']}: {rule}{more}; "
        + mend.format(model=row["model"])
    )
