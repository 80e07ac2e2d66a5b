"""Tests of the rates of a confusion matrix, against pROC, base R and the exact bootstrap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn import metrics

from her2study.evaluation.confusion import rates
from her2study.types import StudyError
from tests.evaluation.decisions_golden import AT, GOLDEN, SETS, columns

counts = st.integers(0, 30)
PROPORTIONS = ("sensitivity", "specificity", "ppv", "npv", "accuracy")
COMPOSITES = ("balanced_accuracy", "f1", "mcc")


def matrix(name: str) -> dict[str, int]:
    """The confusion matrix that pROC counted, a score equal to the threshold called positive."""
    return {count: int(GOLDEN[name, count]) for count in ("tp", "fp", "fn", "tn")}


@pytest.mark.oracle("rates", by="pROC, prop.test and cor of R")
@pytest.mark.parametrize("name", SETS)
def test_rates_equal_r(name):
    row = rates(**matrix(name), resamples=20)
    names = [rate + end for rate in PROPORTIONS for end in ("", "_low", "_high")]
    np.testing.assert_allclose([row[n] for n in names], [GOLDEN[name, n] for n in names], rtol=0, atol=1e-12)
    np.testing.assert_allclose([row[n] for n in COMPOSITES], [GOLDEN[name, n] for n in COMPOSITES], rtol=0, atol=1e-12)


@pytest.mark.oracle("rates", by="scikit-learn")
@pytest.mark.parametrize("name", SETS)
def test_composite_rates_equal_scikit_learn(name):
    labels, a, _ = columns(name)
    row, called = rates(**matrix(name), resamples=20), a >= AT
    assert row["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(labels, called), abs=1e-12)
    assert row["f1"] == pytest.approx(metrics.f1_score(labels, called), abs=1e-12)
    assert row["mcc"] == pytest.approx(metrics.matthews_corrcoef(labels, called), abs=1e-12)


def test_the_bootstrap_interval_is_that_of_all_possible_resamples():
    """F1 depends on two binomial counts, so the distribution over all resamples can be written down."""
    tp, fp, fn, tn = 22, 15, 8, 45
    t, f = np.meshgrid(np.arange(31), np.arange(61), indexing="ij")
    share = 2 * t / (2 * t + f + (30 - t))
    chance = binom.pmf(t, 30, tp / 30) * binom.pmf(f, 60, fp / 60)
    row = rates(tp, fp, fn, tn, resamples=100_000)
    for end, level in (("f1_low", 0.025), ("f1_high", 0.975)):
        below, up_to = (chance[share < row[end] - 1e-9].sum(), chance[share < row[end] + 1e-9].sum())
        assert below - 0.003 < level < up_to + 0.003


@settings(max_examples=60)
@given(counts, counts, counts, counts)
def test_intervals_hold_their_estimate_for_any_counts(tp, fp, fn, tn):
    row = rates(tp, fp, fn, tn, resamples=50)
    for name in (*PROPORTIONS, *COMPOSITES):
        value, low, high = (row[name + end] for end in ("", "_low", "_high"))
        assert np.isnan(value) or (-1 if name == "mcc" else 0) <= low <= value <= high <= 1


def test_an_empty_denominator_is_missing_and_one_sided_calls_have_no_correlation():
    row = rates(0, 0, 5, 5, resamples=20)
    assert np.isnan([row["ppv"], row["ppv_low"], row["ppv_high"]]).all()
    assert row["mcc"] == 0


@pytest.mark.parametrize("count", [-1, 1.5, np.nan])
def test_counts_that_are_none_are_refused(count):
    with pytest.raises(StudyError, match=f"fp is {count}; the counts"):
        rates(1, count, 1, 1)
