"""The flexible calibration curve, its band, the errors read from it, and grouped points.

The curve is a logistic regression of the outcome on a restricted cubic spline of the predicted log
odds (restricted: linear in the tails; Harrell 2015; Austin and Steyerberg, Statistics in Medicine 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from her2study.evaluation.bootstrap import resample, weighted_logistic, weighted_mean
from her2study.evaluation.checks import check_probabilities, safe_logit
from her2study.evaluation.intervals import Interval, percentile, wilson
from her2study.models.splines import spline_basis

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
    e50: Interval
    e90: Interval
    emax: Interval


def calibration_errors(
    labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> CalibrationErrors:
    """ICI, E50, E90 and Emax: how far predictions lie from the flexible curve ``f``, over the patients.

    ``d = |f(p) - p|`` for each patient; ICI is its mean, E50 its median, E90 its 90th percentile, Emax its largest.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    probabilities : array (n,)
        Predicted probabilities, 0 to 1.
    confidence : float
    resamples, seed : int
        Of the ordinary bootstrap, in which the curve is fitted again with its knots in place.

    Returns
    -------
    CalibrationErrors
        ``ici, e50, e90, emax``, on the scale of probabilities (0 to 1), each with its percentile interval.

    Raises
    ------
    StudyError
        A probability outside 0-1 or not finite, labels that are not two classes, other lengths; the row is named.

    References
    ----------
    Austin and Steyerberg, Statistics in Medicine 2019. Curve as ``rms::lrm(y ~ rcs(qlogis(p), knots))``, quantiles
    as R's ``quantile`` (type 7). ``Eavg``, ``E90`` and ``Emax`` of ``rms::val.prob`` are read from a lowess of
    ``y`` on ``p`` and are other numbers.

    Notes
    -----
    None is 0 for a perfectly calibrated model, but the noise of the curve, which resampling doubles: the intervals
    err upwards, the more so the fewer the patients. Of a constant prediction all four are its distance to the
    prevalence. Where predictions separate the classes the curve steps from 0 to 1. Probabilities of 0 and 1 are
    moved to 0.0001 and 0.9999 for the curve only.
    """
    labels, matrix = check_probabilities(labels, probabilities)
    p = matrix[:, 0]
    design = _spline_design(p)(p)

    def errors(weights: NDArray) -> NDArray:
        distances = np.abs(expit(weighted_logistic(design, labels, weights) @ design.T) - p)
        mean = (weights * distances).sum(axis=1) / weights.sum(axis=1)
        largest = np.where(weights > 0, distances, 0).max(axis=1)
        return np.column_stack([mean, *weighted_quantiles(distances, weights, (0.5, 0.9)), largest])

    estimates = errors(np.ones((1, len(labels))))[0]
    drawn = resample(errors, np.zeros(len(labels)), resamples, seed)
    return CalibrationErrors(
        *(percentile(float(e), column, confidence) for e, column in zip(estimates, drawn.T, strict=True))
    )


def calibration_curve(
    labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """The flexible calibration curve: share of outcomes against predicted probability, with a band.

    Logistic regression of the outcome on a restricted cubic spline of the predicted log odds, drawn between the
    1st and the 99th percentile of the predictions. Four knots at their 5th, 35th, 65th and 95th percentiles; below
    100 patients three, at the 10th, 50th and 90th.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    probabilities : array (n,)
        Predicted probabilities, 0 to 1.
    confidence : float
    resamples, seed : int
        Of the ordinary bootstrap, in which the curve is fitted again with its knots in place.

    Returns
    -------
    DataFrame
        ``predicted, observed, low, high``, all probabilities: 60 points, with the pointwise percentile band.

    Raises
    ------
    StudyError
        A probability outside 0-1 or not finite, labels that are not two classes, other lengths; the row is named.

    References
    ----------
    Harrell, Regression Modeling Strategies, 2015. Austin and Steyerberg, Statistics in Medicine 2019.
    R: ``predict(rms::lrm(y ~ rcs(qlogis(p), knots)), type = "fitted")``.

    Notes
    -----
    Predictions with too few distinct values to bend get a straight line on the log odds; a constant one has a
    single point, at the prevalence. Where predictions separate the classes the curve steps from 0 to 1.
    """
    labels, matrix = check_probabilities(labels, probabilities)
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
    labels, matrix = check_probabilities(labels, probabilities)
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


def weighted_quantiles(
    values: NDArray[np.float64], weights: NDArray[np.float64], quantiles: Sequence[float]
) -> list[NDArray[np.float64]]:
    """Quantiles (type 7 of R) of each row of ``values`` ``(r, n)``, each taken ``weights`` times; ``(r,)`` each."""
    order = np.argsort(values, axis=1)
    ordered, until = np.take_along_axis(values, order, 1), np.cumsum(np.take_along_axis(weights, order, 1), axis=1)
    rows, found = np.arange(len(values)), []
    for quantile in quantiles:
        place = (until[:, -1] - 1) * quantile
        below, above = (ordered[rows, (until <= end[:, None]).sum(axis=1)] for end in (np.floor(place), np.ceil(place)))
        found.append(below + (place - np.floor(place)) * (above - below))
    return found


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
