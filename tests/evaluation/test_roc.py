"""Tests of AUC and DeLong against pROC, scikit-learn and the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from her2study.evaluation.roc import auc, auc_interval, delong, delong_test
from her2study.types import StudyError
from tests.evaluation.golden import GOLDEN, SETS, columns


def naive_delong(labels, scores):
    """AUCs and covariance from the m x n table of comparisons, as DeLong wrote them: the O(n²) twin."""
    positives, negatives = scores[labels == 1], scores[labels == 0]
    wins = (positives[:, None] > negatives[None]) + 0.5 * (positives[:, None] == negatives[None])
    v10, v01 = wins.mean(axis=1), wins.mean(axis=0)
    return wins.mean(axis=(0, 1)), np.cov(v10.T) / len(positives) + np.cov(v01.T) / len(negatives)


@st.composite
def cohorts(draw):
    """Labels with both classes and scores of two models with ties."""
    n = draw(st.integers(6, 25))
    labels = [*draw(st.lists(st.integers(0, 1), min_size=n - 4, max_size=n - 4)), 0, 1, 0, 1]
    scores = draw(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=n, max_size=n))
    return np.array(labels), np.array(scores, float)


@pytest.mark.parametrize("name", SETS)
def test_proc_gives_the_same_numbers(name):
    labels, a, b, _ = columns(name)
    golden = GOLDEN[name]
    aucs, covariance = delong(labels, np.column_stack([a, b]))
    interval, test = auc_interval(labels, a), delong_test(labels, a, b)
    ours = [*aucs, covariance[0, 0], covariance[0, 1], interval.low, interval.high, test.z, test.p]
    theirs = golden[["auc_a", "auc_b", "var_a", "cov_ab", "auc_a_low", "auc_a_high", "z", "p"]]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)


@settings(max_examples=50, deadline=None)
@given(cohorts())
def test_fast_equals_naive_twin_and_scikit_learn(cohort):
    labels, scores = cohort
    aucs, covariance = delong(labels, scores)
    naive_aucs, naive_covariance = naive_delong(labels, scores)
    np.testing.assert_allclose(aucs, naive_aucs, atol=1e-12)
    np.testing.assert_allclose(covariance, naive_covariance, atol=1e-12)
    assert auc(labels, scores[:, 0]) == pytest.approx(roc_auc_score(labels, scores[:, 0]), abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(cohorts())
def test_monotone_transforms_change_nothing(cohort):
    labels, scores = cohort
    bent = np.exp(scores / 3)
    np.testing.assert_array_equal(delong(labels, scores)[1], delong(labels, bent)[1])
    test = delong_test(labels, scores[:, 0], bent[:, 0])
    assert test == (0, 0, 0, 0, 1)


@settings(max_examples=50, deadline=None)
@given(cohorts(), st.sampled_from(["plain", "logit"]))
def test_intervals_hold_their_estimate_inside_0_and_1(cohort, scale):
    interval = auc_interval(cohort[0], cohort[1][:, 0], 0.95, scale)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1


@settings(max_examples=50, deadline=None)
@given(cohorts())
def test_differences_are_antisymmetric(cohort):
    labels, scores = cohort
    one, other = delong_test(labels, *scores.T), delong_test(labels, *scores.T[::-1])
    np.testing.assert_allclose(one[:4], [-other[0], -other[2], -other[1], -other[3]], atol=1e-12)
    np.testing.assert_allclose(one.p, other.p)


def test_direction_is_never_flipped():
    assert auc([0, 0, 1, 1], [4, 3, 2, 1]) == 0


def test_constant_and_perfect_scores_have_no_variance():
    labels = np.array([0, 0, 1, 1])
    aucs, covariance = delong(labels, np.column_stack([np.ones(4), labels]))
    assert aucs.tolist() == [0.5, 1]
    assert (covariance == 0).all()
    assert auc_interval(labels, labels) == (1, 1, 1)
    test = delong_test(labels, labels, np.ones(4))
    assert test.difference == 0.5
    assert np.isnan([test.low, test.z, test.p]).all()


def test_one_positive_has_an_auc_but_no_interval():
    interval = auc_interval([0, 0, 1], [1, 3, 2])
    assert interval.estimate == 0.5
    assert np.isnan([interval.low, interval.high]).all()


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1, 2], [1, 2, 3], "row 2: the label is 2; it must be 0 or 1"),
        ([0, 1, np.nan], [1, 2, 3], "row 2: the label is nan; it must be 0 or 1"),
        ([1, 1, 1], [1, 2, 3], "all 3 labels are 1"),
        ([], [], "no patients"),
        ([0, 1, 1], [1, np.nan, 3], "row 1, model 0: the score is nan"),
        ([0, 1], [1, 2, 3], r"labels have shape \(2,\) and scores \(3, 1\)"),
    ],
)
def test_bad_input_is_named(labels, scores, message):
    with pytest.raises(StudyError, match=message):
        auc(labels, scores)
