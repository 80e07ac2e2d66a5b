"""Tests of scores made elsewhere: predictions with provenance that the study's own check accepts, or refuses."""

import pandas as pd
import pytest

from her2study.models.own_scores import own_predictions, scores_sentence
from her2study.models.provenance import check_out_of_fold
from her2study.types import StudyError

SPLITS = pd.DataFrame(
    {
        "patient_id": ["p1", "p2", "p3", "p4", "p5", "p6"],
        "centre": "A",
        "label": [0, 1, 0, 1, 0, 1],
        "split": ["development"] * 4 + ["internal", "external"],
        "fold": [0, 0, 1, 1, -1, -1],
    }
)
SCORES = pd.DataFrame(
    {"patient_id": SPLITS["patient_id"], "probability": [0.1, 0.9, 0.3, 0.6, 0.2, 0.8], "fold": SPLITS["fold"]}
)


def test_cross_fitted_scores_saw_all_of_development_but_their_fold():
    predictions, trained_on = own_predictions(SCORES, SPLITS)
    check_out_of_fold(predictions, trained_on, SPLITS)
    assert predictions["probability"].tolist() == SCORES["probability"].tolist()
    seen = trained_on.groupby("fold")["patient_id"].agg(list).to_dict()
    assert seen == {-1: ["p1", "p2", "p3", "p4"], 0: ["p3", "p4"], 1: ["p1", "p2"]}
    assert "2 folds" in scores_sentence(SCORES)


def test_scores_trained_elsewhere_saw_nobody():
    elsewhere = SCORES.assign(fold=-1)
    predictions, trained_on = own_predictions(elsewhere, SPLITS)
    check_out_of_fold(predictions, trained_on, SPLITS)
    assert trained_on["patient_id"].isna().all()
    assert predictions["fold"].tolist() == SPLITS["fold"].tolist()  # the folds of every other model
    assert "never saw any of these patients" in scores_sentence(elsewhere)


def test_a_model_that_saw_a_patient_of_the_study_is_still_refused_beside_rows_without_patients():
    predictions, trained_on = own_predictions(SCORES.assign(fold=-1), SPLITS)
    leak = pd.DataFrame({"model": ["dscore"], "fold": [-1], "patient_id": ["p6"]})
    with pytest.raises(StudyError, match="'p6'"):
        check_out_of_fold(predictions, pd.concat([trained_on, leak]), SPLITS)


def test_everybody_needs_a_score():
    with pytest.raises(StudyError, match="'p4' has no score"):
        own_predictions(SCORES.drop(index=3), SPLITS)
