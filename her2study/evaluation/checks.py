"""What every statistic asks of its input, in one place: labels of two classes, finite scores, real probabilities."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit

from her2study.types import Labels, StudyError

PROBABILITY_FLOOR = 1e-4
"""Probabilities nearer to 0 or 1 than this are moved here before a logit, which is infinite at 0 and 1."""

FIRST_ROWS = 5
"""Offending rows that an error names."""


def check_scores(labels: ArrayLike, scores: ArrayLike) -> tuple[Labels, NDArray[np.float64]]:
    """Labels ``(n,)`` and scores ``(n, k)`` as arrays.

    Raises
    ------
    StudyError
        The shapes do not fit; there are no patients; a label is not 0 or 1 (a missing one included); all labels
        are the same; a score is no finite number. The first bad row is named, counted from 0, and a few more.
    """
    labels, matrix = np.asarray(labels), _numbers(scores)
    matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    if labels.ndim != 1 or matrix.ndim != 2 or len(labels) != len(matrix):
        raise StudyError(
            f"labels have shape {labels.shape} and scores {matrix.shape}; they must be (n,) and (n, models)"
        )
    if len(labels) == 0:
        raise StudyError("no patients: an ROC curve needs positives and negatives")
    given = labels
    if labels.dtype.kind not in "biuf":  # text and missing values
        labels = pd.to_numeric(pd.Series(labels), errors="coerce").to_numpy(np.float64, na_value=np.nan)
    bad = ~np.isin(labels, (0, 1))
    if bad.any():
        raise StudyError(
            f"row {np.argmax(bad)}: the label is {given[np.argmax(bad)]}; it must be 0 or 1, and patients without a "
            f"label left out{_others(bad)}"
        )
    labels = labels.astype(np.int64)
    if labels.min() == labels.max():
        raise StudyError(f"all {len(labels)} labels are {labels[0]}; an ROC curve needs positives and negatives")
    infinite = ~np.isfinite(matrix)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise StudyError(
            f"row {row}, model {column}: the score is {matrix[row, column]}; every score must be finite: leave a "
            f"patient without a score out of all models{_others(infinite.any(axis=1))}"
        )
    return labels, matrix


def check_probabilities(labels: ArrayLike, probabilities: ArrayLike) -> tuple[Labels, NDArray[np.float64]]:
    """As :func:`check_scores`, and every value is a probability.

    Raises
    ------
    StudyError
        A value lies outside 0-1 (log odds, percentages), naming the first such row and a few more.
    """
    labels, matrix = check_scores(labels, probabilities)
    outside = (matrix < 0) | (matrix > 1)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise StudyError(
            f"row {row}, model {column}: the probability is {matrix[row, column]:g}; it must lie from 0 to 1: turn log "
            f"odds x into 1 / (1 + exp(-x)), divide percentages by 100{_others(outside.any(axis=1))}"
        )
    return labels, matrix


def safe_logit(probabilities: ArrayLike) -> np.ndarray:
    """Log odds, with probabilities kept :data:`PROBABILITY_FLOOR` away from 0 and 1."""
    return logit(np.clip(np.asarray(probabilities, float), PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR))


def _numbers(scores: ArrayLike) -> NDArray[np.float64]:
    """Scores as numbers; a missing one becomes NaN, for the check to name."""
    try:
        return np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError):
        pass
    try:
        table = pd.DataFrame(scores)
    except ValueError as error:
        raise StudyError(f"scores are no table of numbers ({error}); they must be (n,) or (n, models)") from None
    numbers = table.apply(pd.to_numeric, errors="coerce")
    words = (numbers.isna() & table.notna()).to_numpy()
    if words.any():
        row, column = np.argwhere(words)[0]
        raise StudyError(
            f"row {row}, model {column}: the score is {table.iloc[row, column]!r}; every score must be a number"
            f"{_others(words.any(axis=1))}"
        )
    return numbers.to_numpy(np.float64, na_value=np.nan)


def _others(bad: NDArray[np.bool_]) -> str:
    """`` (3 such rows: 2, 5, 7)``, or nothing for a single one."""
    rows = np.flatnonzero(bad)
    if len(rows) == 1:
        return ""
    few = ", ".join(map(str, rows[:FIRST_ROWS])) + (", ..." if len(rows) > FIRST_ROWS else "")
    return f" ({len(rows)} such rows: {few})"
