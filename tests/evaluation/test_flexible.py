"""Tests of the flexible calibration curve against rms::lrm with rcs, and glm on Harrell's spline."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2study.evaluation.flexible import (
    calibration_bins,
    calibration_curve,
    calibration_errors,
    quantile_groups,
    spline_basis,
    weighted_quantiles,
)
from her2study.types import StudyError
from tests.evaluation import calibration_golden
from tests.evaluation.calibration_golden import golden, golden_at, labels_and_probabilities
from tests.evaluation.golden import GOLDEN, SETS, columns


@pytest.mark.oracle("spline_basis", by="Hmisc::rcspline.eval")
def test_basis_equals_hmisc():
    basis = spline_basis(np.array([-3, -1, 0, 1, 4.0]), np.array([-2, -0.5, 0.7, 3]))
    np.testing.assert_allclose(basis.T.ravel(), GOLDEN["spline"].to_numpy(), atol=1e-12)


@pytest.mark.oracle("calibration_curve", by="rms::lrm with rcs")
@pytest.mark.parametrize("name", calibration_golden.SETS)
def test_curve_equals_lrm_on_rcs(name):
    """To 1e-10, lrm's convergence criterion tightened to 1e-10."""
    curve = calibration_curve(*labels_and_probabilities(name), resamples=5)
    predicted, observed = golden_at(name, "curve")
    np.testing.assert_allclose(curve["predicted"], predicted, atol=1e-14)
    np.testing.assert_allclose(curve["observed"], observed, atol=1e-10)


@pytest.mark.oracle("calibration_errors", by="rms::lrm with rcs")
@pytest.mark.parametrize("name", calibration_golden.SETS)
def test_errors_equal_lrm_on_rcs(name):
    errors = calibration_errors(*labels_and_probabilities(name), resamples=5)
    ours = [interval.estimate for interval in errors]
    np.testing.assert_allclose(ours, golden(name, "ici", "e50", "e90", "emax"), atol=1e-10)


@pytest.mark.oracle("calibration_errors", by="R glm on Hmisc::rcspline.eval")
@pytest.mark.parametrize("name", SETS)
def test_errors_equal_r(name):
    labels, _, _, p = columns(name)
    ours = [interval.estimate for interval in calibration_errors(labels, p, resamples=5)]
    np.testing.assert_allclose(ours, GOLDEN[name][["ici", "e50", "e90", "emax"]], atol=1e-7)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.floats(0, 1))
@settings(max_examples=50)
def test_weighted_quantiles_are_those_of_the_drawn_values(seed, n, quantile):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 5, (3, n)) / 4
    draws = rng.integers(0, n, (3, n))
    weights = np.array([np.bincount(draw, minlength=n) for draw in draws], float)
    expected = [np.quantile(row[draw], quantile) for row, draw in zip(values, draws, strict=True)]
    np.testing.assert_allclose(weighted_quantiles(values, weights, (quantile,))[0], expected, atol=1e-12)


def test_curve_of_a_calibrated_model_has_the_diagonal_in_its_band():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.95, 600)
    curve = calibration_curve((rng.random(600) < p).astype(int), p, resamples=300)
    inside = curve["predicted"].between(curve["low"], curve["high"])
    assert inside.mean() > 0.8
    assert curve["predicted"].between(*np.quantile(p, [0.01, 0.99])).all()
    assert (curve["low"] <= curve["observed"]).all()
    assert (curve["observed"] <= curve["high"]).all()


def test_a_constant_prediction_has_one_point_at_the_prevalence():
    curve = calibration_curve([0, 0, 0, 1], np.full(4, 0.6), resamples=50)
    assert curve["predicted"].tolist() == [0.6]
    assert curve["observed"].iloc[0] == pytest.approx(0.25)
    for interval in calibration_errors([0, 0, 0, 1], np.full(4, 0.6), resamples=50):
        assert interval.estimate == pytest.approx(0.35)


def test_the_curve_of_separated_classes_steps_from_0_to_1():
    labels, p = np.repeat([0, 1], 20), np.r_[np.linspace(0.1, 0.4, 20), np.linspace(0.5, 0.9, 20)]
    curve = calibration_curve(labels, p, resamples=50)
    assert curve["observed"].iloc[0] == pytest.approx(0, abs=1e-6)
    assert curve["observed"].iloc[-1] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("statistic", [calibration_curve, calibration_bins])
def test_log_odds_are_refused(statistic):
    with pytest.raises(StudyError, match=r"row 0.*-0\.5.*from 0 to 1"):
        statistic([0, 1, 1], [-0.5, 0.4, 1.7])


def test_bins_count_everyone_once():
    labels, _, _, p = columns("continuous")
    bins = calibration_bins(labels, p)
    assert bins["n"].sum() == 150
    assert len(bins) == 10
    assert (bins["n"] * bins["observed"]).sum() == pytest.approx(labels.sum())
    assert (bins["n"] * bins["predicted"]).sum() == pytest.approx(p.sum())


def test_ties_share_a_group():
    assert quantile_groups(np.array([1, 1, 1, 2, 3.0]), 5).tolist() == [0, 0, 0, 1, 2]
    assert quantile_groups(np.ones(4), 3).tolist() == [0, 0, 0, 0]
