"""Profile intervals against R's deviance (uniroot), MASS::confint and a slow twin (tests/oracles/regression.R)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from her2study.models.firth import fit_firth
from her2study.models.logistic import fit_logit
from her2study.models.profile import profile_intervals
from tests.models.regression_golden import NAMES, data, golden


def ends(values):
    return np.array([[values.get((term, end), np.inf) for end in ("low", "high")] for term in NAMES])


@pytest.mark.oracle("profile_intervals", by="R: uniroot on the deviance of glm")
@pytest.mark.parametrize("name", ["ordinary", "separated"])
def test_profile_agrees_with_r(name):
    """To 1e-7; under separation R's script has no upper end for x3, and ours is infinite."""
    assert profile_intervals(*data(name)) == pytest.approx(ends(golden(name, "profile")), rel=1e-7)


@pytest.mark.oracle("profile_intervals", by="MASS::confint")
def test_profile_is_near_the_interpolated_one_of_mass():
    """MASS draws a spline through the profile: three digits of the width."""
    ours, theirs = profile_intervals(*data("ordinary")), ends(golden("ordinary", "MASS"))
    assert (np.abs(ours - theirs) < 2e-3 * np.ptp(ours, axis=1, keepdims=True)).all()


@pytest.mark.oracle("profile_intervals", by="R: optim and uniroot on the penalised likelihood")
@pytest.mark.parametrize("name", ["ordinary", "separated"])
def test_penalised_profile_agrees_with_r(name):
    """To 1e-8 of the width."""
    ours, theirs = profile_intervals(*data(name), penalised=True), ends(golden(name, "firth"))
    assert (np.abs(ours - theirs) < 1e-8 * np.ptp(ours, axis=1, keepdims=True)).all()


def test_penalised_profile_is_that_of_a_slow_twin():
    """A completely separated sample, where the other coefficient is found by trying 4,001 values."""
    values, labels = np.array([1.0, 2, 2.5, 3, 4, 6, 6.5, 7, 9]), np.repeat([0, 1], [5, 4])
    best = fit_firth(values, labels).log_likelihood

    def profile(slope):
        centre = np.linspace(-10, 20, 4001)[:, None]
        log_odds = slope * (values - centre)
        fitted = 1 / (1 + np.exp(-log_odds))
        weights = fitted * (1 - fitted)
        information = [weights.sum(axis=1), (weights * values).sum(axis=1), (weights * values**2).sum(axis=1)]
        determinant = information[0] * information[2] - information[1] ** 2
        penalised = (labels * log_odds - np.logaddexp(0, log_odds)).sum(axis=1) + 0.5 * np.log(
            np.maximum(determinant, 1e-300)
        )
        return 2 * (best - penalised.max()) - 3.841458820694124

    low, high = profile_intervals(values, labels, penalised=True)[1]
    assert low == pytest.approx(brentq(profile, 0.01, 1), rel=1e-4)
    assert high == pytest.approx(brentq(profile, 1, 20), rel=1e-4)


def test_everything_is_open_where_the_classes_part_completely():
    design, labels = data("complete")
    low, high = profile_intervals(design, labels)[1]
    assert 0 < low < np.inf
    assert high == np.inf
    assert np.isfinite(profile_intervals(design[:, :2], labels, penalised=True)).all()


def test_it_holds_the_estimate_widens_with_confidence_and_follows_the_units():
    design, labels = data("ordinary")
    estimate = fit_logit(design, labels).coefficients
    narrow, wide = (profile_intervals(design, labels, confidence) for confidence in (0.8, 0.99))
    order = np.column_stack([wide[:, 0], narrow[:, 0], estimate, narrow[:, 1], wide[:, 1]])
    assert (np.diff(order, axis=1) > 0).all()
    thousandth = profile_intervals(design * 1000, labels, 0.8)
    assert thousandth[1:] * 1000 == pytest.approx(narrow[1:], rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(6, 20), separated=st.booleans())
def test_intervals_hold_their_estimate_however_few_the_patients(seed, n, separated):
    """Also with a term in odd units; infinite ends belong to plain profiles of separated samples only."""
    rng = np.random.default_rng([seed, n])
    design = np.column_stack([rng.normal(size=n), 5000 + rng.normal(size=n)])
    labels = (design[:, 0] > (0 if separated else 2 * rng.normal(size=n))).astype(int)
    labels[:2] = 0, 1
    plain, penalised = (profile_intervals(design, labels, penalised=kind) for kind in (False, True))
    fit, firth = fit_logit(design, labels), fit_firth(design, labels)
    assert np.isfinite(penalised).all()
    assert (penalised[:, 0] < firth.coefficients).all()
    assert (firth.coefficients < penalised[:, 1]).all()
    assert np.isfinite(plain).all() == (fit is not None)
    if fit:
        assert (plain[:, 0] < fit.coefficients).all()
        assert (fit.coefficients < plain[:, 1]).all()


def test_repeated_columns_have_no_interval():
    design, labels = data("ordinary")
    assert profile_intervals(design[:, [1, 1]], labels) is None
