"""Tests of the flexible calibration curve against glm on Harrell's spline."""

import numpy as np
import pytest

from her2study.evaluation.flexible import (
    calibration_bins,
    calibration_curve,
    calibration_errors,
    quantile_groups,
    spline_basis,
)
from tests.evaluation.golden import GOLDEN, SETS, columns


def test_basis_equals_hmisc():
    basis = spline_basis(np.array([-3, -1, 0, 1, 4.0]), np.array([-2, -0.5, 0.7, 3]))
    np.testing.assert_allclose(basis.T.ravel(), GOLDEN["spline"].to_numpy(), atol=1e-12)


@pytest.mark.parametrize("name", SETS)
def test_errors_equal_r(name):
    labels, _, _, p = columns(name)
    errors = calibration_errors(labels, p, resamples=20)
    ours = [errors.ici.estimate, errors.e50, errors.e90, errors.emax]
    np.testing.assert_allclose(ours, GOLDEN[name][["ici", "e50", "e90", "emax"]], atol=1e-7)


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
