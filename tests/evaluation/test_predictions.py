"""Tests of the predictions contract, one for each way to break it."""

import pytest

from her2study.evaluation.predictions import by_split, check_predictions, gather_predictions
from her2study.types import StudyError
from tests.evaluation.golden import make_predictions


@pytest.fixture
def predictions():
    return make_predictions({"a": 1.0, "b": 0.5}, n=6)


def test_gathered_rows_are_sorted_and_complete(predictions):
    halves = [predictions[predictions["model"] == model].assign(extra=1) for model in ("b", "a")]
    gathered = gather_predictions(halves)
    assert gathered["model"].is_monotonic_increasing
    assert gathered.columns.tolist() == ["patient_id", "centre", "split", "model", "label", "probability", "fold"]
    assert len(gathered) == len(predictions)


def test_by_split_aligns_patients_and_models(predictions):
    shuffled = predictions.sample(frac=1, random_state=0)
    parts = list(by_split(shuffled, ("b", "a")))
    assert [part.split for part in parts] == ["development", "internal", "external"]
    own = predictions[predictions["split"] == "internal"].sort_values("patient_id")
    assert parts[1].scores[:, 0].tolist() == own.loc[own["model"] == "b", "probability"].tolist()
    assert parts[1].labels.tolist() == own.loc[own["model"] == "a", "label"].tolist()


def first(frame, column, value):
    changed = frame.copy()
    changed.loc[changed.index[0], column] = value
    return changed


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda p: p.drop(columns="fold"), "lack the column 'fold'"),
        (lambda p: first(p, "split", "test"), "patient 'D000': split 'test' must be one of development"),
        (lambda p: first(p, "label", 2), "patient 'D000': label '2' must be 0 or 1"),
        (lambda p: first(p, "probability", 1.2), "patient 'D000': probability '1.2' must be a number from 0 to 1"),
        (lambda p: first(p, "probability", float("nan")), "probability 'nan' must be"),
        (lambda p: first(p, "patient_id", "D001"), "model 'a', patient 'D001': patient_id 'D001' has two rows"),
        (lambda p: first(p, "split", "internal"), "a patient belongs to one split"),
        (lambda p: first(p, "label", 0), "a patient has one label"),
        (lambda p: p.iloc[1:], "model 'a' has no row for patient 'D000'"),
    ],
)
def test_a_broken_contract_is_named(predictions, broken, message):
    with pytest.raises(StudyError, match=message):
        check_predictions(broken(predictions))


def test_a_split_of_one_class_is_named(predictions):
    negatives = predictions[~(predictions["split"].eq("external") & predictions["label"].eq(1))]
    with pytest.raises(StudyError, match="external: all 4 patients have the label 0"):
        list(by_split(negatives))
