"""Tests of NRI and IDI against Hmisc::improveProb."""

import numpy as np
import pytest
from scipy.special import expit

from her2study.evaluation.reclassification import CAVEAT, reclassification, reclassification_table
from tests.evaluation.golden import GOLDEN, SETS, columns, make_predictions


@pytest.mark.parametrize("name", SETS)
def test_measures_equal_hmisc(name):
    labels, _, b, p = columns(name)
    measures = reclassification(labels, p, expit(-1 + 0.4 * b), resamples=50)
    for what, interval in measures.items():
        assert interval.estimate == pytest.approx(GOLDEN[name, what], abs=1e-12)
        assert interval.low <= interval.estimate <= interval.high


def test_swapping_the_models_turns_every_sign():
    labels, _, b, p = columns("tied")
    one, other = (reclassification(labels, *pair, resamples=50) for pair in ((p, expit(b)), (expit(b), p)))
    for name in one:
        np.testing.assert_allclose(one[name], [-other[name][i] for i in (0, 2, 1)], atol=1e-12)


def test_table_carries_the_caveat_and_skips_absent_models():
    predictions = make_predictions({"combined": 1.5, "clinical": 0.5})
    table = reclassification_table(predictions, [("combined", "clinical"), ("combined", "dscore")], resamples=30)
    assert len(table) == 3
    assert (table["caveat"] == CAVEAT).all()
