"""Area under the ROC curve with DeLong's variance, for any number of models at once.

References: DeLong, DeLong and Clarke-Pearson, Biometrics 1988 (the variance); Sun and Xu, IEEE
Signal Processing Letters 2014 (midranks, O(n log n)). Higher scores mean more likely positive; the
direction is never flipped, so a score that ranks the wrong way has an AUC below 0.5.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, rankdata

from her2study.evaluation.checks import check_scores
from her2study.evaluation.intervals import Interval, z_value
from her2study.types import Labels


class DelongTest(NamedTuple):
    """Difference of two paired AUCs (first minus second), its interval, z and two-sided p."""

    difference: float
    low: float
    high: float
    z: float
    p: float


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Probability that a positive outranks a negative, ties counting one half.

    ``labels`` and ``scores`` are ``(n,)``. Equal to the Mann-Whitney statistic over m x n pairs.

    Raises
    ------
    StudyError
        Labels are not 0/1, only one class is there, a score is not finite, or lengths differ.
    """
    labels, matrix = check_scores(labels, scores)
    ranks = rankdata(matrix[:, 0])
    positives = int(labels.sum())
    negatives = len(labels) - positives
    return float((ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def delong(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AUCs ``(k,)`` and DeLong covariance ``(k, k)`` of k models from scores ``(n, k)``, in one pass.

    With fewer than two positives or negatives the covariance is missing (NaN), since no variance can
    be estimated from one patient; a constant score has AUC 0.5 and variance 0, a perfect one AUC 1
    and variance 0. Raises as :func:`auc`.
    """
    labels, matrix = check_scores(labels, scores)
    of_positives, of_negatives = _placements(labels, matrix)
    return of_positives.mean(axis=0), _covariance(of_positives) + _covariance(of_negatives)


def auc_interval(
    labels: ArrayLike, scores: ArrayLike, confidence: float = 0.95, scale: Literal["plain", "logit"] = "plain"
) -> Interval:
    """AUC with its DeLong interval.

    ``plain`` (default, as in pROC) is estimate ± z·SE, clipped to 0-1. ``logit`` is symmetric on the
    logit scale, SE / (AUC (1 - AUC)), and keeps inside 0-1 by itself. With perfect separation DeLong's
    variance is 0 and both intervals collapse to the point 1: that is a limit of the method, not
    certainty. With one patient in a class the interval is missing.
    """
    aucs, covariance = delong(labels, scores)
    estimate, error = float(aucs[0]), float(np.sqrt(covariance[0, 0]))
    return interval_from_error(estimate, error, confidence, scale)


def interval_from_error(
    estimate: float, error: float, confidence: float = 0.95, scale: Literal["plain", "logit"] = "plain"
) -> Interval:
    """Interval of an AUC from its standard error; see :func:`auc_interval`."""
    reach = z_value(confidence) * error
    if scale == "logit" and 0 < estimate < 1:
        middle, reach = np.log(estimate / (1 - estimate)), reach / (estimate * (1 - estimate))
        low, high = 1 / (1 + np.exp(-(middle + np.array([-reach, reach]))))
        return Interval(estimate, float(low), float(high))
    return Interval(estimate, float(np.maximum(0.0, estimate - reach)), float(np.minimum(1.0, estimate + reach)))


def delong_test(labels: ArrayLike, a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> DelongTest:
    """Paired DeLong test that two scores of the same patients have the same AUC.

    Valid for scores that were not fitted to these patients; nested models on development data have
    no normal null distribution (Demler 2012): use :func:`her2study.evaluation.compare.added_value`.

    Two scores with equal ranks differ by 0 with z = 0 and p = 1. Where DeLong's variance is 0 but the
    AUCs differ (one constant, one perfect score), z, p and interval are missing. Raises as :func:`auc`.
    """
    labels, matrix = check_scores(labels, np.column_stack([np.asarray(a, float), np.asarray(b, float)]))
    # The variance of the difference of placements, not of their covariances: exactly 0 for equal ranks.
    of_positives, of_negatives = (part[:, :1] - part[:, 1:] for part in _placements(labels, matrix))
    difference = float(of_positives.mean())
    error = float(np.sqrt(_covariance(of_positives) + _covariance(of_negatives))[0, 0])
    if error == 0:
        same = difference == 0
        return DelongTest(difference, *((0.0, 0.0, 0.0, 1.0) if same else (np.nan,) * 4))
    z, reach = difference / error, z_value(confidence) * error
    low, high = np.clip([difference - reach, difference + reach], -1, 1)
    return DelongTest(difference, float(low), float(high), z, float(2 * norm.sf(abs(z))))


def _placements(labels: Labels, scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """DeLong's structural components: V10 ``(positives, k)`` and V01 ``(negatives, k)``.

    A positive's component is the share of negatives below it (ties one half), a negative's the share
    of positives above it: the rank among all less the rank among its own class, column by column
    so that memory stays linear in n.
    """
    positive = labels == 1
    m, n = int(positive.sum()), int((~positive).sum())
    of_positives, of_negatives = np.empty((m, scores.shape[1])), np.empty((n, scores.shape[1]))
    for k, column in enumerate(scores.T):
        ranks = rankdata(column)
        of_positives[:, k] = (ranks[positive] - rankdata(column[positive])) / n
        of_negatives[:, k] = 1 - (ranks[~positive] - rankdata(column[~positive])) / m
    return of_positives, of_negatives


def _covariance(components: NDArray[np.float64]) -> NDArray[np.float64]:
    """Covariance of the mean of the rows, ``(k, k)``; missing for a single row."""
    count, models = components.shape
    if count < 2:
        return np.full((models, models), np.nan)
    centred = components - components.mean(axis=0)
    return centred.T @ centred / (count - 1) / count
