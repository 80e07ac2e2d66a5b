"""What every statistic asks of its input, in one place: labels of two classes, finite scores, real probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit

from her2study.types import Labels, StudyError

PROBABILITY_FLOOR = 1e-4
"""Probabilities nearer to 0 or 1 than this are moved here before a logit, which is infinite at 0 and 1."""


def check_scores(labels: ArrayLike, scores: ArrayLike) -> tuple[Labels, NDArray[np.float64]]:
    """Labels ``(n,)`` and scores ``(n, k)`` as arrays, or a StudyError that names the first bad row."""
    labels, matrix = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    if labels.ndim != 1 or matrix.ndim != 2 or len(labels) != len(matrix):
        raise StudyError(
            f"labels have shape {labels.shape} and scores {matrix.shape}; they must be (n,) and (n, models)"
        )
    bad = ~np.isin(labels, (0, 1))
    if bad.any():
        row = int(np.argmax(bad))
        raise StudyError(
            f"row {row}: the label is {labels[row]}; it must be 0 or 1, and patients without a label left out"
        )
    labels = labels.astype(np.int64)
    if labels.min(initial=1) == labels.max(initial=0):
        raise StudyError(f"all {len(labels)} labels are {labels[0]}; an ROC curve needs positives and negatives")
    if len(labels) == 0:
        raise StudyError("no patients: an ROC curve needs positives and negatives")
    finite = np.isfinite(matrix)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise StudyError(f"row {row}, model {column}: the score is {matrix[row, column]}; every score must be finite")
    return labels, matrix


def check_probabilities(labels: ArrayLike, probabilities: ArrayLike) -> tuple[Labels, NDArray[np.float64]]:
    """As :func:`check_scores`, and every value is a probability.

    Raises
    ------
    StudyError
        A value lies outside 0-1 (log odds, percentages), naming the first such row and how many there are.
    """
    labels, matrix = check_scores(labels, probabilities)
    outside = (matrix < 0) | (matrix > 1)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise StudyError(
            f"row {row}, model {column}: the probability is {matrix[row, column]:g}; it must lie from 0 to 1 "
            f"({int(outside.sum())} such values): turn log odds x into 1 / (1 + exp(-x)), divide percentages by 100"
        )
    return labels, matrix


def safe_logit(probabilities: ArrayLike) -> np.ndarray:
    """Log odds, with probabilities kept :data:`PROBABILITY_FLOOR` away from 0 and 1."""
    return logit(np.clip(np.asarray(probabilities, float), PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR))
