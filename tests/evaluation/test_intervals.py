"""Tests of Wilson's and the percentile interval."""

import numpy as np
import pytest

from her2study.evaluation.intervals import percentile, wilson, z_value
from tests.evaluation.golden import GOLDEN, SETS, columns


@pytest.mark.parametrize("name", SETS)
def test_wilson_equals_r(name):
    labels = columns(name)[0]
    interval = wilson(labels.sum(), len(labels))
    golden = GOLDEN[name, "wilson_low"], GOLDEN[name, "wilson_high"]
    assert (interval.low, interval.high) == pytest.approx(golden, abs=1e-12)


def test_wilson_at_the_ends_and_without_patients():
    assert wilson(0, 10).low == 0 < wilson(0, 10).high
    assert wilson(10, 10).high == 1 > wilson(10, 10).low
    assert np.isnan(wilson(0, 0)).all()


def test_percentile_ignores_undefined_replicates_and_holds_its_estimate():
    assert percentile(2, np.array([1, 2, 3, np.nan]), 0.5) == (2, 1.5, 2.5)
    assert percentile(9, np.array([1, 2, 3.0]), 0.5) == (9, 1.5, 9)
    assert np.isnan(percentile(1, np.array([np.nan]))).tolist() == [False, True, True]


def test_confidence_is_a_share():
    assert z_value(0.95) == pytest.approx(1.959964, abs=1e-6)
    with pytest.raises(ValueError, match="confidence is 95; it must lie strictly between 0 and 1"):
        z_value(95)
