"""Logistic regression against R (tests/oracles/logistic.R and regression.R) and statsmodels."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from her2study.models.frozen import predict_frozen
from her2study.models.logistic import (
    FIRTH,
    MAXIMUM_LIKELIHOOD,
    drop_test,
    fit_estimable,
    fit_frozen,
    fit_logit,
    imputed_design,
    likelihood_ratio,
    variance_inflation,
)
from her2study.types import StudyError
from tests.models.invented import ORACLES, VARIABLES, oracle_patients
from tests.models.regression_golden import NAMES, TERMS, covariance, data, golden

GOLDEN = pd.read_csv(ORACLES / "logistic.csv").set_index(["analysis", "term", "what"])["value"]
PATIENTS = oracle_patients()


@pytest.mark.oracle("fit_logit", by="glm")
def test_estimate_covariance_and_likelihood_agree_with_r():
    """To 1e-9 relative, in units as awkward as 1e3 and 1e-3; glm iterates to 1e-14."""
    fit, values = fit_logit(*data("ordinary")), golden("ordinary", "glm")
    assert fit.coefficients == pytest.approx([values[term, "coefficient"] for term in NAMES], rel=1e-9)
    assert fit.covariance == pytest.approx(covariance(values), rel=1e-8)
    assert fit.log_likelihood == pytest.approx(values["model", "log_likelihood"], rel=1e-12)


@pytest.mark.oracle("fit_logit", by="glm, anova")
@pytest.mark.parametrize(("term", "columns"), [*((t, [i]) for i, t in enumerate(TERMS)), ("x3+x4", [2, 3])])
def test_likelihood_ratio_agrees_with_r(term, columns):
    design, labels = data("ordinary")
    fit, values = fit_logit(design, labels), golden("ordinary", "glm")
    test = drop_test(fit, design, labels, columns)
    assert test == likelihood_ratio(fit, fit_logit(np.delete(design, columns, axis=1), labels))
    assert test.chi_squared == pytest.approx(values[term, "chi_squared"], rel=1e-8)
    assert test.degrees_of_freedom == len(columns)
    assert test.p == pytest.approx(values[term, "p_lrt"], rel=1e-8)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(6, 60), terms=st.integers(0, 4))
@pytest.mark.oracle("fit_logit", by="statsmodels; Albert and Anderson's condition by linear programming")
def test_it_is_statsmodels_or_the_classes_are_separated(seed, n, terms):
    """Coefficients to 1e-10 where the estimate exists, and exactly then (otherwise a direction orders all patients)."""
    rng = np.random.default_rng([seed, n])
    design = np.where(rng.random(terms) < 0.5, rng.normal(size=(n, terms)), rng.random((n, terms)) < 0.3).astype(float)
    labels = (rng.random(n) < 0.5).astype(int)
    labels[:2] = 0, 1
    full = np.column_stack([np.ones(n), design])
    fit = fit_logit(design, labels)
    if np.linalg.matrix_rank(full) <= terms or n <= terms:
        assert fit is None
        return
    signed = full * (2 * labels - 1)[:, None]
    direction = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(n), bounds=(-1, 1))
    assert (fit is None) == (direction.fun < -1e-7)
    if fit is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = sm.Logit(labels, full).fit(disp=0, maxiter=200, tol=1e-12)
        assert fit.coefficients == pytest.approx(theirs.params, abs=1e-10 * (1 + np.abs(theirs.params).max()))
        assert fit.log_likelihood == pytest.approx(theirs.llf, abs=1e-10)


@pytest.mark.oracle("variance_inflation", by="rms::vif, car::vif")
@pytest.mark.parametrize("package", ["rms", "car"])
def test_variance_inflation_agrees_with_r(package):
    """To 1e-9; terms of one column, where both packages mean the same."""
    ours = variance_inflation(fit_logit(*data("ordinary")).covariance)
    assert ours == pytest.approx([golden("ordinary", "vif")[term, package] for term in TERMS], rel=1e-9)
    assert variance_inflation(np.eye(2)) == pytest.approx([1.0])
    assert len(variance_inflation(np.eye(1))) == 0


def test_variance_inflation_refuses_what_is_no_covariance():
    with pytest.raises(StudyError, match="square"):
        variance_inflation(np.ones((2, 3)))
    with pytest.raises(StudyError, match="variances > 0"):
        variance_inflation(np.diag([1.0, 0.0]))


def test_multivariable_model_agrees_with_r():
    """With imputed values and a factor, as rms::vif and drop1 see it; glm iterates to 1e-8 there."""
    design, terms, _ = imputed_design(PATIENTS, VARIABLES, list(VARIABLES))
    labels = PATIENTS["label"].to_numpy()
    fit, golden_rows = fit_logit(design, labels), GOLDEN["full"]
    inflation = variance_inflation(fit.covariance)
    for j, term in enumerate(terms):
        assert np.exp(fit.coefficients[1 + j]) == pytest.approx(golden_rows[term.name, "odds_ratio"], rel=1e-6)
        assert inflation[j] == pytest.approx(golden_rows[term.name, "vif"], rel=1e-6)
    names = {"age": "age_years", "log(node)": "node_mm", "rim": "rim", "shape": "shape", "curve": "curve"}
    for in_r, name in names.items():
        columns = [j for j, term in enumerate(terms) if term.variable == name]
        assert drop_test(fit, design, labels, columns).p == pytest.approx(golden_rows[in_r, "p_drop"], rel=1e-6)


def test_separation_is_firths_and_repetition_is_nobodys():
    design, labels = data("separated")
    assert fit_logit(design, labels) is None
    assert fit_estimable(design, labels).penalised
    assert not fit_estimable(design[:, [0, 1, 3]], labels).penalised
    assert fit_estimable(design[:, [1, 1]], labels) is None


def test_a_ratio_of_penalised_likelihoods_needs_the_same_penalty():
    design, labels = data("separated")
    firth, plain = fit_estimable(design, labels), fit_logit(design[:, [0]], labels)
    with pytest.raises(StudyError, match="two maximum-likelihood fits"):
        likelihood_ratio(firth, plain)
    test = drop_test(firth, design, labels, [2])
    assert test.chi_squared == pytest.approx(golden("separated", "firth")["x3", "chi_squared"], abs=1e-7)


def test_bad_input_is_named():
    design, labels = data("ordinary")
    with pytest.raises(StudyError, match=r"the label is 1\.5; it must be 0 or 1"):
        fit_logit(design, np.where(labels == 1, 1.5, 0))
    with pytest.raises(StudyError, match="of one class"):
        fit_logit(design, np.zeros(180))
    with pytest.raises(StudyError, match="row 0, term 0: the value is inf"):
        fit_logit(design + np.inf, labels)


def test_frozen_model_predicts_what_r_fits():
    frozen = fit_frozen(PATIENTS, VARIABLES, list(VARIABLES), "clinical")
    golden = GOLDEN["prediction"]
    probability = predict_frozen(frozen, PATIENTS.head(len(golden)))
    assert probability == pytest.approx(golden.to_numpy(), rel=1e-6)
    assert frozen["method"] == MAXIMUM_LIKELIHOOD


def test_frozen_model_says_that_it_is_firths():
    separated = PATIENTS.assign(rim=np.where((PATIENTS["label"] == 1) & (PATIENTS["rim"] == "yes"), "yes", "no"))
    frozen = fit_frozen(separated, VARIABLES, ["rim", "node_mm"], "clinical")
    assert frozen["method"] == FIRTH
    assert np.isfinite([term["coefficient"] for term in frozen["terms"]]).all()


def test_null_model_gives_everyone_the_prevalence():
    frozen = fit_frozen(PATIENTS, VARIABLES, [], "clinical")
    assert frozen["null_model"]
    assert predict_frozen(frozen, PATIENTS) == pytest.approx(np.full(len(PATIENTS), PATIENTS["label"].mean()))
