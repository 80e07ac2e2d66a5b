"""The interval that every estimate carries, and those that need no model: Wilson's and the bootstrap's two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from her2study.types import StudyError


class Interval(NamedTuple):
    """An estimate and the ends of its confidence interval, in the estimate's unit."""

    estimate: float
    low: float
    high: float


def z_value(confidence: float) -> float:
    """Two-sided normal quantile, 1.96 for a confidence of 0.95.

    Raises
    ------
    StudyError
        ``confidence`` is not strictly between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise StudyError(f"confidence is {confidence}; it must lie strictly between 0 and 1, for example 0.95")
    return float(ndtri((1 + confidence) / 2))


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """Share ``p = successes / n`` with Wilson's score interval.

    The ends are ``(p + z²/2n ± z √(p (1 - p)/n + z²/4n²)) / (1 + z²/n)``, without continuity correction.
    The interval stays inside 0-1 and, unlike Wald's, has a width at 0 and at 1.

    Parameters
    ----------
    successes : float
        How many, from 0 to ``n``.
    n : float
        Of how many.
    confidence : float
        Coverage, strictly between 0 and 1.

    Returns
    -------
    Interval
        Estimate, low and high; all missing (NaN) when ``n`` is 0.

    Raises
    ------
    StudyError
        ``successes`` does not lie from 0 to ``n``, or ``confidence`` not between 0 and 1.

    References
    ----------
    Wilson, JASA 1927. R: ``prop.test(successes, n, correct = FALSE)``.
    """
    z = z_value(confidence)
    if not 0 <= successes <= n:
        raise StudyError(f"{successes} successes of {n}: there must be from 0 to {n}; count them again")
    if n == 0:
        return Interval(np.nan, np.nan, np.nan)
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # rounding can leave the exact ends 0 and 1 by one unit in the last place
    return Interval(
        float(share), float(max(0.0, min(share, centre - half))), float(min(1.0, max(share, centre + half)))
    )


def percentile(estimate: float, replicates: NDArray[np.float64], confidence: float = 0.95) -> Interval:
    """Percentile bootstrap interval of ``estimate`` from ``(resamples,)`` replicates.

    Undefined replicates (missing) are left out; if all are, so is the interval. Measures that cannot
    be negative are biased upwards in resamples, so the interval is widened to hold the estimate.
    """
    z_value(confidence)  # refuses what is not a share
    return _quantiles(estimate, replicates, [(1 - confidence) / 2, (1 + confidence) / 2])


def bca(
    estimate: float, replicates: NDArray[np.float64], jackknife: Sequence[NDArray[np.float64]], confidence: float = 0.95
) -> Interval:
    """Bias-corrected and accelerated bootstrap interval (Efron, JASA 1987), second-order accurate.

    With ``B`` replicates, ``z0 = Φ⁻¹((#(replicates < estimate) + #(replicates ≤ estimate)) / 2B)`` corrects for
    bias. Acceleration ``a`` is ``Σ_s Σ u³/n_s³ / 6 (Σ_s Σ u²/n_s²)^1.5`` over the strata ``s``, with
    ``u = (n_s - 1)(mean - value)`` of the values that leave out one patient (Efron and Tibshirani 1993, 14.3;
    with more than one sample as in ``scipy.stats.bootstrap``).

    Undefined replicates and jackknife values are left out, and the interval is widened to hold the
    estimate. An estimate outside all replicates counts as half a replicate inside, for its ``z0`` would be
    infinite. Where all replicates agree so do the ends: that is a limit of the method, not certainty.

    Parameters
    ----------
    replicates : array (resamples,)
    jackknife : sequence of arrays (n_s,)
        The estimate without each patient, one array a stratum. A stratum of one patient adds nothing.
    """
    defined = replicates[np.isfinite(replicates)]
    if not np.isfinite(estimate) or len(defined) == 0:
        return Interval(float(estimate), np.nan, np.nan)
    equal = np.isclose(defined, estimate, rtol=1e-12, atol=0)  # a metric may round the same value in two ways
    share = (equal / 2 + ((defined < estimate) & ~equal)).mean()
    bias = ndtri(np.clip(share, 0.5 / len(defined), 1 - 0.5 / len(defined)))
    cubes = squares = 0.0
    for values in (part[np.isfinite(part)] for part in jackknife):
        if len(values) > 1:
            influence = (len(values) - 1) * (values.mean() - values)
            cubes += float((influence**3).sum()) / len(values) ** 3
            squares += float((influence**2).sum()) / len(values) ** 2
    acceleration = cubes / squares**1.5 / 6 if squares > 0 else 0.0
    z = bias + z_value(confidence) * np.array([-1.0, 1.0])
    scale = 1 - acceleration * z
    # past its pole the correction has run to the end of the replicates on that side
    corrected = np.where(scale > 0, z / np.where(scale > 0, scale, 1.0), np.copysign(np.inf, z))
    return _quantiles(estimate, replicates, ndtr(bias + corrected))


def columns(name: str, interval: Interval) -> dict[str, float]:
    """The three columns of a table: ``<name>, <name>_low, <name>_high``."""
    return dict(zip(ends(name), interval, strict=True))


def ends(name: str) -> tuple[str, str, str]:
    """Names of an estimate's three columns."""
    return name, f"{name}_low", f"{name}_high"


def _quantiles(estimate: float, replicates: NDArray[np.float64], shares: Sequence[float]) -> Interval:
    """Two quantiles of the defined replicates, moved outwards to the estimate where it lies beyond."""
    defined = replicates[np.isfinite(replicates)]
    if not np.isfinite(estimate) or len(defined) == 0:
        return Interval(float(estimate), np.nan, np.nan)
    low, high = np.quantile(defined, shares)
    return Interval(float(estimate), float(min(low, estimate)), float(max(high, estimate)))
