"""What each patient adds to an AUC, and from that its variance: DeLong's structural components in O(n log n).

References: DeLong, DeLong and Clarke-Pearson, Biometrics 1988; Sun and Xu, IEEE Signal Processing Letters
2014 (the same from ranks). Here one sort a model is enough: running counts of both classes at the ends
of the groups of tied scores.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from her2study.evaluation.checks import check_scores
from her2study.types import Labels, StudyError


def placements(labels: Labels, scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each positive the negatives below it, for each negative the positives above it; ties count one half.

    They are counts, not shares, and so exact: scores with equal ranks have equal counts to the last bit.

    Parameters
    ----------
    labels : array (n,)
        0 or 1, both present.
    scores : array (n, k)
        Finite; one column a model.

    Returns
    -------
    of_positives : array (k, positives)
        Divided by the number of negatives: DeLong's V10.
    of_negatives : array (k, negatives)
        Divided by the number of positives: V01.
    """
    positive = labels == 1
    total = int(positive.sum())
    of_positives = np.empty((scores.shape[1], total))
    of_negatives = np.empty((scores.shape[1], len(labels) - total))
    counts = np.empty(len(labels))
    for k in range(scores.shape[1]):
        column = np.ascontiguousarray(scores[:, k])
        order = np.argsort(column)
        column, is_positive = column[order], positive[order]
        ends = np.flatnonzero(np.append(column[1:] != column[:-1], True))  # the last patient of each group of ties
        positives = _middle(np.cumsum(is_positive)[ends])
        negatives = _middle(np.cumsum(~is_positive)[ends])
        if len(ends) < len(column):
            sizes = np.diff(ends, prepend=-1)
            positives, negatives = np.repeat(positives, sizes), np.repeat(negatives, sizes)
        counts[order] = np.where(is_positive, negatives, total - positives)
        of_positives[k], of_negatives[k] = counts[positive], counts[~positive]
    return of_positives, of_negatives


def areas(of_positives: NDArray[np.float64], of_negatives: NDArray[np.float64]) -> NDArray[np.float64]:
    """AUCs ``(k,)`` from their :func:`placements`, or differences of AUCs from differences of both."""
    return of_positives.sum(axis=1) / (of_positives.shape[1] * of_negatives.shape[1])


def covariance_of_areas(of_positives: NDArray[np.float64], of_negatives: NDArray[np.float64]) -> NDArray[np.float64]:
    """DeLong's covariance ``(k, k)`` of the AUCs from their :func:`placements`, or of differences of both.

    Missing (NaN) with one patient in a class. Exactly 0 where no patient's count differs from another's.
    The arrays are used up: they come back centred, which spares a copy of them.
    """
    m, n = of_positives.shape[1], of_negatives.shape[1]
    return _of_mean(of_positives) / n**2 + _of_mean(of_negatives) / m**2


def variances_by_class(of_positives: NDArray[np.float64], of_negatives: NDArray[np.float64]) -> NDArray[np.float64]:
    """What positives and negatives give to the variance of one area, ``(2,)``, as in :func:`covariance_of_areas`."""
    m, n = of_positives.shape[1], of_negatives.shape[1]
    return np.array([_of_mean(of_positives)[0, 0] / n**2, _of_mean(of_negatives)[0, 0] / m**2])


def check_one_score(labels: ArrayLike, scores: ArrayLike) -> tuple[Labels, NDArray[np.float64]]:
    """Labels ``(n,)`` and one score ``(n, 1)``, checked as by :func:`~her2study.evaluation.checks.check_scores`."""
    labels, matrix = check_scores(labels, scores)
    if matrix.shape[1] != 1:
        raise StudyError(f"scores have shape {matrix.shape}; they must be (n,): give one model's column at a time")
    return labels, matrix


def _middle(cumulated: NDArray[np.int64]) -> NDArray[np.float64]:
    """How many of a class come before the middle of each group: those before it and half of its own."""
    before = np.append(0, cumulated[:-1])
    return (before + cumulated) / 2


def _of_mean(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Covariance of the means of the rows, ``(k, k)``."""
    models, patients = counts.shape
    if patients < 2:
        return np.full((models, models), np.nan)
    # a sum of halves is exact, and so is the mean of equal counts
    counts -= counts.mean(axis=1, keepdims=True)
    return counts @ counts.T / (patients - 1) / patients
