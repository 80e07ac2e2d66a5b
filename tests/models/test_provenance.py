"""Scores of patients whom the model has seen are refused, whatever way they get in."""

import hashlib

import pandas as pd
import pytest

from her2study.models.provenance import check_out_of_fold, fingerprint, make_trained_on
from her2study.types import StudyError

SPLITS = pd.DataFrame(
    {
        "patient_id": ["P1", "P2", "P3", "P4", "I1", "E1"],
        "split": ["development"] * 4 + ["internal", "external"],
        "fold": [0, 0, 1, 1, -1, -1],
    }
)


@pytest.fixture
def predictions():
    return SPLITS.assign(centre="A", model="dscore", label=[0, 1, 0, 1, 0, 1], probability=0.5)


@pytest.fixture
def trained_on():
    return make_trained_on("dscore", SPLITS)


def test_out_of_fold_predictions_pass(predictions, trained_on):
    check_out_of_fold(predictions, trained_on, SPLITS)
    check_out_of_fold(predictions[predictions["split"] == "development"], trained_on, SPLITS)


def test_ordinary_provenance_is_everyone_but_the_fold(trained_on):
    seen = trained_on.groupby("fold")["patient_id"].agg(list).to_dict()
    assert seen == {-1: ["P1", "P2", "P3", "P4"], 0: ["P3", "P4"], 1: ["P1", "P2"]}
    assert (trained_on["model"] == "dscore").all()


def test_a_score_of_a_patient_seen_in_training_is_refused(predictions, trained_on):
    extra = pd.DataFrame({"model": ["dscore"], "fold": [1], "patient_id": ["P3"]})
    with pytest.raises(StudyError, match=r"'dscore', patient 'P3', fold 1: was seen in training"):
        check_out_of_fold(predictions, pd.concat([trained_on, extra]), SPLITS)


def test_in_sample_scores_cannot_be_relabelled_with_another_fold(predictions, trained_on):
    predictions.loc[0, "fold"] = 1
    with pytest.raises(StudyError, match=r"patient 'P1', fold 1: carries another fold"):
        check_out_of_fold(predictions, trained_on, SPLITS)


def test_a_fold_without_provenance_is_refused(predictions, trained_on):
    with pytest.raises(StudyError, match=r"patient 'P3', fold 1: .*without provenance.*\(and 1 more\).*dscore"):
        check_out_of_fold(predictions, trained_on[trained_on["fold"] != 1], SPLITS)


def test_provenance_of_another_model_does_not_help(predictions, trained_on):
    with pytest.raises(StudyError, match="without provenance"):
        check_out_of_fold(predictions, trained_on.assign(model="svm"), SPLITS)


@pytest.mark.parametrize("outsider", ["I1", "E1"])
def test_training_on_internal_or_external_patients_is_refused(predictions, trained_on, outsider):
    extra = pd.DataFrame({"model": ["dscore"], "fold": [0], "patient_id": [outsider]})
    with pytest.raises(StudyError, match=rf"'dscore', fold 0: was trained on patient '{outsider}'"):
        check_out_of_fold(predictions, pd.concat([trained_on, extra]), SPLITS)


def test_models_that_are_not_scored_are_not_judged(predictions, trained_on):
    other = pd.DataFrame({"model": ["other"], "fold": [0], "patient_id": ["E1"]})
    check_out_of_fold(predictions, pd.concat([trained_on, other]), SPLITS)


def test_a_development_patient_passed_off_as_external_is_refused(predictions, trained_on):
    predictions.loc[0, ["split", "fold"]] = ["external", -1]
    with pytest.raises(StudyError, match="'P1', fold -1: stands in another split"):
        check_out_of_fold(predictions, trained_on, SPLITS)


@pytest.mark.parametrize("value", [float("nan"), 1.2, -0.1])
def test_a_score_that_is_no_probability_is_refused(predictions, trained_on, value):
    predictions.loc[4, "probability"] = value
    with pytest.raises(StudyError, match="'I1', fold -1: has no probability"):
        check_out_of_fold(predictions, trained_on, SPLITS)


def test_strangers_and_repeats_are_refused(predictions, trained_on):
    with pytest.raises(StudyError, match="'P1', fold 0: is scored twice"):
        check_out_of_fold(pd.concat([predictions, predictions.head(1)]), trained_on, SPLITS)
    predictions.loc[0, "patient_id"] = "X9"
    with pytest.raises(StudyError, match="'X9', fold 0: is not in splits"):
        check_out_of_fold(predictions, trained_on, SPLITS)


def test_missing_column_is_named(predictions, trained_on):
    with pytest.raises(StudyError, match="predictions lacks the column 'fold'"):
        check_out_of_fold(predictions.drop(columns="fold"), trained_on, SPLITS)


def test_fingerprint_knows_patients_and_labels_but_not_their_order():
    known = hashlib.sha256(b"P1\t0\nP2\t1\n").hexdigest()
    assert fingerprint(["P1", "P2"], [0, 1]) == fingerprint(["P2", "P1"], [1.0, 0.0]) == known
    assert fingerprint(["P1", "P2"], [1, 0]) != known
