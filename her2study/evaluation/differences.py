"""Are AUCs equal? DeLong's tests for two scores of the same patients, of different patients, and for many at once."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2
from scipy.stats import t as student

from her2study.evaluation.checks import check_scores
from her2study.evaluation.intervals import z_value
from her2study.evaluation.placements import (
    areas,
    check_one_score,
    covariance_of_areas,
    placements,
    variances_by_class,
)
from her2study.types import Labels, StudyError


class DelongTest(NamedTuple):
    """Difference of two paired AUCs (first minus second), its interval, z and two-sided p."""

    difference: float
    low: float
    high: float
    z: float
    p: float


class UnpairedTest(NamedTuple):
    """Difference of the AUCs of two groups of patients (first minus second), interval, t and two-sided p."""

    difference: float
    low: float
    high: float
    t: float
    degrees_of_freedom: float
    p: float


class GlobalTest(NamedTuple):
    """Chi-squared test that all AUCs are equal."""

    chi_squared: float
    degrees_of_freedom: int
    p: float


def delong_test(
    labels: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    confidence: float = 0.95,
    reference: Literal["normal", "t"] = "normal",
) -> DelongTest:
    """Paired test that two scores of the same patients have the same AUC.

    ``z = (AUC_a - AUC_b) / √(S_aa + S_bb - 2 S_ab)``, S the covariance of :func:`~her2study.evaluation.roc.delong`;
    interval ``difference ± z SE``, clipped to ±1.

    Valid for scores that were not fitted to these patients. Nested models on their own development data have
    no normal null distribution there (Demler 2012): use :func:`~her2study.evaluation.nested.likelihood_ratio_test`.

    With fewer than about 30 patients in a class the normal distribution rejects too often (7% at a nominal 5%
    with 6 positives: docs/operating_characteristics.md). ``reference="t"`` takes Student's t with the degrees of
    freedom of Welch's two-sample test, the classes being the samples: never too often there, at some loss of power.

    Scores with equal ranks differ by exactly 0 with z = 0 and p = 1. Where the variance of the difference is
    0 but the AUCs differ (one constant, one perfect score), or a class has one patient, z, p and ends are
    missing.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    a, b : array (n,)
        Two scores of the same patients, each on any finite scale.
    confidence : float
        Coverage, strictly between 0 and 1.
    reference : {"normal", "t"}
        Distribution of z for p and interval; "normal" is DeLong's and pROC's.

    Returns
    -------
    DelongTest
        difference, low, high, z, p (two-sided).

    Raises
    ------
    StudyError
        As :func:`~her2study.evaluation.roc.auc_interval`.

    References
    ----------
    DeLong et al. 1988; Welch, Biometrika 1947; Demler, Pencina and D'Agostino, Statistics in Medicine 2012.
    R: ``pROC::roc.test(roc_a, roc_b, method = "delong", paired = TRUE)``.
    """
    if reference not in ("normal", "t"):
        raise StudyError(f"reference is {reference!r}; it must be 'normal' or 't'")
    z_value(confidence)  # refuses what is not a share, whatever the data
    labels, first = check_one_score(labels, a)
    labels, second = check_one_score(labels, b)
    counts = [part[1:] - part[:1] for part in placements(labels, np.hstack([second, first]))]
    difference, variances = float(areas(*counts)[0]), variances_by_class(*counts)
    error = float(np.sqrt(variances.sum()))
    if error == 0:
        return DelongTest(difference, *((0.0, 0.0, 0.0, 1.0) if difference == 0 else (np.nan,) * 4))
    degrees = np.inf
    if reference == "t":
        patients = np.array([part.shape[1] for part in counts])
        degrees = variances.sum() ** 2 / (variances**2 / np.maximum(patients - 1, 1)).sum()
    z, reach = difference / error, float(student.ppf((1 + confidence) / 2, degrees)) * error
    low, high = np.clip([difference - reach, difference + reach], -1, 1)
    return DelongTest(difference, float(low), float(high), z, float(2 * student.sf(abs(z), degrees)))


def delong_unpaired(
    labels_a: ArrayLike, scores_a: ArrayLike, labels_b: ArrayLike, scores_b: ArrayLike, confidence: float = 0.95
) -> UnpairedTest:
    """Test that a score has the same AUC in two groups of different patients (two centres, two cohorts).

    ``t = (AUC_a - AUC_b) / √(S_a + S_b)``, referred to Student's t with
    ``(S_a + S_b)² / (S_a² / (N_a - 1) + S_b² / (N_b - 1))`` degrees of freedom, N patients a group; interval
    ``difference ± t SE`` from the same distribution, clipped to ±1.

    All but the difference are missing (NaN) where a class of a group has one patient, or neither AUC has a
    variance (each score constant or perfect in its group).

    Parameters
    ----------
    labels_a, labels_b : array (N_a,), (N_b,)
        0 or 1.
    scores_a, scores_b : array (N_a,), (N_b,)
        Any finite scale.
    confidence : float
        Coverage, strictly between 0 and 1.

    Returns
    -------
    UnpairedTest
        difference, low, high, t, degrees_of_freedom, p (two-sided).

    Raises
    ------
    StudyError
        As :func:`~her2study.evaluation.roc.auc_interval`, for either group.

    References
    ----------
    DeLong et al. 1988, with Satterthwaite's degrees of freedom.
    R: ``pROC::roc.test(roc_a, roc_b, method = "delong", paired = FALSE)`` (which gives no interval).
    """
    z_value(confidence)  # refuses what is not a share, whatever the data
    counts = [placements(*check_one_score(*group)) for group in ((labels_a, scores_a), (labels_b, scores_b))]
    first, second = (float(areas(*parts)[0]) for parts in counts)
    variances = [float(covariance_of_areas(*parts)[0, 0]) for parts in counts]
    sizes = [parts[0].shape[1] + parts[1].shape[1] for parts in counts]
    difference, variance = first - second, sum(variances)
    if not variance > 0:
        return UnpairedTest(difference, *(np.nan,) * 5)
    degrees = variance**2 / sum(v**2 / (n - 1) for v, n in zip(variances, sizes, strict=True))
    t, reach = difference / np.sqrt(variance), student.ppf((1 + confidence) / 2, degrees) * np.sqrt(variance)
    low, high = np.clip([difference - reach, difference + reach], -1, 1)
    return UnpairedTest(difference, float(low), float(high), float(t), degrees, float(2 * student.sf(abs(t), degrees)))


def delong_global(labels: ArrayLike, scores: ArrayLike) -> GlobalTest:
    """Test that K scores of the same patients have the same AUC, before any two are compared.

    ``χ² = d' (L S L')⁺ d`` with ``d = L AUC``, L the differences of each model from the first, S the covariance of
    :func:`~her2study.evaluation.roc.delong` and ⁺ the pseudo-inverse; its rank is the number of degrees of
    freedom, K - 1 as a rule. The order of the models does not matter, and for K = 2 χ² is the square of z of
    :func:`delong_test`.

    A model whose ranks equal another's adds no degree of freedom; if all are equal χ² = 0 with none and p = 1.
    Missing (NaN) where AUCs differ in a direction without variance (perfect or constant scores, fewer patients
    than models), or a class has one patient. As :func:`delong_test`, not for nested models on their development data.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    scores : array (n, k)
        One column a model, each on any finite scale.

    Returns
    -------
    GlobalTest
        chi_squared, degrees_of_freedom, p.

    Raises
    ------
    StudyError
        As :func:`~her2study.evaluation.roc.auc`, or there are fewer than two models.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson, Biometrics 1988, equation 5 (Stata's ``roccomp``).
    """
    labels, matrix = check_scores(labels, scores)
    if matrix.shape[1] < 2:
        raise StudyError(f"{matrix.shape[1]} model to compare; scores must be (n, k) with a column for each of k >= 2")
    differences, covariance = _contrasts(labels, matrix)
    errors = np.sqrt(np.diag(covariance))
    varying = ~(errors == 0)
    if np.isnan(errors).any() or differences[~varying].any():
        return GlobalTest(np.nan, int(varying.sum()), np.nan)
    # on the scale of correlations one tolerance fits all; sums of exact counts leave errors of about 1e-15
    z, errors = differences[varying] / errors[varying], errors[varying]
    values, vectors = np.linalg.eigh(covariance[np.ix_(varying, varying)] / np.outer(errors, errors))
    along, kept = vectors.T @ z, values > 1e-10
    rank = int(kept.sum())
    if (np.abs(along[~kept]) > 1e-6).any():
        return GlobalTest(np.nan, rank, np.nan)
    chi_squared = float((along[kept] ** 2 / values[kept]).sum())
    return GlobalTest(chi_squared, rank, float(chi2.sf(chi_squared, rank)) if rank else 1.0)


def _contrasts(labels: Labels, scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AUC of each model but the first minus the first's, and their covariance.

    From differences of the counts themselves, which are exactly 0 for equal ranks, not of their covariances.
    """
    differences = [part[1:] - part[:1] for part in placements(labels, scores)]
    return areas(*differences), covariance_of_areas(*differences)
