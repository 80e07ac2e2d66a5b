"""Metrics of many resamples at once: each takes weights ``(resamples, n)``, how often every patient was drawn."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Weights: TypeAlias = NDArray[np.float64]
"""How often each patient was drawn in each resample, ``(resamples, n)``."""


def weighted_auc(labels: NDArray, scores: NDArray, weights: Weights) -> NDArray[np.float64]:
    """AUC of each resample, ``(resamples, k)``, of scores ``(n, k)``; ties count one half.

    Patients are sorted once; walking up the scores, each positive's weight meets the weight of the
    negatives below it and half of those tied with it. Missing in a resample without one of the classes.
    """
    positive = labels == 1
    areas = np.empty((len(weights), scores.shape[1]))
    pairs = weights[:, positive].sum(axis=1) * weights[:, ~positive].sum(axis=1)
    for k, column in enumerate(scores.T):
        positives, everyone = _by_score(column, positive, weights)
        negatives = everyone - positives
        below = np.cumsum(negatives, axis=1) - negatives / 2
        areas[:, k] = _ratio(np.einsum("rg,rg->r", positives, below), pairs, np.nan)
    return areas


def weighted_average_precision(labels: NDArray, scores: NDArray, weights: Weights) -> NDArray[np.float64]:
    """Average precision of each resample, ``(resamples, k)``, of scores ``(n, k)``.

    ``Σ (R_g - R_(g-1)) P_g`` over the distinct scores from the highest down, with recall R and precision P of
    those at or above; tied patients enter together. Missing in a resample without positives.
    """
    positive = labels == 1
    values = np.empty((len(weights), scores.shape[1]))
    total = weights[:, positive].sum(axis=1)
    for k, column in enumerate(scores.T):
        positives, everyone = _by_score(-column, positive, weights)
        precision = _ratio(np.cumsum(positives, axis=1), np.cumsum(everyone, axis=1), 0.0)  # 0 before the first drawn
        values[:, k] = _ratio(np.einsum("rg,rg->r", positives, precision), total, np.nan)
    return values


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


def _by_score(column: NDArray, positive: NDArray, weights: Weights) -> tuple[NDArray, NDArray]:
    """Weight of the positives and of everyone at each distinct score, upwards: two arrays ``(resamples, scores)``."""
    order = np.argsort(column, kind="stable")
    column = column[order]
    everyone = weights[:, order]
    positives = everyone * positive[order]
    starts = np.flatnonzero(np.append(True, column[1:] != column[:-1]))
    if len(starts) == len(column):
        return positives, everyone
    return np.add.reduceat(positives, starts, axis=1), np.add.reduceat(everyone, starts, axis=1)


def _ratio(above: NDArray, below: NDArray, otherwise: float) -> NDArray[np.float64]:
    """``above / below``, and ``otherwise`` where ``below`` is 0."""
    return np.divide(above, below, out=np.full(np.shape(above), otherwise), where=below > 0)
