"""Intervals from the profile of the (penalised) likelihood, found as roots, not interpolated."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq, linprog
from scipy.stats import chi2

from her2study.models.likelihood import Array, check_design, maximise, orthonormal

DOUBLINGS = 60
"""The first step away from the estimate doubles this often before an end counts as infinite."""

FAR = 1e6
"""Deviance at which a root finder need not look closer; where all fitted values are 0 or 1 it is infinite."""


def profile_intervals(
    design: ArrayLike, labels: ArrayLike, confidence: float = 0.95, penalised: bool = False
) -> Array | None:
    r"""Profile-likelihood intervals of the coefficients of a logistic regression.

    An end is the value :math:`v` at which

    .. math:: 2 \{l(\hat\beta) - \max_{\beta_j = v} l(\beta)\} = \chi^2_{1,\,confidence},

    found by Brent's method to about 1e-9 standard errors. Unlike Wald's interval it need not be symmetric,
    does not change under a change of units, and belongs to the likelihood-ratio test.

    Parameters
    ----------
    design : array (n, terms)
        Without a constant column, which is added.
    labels : array (n,)
        0 and 1.
    confidence : float
        Such as 0.95.
    penalised : bool
        Profile of Firth's penalised likelihood, of which the penalty is always that of the whole design.

    Returns
    -------
    ndarray (terms + 1, 2) or None
        Low and high end of each coefficient (log odds), intercept first. Under separation an end of the
        plain profile is infinite if the likelihood does not fall in that direction; which ones is decided
        exactly, by linear programming. Penalised ends are finite. None if a column is constant or repeats
        others.

    Raises
    ------
    StudyError
        As :func:`her2study.models.logistic.fit_logit`.

    Notes
    -----
    The likelihood has one maximum wherever a coefficient is held. The penalised one can have several if a
    handful of patients is separated by several terms; the interval then follows the one that is reached from
    the estimate outwards, and is a rough guide.

    References
    ----------
    Venzon and Moolgavkar, Applied Statistics 1988; Heinze and Schemper, Statistics in Medicine 2002
    (penalised); Konis, thesis, Oxford 2007 (separation as a linear programme). R: ``MASS:::confint.glm``,
    which interpolates and so agrees to about three digits; ``logistf::logistf`` (``pl = TRUE``).
    """
    matrix, outcome = check_design(design, labels)
    if orthonormal(matrix) is None:
        return None
    limit, ends = float(chi2.ppf(confidence, 1)), []
    for j in range(matrix.shape[1] + 1):
        columns = orthonormal(matrix, last=[j])  # the last coordinate is coefficient j in other units
        ends.append(np.sort(_ends(columns.matrix, outcome, limit, penalised) * columns.back[j, -1]))
    return np.array(ends)


def _ends(design: Array, labels: Array, limit: float, penalised: bool) -> Array:
    """Both ends of the last coordinate."""
    best = maximise(design, labels, penalised=penalised)
    free = np.arange(design.shape[1]) < design.shape[1] - 1
    middle, start = float(best.coefficients[-1]), best.coefficients

    @cache  # the root finder asks again for the ends of its bracket
    def excess(value: float) -> float:
        """Deviance above its minimum, less the limit, where the last coordinate is held at ``value``."""
        nonlocal start
        found = []
        # the penalised likelihood can have several maxima where few patients are separated by several terms
        for begin in (start, best.coefficients) if penalised else (start,):
            found.append(maximise(design, labels, np.where(free, begin, value), free, penalised))
        held = max(found, key=lambda maximum: maximum.log_likelihood)
        start = held.coefficients
        return min(FAR, 2 * (best.log_likelihood - held.log_likelihood) - limit)

    error = float(np.sqrt(np.linalg.inv(best.information)[-1, -1])) if best.finite else 1.0
    ends = np.array([-np.inf, np.inf])
    for side, sign in enumerate((-1.0, 1.0)):
        start = best.coefficients
        if best.finite or not _runs_away(design, labels, sign):
            ends[side] = _root(excess, middle, sign * error * np.sqrt(limit))
    return ends


def _root(excess: Callable[[float], float], inside: float, step: float) -> float:
    """Where ``excess`` crosses zero beyond ``inside``, in the direction of ``step``."""
    for _ in range(DOUBLINGS):
        outside = inside + step
        if excess(outside) > 0:
            return float(brentq(excess, inside, outside, xtol=1e-10 * max(1.0, abs(outside)), rtol=1e-12))
        inside, step = outside, 2 * step
    return float(np.copysign(np.inf, step))


def _runs_away(design: Array, labels: Array, sign: float) -> bool:
    """Whether the last coordinate can go to infinity without any patient becoming less likely."""
    fitted_better = design * (2 * labels - 1)[:, None]
    aim = np.zeros(design.shape[1])
    aim[-1] = -sign
    found = linprog(aim, A_ub=-fitted_better, b_ub=np.zeros(len(labels)), bounds=(-1, 1), method="highs")
    return bool(-found.fun > 1e-6)
