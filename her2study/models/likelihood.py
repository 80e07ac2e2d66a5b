"""The maximum of a logistic log-likelihood, plain or with Firth's penalty, some coefficients held.

One search serves estimates, likelihood-ratio tests and profile intervals. It works on orthonormal columns,
where Newton's method is well behaved whatever the units; :func:`in_units` leads back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from her2study.types import StudyError

Array = NDArray[np.float64]

CONVERGED = 1e-7
"""A step that moves no fitted log odds by more than this is the last: Newton's next one would be its square."""

LONGEST_STEP = 30.0
"""Largest change of a fitted log odds in one step: where nearly nothing is left to gain, Newton's step has no bound."""

FLAT = 1e-13
"""Long steps that gain less than this, relative to the log-likelihood, run along a separated direction."""

COLLINEAR = 1e-7
"""Share of its standard deviation that a column keeps beside the others; with less it repeats them."""


class LogitFit(NamedTuple):
    """A fitted logistic regression; the intercept comes first in ``coefficients`` and ``covariance``.

    ``log_likelihood`` holds Firth's penalty where ``penalised``.
    """

    coefficients: Array
    covariance: Array
    log_likelihood: float
    n: int
    penalised: bool = False


class Orthonormal(NamedTuple):
    """Intercept and terms as orthonormal columns times root n, and the way back.

    ``matrix (n, p)`` spans the constant and the terms; ``back (p, p)`` makes coefficients of the terms,
    intercept first, from coordinates.
    """

    matrix: Array
    back: Array


class Maximum(NamedTuple):
    """Where the search ended. Not ``finite``: the log-likelihood only has a limit, at infinite coefficients."""

    coefficients: Array
    log_likelihood: float
    information: Array
    finite: bool


def check_design(design: ArrayLike, labels: ArrayLike) -> tuple[Array, Array]:
    """Design ``(n, terms)`` and labels ``(n,)`` as numbers, or a StudyError that names the first bad row."""
    matrix, outcome = np.asarray(design, dtype=np.float64), np.asarray(labels)
    matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    if matrix.ndim != 2 or outcome.ndim != 1 or len(matrix) != len(outcome):
        raise StudyError(f"the design has shape {matrix.shape} and the labels {outcome.shape}: (n, terms) and (n,)")
    bad = ~np.isin(outcome, (0, 1))
    if bad.any():
        row = int(np.argmax(bad))
        raise StudyError(f"row {row}: the label is {outcome[row]}; it must be 0 or 1")
    if len(np.unique(outcome)) < 2:
        raise StudyError(f"{len(outcome)} labels of one class; a logistic regression needs positives and negatives")
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        raise StudyError(f"row {row}, term {column}: the value is {matrix[row, column]}; impute it or leave it out")
    return matrix, outcome.astype(np.float64)


def orthonormal(design: Array, last: Sequence[int] = ()) -> Orthonormal | None:
    """Orthonormal columns for the design ``(n, terms)``; None if a column is constant or repeats others.

    Parameters
    ----------
    last : sequence of int
        Coefficients (0 is the intercept) that the last coordinates belong to: holding these coordinates
        holds these coefficients.
    """
    n, terms = design.shape
    spread = design.std(axis=0)
    if n <= terms or (spread <= 1e-12 * np.abs(design).max(axis=0, initial=0)).any():
        return None
    order = [j for j in range(terms + 1) if j not in last] + list(last)
    q, r = np.linalg.qr(np.column_stack([np.ones(n), design])[:, order])
    kept, whole = np.abs(np.diag(r)), np.r_[1.0, spread][order] * np.sqrt(n)
    if 0 not in last and (kept < COLLINEAR * whole).any():
        return None
    back = np.empty_like(r)
    back[order] = np.linalg.inv(r) * np.sqrt(n)
    return Orthonormal(q * np.sqrt(n), back)


