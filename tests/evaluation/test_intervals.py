"""Tests of Wilson's interval and of the ends of bootstrap intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2study.evaluation.intervals import bca, percentile, wilson, z_value
from her2study.types import StudyError
from tests.evaluation.discrimination_golden import GOLDEN


@pytest.mark.oracle("wilson", by="prop.test(correct = FALSE) in R")
@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize(("successes", "n"), [(0, 10), (10, 10), (3, 17), (1, 1), (250, 1000)])
def test_wilson_equals_r(successes, n, confidence):
    interval = wilson(successes, n, confidence)
    golden = [GOLDEN["wilson", f"{end}_{successes}_{n}_{confidence:g}"] for end in ("low", "high")]
    np.testing.assert_allclose(interval, [successes / n, *golden], rtol=0, atol=1e-12)


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0.001, 0.999))
def test_wilson_holds_its_estimate_inside_0_and_1(successes, others, confidence):
    interval = wilson(successes, max(1, successes + others), confidence)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1


def test_more_successes_than_cases_are_refused():
    with pytest.raises(StudyError, match="11 successes of 10: there must be from 0 to 10"):
        wilson(11, 10)


def test_wilson_at_the_ends_and_without_patients():
    assert wilson(0, 10).low == 0 < wilson(0, 10).high
    assert wilson(10, 10).high == 1 > wilson(10, 10).low
    assert np.isnan(wilson(0, 0)).all()


def test_percentile_ignores_undefined_replicates_and_holds_its_estimate():
    assert percentile(2, np.array([1, 2, 3, np.nan]), 0.5) == (2, 1.5, 2.5)
    assert percentile(9, np.array([1, 2, 3.0]), 0.5) == (9, 1.5, 9)
    assert np.isnan(percentile(1, np.array([np.nan]))).tolist() == [False, True, True]


def test_bca_without_bias_and_acceleration_is_the_percentile_interval():
    replicates, jackknife = np.arange(-50, 51) / 10, [np.array([-1.0, 0, 1])]
    np.testing.assert_allclose(bca(0, replicates, jackknife, 0.9), percentile(0, replicates, 0.9), atol=1e-12)


def test_bca_moves_with_the_bias_and_the_skew():
    replicates, even = np.arange(-50, 51) / 10, [np.array([-1.0, 0, 1])]
    plain = bca(0, replicates, even, 0.9)
    assert bca(1, replicates, even, 0.9)[1:] > plain[1:]  # most replicates are below: the estimate is too high by now
    skewed = bca(0, replicates, [np.array([-3.0, 1, 1, 1])], 0.9)  # one patient pulls upwards
    assert skewed.low > plain.low
    assert skewed.high > plain.high


def test_bca_at_its_limits():
    replicates = np.arange(100.0)
    beyond = bca(200, replicates, [])
    assert 98 < beyond.low < 99
    assert beyond.high == 200
    assert bca(5, np.full(9, 5.0), [np.full(4, 5.0)]) == (5, 5, 5)
    assert bca(2, np.array([1, 2, 3, np.nan]), [np.array([1, np.nan])], 0.5)[0] == 2
    assert np.isnan(bca(np.nan, replicates, [])).all()
    assert np.isnan(bca(1, np.array([np.nan]), [])).tolist() == [False, True, True]
    wild = bca(90, replicates, [np.r_[np.zeros(30), -1.0]], 0.9999)  # past the pole of the acceleration
    assert wild.low <= 90 <= wild.high == 99


def test_confidence_is_a_share():
    assert z_value(0.95) == pytest.approx(1.959964, abs=1e-6)
    with pytest.raises(StudyError, match="confidence is 95; it must lie strictly between 0 and 1"):
        z_value(95)
