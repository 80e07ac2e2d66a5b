"""Area under the ROC curve with DeLong's variance, for any number of models at once.

Higher scores mean more likely positive. The direction is never flipped: a score that ranks the wrong way
has an AUC below 0.5. All tests and intervals are large-sample; the docs keep their operating characteristics.
The tests that AUCs are equal stand in :mod:`her2study.evaluation.differences` and can be had from here as well.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from her2study.evaluation.checks import check_scores
from her2study.evaluation.differences import (
    DelongTest,
    GlobalTest,
    UnpairedTest,
    delong_global,
    delong_test,
    delong_unpaired,
)
from her2study.evaluation.intervals import Interval, z_value
from her2study.evaluation.placements import areas, check_one_score, covariance_of_areas, placements
from her2study.types import StudyError

__all__ = [
    "DelongTest",
    "GlobalTest",
    "UnpairedTest",
    "auc",
    "auc_interval",
    "delong",
    "delong_global",
    "delong_test",
    "delong_unpaired",
    "interval_from_error",
]


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Probability that a positive outranks a negative, ties counting one half.

    ``AUC = Σ_i Σ_j ([x_i > y_j] + [x_i = y_j] / 2) / (m n)`` over m positives x and n negatives y: the
    Mann-Whitney statistic. A constant score has 0.5.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    scores : array (n,)
        Any finite scale.

    Returns
    -------
    float
        From 0 to 1; below 0.5 for a score that ranks the wrong way.

    Raises
    ------
    StudyError
        Labels are not 0/1, only one class is there, a score is not finite, or shapes differ.

    References
    ----------
    Hanley and McNeil, Radiology 1982. R: ``pROC::auc(roc(labels, scores, direction = "<"))``.
    """
    labels, matrix = check_one_score(labels, scores)
    return float(areas(*placements(labels, matrix))[0])


def delong(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AUCs of k models on the same patients and their covariance, from one pass in O(k n log n).

    ``S = S10 / m + S01 / n``, the covariances over the m positives and the n negatives of DeLong's structural
    components: the share of the other class that a patient is ranked right against.

    With one patient in a class the covariance is missing (NaN): no variance can be estimated from her.
    A constant score has AUC 0.5 and variance exactly 0, one that separates the classes AUC 1 (or 0) and
    variance exactly 0; models with equal ranks have equal rows to the last bit.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    scores : array (n,) or (n, k)
        Any finite scale; one column a model.

    Returns
    -------
    aucs : array (k,)
    covariance : array (k, k)

    Raises
    ------
    StudyError
        As :func:`auc`.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson, Biometrics 1988; Sun and Xu, IEEE Signal Processing Letters 2014.
    R: ``pROC::var`` and ``pROC::cov``.
    """
    labels, matrix = check_scores(labels, scores)
    counts = placements(labels, matrix)
    return areas(*counts), covariance_of_areas(*counts)


def auc_interval(
    labels: ArrayLike, scores: ArrayLike, confidence: float = 0.95, scale: Literal["plain", "logit"] = "plain"
) -> Interval:
    """AUC with its DeLong interval.

    ``plain`` is ``AUC ± z SE``, clipped to 0-1. ``logit`` is ``expit(logit AUC ± z SE / (AUC (1 - AUC)))``,
    which keeps inside 0-1 by itself and covers better near 1.

    With perfect separation, or a constant score, DeLong's variance is 0 and both intervals collapse to
    the estimate: a limit of the method, not certainty. With one patient in a class the ends are missing.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    scores : array (n,)
        Any finite scale.
    confidence : float
        Coverage, strictly between 0 and 1.
    scale : "plain" or "logit"

    Returns
    -------
    Interval
        Estimate, low, high.

    Raises
    ------
    StudyError
        As :func:`auc`, or ``confidence`` or ``scale`` is none of the above.

    References
    ----------
    DeLong et al. 1988; Pepe, The Statistical Evaluation of Medical Tests, 2003, 5.2 (logit).
    R: ``pROC::ci.auc(roc, method = "delong")`` is the plain one.
    """
    labels, matrix = check_one_score(labels, scores)
    aucs, covariance = delong(labels, matrix)
    return interval_from_error(float(aucs[0]), float(np.sqrt(covariance[0, 0])), confidence, scale)


def interval_from_error(
    estimate: float, error: float, confidence: float = 0.95, scale: Literal["plain", "logit"] = "plain"
) -> Interval:
    """Interval of an AUC from its standard error; see :func:`auc_interval`."""
    if scale not in ("plain", "logit"):
        raise StudyError(f"scale of an AUC interval is {scale!r}; it must be 'plain' or 'logit'")
    reach = z_value(confidence) * error
    if scale == "logit" and 0 < estimate < 1:
        low, high = expit(logit(estimate) + np.array([-1, 1]) * reach / (estimate * (1 - estimate)))
        # there and back through the logit can cost the last digit
        return Interval(estimate, float(np.minimum(low, estimate)), float(np.maximum(high, estimate)))
    return Interval(estimate, float(np.maximum(0.0, estimate - reach)), float(np.minimum(1.0, estimate + reach)))
