"""Nested models where they were fitted: the likelihood-ratio test, and why DeLong's has no place there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from her2study.evaluation.checks import safe_logit
from her2study.models.likelihood import check_design, maximise
from her2study.models.logistic import LikelihoodRatio
from her2study.types import StudyError

NESTED = {("combined", "clinical"): "dscore", ("combined", "dscore"): "clinical"}
"""``(larger, smaller): what the larger model adds``: pairs that DeLong cannot test where they were fitted."""

NESTED_NOTE = "not tested: nested on development data; see the likelihood-ratio test"


def likelihood_ratio_test(labels: ArrayLike, smaller: ArrayLike, larger: ArrayLike) -> LikelihoodRatio:
    """Does a larger logistic model fit better than a smaller one nested in it? The test for development data.

    ``χ² = 2 (log L_larger - log L_smaller)``, with the gain in rank as degrees of freedom. Columns that repeat
    others count nothing; without any gain χ² is 0 with no degree of freedom and p is missing (NaN). Separated
    classes have no finite coefficients, but their likelihood has its limit, and the test stays defined.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    smaller : array (n, p)
        Predictors of the smaller model, p >= 0, or ``(n,)`` for one; probabilities enter as log odds. Each
        model gets an intercept (a constant column does no harm).
    larger : array (n, q)
        All predictors of the larger model, those of the smaller included.

    Returns
    -------
    LikelihoodRatio
        chi_squared, degrees_of_freedom, p.

    Raises
    ------
    StudyError
        The smaller model is not nested in the larger; a predictor is not finite; shapes differ; labels are not
        0/1 or of one class only.

    References
    ----------
    Wilks, Annals of Mathematical Statistics 1938; Demler, Pencina and D'Agostino, Statistics in Medicine 2012.
    R: ``anova(glm(...), glm(...), test = "LRT")``.
    """
    fits = []
    for predictors in (smaller, larger):
        design, outcome = check_design(predictors, labels)
        basis = _basis(design)
        fits.append((basis, maximise(basis, outcome).log_likelihood))
    (small, lower), (large, higher) = fits
    if np.abs(small - large @ (large.T @ small) / len(large)).max() > 1e-6:
        raise StudyError(
            "the smaller model is not nested in the larger: it has predictors that the larger lacks; give the larger "
            "model all of them, or compare the two with delong_test on patients that neither model has seen"
        )
    gain = large.shape[1] - small.shape[1]
    if gain == 0:
        return LikelihoodRatio(0.0, 0, np.nan)
    chi_squared = max(0.0, 2 * (higher - lower))
    return LikelihoodRatio(chi_squared, gain, float(chi2.sf(chi_squared, gain)))


def likelihood_ratio_p(labels: ArrayLike, smaller: ArrayLike, larger: ArrayLike) -> float:
    """P of :func:`likelihood_ratio_test`, missing if the larger model gains nothing."""
    return likelihood_ratio_test(labels, smaller, larger).p


def added_value(labels: ArrayLike, base: ArrayLike, added: ArrayLike) -> float:
    """P value of the likelihood-ratio test that ``added`` improves a logistic model of ``base``.

    Both are probabilities ``(n,)`` from models that did not see the patient (out-of-fold) and enter as
    log odds.
    """
    base = safe_logit(base)
    return likelihood_ratio_p(labels, base, np.column_stack([base, safe_logit(added)]))


def what_is_added(a: str, b: str, nested: Mapping[tuple[str, str], str] = NESTED) -> tuple[str, str] | None:
    """``(smaller model, what the larger adds)`` if one of the two models is nested in the other, else None."""
    for larger, smaller in ((a, b), (b, a)):
        if (larger, smaller) in nested:
            return smaller, nested[larger, smaller]
    return None


def refuse_nested(a: str, b: str, split: str, nested: Mapping[tuple[str, str], str] = NESTED) -> None:
    """Refuse to compare the AUCs of nested models on the patients they were developed on.

    Raises
    ------
    StudyError
        Says why, and what to do instead.
    """
    found = what_is_added(a, b, nested)
    if split == "development" and found:
        smaller, added = found
        raise StudyError(
            f"{a} v. {b} on development patients: {smaller} is nested in the other model, and there DeLong's statistic "
            "has no normal null distribution (Demler 2012), so its p value and interval mean nothing; use "
            f"likelihood_ratio_test for what {added} adds, or compare the two on internal or external patients"
        )


def _basis(design: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthogonal columns ``(n, rank)`` that span an intercept and the predictors: one model, whatever their units."""
    spread = np.ptp(design, axis=0)
    varying = (design[:, spread > 0] - design[:, spread > 0].mean(axis=0)) / spread[spread > 0]
    columns = np.column_stack([np.ones(len(design)), varying / varying.std(axis=0)])
    vectors, values, _ = np.linalg.svd(columns, full_matrices=False)
    return vectors[:, values > 1e-8 * values[0]] * np.sqrt(len(design))
