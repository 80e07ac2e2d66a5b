"""Tests of AUC and DeLong's variance against pROC, scikit-learn and the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from her2study.evaluation.bootstrap import bootstrap_auc
from her2study.evaluation.roc import auc, auc_interval, delong
from her2study.types import StudyError
from tests.evaluation.discrimination_golden import GOLDEN, MODELS, SETS, cohorts, scores_of


def naive_delong(labels, scores):
    """AUCs and covariance from the m x n table of comparisons, as DeLong wrote them: the O(n²) twin."""
    positives, negatives = scores[labels == 1], scores[labels == 0]
    wins = (positives[:, None] > negatives[None]) + 0.5 * (positives[:, None] == negatives[None])
    v10, v01 = wins.mean(axis=1), wins.mean(axis=0)
    return wins.mean(axis=(0, 1)), np.cov(v10.T) / len(positives) + np.cov(v01.T) / len(negatives)


@pytest.mark.oracle("auc", "delong", by="pROC")
@pytest.mark.parametrize("name", [*SETS, "edge"])
def test_areas_and_covariances_equal_proc(name):
    labels, scores = scores_of(name)
    aucs, covariance = delong(labels, scores)
    theirs = [GOLDEN[name, f"auc_{model}"] for model in MODELS]
    np.testing.assert_allclose(aucs, theirs, rtol=0, atol=1e-10)
    np.testing.assert_allclose([auc(labels, column) for column in scores.T], theirs, rtol=0, atol=1e-10)
    expected = [[GOLDEN[name, f"cov_{one}{other}"] for other in MODELS] for one in MODELS]
    np.testing.assert_allclose(covariance, expected, rtol=0, atol=1e-10)


@pytest.mark.oracle("auc_interval", by="pROC")
@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize("name", [*SETS, "edge"])
def test_plain_intervals_equal_proc(name, confidence):
    labels, scores = scores_of(name)
    for model, column in zip(MODELS, scores.T, strict=True):
        expected = [GOLDEN[name, f"{end}_{model}_{confidence:g}"] for end in ("low", "high")]
        np.testing.assert_allclose(auc_interval(labels, column, confidence)[1:], expected, rtol=0, atol=1e-10)


@pytest.mark.oracle("auc_interval", by="closed form in R, of pROC's numbers")
@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize("name", [*SETS, "edge"])
def test_logit_intervals_equal_their_closed_form(name, confidence):
    labels, scores = scores_of(name)
    for model, column in zip(MODELS, scores.T, strict=True):
        if auc(labels, column) < 1:
            expected = [GOLDEN[name, f"logit_{end}_{model}_{confidence:g}"] for end in ("low", "high")]
            interval = auc_interval(labels, column, confidence, "logit")
            np.testing.assert_allclose(interval[1:], expected, rtol=0, atol=1e-10)


@pytest.mark.oracle("auc", by="scikit-learn")
@settings(max_examples=50)
@given(cohorts())
def test_fast_equals_naive_twin_and_scikit_learn(cohort):
    labels, scores = cohort
    aucs, covariance = delong(labels, scores)
    naive_aucs, naive_covariance = naive_delong(labels, scores)
    np.testing.assert_allclose(aucs, naive_aucs, atol=1e-12)
    np.testing.assert_allclose(covariance, naive_covariance, atol=1e-12)
    assert auc(labels, scores[:, 0]) == pytest.approx(roc_auc_score(labels, scores[:, 0]), abs=1e-12)


@settings(max_examples=50)
@given(cohorts(), st.sampled_from([np.exp, np.cbrt, lambda x: 3 * x - 7, lambda x: 1 / (1 + np.exp(-x))]))
def test_monotone_transforms_change_nothing(cohort, bend):
    labels, scores = cohort
    for ours, bent in zip(delong(labels, scores), delong(labels, bend(scores)), strict=True):
        np.testing.assert_array_equal(ours, bent)


@settings(max_examples=50)
@given(cohorts())
def test_the_other_direction_and_the_other_class_mirror_the_area(cohort):
    labels, scores = cohort
    aucs, covariance = delong(labels, scores)
    for turned in (delong(labels, -scores), delong(1 - labels, scores)):
        np.testing.assert_allclose(turned[0], 1 - aucs, atol=1e-15)
        np.testing.assert_allclose(turned[1], covariance, atol=1e-15)


@settings(max_examples=50)
@given(cohorts(), st.sampled_from(["plain", "logit"]), st.floats(0.01, 0.999))
def test_intervals_hold_their_estimate_inside_0_and_1(cohort, scale, confidence):
    interval = auc_interval(cohort[0], cohort[1][:, 0], confidence, scale)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1


@settings(max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.floats(allow_nan=False, allow_infinity=False)), min_size=3, max_size=12))
def test_any_finite_scale_is_valid_and_warns_of_nothing(patients):
    labels = np.array([0, 1, *(label for label, _ in patients)])
    scores = np.array([0, 0, *(score for _, score in patients)])
    area = auc(labels, scores)
    assert area == pytest.approx(roc_auc_score(labels, np.unique(scores, return_inverse=True)[1]), abs=1e-12)
    for interval in (auc_interval(labels, scores, scale="logit"), bootstrap_auc(labels, scores, 20)[0]):
        assert interval.estimate == area
        assert np.isnan(interval.low) or 0 <= interval.low <= area <= interval.high <= 1


def test_direction_is_never_flipped():
    assert auc([0, 0, 1, 1], [4, 3, 2, 1]) == 0


def test_constant_and_perfect_scores_have_no_variance():
    labels = np.array([0, 0, 0, 1, 1, 1, 1])
    # the positives of the last score are tied with one of three negatives: every count is the same
    aucs, covariance = delong(labels, np.column_stack([np.full(7, 0.1), labels, [0, 1, 2, 1, 1, 1, 1]]))
    assert aucs.tolist() == [0.5, 1, 0.5]
    assert (covariance[:2] == 0).all()
    assert auc_interval(labels, labels) == (1, 1, 1)
    assert auc_interval(labels, labels, scale="logit") == (1, 1, 1)


def test_one_patient_in_a_class_has_an_auc_but_no_interval():
    for labels in ([0, 0, 1], [1, 1, 0]):
        interval = auc_interval(labels, [1, 3, 2])
        assert interval.estimate == 0.5
        assert np.isnan([interval.low, interval.high]).all()
    assert np.isnan(delong([0, 0, 1], [1, 3, 2])[1]).all()


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1, 2], [1, 2, 3], "row 2: the label is 2; it must be 0 or 1"),
        ([0, 1, np.nan], [1, 2, 3], "row 2: the label is nan; it must be 0 or 1"),
        ([1, 1, 1], [1, 2, 3], "all 3 labels are 1"),
        ([], [], "no patients"),
        ([0, 1, 1], [1, np.nan, 3], "row 1, model 0: the score is nan"),
        ([0, 1], [1, 2, 3], r"labels have shape \(2,\) and scores \(3, 1\)"),
        ([0, 1], [[1, 2], [3, 4]], r"scores have shape \(2, 2\); they must be \(n,\)"),
    ],
)
def test_bad_input_is_named(labels, scores, message):
    for statistic in (auc, auc_interval):
        with pytest.raises(StudyError, match=message):
            statistic(labels, scores)


def test_a_scale_that_does_not_exist_is_refused():
    with pytest.raises(StudyError, match="scale of an AUC interval is 'log'; it must be 'plain' or 'logit'"):
        auc_interval([0, 1, 0, 1], [1, 2, 3, 4], scale="log")
    with pytest.raises(StudyError, match="confidence is 95"):
        auc_interval([0, 1, 0, 1], [1, 2, 3, 4], 95)
