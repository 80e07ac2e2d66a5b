"""Tests of calibration measures against rms::val.prob and glm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from her2study.evaluation.calibration import (
    brier_scores,
    calibration_figure,
    calibration_intercept,
    calibration_slope,
    calibration_table,
    hosmer_lemeshow,
    spiegelhalter,
)
from tests.evaluation.golden import GOLDEN, SETS, columns, make_predictions

Z = norm.ppf(0.975)


@pytest.mark.parametrize("name", SETS)
def test_measures_equal_r(name):
    labels, _, _, p = columns(name)
    golden = GOLDEN[name]
    intercept, slope = calibration_intercept(labels, p), calibration_slope(labels, p)
    wald = [golden["intercept"] - Z * golden["intercept_se"], golden["intercept"] + Z * golden["intercept_se"]]
    np.testing.assert_allclose(intercept, [golden["intercept"], *wald], atol=1e-6)
    wald = [golden["slope_glm"] - Z * golden["slope_se"], golden["slope_glm"] + Z * golden["slope_se"]]
    np.testing.assert_allclose(slope, [golden["slope_glm"], *wald], atol=1e-6)
    assert slope.estimate == pytest.approx(golden["slope"], abs=1e-4)  # val.prob stops its fit earlier than glm
    assert brier_scores(labels, p, resamples=20)["brier"].estimate == pytest.approx(golden["brier"], abs=1e-10)
    np.testing.assert_allclose(spiegelhalter(labels, p), golden[["spiegelhalter_z", "spiegelhalter_p"]], atol=1e-10)
    np.testing.assert_allclose(hosmer_lemeshow(labels, p), golden[["hosmer_lemeshow", "hosmer_lemeshow_p"]], atol=1e-10)


def test_predictions_made_too_extreme_have_half_the_slope():
    labels, _, _, p = columns("continuous")
    odds = (p / (1 - p)) ** 2
    assert calibration_slope(labels, odds / (1 + odds)).estimate == pytest.approx(
        calibration_slope(labels, p).estimate / 2, rel=1e-6
    )


def test_scaled_brier_is_0_for_the_prevalence_and_1_for_the_truth():
    labels = np.repeat([0, 1], [30, 10])
    assert brier_scores(labels, np.full(40, 0.25), resamples=20)["scaled_brier"].estimate == pytest.approx(0)
    assert brier_scores(labels, labels.astype(float), resamples=20)["scaled_brier"].estimate == 1


def test_what_cannot_be_estimated_is_missing():
    labels = np.array([0, 0, 1, 1])
    assert np.isnan(calibration_slope(labels, np.full(4, 0.5))).all()
    assert np.isnan(calibration_slope(labels, np.array([0.1, 0.2, 0.8, 0.9]))).all()
    assert np.isnan(spiegelhalter(labels, labels.astype(float))).all()
    assert np.isnan(hosmer_lemeshow(labels, labels.astype(float))).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([0, 0.05, 0.3, 0.5, 0.9, 1]), min_size=12, max_size=12))
def test_any_probabilities_give_a_row_without_warnings(probabilities):
    predictions = make_predictions({"m": 1.0}, n=12)
    predictions = predictions[predictions["split"] == "external"].assign(probability=probabilities)
    row = calibration_table(predictions, resamples=20).iloc[0]
    for name in ("intercept", "slope", "brier", "scaled_brier", "ici"):
        value, low, high = row[[name, f"{name}_low", f"{name}_high"]]
        assert np.isnan(value) or low <= value <= high
    figure = calibration_figure(predictions, resamples=20)
    assert set(figure["kind"]) == {"curve", "bin"}
    assert figure[["observed", "low", "high"]].apply(lambda column: column.between(0, 1)).all(axis=None)


def test_intervals_of_constant_calibration_are_the_same_each_time():
    predictions = make_predictions({"m": 1.0}, n=30)
    first, second = (calibration_table(predictions, resamples=50, seed=4) for _ in range(2))
    assert first.equals(second)
    assert not first.equals(calibration_table(predictions, resamples=50, seed=5))


def test_intercept_of_extreme_probabilities_solves_its_score():
    """Newton steps from 0 overshoot here; the root of the score is unique and has no such trouble."""
    p = np.array([0.0] * 7 + [0.3] + [0.5] * 4)
    labels = np.array([1, 1] + [0] * 9 + [1])
    shift = calibration_intercept(labels, p).estimate
    odds = np.clip(p, 1e-4, None) / (1 - np.clip(p, 1e-4, None)) * np.exp(shift)
    assert (odds / (1 + odds)).sum() == pytest.approx(3, abs=1e-9)
