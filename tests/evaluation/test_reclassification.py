"""Tests of NRI and IDI against Hmisc::improveProb."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm

from her2study.evaluation.reclassification import CAVEAT, reclassification, reclassification_table
from her2study.types import StudyError
from tests.evaluation import golden
from tests.evaluation.decisions_golden import GOLDEN, SETS, columns, patients

NAMES = {"nri_events": "nri.ev", "nri_non_events": "nri.ne", "idi": "idi"}


@pytest.mark.oracle("reclassification", by="Hmisc::improveProb")
@pytest.mark.parametrize("name", golden.SETS)
def test_measures_equal_hmisc(name):
    labels, _, b, p = golden.columns(name)
    measures = reclassification(labels, p, expit(-1 + 0.4 * b), resamples=50)
    for what, interval in measures.items():
        assert interval.estimate == pytest.approx(golden.GOLDEN[name, what], abs=1e-12)
        assert interval.low <= interval.estimate <= interval.high


@pytest.mark.oracle("reclassification", by="Hmisc::improveProb")
@pytest.mark.parametrize("name", SETS)
def test_asymptotic_intervals_equal_hmisc(name):
    labels, a, b = columns(name)
    measures = reclassification(labels, a, b, method="asymptotic")
    for ours, theirs in NAMES.items():
        estimate, half = GOLDEN[name, theirs], norm.ppf(0.975) * GOLDEN[name, f"se.{theirs}"]
        expected = estimate, np.clip(estimate - half, -1, 1), np.clip(estimate + half, -1, 1)
        np.testing.assert_allclose(measures[ours], expected, rtol=0, atol=1e-12)


def test_bootstrap_and_asymptotic_intervals_agree_where_both_hold():
    labels, a, b = columns("continuous")
    drawn, normal = (reclassification(labels, a, b, method=method) for method in ("bootstrap", "asymptotic"))
    for name, interval in drawn.items():
        width = normal[name].high - normal[name].low
        np.testing.assert_allclose(interval, normal[name], atol=0.1 * width)


def test_swapping_the_models_turns_every_sign():
    labels, a, b = columns("tied")
    one, other = (reclassification(labels, *pair, resamples=50) for pair in ((a, b), (b, a)))
    for name in one:
        np.testing.assert_allclose(one[name], [-other[name][i] for i in (0, 2, 1)], atol=1e-12)


@settings(max_examples=40)
@given(patients(models=2), st.sampled_from(["bootstrap", "asymptotic"]))
def test_intervals_of_any_patients_hold_their_estimate_and_stay_in_range(drawn, method):
    for name, (value, low, high) in reclassification(*drawn, resamples=30, method=method).items():
        largest = 2 if name == "idi" else 1
        assert -largest <= value <= largest
        assert np.isnan([low, high]).all() or -largest <= low <= value <= high <= largest


def test_equal_models_have_moved_nobody():
    labels, a, _ = columns("small")
    assert all(tuple(interval) == (0, 0, 0) for interval in reclassification(labels, a, a, resamples=20).values())


def test_table_carries_the_caveat_and_skips_absent_models():
    predictions = golden.make_predictions({"combined": 1.5, "clinical": 0.5})
    table = reclassification_table(predictions, [("combined", "clinical"), ("combined", "dscore")], resamples=30)
    assert len(table) == 3
    assert (table["caveat"] == CAVEAT).all()


def test_scores_that_are_no_probabilities_or_not_of_the_same_patients_are_refused():
    with pytest.raises(StudyError, match=r"row 0, model 1: the probability is -2"):
        reclassification([0, 1], [0.1, 0.2], [-2, 0.3])
    with pytest.raises(StudyError, match=r"new has shape \(2,\) and old \(3,\)"):
        reclassification([0, 1], [0.1, 0.2], [0.1, 0.2, 0.3])
    with pytest.raises(StudyError, match="method is 'jackknife'"):
        reclassification([0, 1], [0.1, 0.2], [0.2, 0.3], method="jackknife")
