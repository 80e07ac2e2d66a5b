"""Tests of where to cut a score, against pROC."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2study.evaluation.cutpoints import threshold_at_sensitivity, threshold_at_specificity, youden_threshold
from her2study.types import StudyError
from tests.evaluation import golden
from tests.evaluation.decisions_golden import GOLDEN, SETS, columns, patients

TARGETS = (0.5, 0.8, 0.9, 0.95, 1.0)
ANY_FLOAT = st.floats(allow_nan=False, allow_infinity=False)


def expected(name: str, what: str) -> float:
    """pROC's threshold; its infinite ones are ours at and just above the scores."""
    threshold, scores = GOLDEN[name, what], columns(name)[1]
    return {-np.inf: scores.min(), np.inf: np.nextafter(scores.max(), np.inf)}.get(threshold, threshold)


@pytest.mark.oracle("youden_threshold", by="pROC")
@pytest.mark.parametrize("name", SETS)
def test_youden_equals_proc(name):
    labels, a, _ = columns(name)
    assert youden_threshold(labels, a) == pytest.approx(expected(name, "youden"), abs=1e-15)


@pytest.mark.oracle("youden_threshold", by="pROC")
@pytest.mark.parametrize("name", golden.SETS)
def test_youden_of_any_score_equals_proc(name):
    labels, a, _, _ = golden.columns(name)
    assert youden_threshold(labels, a) == pytest.approx(golden.GOLDEN[name, "youden"], abs=1e-10)


@pytest.mark.oracle("threshold_at_sensitivity", "threshold_at_specificity", by="pROC")
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SETS)
def test_thresholds_at_a_target_equal_proc(name, target):
    labels, a, _ = columns(name)
    at_sensitivity = expected(name, f"at_sensitivity_{target:g}")
    at_specificity = expected(name, f"at_specificity_{target:g}")
    assert threshold_at_sensitivity(labels, a, target) == pytest.approx(at_sensitivity, abs=1e-15)
    assert threshold_at_specificity(labels, a, target) == pytest.approx(at_specificity, abs=1e-15)


def test_of_equal_thresholds_the_most_sensitive_is_taken():
    assert youden_threshold([0, 1, 0, 1], [1, 2, 3, 4]) == 1.5


def test_a_constant_score_calls_everyone_positive_or_nobody():
    assert youden_threshold([0, 1], [0.3, 0.3]) == 0.3
    assert threshold_at_sensitivity([0, 1], [0.3, 0.3], 0.9) == 0.3
    assert threshold_at_specificity([0, 1], [0.3, 0.3], 0.9) == np.nextafter(0.3, 1)


def test_a_score_the_wrong_way_round_is_not_flipped():
    assert youden_threshold([1, 0], [0.1, 0.5]) == 0.1


def test_neighbouring_floats_are_separated():
    low = 0.5
    high = np.nextafter(low, 1)
    assert youden_threshold([0, 1], [low, high]) == high


def test_threshold_at_sensitivity_is_the_highest_that_reaches_it():
    labels, scores = np.array([0, 0, 1, 1, 1, 1]), np.array([0.1, 0.5, 0.2, 0.6, 0.7, 0.8])
    assert threshold_at_sensitivity(labels, scores, 0.75) == pytest.approx(0.55)
    assert threshold_at_sensitivity(labels, scores, 1) == pytest.approx(0.15)
    assert threshold_at_specificity(labels, scores, 0.5) == pytest.approx(0.15)


@settings(max_examples=50)
@given(patients(elements=st.one_of(st.sampled_from([-1.7e308, -1.0, 0.0, 5e-324, 1.7e308]), ANY_FLOAT)))
def test_any_scores_get_a_threshold_that_does_what_was_asked(drawn):
    labels, scores = drawn
    for target in (0.3, 0.9, 1.0):
        assert np.mean(scores[labels == 1] >= threshold_at_sensitivity(labels, scores, target)) >= target
        assert np.mean(scores[labels == 0] < threshold_at_specificity(labels, scores, target)) >= target
    index = [np.mean(scores[labels == 1] >= t) + np.mean(scores[labels == 0] < t) for t in scores]
    best = youden_threshold(labels, scores)
    reached = np.mean(scores[labels == 1] >= best) + np.mean(scores[labels == 0] < best)
    assert reached == pytest.approx(max(*index, 1.0))


@pytest.mark.parametrize("target", [0, -0.1, 1.1, np.nan])
def test_targets_that_are_no_share_are_refused(target):
    for function, name in ((threshold_at_sensitivity, "sensitivity"), (threshold_at_specificity, "specificity")):
        with pytest.raises(StudyError, match=f"target {name} is {target}"):
            function([0, 1], [0.2, 0.8], target)


def test_scores_of_two_models_are_refused():
    with pytest.raises(StudyError, match="scores have 2 columns"):
        youden_threshold([0, 1], [[0.1, 0.2], [0.3, 0.4]])
