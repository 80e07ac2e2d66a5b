"""Logistic regression: univariable screen, backward selection, odds ratios.

Univariable rows use the patients whose value is known. From there on missing values are imputed
inside the model (:data:`~her2study.models.encoding.MISSING_POLICY`). A variable enters or leaves
with all its terms, by the likelihood-ratio test; single terms carry Wald intervals.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.stats import chi2, norm
from statsmodels.tools.sm_exceptions import ConvergenceWarning, HessianInversionWarning, PerfectSeparationWarning

from her2study.models.encoding import Term, design_matrix, imputation_values, variable_terms
from her2study.models.frozen import freeze
from her2study.study import Clinical, Variable
from her2study.types import Labels

SEPARATED = "not estimable: separation (a level or value range holds one class only)"
CONSTANT = "not estimable: the same value in every patient"
UNOBSERVED = "not estimable: no value recorded"


class LogitFit(NamedTuple):
    """A fitted logistic regression; the intercept comes first in ``coefficients`` and ``covariance``."""

    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]
    log_likelihood: float
    n: int


class Selection(NamedTuple):
    """Variables kept, in the order of the settings, and what became of each candidate in words."""

    kept: list[str]
    notes: dict[str, str]


def fit_logit(design: NDArray[np.float64], labels: Labels) -> LogitFit | None:
    """Maximum-likelihood logistic regression; None where separation or collinearity leaves no finite estimate.

    Parameters
    ----------
    design : ndarray, (n, terms)
        Without a constant column, which is added.
    """
    with warnings.catch_warnings():
        for warning in (PerfectSeparationWarning, ConvergenceWarning, HessianInversionWarning, RuntimeWarning):
            warnings.simplefilter("error", warning)
        try:
            full = sm.add_constant(design, has_constant="add") if design.size else np.ones((len(labels), 1))
            result = sm.Logit(labels, full).fit(disp=0, maxiter=50)
            covariance = np.asarray(result.cov_params())
        except (Warning, np.linalg.LinAlgError):
            return None
    # under quasi-separation the optimiser stops at a large finite value, told by its standard error:
    # compare with the one of a term without effect
    rate = labels.mean()
    if design.size:
        without_effect = 1 / np.sqrt(len(labels) * rate * (1 - rate) * design.var(axis=0))
        if not (np.sqrt(np.diag(covariance)[1:]) < 50 * without_effect).all():
            return None
    return LogitFit(np.asarray(result.params), covariance, float(result.llf), len(labels))


def likelihood_ratio_p(larger: LogitFit, smaller: LogitFit) -> float:
    """P of 2 (log L1 - log L0) against chi-squared with the difference in terms as degrees of freedom."""
    degrees = len(larger.coefficients) - len(smaller.coefficients)
    return float(chi2.sf(max(0.0, 2 * (larger.log_likelihood - smaller.log_likelihood)), degrees))


def variance_inflation(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variance inflation factor of each term, ``(terms,)``, from the covariance of the fitted coefficients.

    Diagonal of the inverse of their correlation matrix without the intercept (as ``rms::vif``; Davis
    et al. 1986), which weighs patients as the logistic model does.
    """
    inner = np.asarray(covariance)[1:, 1:]
    errors = np.sqrt(np.diag(inner))
    return np.diag(np.linalg.inv(inner / np.outer(errors, errors))) if len(errors) else np.empty(0)


def screen(patients: pd.DataFrame, variables: dict[str, Variable], confidence: float = 0.95) -> pd.DataFrame:
    """Each variable alone, on the patients whose value is known: the univariable rows of the table.

    Returns columns ``variable, term, label, n, odds_ratio, odds_ratio_low, odds_ratio_high, p, p_lrt, note``.
    """
    rows = []
    for name, variable in variables.items():
        known = patients[patients[name].notna()].set_index("patient_id")
        labels = known["label"].to_numpy(dtype=np.int64)
        terms = variable_terms(name, variable)
        matrix = design_matrix(known, terms, imputation_values(known, terms))
        varies = [i for i in range(len(terms)) if len(known) and np.ptp(matrix[:, i]) > 0]
        both = len(np.unique(labels)) == 2
        fit = fit_logit(matrix[:, varies], labels) if varies and both else None
        note = "" if fit else SEPARATED if varies else CONSTANT if len(known) else UNOBSERVED
        p_lrt = likelihood_ratio_p(fit, fit_logit(np.empty((len(labels), 0)), labels)) if fit else np.nan
        estimated = [terms[i] for i in varies] if fit else []
        numbers = term_rows(estimated, fit, confidence)
        for term in terms:
            row = numbers.get(term.name, {"note": note or CONSTANT})
            rows.append(
                {"variable": name, "term": term.name, "label": term.label, "n": len(known), "p_lrt": p_lrt} | row
            )
    return pd.DataFrame(rows)


