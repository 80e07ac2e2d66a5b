"""The bootstrap of any metric, vectorised: a resample is a row of counts, not a copy of the data.

How often each patient was drawn is a weight; a metric that takes weights ``(resamples, n)`` is computed
for all resamples by a few matrix products. Such metrics stand in :mod:`her2study.evaluation.weighted` and can be
had from here as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from her2study.evaluation.checks import check_scores
from her2study.evaluation.intervals import Interval, bca, percentile, z_value
from her2study.evaluation.weighted import (
    Weights,
    weighted_auc,
    weighted_average_precision,
    weighted_logistic,
    weighted_mean,
)
from her2study.types import Labels, StudyError

__all__ = [
    "Metric",
    "Weights",
    "bootstrap",
    "bootstrap_auc",
    "plain_metric",
    "resample",
    "weighted_auc",
    "weighted_average_precision",
    "weighted_logistic",
    "weighted_mean",
]

Metric: TypeAlias = Callable[[Labels, NDArray[np.float64], Weights], NDArray[np.float64]]
"""``metric(labels (n,), scores (n, k), weights (r, n))`` gives values ``(r, k)``."""

CHUNK_VALUES = 4_000_000
"""Weights held at once (32 MB), so that memory does not grow with the number of resamples."""


def bootstrap(
    metric: Metric,
    labels: ArrayLike,
    scores: ArrayLike,
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
    method: Literal["percentile", "bca"] = "percentile",
    stratified: bool = True,
) -> list[Interval]:
    """Bootstrap interval of any metric of labels and scores, for every model at once.

    Patients are drawn with replacement, and all models share their draws. ``percentile``: the quantiles of the
    replicates. ``bca``: the quantiles at ``Φ(z0 + (z0 ± z) / (1 - a (z0 ± z)))``, with the bias correction z0 and
    the acceleration a of :func:`~her2study.evaluation.intervals.bca`.

    An interval is widened to hold its estimate. Replicates without a value are left out (an unstratified
    resample may lack a class). Where all replicates agree (perfect separation, a constant score) the
    interval collapses to them: a limit of the method, not certainty. The only patient of a class is in every
    stratified resample, so the interval then speaks of the other class alone.

    Parameters
    ----------
    metric : callable
        ``metric(labels (n,), scores (n, k), weights (r, n))`` gives ``(r, k)``, for instance
        :func:`weighted_auc`; :func:`plain_metric` makes one from ``f(labels, score)``.
    labels : array (n,)
        0 or 1.
    scores : array (n,) or (n, k)
        Any finite scale; one column a model.
    resamples, seed : int
        Same numbers, same result.
    confidence : float
        Coverage, strictly between 0 and 1.
    method : "percentile" or "bca"
    stratified : bool
        Draw within the classes (the share of positives stays as it is), or from everyone.

    Returns
    -------
    list of Interval
        Estimate, low, high of each of the k models.

    Raises
    ------
    StudyError
        As :func:`~her2study.evaluation.roc.auc`, or ``resamples``, ``confidence`` or ``method`` is none of the above.

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 14.
    Python: ``scipy.stats.bootstrap``; R: ``pROC::ci.auc(roc, method = "bootstrap")`` (percentile).
    """
    z_value(confidence)
    if method not in ("percentile", "bca"):
        raise StudyError(f"bootstrap method {method!r}; it must be 'percentile' or 'bca'")
    if resamples < 1:
        raise StudyError(f"{resamples} bootstrap resamples; there must be at least 1, for an interval some 1000")
    labels, matrix = check_scores(labels, scores)

    def values(weights: Weights) -> NDArray[np.float64]:
        return metric(labels, matrix, weights)

    strata = labels if stratified else np.zeros(len(labels), int)
    estimates = values(np.ones((1, len(labels))))[0].tolist()
    drawn = resample(values, strata, resamples, seed)
    if method == "percentile":
        return [percentile(e, column, confidence) for e, column in zip(estimates, drawn.T, strict=True)]
    groups = [np.flatnonzero(strata == value) for value in np.unique(strata)]
    without = [_leave_one_out(values, group, len(labels)) for group in groups if len(group) > 1]
    return [bca(e, drawn[:, k], [part[:, k] for part in without], confidence) for k, e in enumerate(estimates)]


def plain_metric(function: Callable[[NDArray, NDArray], float]) -> Metric:
    """A metric for :func:`bootstrap` from a plain ``function(labels, score)``, such as scikit-learn's.

    Slow: it is called once a resample and model, on repeated rows. A resample that lacks a class, which
    most functions refuse, has no value.
    """

    def metric(labels: Labels, scores: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
        values = np.full((len(weights), scores.shape[1]), np.nan)
        for row, counts in enumerate(weights.astype(np.int64)):
            drawn = np.repeat(np.arange(len(labels)), counts)
            if len(np.unique(labels[drawn])) == 2:
                values[row] = [function(labels[drawn], column) for column in scores[drawn].T]
        return values

    return metric


def bootstrap_auc(
    labels: ArrayLike, scores: ArrayLike, resamples: int = 2000, seed: int = 0, confidence: float = 0.95
) -> list[Interval]:
    """AUC of each model with its stratified percentile interval: :func:`bootstrap` of :func:`weighted_auc`."""
    return bootstrap(weighted_auc, labels, scores, resamples, seed, confidence)


def resample(
    metric: Callable[[Weights], NDArray[np.float64]], strata: ArrayLike, resamples: int, seed: int
) -> NDArray[np.float64]:
    """Values of ``metric`` in each resample, ``(resamples, ...)``.

    Parameters
    ----------
    metric : callable
        Maps weights ``(r, n)`` to ``(r, ...)``.
    strata : array (n,)
        Patients are drawn with replacement within each value: the labels for a stratified bootstrap
        (the share of positives stays fixed), all equal for an ordinary one (it varies too).
    resamples, seed : int
        Same numbers, same result.
    """
    strata = np.asarray(strata)
    rng = np.random.default_rng([seed, len(strata)])
    return np.concatenate([metric(_draw(strata, size, rng)) for size in _chunks(resamples, len(strata))])


def _chunks(rows: int, width: int) -> list[int]:
    """How many rows of weights at a time."""
    most = max(1, CHUNK_VALUES // width)
    return [min(most, rows - start) for start in range(0, rows, most)]


def _leave_one_out(
    values: Callable[[Weights], NDArray[np.float64]], members: NDArray[np.int64], n: int
) -> NDArray[np.float64]:
    """The metric without each of these patients, ``(members, k)``."""
    parts, start = [], 0
    for size in _chunks(len(members), n):
        weights = np.ones((size, n))
        weights[np.arange(size), members[start : start + size]] = 0
        parts.append(values(weights))
        start += size
    return np.concatenate(parts)


def _draw(strata: NDArray, resamples: int, rng: np.random.Generator) -> Weights:
    """Weights of ``resamples`` draws with replacement within each stratum."""
    weights = np.empty((resamples, len(strata)))
    for value in np.unique(strata):
        members = np.flatnonzero(strata == value)
        # one bincount for all rows: the draw of row r is shifted into its own range of counts
        drawn = rng.integers(0, len(members), size=(resamples, len(members)))
        drawn += np.arange(resamples)[:, None] * len(members)
        counts = np.bincount(drawn.ravel(), minlength=resamples * len(members))
        weights[:, members] = counts.reshape(resamples, len(members))
    return weights
