"""Firth's estimate against brglm2 and against a slow maximisation (tests/oracles/regression.R)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from her2study.models.firth import fit_firth
from her2study.types import StudyError
from tests.models.regression_golden import NAMES, covariance, data, golden

NAMES_OF_SETS = ["ordinary", "separated", "complete"]


@pytest.mark.oracle("fit_firth", by="brglm2")
@pytest.mark.parametrize("name", NAMES_OF_SETS)
def test_estimate_and_covariance_agree_with_brglm2(name):
    """To 1e-7 relative; brglm2 iterates to 1e-12."""
    fit, values = fit_firth(*data(name)), golden(name, "brglm2")
    assert fit.penalised
    assert fit.coefficients == pytest.approx([values[term, "coefficient"] for term in NAMES], rel=1e-7)
    assert fit.covariance == pytest.approx(covariance(values), rel=1e-6)


@pytest.mark.oracle("fit_firth", by="R: optim on the penalised likelihood")
@pytest.mark.parametrize("name", NAMES_OF_SETS)
def test_penalised_likelihood_and_its_ratio_test_agree_with_r(name):
    design, labels = data(name)
    fit, values = fit_firth(design, labels), golden(name, "firth")
    assert fit.log_likelihood == pytest.approx(values["model", "log_likelihood"], abs=1e-8)
    for column, term in enumerate(NAMES[1:]):
        smaller = fit_firth(design, labels, held=[column])
        assert smaller.coefficients[1 + column] == 0
        statistic = 2 * (fit.log_likelihood - smaller.log_likelihood)
        assert statistic == pytest.approx(values[term, "chi_squared"], abs=1e-7)


@pytest.mark.oracle("fit_firth", by="closed form")
def test_two_by_two_table_is_that_with_half_a_patient_more_in_each_cell():
    """For a saturated model Firth's estimate adds 1/2 to each cell (Heinze and Schemper 2002)."""
    exposed, labels = np.repeat([0.0, 0, 1], [12, 5, 7]), np.repeat([0, 1, 1], [12, 5, 7])
    fit = fit_firth(exposed, labels)
    assert fit.coefficients[0] == pytest.approx(np.log(5.5 / 12.5), abs=1e-9)
    assert fit.coefficients[1] == pytest.approx(np.log((7.5 / 0.5) / (5.5 / 12.5)), abs=1e-9)
    assert fit_firth(np.empty((24, 0)), labels).coefficients == pytest.approx([np.log(12.5 / 12.5)], abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(6, 25), terms=st.integers(1, 3))
def test_it_is_the_maximum_however_few_the_patients(seed, n, terms):
    """A slow twin (scipy's optimiser without derivatives) finds nothing better, whatever is separated."""
    rng = np.random.default_rng([seed, n])
    design = rng.normal(size=(n, terms)) * [1, 100, 0.01][:terms]
    labels = (design[:, 0] + rng.normal(size=n) * (seed % 3) > 0).astype(int)
    labels[:2] = 0, 1
    fit = fit_firth(design, labels)
    full = np.column_stack([np.ones(n), design])

    def minus(beta):
        eta = full @ beta
        fitted = 1 / (1 + np.exp(-eta))
        information = full.T @ (full * (fitted * (1 - fitted))[:, None])
        return -(labels @ eta - np.logaddexp(0, eta).sum() + 0.5 * np.linalg.slogdet(information)[1])

    assert -minus(fit.coefficients) == pytest.approx(fit.log_likelihood, abs=1e-8)
    found = minimize(minus, fit.coefficients, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12})
    assert found.fun >= -fit.log_likelihood - 1e-7


def test_repeated_columns_have_no_estimate():
    design, labels = data("ordinary")
    assert fit_firth(design[:, [0, 0]], labels) is None
    assert fit_firth(np.ones((180, 1)), labels) is None


def test_what_is_not_a_class_or_a_number_is_refused():
    design, labels = data("ordinary")
    with pytest.raises(StudyError, match="row 3: the label is 2"):
        fit_firth(design, np.where(np.arange(180) == 3, 2, labels))
    with pytest.raises(StudyError, match="180 labels of one class"):
        fit_firth(design, np.ones(180))
    with pytest.raises(StudyError, match="row 5, term 1: the value is nan"):
        fit_firth(np.where((np.arange(180) == 5)[:, None] & (np.arange(4) == 1), np.nan, design), labels)
    with pytest.raises(StudyError, match=r"shape \(180, 4\) and the labels \(179,\)"):
        fit_firth(design, labels[1:])
