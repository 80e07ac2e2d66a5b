"""Logistic regression: estimates, likelihood-ratio tests, variance inflation, and the model of named variables.

Missing values are imputed inside the model (:data:`~her2study.models.encoding.MISSING_POLICY`). Where
separation leaves maximum likelihood without a finite estimate, Firth's takes its place, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from her2study.models.encoding import Term, design_matrix, imputation_values, variable_terms
from her2study.models.firth import fit_firth
from her2study.models.frozen import freeze
from her2study.models.likelihood import LogitFit, check_design, in_units, maximise, orthonormal
from her2study.study import Variable
from her2study.types import Labels, StudyError

MAXIMUM_LIKELIHOOD, FIRTH = "maximum likelihood", "Firth"


class LikelihoodRatio(NamedTuple):
    """Test of nested models: 2 (log L1 - log L0), the coefficients it concerns, p from chi-squared."""

    chi_squared: float
    degrees_of_freedom: int
    p: float


def fit_logit(design: ArrayLike, labels: ArrayLike) -> LogitFit | None:
    r"""Maximum-likelihood logistic regression by Newton's method on orthonormal columns.

    .. math:: l(\beta) = \sum_i \{y_i \eta_i - \log(1 + e^{\eta_i})\}, \qquad \eta = \beta_0 + x\beta.

    Parameters
    ----------
    design : array (n, terms)
        Without a constant column, which is added; in any units. No terms give the null model.
    labels : array (n,)
        0 and 1.

    Returns
    -------
    LogitFit or None
        Coefficients and covariance (inverse information) with the intercept first, log-likelihood, n.
        None where there is no finite estimate: a column is constant or repeats others, or some
        combination of columns separates the classes (completely, or with ties at the border), so that
        the likelihood rises for ever. :func:`~her2study.models.firth.fit_firth` is finite in the latter case.

    Raises
    ------
    StudyError
        Labels are not 0 and 1 or of one class, a value is not finite, or lengths differ.

    References
    ----------
    Albert and Anderson, Biometrika 1984 (when the estimate exists). R: ``glm(family = binomial)``;
    Python: ``statsmodels.api.Logit``.
    """
    matrix, outcome = check_design(design, labels)
    columns = orthonormal(matrix)
    if columns is None:
        return None
    found = maximise(columns.matrix, outcome)
    return in_units(found, columns) if found.finite else None


def fit_estimable(design: ArrayLike, labels: ArrayLike) -> LogitFit | None:
    """Maximum likelihood; Firth's estimate under separation; None where columns are constant or repeat others."""
    return fit_logit(design, labels) or fit_firth(design, labels)


def method_of(fit: LogitFit) -> str:
    """Name of the method of estimation."""
    return FIRTH if fit.penalised else MAXIMUM_LIKELIHOOD


def likelihood_ratio(larger: LogitFit, smaller: LogitFit) -> LikelihoodRatio:
    """Test of two nested maximum-likelihood fits; ``lmtest::lrtest`` in R.

    Raises
    ------
    StudyError
        A fit is penalised (use :func:`drop_test`, which keeps the penalty), or they have different patients.
    """
    if larger.penalised or smaller.penalised or larger.n != smaller.n:
        raise StudyError(
            f"a likelihood-ratio test needs two maximum-likelihood fits of the same patients; these are "
            f"{method_of(larger)} on {larger.n} and {method_of(smaller)} on {smaller.n}"
        )
    return _ratio(larger, smaller, len(larger.coefficients) - len(smaller.coefficients))


def drop_test(
    fit: LogitFit, design: NDArray[np.float64], labels: Labels, columns: Sequence[int]
) -> LikelihoodRatio | None:
    """Likelihood-ratio test of a fit against the same without some columns (``drop1``); None if not estimable.

    For a penalised fit both models have the penalty of the whole design (Heinze and Schemper 2002), which
    is the test that the profile interval belongs to.
    """
    if fit.penalised:
        smaller = fit_firth(design, labels, held=columns)
    else:
        smaller = fit_logit(np.delete(design, columns, axis=1), labels)
    return None if smaller is None else _ratio(fit, smaller, len(columns))


def variance_inflation(covariance: ArrayLike) -> NDArray[np.float64]:
    r"""Variance inflation factor of each term, from the covariance of the fitted coefficients.

    .. math:: VIF_j = (R^{-1})_{jj},

    with :math:`R` the correlation matrix of the coefficients without the intercept, which weighs patients
    as the logistic model does. 1 means that no other term resembles this one.

    Parameters
    ----------
    covariance : array (terms + 1, terms + 1)
        Of the coefficients, intercept first, as in :class:`LogitFit`.

    Returns
    -------
    ndarray (terms,)
        At least 1; exactly 1 for a single term. Empty for the null model.

    Raises
    ------
    StudyError
        The matrix is not square, or a variance is not positive and finite.

    References
    ----------
    Davis et al., American Journal of Epidemiology 1986. R: ``rms::vif``; for terms of one column
    ``car::vif``, which names a factor's joint inflation instead.
    """
    matrix = np.asarray(covariance, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not (np.diag(matrix) > 0).all():
        raise StudyError(
            f"a covariance of shape {matrix.shape} with smallest variance "
            f"{np.diag(matrix).min(initial=np.inf) if matrix.ndim == 2 else np.nan:g}; it must be square, variances > 0"
        )
    inner = matrix[1:, 1:]
    errors = np.sqrt(np.diag(inner))
    return np.diag(np.linalg.inv(inner / np.outer(errors, errors))) if len(errors) else np.empty(0)


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
    """The model of the named variables, frozen. Without any it is a null model: the prevalence for everyone.

    ``method`` says how it was estimated. Raises a StudyError where the patients are of one class.
    """
    design, terms, imputation = imputed_design(patients, variables, names)
    fit = fit_estimable(design, patients["label"].to_numpy(dtype=np.int64))
    if fit is None:
        raise ValueError(f"{model}: {', '.join(names)} cannot be estimated together; select predictors first")
    labels = {name: variables[name].printed for name in names}
    frozen = freeze(
        model, fit.coefficients[0], fit.coefficients[1:], fit.covariance, terms, imputation, labels, patients
    )
    return frozen | {"method": method_of(fit)}


def _ratio(larger: LogitFit, smaller: LogitFit, degrees: int) -> LikelihoodRatio:
    statistic = max(0.0, 2 * (larger.log_likelihood - smaller.log_likelihood))
    return LikelihoodRatio(statistic, degrees, float(chi2.sf(statistic, degrees)))
