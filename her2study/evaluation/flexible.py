"""The flexible calibration curve, its band, the errors read from it, and grouped points.

The curve is a logistic regression of the outcome on a restricted cubic spline of the predicted log
odds (restricted: linear in the tails; Harrell 2015; Austin and Steyerberg, Statistics in Medicine 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from her2study.evaluation.bootstrap import resample, weighted_logistic, weighted_mean
from her2study.evaluation.checks import check_scores, safe_logit
from her2study.evaluation.intervals import Interval, percentile, wilson

KNOT_QUANTILES = {4: (0.05, 0.35, 0.65, 0.95), 3: (0.1, 0.5, 0.9)}
"""Harrell's places for four and for three knots."""

SMALL_SAMPLE = 100
"""Below this number of patients the spline has three knots: four would follow the noise."""

CURVE_POINTS = 60
CURVE_RANGE = (0.01, 0.99)
"""Quantiles of the predictions between which the curve is drawn: beyond them it has no patients."""


class CalibrationErrors(NamedTuple):
    """Absolute distance between curve and prediction over patients: mean, median, 90th percentile, largest."""

    ici: Interval
    e50: float
    e90: float
    emax: float


def calibration_errors(
    labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> CalibrationErrors:
    """ICI with bootstrap interval, E50, E90 and Emax of probabilities ``(n,)``.

    The ICI of a perfectly calibrated model is not 0 but the noise of the curve, which resampling
    doubles: its interval errs upwards. Raises as :func:`her2study.evaluation.roc.auc`.
    """
    labels, matrix = check_scores(labels, probabilities)
    p = matrix[:, 0]
    design = _spline_design(p)(p)

    def distances(weights: NDArray) -> NDArray:
        return np.abs(expit(weighted_logistic(design, labels, weights) @ design.T) - p)

    def ici(weights: NDArray) -> NDArray:
        return (weights * distances(weights)).sum(axis=1) / weights.sum(axis=1)

    distance = distances(np.ones((1, len(labels))))[0]
    drawn = resample(ici, np.zeros(len(labels)), resamples, seed)
    e50, e90 = np.quantile(distance, [0.5, 0.9])
    interval = percentile(float(distance.mean()), drawn, confidence)
    return CalibrationErrors(interval, float(e50), float(e90), float(distance.max()))


def calibration_curve(
    labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """The curve with its pointwise bootstrap band: ``predicted, observed, low, high``.

    Knots stay where the whole sample has them. A constant prediction has one point.
    """
    labels, matrix = check_scores(labels, probabilities)
    p = matrix[:, 0]
    spline = _spline_design(p)
    grid = np.unique(np.linspace(*np.quantile(p, CURVE_RANGE), CURVE_POINTS))
    design, on_grid = spline(p), spline(grid)

    def curve(weights: NDArray) -> NDArray:
        return expit(weighted_logistic(design, labels, weights) @ on_grid.T)

    observed = curve(np.ones((1, len(labels))))[0]
    drawn = resample(curve, np.zeros(len(labels)), resamples, seed)
    bands = [percentile(float(o), column, confidence) for o, column in zip(observed, drawn.T, strict=True)]
    low, high = (np.array([getattr(band, end) for band in bands]) for end in ("low", "high"))
    return pd.DataFrame({"predicted": grid, "observed": observed, "low": low, "high": high})


def calibration_bins(
    labels: ArrayLike, probabilities: ArrayLike, groups: int = 10, confidence: float = 0.95
) -> pd.DataFrame:
    """Mean prediction and observed share of groups of equal size: ``predicted, observed, low, high, n``.

    Wilson intervals; fewer groups where ties or fewer than 10 patients a group ask for it.
    """
    labels, matrix = check_scores(labels, probabilities)
    p = matrix[:, 0]
    member = quantile_groups(p, max(2, min(groups, len(p) // 10)))
    weights = (member[None, :] == np.arange(member.max() + 1)[:, None]).astype(float)
    n, predicted, positives = weights.sum(axis=1), weighted_mean(p, weights), weights @ labels
    shares = [wilson(float(k), float(size), confidence) for k, size in zip(positives, n, strict=True)]
    frame = pd.DataFrame(shares, columns=["observed", "low", "high"])
    return frame.assign(predicted=predicted, n=n.astype(np.int64))[["predicted", "observed", "low", "high", "n"]]


def quantile_groups(values: NDArray[np.float64], groups: int) -> NDArray[np.int64]:
    """Group ``(n,)`` of each value, 0 upwards, of about equal size; equal values share a group."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, groups + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, values, side="left"), return_inverse=True)[1]


def spline_basis(values: NDArray[np.float64], knots: NDArray[np.float64]) -> NDArray[np.float64]:
    """Restricted cubic spline of ``values`` ``(n,)`` as ``(n, knots - 1)`` columns, the first linear.

    Harrell's truncated power basis, divided by the squared distance of the outer knots as in
    ``rms::rcs``; linear beyond the outer knots. Fewer than three knots give a straight line.
    """
    last = len(knots) - 1
    columns = [values]
    for knot in knots[:-2] if len(knots) > 2 else ():
        gap = knots[last] - knots[last - 1]
        term = (
            _cubed(values - knot)
            - _cubed(values - knots[last - 1]) * (knots[last] - knot) / gap
            + _cubed(values - knots[last]) * (knots[last - 1] - knot) / gap
        )
        columns.append(term / (knots[last] - knots[0]) ** 2)
    return np.column_stack(columns)


def _spline_design(p: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """The curve's design as a function of probabilities, with knots where ``p`` has its quantiles.

    Predictions with too few distinct values to bend get a straight line, a constant one an intercept.
    """
    places = KNOT_QUANTILES[3 if len(p) < SMALL_SAMPLE else 4]
    quantiles = np.unique(np.quantile(safe_logit(p), places))
    for knots in (quantiles, quantiles[:0]):

        def design(values: NDArray[np.float64], knots: NDArray[np.float64] = knots) -> NDArray[np.float64]:
            return np.column_stack([np.ones(len(values)), spline_basis(safe_logit(values), knots)])

        at_p = design(p)
        if np.linalg.matrix_rank(at_p) == at_p.shape[1]:
            return design
    return lambda values: np.ones((len(values), 1))


def _cubed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(values, 0) ** 3
