"""The bootstrap of any metric, vectorised: a resample is a row of counts, not a copy of the data.

How often each patient was drawn is a weight; a metric that takes weights ``(resamples, n)`` is computed
for all resamples by a few matrix products.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from her2study.evaluation.checks import check_scores
from her2study.evaluation.intervals import Interval, percentile

Weights = NDArray[np.float64]
"""How often each patient was drawn in each resample, ``(resamples, n)``."""

CHUNK_VALUES = 4_000_000
"""Weights held at once (32 MB), so that memory does not grow with the number of resamples."""


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
    per_chunk = max(1, CHUNK_VALUES // len(strata))
    sizes = [min(per_chunk, resamples - start) for start in range(0, resamples, per_chunk)]
    return np.concatenate([metric(_draw(strata, size, rng)) for size in sizes])


def weighted_auc(labels: NDArray, scores: NDArray, weights: Weights) -> NDArray[np.float64]:
    """AUC of each resample, ``(resamples, k)``, of scores ``(n, k)``; ties count one half.

    Patients are sorted once; walking down the scores, each positive's weight meets the weight of the
    negatives below it and half of those tied with it.
    """
    positive = labels == 1
    areas = np.empty((len(weights), scores.shape[1]))
    pairs = weights[:, positive].sum(axis=1) * weights[:, ~positive].sum(axis=1)
    for k, column in enumerate(scores.T):
        order = np.argsort(column, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(column[order]) > 0])
        in_order, is_positive = weights[:, order], positive[order]
        positives = np.add.reduceat(in_order * is_positive, starts, axis=1)
        negatives = np.add.reduceat(in_order * ~is_positive, starts, axis=1)
        below = np.cumsum(negatives, axis=1) - negatives / 2
        areas[:, k] = np.einsum("rg,rg->r", positives, below) / pairs
    return areas


def bootstrap_auc(
    labels: ArrayLike, scores: ArrayLike, resamples: int = 2000, seed: int = 0, confidence: float = 0.95
) -> list[Interval]:
    """AUC of each model with its stratified bootstrap percentile interval; scores ``(n,)`` or ``(n, k)``.

    All models share their resamples. Raises as :func:`her2study.evaluation.roc.auc`.
    """
    labels, scores = check_scores(labels, scores)
    estimates = weighted_auc(labels, scores, np.ones((1, len(labels))))[0]
    drawn = resample(lambda weights: weighted_auc(labels, scores, weights), labels, resamples, seed)
    return [percentile(float(e), column, confidence) for e, column in zip(estimates, drawn.T, strict=True)]


def weighted_mean(values: NDArray, weights: Weights) -> NDArray[np.float64]:
    """Mean of ``values`` ``(n,)`` or ``(n, k)`` in each resample; missing where nobody was drawn."""
    total = weights.sum(axis=1)
    total = np.where(total > 0, total, np.nan)
    return weights @ values / (total if values.ndim == 1 else total[:, None])


def weighted_logistic(
    design: NDArray, labels: NDArray, weights: Weights, iterations: int = 50, tolerance: float = 1e-9
) -> NDArray[np.float64]:
    """Coefficients ``(resamples, p)`` of the logistic regression of each resample, by Newton's method.

    ``design`` is ``(n, p)`` of full rank and holds its own intercept column. All resamples are fitted at
    once. One without a finite solution (separated classes) stops at fitted values of nearly 0 and 1.
    """
    n, p = design.shape
    q, r = np.linalg.qr(design)  # spline columns are nearly collinear; on orthonormal ones Newton is well behaved
    q, r = q * np.sqrt(n), r / np.sqrt(n)
    products = (q[:, :, None] * q[:, None, :]).reshape(n, p * p)
    ridge = 1e-9 * n * np.eye(p)  # far below the noise; keeps a resample invertible that lost a column
    beta = np.zeros((len(weights), p))
    for _ in range(iterations):
        fitted = expit(beta @ q.T)
        gradient = (weights * (labels - fitted)) @ q
        hessian = ((weights * fitted * (1 - fitted)) @ products).reshape(-1, p, p) + ridge
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        # Far from the solution the quadratic is wrong: no fitted log odds may change by more than 3 at once.
        reach = np.abs(step @ q.T).max(axis=1, keepdims=True)
        beta += step * np.minimum(1, 3 / np.maximum(reach, 1e-300))
        if reach.max() < tolerance:
            break
    return np.linalg.solve(r, beta.T).T


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
