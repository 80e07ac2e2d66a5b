"""D-scores that were made elsewhere, as predictions of the study: with the record of who their models have seen."""

from __future__ import annotations

import pandas as pd

from her2study.models.provenance import TRAINED_ON_COLUMNS, make_trained_on
from her2study.types import NO_FOLD, PREDICTION_COLUMNS, StudyError

MODEL = "dscore"


def own_predictions(scores: pd.DataFrame, splits: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions and provenance of the user's own scores.

    A cross-fitted score was made by a model that saw all of development but the patient's fold; a score with fold
    -1, where no score has another, by a model that saw nobody of this study. The probabilities are taken as they
    are: whether they mean what they say is a question of the evaluation.

    Parameters
    ----------
    scores : DataFrame
        ``patient_id, probability, fold`` from :func:`her2study.cohort.own_tables.read_scores`.
    splits : DataFrame
        ``patient_id, centre, label, split, fold``.

    Returns
    -------
    predictions, trained_on
        As the contracts of :mod:`her2study.types` and :mod:`her2study.models.provenance` have them.

    Raises
    ------
    StudyError
        A patient of the study has no score.
    """
    rows = splits.merge(scores[["patient_id", "probability"]], how="left", on="patient_id", validate="one_to_one")
    unscored = rows.loc[rows["probability"].isna(), "patient_id"]
    if len(unscored):
        raise StudyError(
            f"source.scores: patient {unscored.iloc[0]!r} has no score ({len(unscored)} such patients); run 01 again"
        )
    predictions = rows.assign(model=MODEL)[list(PREDICTION_COLUMNS)].sort_values("patient_id", ignore_index=True)
    if trained_elsewhere(scores):
        return predictions, _nobody(splits)
    return predictions, make_trained_on(MODEL, splits)


def trained_elsewhere(scores: pd.DataFrame) -> bool:
    """Whether all scores come from models that saw nobody of this study."""
    return bool((scores["fold"] == NO_FOLD).all())


def scores_sentence(scores: pd.DataFrame) -> str:
    """Where the scores come from, in words."""
    if trained_elsewhere(scores):
        return (
            "Every score says that its model never saw any of these patients (fold -1). Nothing here can check that: "
            "if it is not so, every number below is too good."
        )
    folds = scores.loc[scores["fold"] != NO_FOLD, "fold"].nunique()
    return (
        f"Scores of development patients come from the study's own cross-fitting with {folds} folds, which are the "
        "folds of every model here; nothing here can check that a fold's model left its patients out."
    )


def _nobody(splits: pd.DataFrame) -> pd.DataFrame:
    """Provenance of a model that saw nobody of the study: a row a fold, without a patient."""
    folds = sorted({NO_FOLD, *splits["fold"]})
    return pd.DataFrame({"model": MODEL, "fold": folds, "patient_id": pd.Series([None] * len(folds), dtype="str")})[
        list(TRAINED_ON_COLUMNS)
    ]