def maximise(
    design: Array, labels: Array, start: Array | None = None, free: NDArray[np.bool_] | None = None,
    penalised: bool = False,
) -> Maximum:  # fmt: skip
    """Newton's method with step-halving on the log-likelihood ``l``, or on ``l + log det(X'WX) / 2`` (Firth).

    Parameters
    ----------
    design : ndarray, (n, p)
        The columns of :func:`orthonormal`.
    start : ndarray, (p,), optional
        Where to begin; coefficients that are not free keep these values.
    free : ndarray of bool, (p,), optional
        Which coefficients move; the penalty is always that of the whole design.
    """
    free = np.ones(design.shape[1], dtype=bool) if free is None else free
    beta = np.zeros(design.shape[1]) if start is None else start.copy()
    value, fitted, information = _objective(design, labels, beta, penalised)
    finite = not free.any()
    for _ in range(0 if finite or not np.isfinite(value) else 100):
        slope, curvature = _derivatives(design, labels, fitted, information, penalised)
        step = _step(slope[free], curvature[np.ix_(free, free)], information[np.ix_(free, free)])
        reach = float(np.abs(design[:, free] @ step).max())
        step = step * min(1.0, LONGEST_STEP / max(reach, 1e-300))
        before = value
        for _ in range(30):
            trial = beta.copy()
            trial[free] += step
            value, trial_fitted, trial_information = _objective(design, labels, trial, penalised)
            if value >= before - 1e-12 * (1 + abs(before)) or reach < CONVERGED:
                break
            step = step / 2
        else:  # no step gains: rounding is all that is left
            value, finite = before, reach < 10 * CONVERGED
            break
        beta, fitted, information = trial, trial_fitted, trial_information
        finite = reach < CONVERGED
        if finite or (not penalised and reach > 0.01 and value - before < FLAT * (1 + abs(value))):
            break
    return Maximum(beta, value, information, finite)


def in_units(found: Maximum, columns: Orthonormal, penalised: bool = False) -> LogitFit:
    """The fit in the units of the terms, from its maximum on orthonormal columns."""
    covariance = columns.back @ np.linalg.inv(found.information) @ columns.back.T
    value = found.log_likelihood
    if penalised:  # det(X'WX) depends on the units of the columns
        value -= np.linalg.slogdet(columns.back)[1]
    coefficients = columns.back @ found.coefficients
    return LogitFit(coefficients, (covariance + covariance.T) / 2, float(value), len(columns.matrix), penalised)


def _objective(design: Array, labels: Array, beta: Array, penalised: bool) -> tuple[float, Array, Array]:
    """Log-likelihood, fitted probabilities and information ``X'WX``."""
    log_odds = design @ beta
    fitted = expit(log_odds)
    information = (design * (fitted * (1 - fitted))[:, None]).T @ design
    value = float(labels @ log_odds - np.logaddexp(0, log_odds).sum())
    if penalised:
        sign, log_determinant = np.linalg.slogdet(information)
        value += 0.5 * log_determinant if sign > 0 else -np.inf
    return value, fitted, information


def _derivatives(
    design: Array, labels: Array, fitted: Array, information: Array, penalised: bool
) -> tuple[Array, Array]:
    """First derivatives and negative second derivatives of the (penalised) log-likelihood."""
    slope = (labels - fitted) @ design
    if not penalised:
        return slope, information
    n, p = design.shape
    weights = fitted * (1 - fitted)
    first, second = weights * (1 - 2 * fitted), weights * (1 - 6 * weights)  # of the weights by the log odds
    inverse = _solve(information, np.eye(p))
    leverage = ((design @ inverse) * design).sum(axis=1)
    products = (design[:, :, None] * design[:, None, :]).reshape(n, p * p)
    # derivative of the information by each coefficient, times its inverse
    relative = ((first[:, None] * design).T @ products).reshape(p, p, p) @ inverse
    bend = (design * (second * leverage)[:, None]).T @ design - np.einsum("jab,kba->jk", relative, relative)
    return slope + 0.5 * (first * leverage) @ design, information - 0.5 * bend


def _step(slope: Array, curvature: Array, information: Array) -> Array:
    """Newton's step; by the information alone where the penalised likelihood does not bend downwards."""
    if curvature is not information:
        try:
            np.linalg.cholesky(curvature)
        except np.linalg.LinAlgError:
            curvature = information
    return _solve(curvature, slope)


def _solve(information: Array, right: Array) -> Array:
    """Newton's equations; along directions without information, the shortest solution."""
    try:
        return np.linalg.solve(information, right)
    except np.linalg.LinAlgError:
        return np.linalg.lstsq(information, right, rcond=None)[0]
