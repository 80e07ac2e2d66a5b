"""The interval that every estimate carries, and the two that need no model: Wilson's and the percentile one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import norm


class Interval(NamedTuple):
    """An estimate and the ends of its confidence interval, in the estimate's unit."""

    estimate: float
    low: float
    high: float


def z_value(confidence: float) -> float:
    """Two-sided normal quantile, 1.96 for a confidence of 0.95.

    Raises
    ------
    ValueError
        ``confidence`` is not strictly between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must lie strictly between 0 and 1, for example 0.95")
    return float(norm.ppf((1 + confidence) / 2))


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """Proportion ``successes / n`` with Wilson's score interval; all missing when ``n`` is 0.

    Wilson (1927), without continuity correction: it stays inside 0-1 and has a width at 0 and at 1.
    """
    if n == 0:
        return Interval(np.nan, np.nan, np.nan)
    z, share = z_value(confidence), successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # rounding can leave the exact ends 0 and 1 by one unit in the last place
    return Interval(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def percentile(estimate: float, replicates: np.ndarray, confidence: float = 0.95) -> Interval:
    """Percentile bootstrap interval of ``estimate`` from ``(resamples,)`` replicates.

    Undefined replicates (missing) are left out; if all are, so is the interval. Measures that cannot
    be negative are biased upwards in resamples, so the interval is widened to hold the estimate.
    """
    defined = replicates[np.isfinite(replicates)]
    if not np.isfinite(estimate) or len(defined) == 0:
        return Interval(float(estimate), np.nan, np.nan)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(estimate), float(min(low, estimate)), float(max(high, estimate)))


def columns(name: str, interval: Interval) -> dict[str, float]:
    """The three columns of a table: ``<name>, <name>_low, <name>_high``."""
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
