"""Tests of the predictions contract, one for each way to break it."""

import pandas as pd
import pytest

from her2study.evaluation.predictions import Origin, by_split, check_predictions, gather_predictions
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
    changed = frame.astype({column: object})
    changed.loc[changed.index[0], column] = value
    return changed


def of_split(frame, split, **values):
    changed = frame.copy()
    changed.loc[changed["split"] == split, list(values)] = list(values.values())
    return changed


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda p: p.drop(columns="fold"), "lack the column 'fold'"),
        (lambda p: p.iloc[:0], "there are no rows"),
        (lambda p: first(p, "patient_id", ""), "patient_id is missing; fill it in"),
        (lambda p: first(p, "centre", None), "patient 'D000': centre is missing"),
        (lambda p: first(p, "split", "test"), "patient 'D000': split 'test' must be one of development"),
        (lambda p: first(p, "split", "Exernal"), "did you mean 'external'"),
        (lambda p: first(p, "label", 2), "patient 'D000': label '2' must be 0 or 1"),
        (lambda p: first(p, "label", None), "patient 'D000': label is missing; leave an unlabelled patient out, never"),
        (lambda p: first(p, "probability", 1.2), "patient 'D000': probability '1.2' must be a number from 0 to 1"),
        (lambda p: first(p, "probability", float("inf")), "probability 'inf' must be a number"),
        (lambda p: first(p, "probability", "high"), "probability 'high' must be a number"),
        (lambda p: first(p, "probability", float("nan")), "probability is missing; score the patient"),
        (lambda p: first(p, "patient_id", "D001"), "model 'a', patient 'D001': patient_id 'D001' has two rows"),
        (lambda p: first(p, "split", "internal"), "a patient belongs to one split"),
        (lambda p: first(p, "label", 0), "a patient has one label"),
        (lambda p: p.iloc[1:], "model 'a' has no row for patient 'D000'"),
        (lambda p: p.iloc[[0, *range(3, 18), *range(18, 36)]], r"\(2 such patients: 'D001', 'D002'\)"),
        (lambda p: of_split(p, "external", label=0), "external: all 6 patients have the label 0"),
    ],
)
def test_a_broken_contract_is_named(predictions, broken, message):
    with pytest.raises(StudyError, match=message):
        check_predictions(broken(predictions))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda p: first(p, "fold", -1), "patient 'D000': fold '-1' is no held-out fold; development scores must be"),
        (lambda p: first(p, "fold", None), "fold 'None' is no held-out fold"),
        (lambda p: first(p, "fold", 0.5), "fold '0.5' is no held-out fold"),
        (lambda p: of_split(p, "development", fold=0), "model 'a': all its development rows have one fold"),
        (lambda p: of_split(p, "external", fold=3), "patient 'E000': fold '3' must be -1 outside development"),
    ],
)
def test_in_sample_scores_are_refused(predictions, broken, message):
    with pytest.raises(StudyError, match=message):
        check_predictions(broken(predictions))


def test_rows_of_a_file_are_named_by_line_and_only_the_first_few(predictions):
    lines = pd.Series(range(2, 2 + len(predictions)), index=predictions.index)
    changed = predictions.assign(probability=2.0)
    with pytest.raises(StudyError) as error:
        check_predictions(changed, Origin("p.csv", lines))
    assert str(error.value).startswith("p.csv, line 2, model 'a', patient 'D000': probability '2' must be")
    assert str(error.value).endswith("(36 such lines: 2, 3, 4, 5, 6, ...)")


def test_a_single_bad_row_is_not_counted(predictions):
    with pytest.raises(StudyError) as error:
        check_predictions(first(predictions, "probability", -0.1))
    assert "such" not in str(error.value)


def test_a_split_of_one_class_is_named(predictions):
    negatives = predictions[~(predictions["split"].eq("external") & predictions["label"].eq(1))]
    with pytest.raises(StudyError, match="external: all 4 patients have the label 0"):
        list(by_split(negatives))
