"""Tests of DeLong's tests against pROC, closed forms and each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import ttest_ind

from her2study.evaluation.roc import auc, delong, delong_global, delong_test, delong_unpaired
from her2study.types import StudyError
from tests.evaluation.discrimination_golden import GOLDEN, SETS, cohorts, scores_of


@pytest.mark.oracle("delong_test", by="pROC")
@pytest.mark.parametrize("pair", ["ab", "ac", "bc"])
@pytest.mark.parametrize("name", SETS)
def test_paired_test_equals_proc(name, pair):
    labels, scores = scores_of(name, pair)
    theirs = [GOLDEN[name, f"{number}_{pair}"] for number in ("difference", "low", "high", "z", "p")]
    np.testing.assert_allclose(delong_test(labels, *scores.T), theirs, rtol=0, atol=1e-10)


@pytest.mark.oracle("delong_test", by="Welch's test in scipy, of the placements")
@pytest.mark.parametrize("name", SETS)
def test_student_reference_is_welchs_test_of_the_placements(name):
    labels, scores = scores_of(name, "ab")
    positives, negatives = scores[labels == 1], scores[labels == 0]
    wins = (positives[:, None] > negatives[None]) + 0.5 * (positives[:, None] == negatives[None])
    gains = wins[..., 0] - wins[..., 1]
    difference = gains.mean()
    # both classes carry the whole difference: one sample is mirrored and moved, so that the means differ by just that
    welch = ttest_ind(gains.mean(axis=1), difference - gains.mean(axis=0), equal_var=False)
    ends = welch.confidence_interval(0.95)
    found = delong_test(labels, *scores.T, reference="t")
    theirs = [difference, max(-1, ends.low), min(1, ends.high), welch.statistic, welch.pvalue]
    np.testing.assert_allclose(found, theirs, rtol=0, atol=1e-10)
    assert found.p >= delong_test(labels, *scores.T).p


@pytest.mark.oracle("delong_unpaired", by="pROC; the interval, which pROC lacks, from its variance and qt")
@pytest.mark.parametrize("pair", list(zip(SETS, [*SETS[1:], SETS[0]], strict=True)))
def test_unpaired_test_equals_proc(pair):
    (labels_a, a), (labels_b, b) = scores_of(pair[0], "a"), scores_of(pair[1], "b")
    theirs = [GOLDEN["-".join(pair), number] for number in ("difference", "low", "high", "t", "df", "p")]
    np.testing.assert_allclose(delong_unpaired(labels_a, a, labels_b, b), theirs, rtol=1e-12, atol=1e-10)


@pytest.mark.oracle("delong_global", by="DeLong's equation 5 in R, of pROC's covariances")
@pytest.mark.parametrize("name", SETS)
def test_global_test_equals_r(name):
    labels, scores = scores_of(name)
    found = delong_global(labels, scores)
    np.testing.assert_allclose(found.chi_squared, GOLDEN[name, "global_chi"], rtol=1e-10)
    np.testing.assert_allclose(found.p, GOLDEN[name, "global_p"], rtol=0, atol=1e-10)
    assert found.degrees_of_freedom == 2
    twin = delong_global(labels, scores_of(name, "dbac")[1])  # d ranks as a does
    np.testing.assert_allclose(twin, found, rtol=1e-9)


@settings(max_examples=50)
@given(cohorts())
def test_two_models_globally_are_the_paired_test_squared(cohort):
    labels, scores = cohort
    found, pair = delong_global(labels, scores), delong_test(labels, *scores.T)
    if np.isnan(pair.z):
        assert np.isnan(found.chi_squared)
    else:
        np.testing.assert_allclose([found.chi_squared, found.p], [pair.z**2, pair.p], rtol=1e-9, atol=1e-12)


@settings(max_examples=50)
@given(cohorts(models=4))
def test_the_order_of_the_models_does_not_matter(cohort):
    labels, scores = cohort
    one, other = delong_global(labels, scores), delong_global(labels, scores[:, [2, 0, 3, 1]])
    assert one.degrees_of_freedom == other.degrees_of_freedom
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)
    assert np.isnan(one.p) or 0 <= one.p <= 1


@settings(max_examples=50)
@given(cohorts())
def test_differences_are_antisymmetric_and_in_range(cohort):
    labels, scores = cohort
    one, other = delong_test(labels, *scores.T), delong_test(labels, *scores.T[::-1])
    np.testing.assert_array_equal(one[:4], [-other[0], -other[2], -other[1], -other[3]])
    assert one.p == other.p or np.isnan(one.p)
    if not np.isnan(one.low):
        assert -1 <= one.low <= one.difference <= one.high <= 1
        assert 0 <= one.p <= 1


@settings(max_examples=50)
@given(cohorts(models=1), cohorts(models=1))
def test_unpaired_differences_are_antisymmetric_and_in_range(first, second):
    one, other = delong_unpaired(*first, *second), delong_unpaired(*second, *first)
    np.testing.assert_allclose(one[:4], [-other[0], -other[2], -other[1], -other[3]], atol=1e-12)
    np.testing.assert_allclose(one[4:], other[4:], rtol=1e-12)
    assert one.difference == auc(*first) - auc(*second)
    if not np.isnan(one.low):
        assert -1 <= one.low <= one.difference <= one.high <= 1


@settings(max_examples=50)
@given(cohorts(models=1))
def test_equal_ranks_differ_by_nothing(cohort):
    labels, scores = cohort
    assert delong_test(labels, scores, np.exp(scores / 3)) == (0, 0, 0, 0, 1)
    assert delong_global(labels, np.hstack([scores, 2 * scores, scores + 1])) == (0, 0, 1)


def test_a_difference_without_variance_has_no_test():
    labels = np.array([0, 0, 1, 1])
    test = delong_test(labels, labels, np.ones(4))
    assert test.difference == 0.5
    assert np.isnan(test[1:]).all()
    found = delong_global(labels, np.column_stack([labels, np.ones(4), [1, 3, 2, 4]]))
    assert np.isnan([found.chi_squared, found.p]).all()
    unpaired = delong_unpaired(labels, labels, labels, np.ones(4))
    assert unpaired.difference == 0.5
    assert np.isnan(unpaired[1:]).all()


def test_more_models_than_the_patients_can_tell_apart():
    rng = np.random.default_rng(3)
    found = delong_global([0, 1, 0, 1, 0, 1], rng.normal(size=(6, 8)))
    assert np.isnan([found.chi_squared, found.p]).all()
    assert found.degrees_of_freedom <= 4


def test_one_patient_in_a_class_leaves_the_difference_only():
    labels, scores = np.array([0, 0, 1]), np.array([[1, 3], [2, 1], [3, 2.0]])
    assert delong_test(labels, *scores.T).difference == 0.5
    assert np.isnan(delong_test(labels, *scores.T)[1:]).all()
    assert np.isnan(delong_unpaired([0, 1, 0, 1], [1, 2, 3, 4], labels, scores[:, 0])[1:]).all()
    assert np.isnan(delong_global(labels, scores).p)


def test_one_variance_is_enough_for_two_groups():
    labels, scores = np.array([0, 0, 0, 1, 1, 1]), np.array([1, 2, 4, 3, 5, 6])
    found = delong_unpaired(labels, scores, [0, 1, 0, 1], [1, 2, 1, 2])
    assert found.degrees_of_freedom == pytest.approx(5)
    assert found.t == pytest.approx(found.difference / np.sqrt(delong(labels, scores)[1][0, 0]))


def test_bad_input_is_named():
    with pytest.raises(StudyError, match="1 model to compare"):
        delong_global([0, 1, 0, 1], [1, 2, 3, 4])
    with pytest.raises(StudyError, match=r"labels have shape \(4,\) and scores \(3, 1\)"):
        delong_test([0, 1, 0, 1], [1, 2, 3, 4], [1, 2, 3])
    with pytest.raises(StudyError, match="all 2 labels are 1"):
        delong_unpaired([0, 1, 0, 1], [1, 2, 3, 4], [1, 1], [1, 2])
    with pytest.raises(StudyError, match="confidence is 1"):
        delong_test([0, 1], [1, 2], [2, 1], 1)
    with pytest.raises(StudyError, match="confidence is 1"):
        delong_unpaired([0, 1], [1, 2], [0, 1], [2, 1], 1)
