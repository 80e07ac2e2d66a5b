"""Intraclass correlation: how well several readers' measurements agree, with its model named."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import f as f_distribution

from her2study.evaluation.intervals import Interval, z_value
from her2study.types import StudyError

UNDEFINED = Interval(np.nan, np.nan, np.nan)

ABSOLUTE = "two-way random, single, absolute agreement"
"""The model of the agreement table: other readers could have read, and a reader who always measures more disagrees."""

ICC_MODELS = {
    "one-way random, single": "ICC(1,1)",
    ABSOLUTE: "ICC(2,1)",
    "two-way mixed, single, consistency": "ICC(3,1)",
    "one-way random, average": "ICC(1,k)",
    "two-way random, average, absolute agreement": "ICC(2,k)",
    "two-way mixed, average, consistency": "ICC(3,k)",
}
"""Models of :func:`icc` with their short names (Shrout and Fleiss 1979)."""


def icc(ratings: ArrayLike, model: str = ABSOLUTE, confidence: float = 0.95) -> Interval:
    r"""Intraclass correlation of several readers' measurements, with its interval from F distributions.

    With mean squares between patients (MSB), readers (MSJ), residual (MSE) and within patients (MSW),
    n patients and k readers, the single-reader forms are

    .. math::

        ICC(1,1) = \frac{MSB - MSW}{MSB + (k-1) MSW}, \quad
        ICC(2,1) = \frac{MSB - MSE}{MSB + (k-1) MSE + k (MSJ - MSE) / n}, \quad
        ICC(3,1) = \frac{MSB - MSE}{MSB + (k-1) MSE}.

    An ``average`` form is that of the mean of the k readers (Spearman-Brown).

    Parameters
    ----------
    ratings : array_like, (n, readers)
        Complete measurements, a row a patient, in any one unit.
    model : str
        One of :data:`ICC_MODELS`. *One-way random*: each patient has other readers. *Two-way random,
        absolute agreement*: the readers stand for others, and one who always measures more disagrees.
        *Two-way mixed, consistency*: these readers only, and a constant shift is forgiven.
    confidence : float
        Of the interval.

    Returns
    -------
    Interval
        Missing with fewer than two patients or when all patients measure the same. Negative when readers
        differ more within patients than patients do; an average form has no value where the single one is
        -1 / (k - 1) or less. Perfect agreement gives the point 1. The interval of absolute agreement rests on
        Satterthwaite's approximation; where that breaks down (a handful of patients, negative estimates) and
        would not hold the estimate, it is missing.

    Raises
    ------
    StudyError
        ``ratings`` is not (n, 2 or more readers), a measurement is missing or the model is unknown.

    References
    ----------
    Shrout and Fleiss, Psychological Bulletin 1979; McGraw and Wong, Psychological Methods 1996. R:
    ``psych::ICC(lmer = FALSE)``.
    """
    if model not in ICC_MODELS:
        raise StudyError(f"icc: unknown model {model!r}; use one of: {'; '.join(ICC_MODELS)}")
    matrix = measurements(ratings)
    if matrix.ndim != 2 or matrix.shape[1] < 2:
        raise StudyError(f"icc: ratings have shape {matrix.shape}; they must be (patients, two or more readers)")
    n, k = matrix.shape
    z_value(confidence)  # refuses what is no confidence
    if n < 2 or np.ptp(matrix) == 0:
        return UNDEFINED
    squares = _mean_squares(matrix)
    if squares.patients == 0 == squares.residual:
        return UNDEFINED  # patients alike, readers apart by a constant: 0/0
    return (
        _absolute(model, squares, n, k, confidence) if "absolute" in model else _plain(model, squares, n, k, confidence)
    )


class _Squares(NamedTuple):
    """Mean squares of the two-way analysis of variance without interaction."""

    patients: float
    readers: float
    residual: float
    within: float


def _mean_squares(matrix: NDArray) -> _Squares:
    n, k = matrix.shape
    centred = matrix - matrix.mean()
    patients, readers = centred.mean(axis=1, keepdims=True), centred.mean(axis=0, keepdims=True)
    sums = [k * (patients**2).sum(), n * (readers**2).sum(), ((centred - patients - readers) ** 2).sum()]
    noise = 1e-24 * (matrix**2).sum()  # what rounding alone leaves of a sum that is zero
    between, judges, residual = (float(total) if total > noise else 0.0 for total in sums)
    within = (residual + judges) / (n * (k - 1))
    return _Squares(between / (n - 1), judges / (k - 1), residual / ((n - 1) * (k - 1)), within)


def _plain(model: str, squares: _Squares, n: int, k: int, confidence: float) -> Interval:
    """One-way and consistency forms: a ratio of two mean squares."""
    one_way, average = model.startswith("one-way"), "average" in model
    error, degrees = (squares.within, n * (k - 1)) if one_way else (squares.residual, (n - 1) * (k - 1))

    def at(f: float) -> float:
        return _ratio(squares.patients - f * error, squares.patients + (0 if average else (k - 1) * f * error))

    low, high = _quantiles(n - 1, degrees, confidence)
    return Interval(at(1.0), at(low), at(high))


def _absolute(model: str, squares: _Squares, n: int, k: int, confidence: float) -> Interval:
    """Absolute agreement, whose denominator mixes two mean squares: Satterthwaite's degrees of freedom."""
    between, readers, error = squares[:3]

    def at(f: float, average: bool = False) -> float:
        mixed = readers - error if average else k * readers + (k * n - k - n) * error
        return _ratio(n * (between - f * error), f * mixed + n * between)

    single = at(1.0)
    # both sides of Satterthwaite's ratio multiplied by error squared, which may be zero
    a, b = k * single * readers, (n * (1 + (k - 1) * single) - k * single) * error
    degrees = (k - 1) * (n - 1) * (a + b) ** 2 / ((n - 1) * a**2 + b**2) if a or b else k - 1
    with np.errstate(all="ignore"):  # hardly a degree of freedom may be left
        low, high = _quantiles(n - 1, degrees, confidence)
        holds = at(low) <= single <= at(high)
        found = [at(f, "average" in model) for f in (1.0, low, high)]
    return Interval(*found) if holds else Interval(found[0], np.nan, np.nan)


def _quantiles(above: float, below: float, confidence: float) -> tuple[float, float]:
    """Values of F, a ratio of mean squares, that bound the lower and the upper limit."""
    tail = (1 - confidence) / 2
    return float(f_distribution.isf(tail, above, below)), float(1 / f_distribution.isf(tail, below, above))


def _ratio(top: float, bottom: float) -> float:
    """Missing where the denominator is not above zero, rounding aside."""
    return top / bottom if bottom > 1e-12 * abs(top) else np.nan


def measurements(values: ArrayLike) -> NDArray[np.float64]:
    """Finite numbers, or an error that names the first that is none."""
    try:
        numbers = np.asarray(values, dtype="float64")
    except (TypeError, ValueError):
        raise StudyError(f"readers: {values!r} are no numbers; give ordered levels as 0, 1, 2...") from None
    if not np.isfinite(numbers).all():
        raise StudyError(
            f"readers: row {int(np.argwhere(~np.isfinite(numbers))[0][0])} lacks a reading; leave out incomplete rows"
        )
    return numbers