def term_rows(terms: Sequence[Term], fit: LogitFit | None, confidence: float) -> dict[str, dict[str, Any]]:
    """Odds ratio with Wald interval and p of each term, by its name."""
    if fit is None:
        return {}
    errors = np.sqrt(np.diag(fit.covariance))
    width = norm.ppf(0.5 + confidence / 2)
    return {
        term.name: {
            "odds_ratio": float(np.exp(b)),
            "odds_ratio_low": float(np.exp(b - width * error)),
            "odds_ratio_high": float(np.exp(b + width * error)),
            "p": float(2 * norm.sf(abs(b / error))),
            "note": "",
        }
        for term, b, error in zip(terms, fit.coefficients[1:], errors[1:], strict=True)
    }


def select_predictors(
    patients: pd.DataFrame, variables: dict[str, Variable], settings: Clinical, screened: pd.DataFrame | None = None
) -> Selection:
    """Backward selection among variables that pass the screen.

    While the weakest variable's likelihood-ratio p is not below ``keep_p`` it leaves. If a set cannot be
    estimated together, the variable with the largest screening p leaves.

    Parameters
    ----------
    screened : DataFrame, optional
        From :func:`screen` of the same patients, if at hand.
    """
    screened = screen(patients, variables) if screened is None else screened
    alone = screened.groupby("variable", sort=False)["p_lrt"].first()
    kept = [name for name in variables if alone[name] < settings.screen_p]
    notes = {name: "" if name in kept else "did not pass the screen" for name in variables}
    while kept:
        full = fit_variables(patients, variables, kept)
        if full is None:
            weakest, why = max(kept, key=lambda name: alone[name]), "left: not estimable together with the others"
        else:
            without = {name: fit_variables(patients, variables, [k for k in kept if k != name]) for name in kept}
            p = {name: likelihood_ratio_p(full, fit) if fit else 0.0 for name, fit in without.items()}
            weakest = max(kept, key=lambda name: p[name])
            if p[weakest] < settings.keep_p:
                break
            why = f"left in backward selection (p = {p[weakest]:.3f})"
        kept = [name for name in kept if name != weakest]
        notes[weakest] = why
    return Selection(kept, notes)


def fit_variables(patients: pd.DataFrame, variables: dict[str, Variable], names: Sequence[str]) -> LogitFit | None:
    """Logistic regression on the imputed terms of some variables; None if not estimable."""
    design, _, _ = imputed_design(patients, variables, names)
    return fit_logit(design, patients["label"].to_numpy(dtype=np.int64))


def imputed_design(
    patients: pd.DataFrame, variables: dict[str, Variable], names: Sequence[str]
) -> tuple[NDArray[np.float64], list[Term], dict[str, Any]]:
    """Design matrix of the varying terms, the terms and the imputation values, all from these patients."""
    terms = [term for name in names for term in variable_terms(name, variables[name])]
    imputation = imputation_values(patients, terms)
    matrix = design_matrix(patients.set_index("patient_id"), terms, imputation)
    varies = [i for i in range(len(terms)) if np.ptp(matrix[:, i]) > 0]
    return matrix[:, varies], [terms[i] for i in varies], imputation


def fit_frozen(
    patients: pd.DataFrame, variables: dict[str, Variable], names: Sequence[str], model: str
) -> dict[str, Any]:
    """The model of the named variables, frozen. Without any it is a null model: the prevalence for everyone."""
    design, terms, imputation = imputed_design(patients, variables, names)
    fit = fit_logit(design, patients["label"].to_numpy(dtype=np.int64))
    if fit is None:
        raise ValueError(f"{model}: {', '.join(names)} cannot be estimated together; select predictors first")
    labels = {name: variables[name].printed for name in names}
    return freeze(model, fit.coefficients[0], fit.coefficients[1:], fit.covariance, terms, imputation, labels, patients)
