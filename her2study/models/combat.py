"""ComBat: shifts and scales of centres, shrunk by what a centre's other features say (Johnson et al. 2007).

The numbers are those of Bioconductor's ``sva::ComBat`` without covariates, which the tests hold it against. The Python
package of the same purpose that works with current pandas, combatlearn 2.3, was tried first: its prior averages over
centres where ComBat averages over features, and with few centres its values are far from sva's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Combat(NamedTuple):
    """Mean and scale ``(features,)`` that all centres share, shift and stretch ``(centres, features)`` of each."""

    mean: Floats
    scale: Floats
    shift: Floats
    stretch: Floats


def fit_combat(values: Floats, centre: NDArray[np.int64]) -> Combat:
    """Estimate what each centre adds to and multiplies every feature by; parametric empirical Bayes.

    Parameters
    ----------
    values : ndarray
        ``(patients, features)``, in any units; missing values are left out. Every feature is :func:`varying`.
    centre : ndarray
        ``(patients,)``, 0 to the number of centres - 1, each with at least two patients.
    """
    groups = [values[centre == number] for number in range(centre.max() + 1)]
    counts = np.array([(~np.isnan(group)).sum(axis=0) for group in groups])
    means = np.array([np.nanmean(group, axis=0) for group in groups])
    squares = np.array([np.nanvar(group, axis=0) for group in groups]) * counts
    mean = (counts * means).sum(axis=0) / counts.sum(axis=0)
    scale = np.sqrt(squares.sum(axis=0) / counts.sum(axis=0))
    shifts, stretches = (means - mean) / scale, squares / (counts - 1) / scale**2
    found = [_shrink(*centre_own) for centre_own in zip(shifts, stretches, counts, strict=True)]
    return Combat(mean, scale, *(np.array(part) for part in zip(*found, strict=True)))


def varying(values: Floats, centre: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which features have two different known values in every centre, rounding aside, ``(features,)``."""
    known = ~np.isnan(values)
    low, high = np.where(known, values, np.inf), np.where(known, values, -np.inf)
    groups = [centre == number for number in range(centre.max() + 1)]
    spread = np.min([high[own].max(axis=0) - low[own].min(axis=0) for own in groups], axis=0)
    return spread > 1e-9 * np.abs(np.where(known, values, 0)).max(axis=0)


def apply_combat(fit: Combat, values: Floats, centre: NDArray[np.int64]) -> Floats:
    """Values as if all centres had the shared mean and scale; missing values stay missing."""
    standard = (values - fit.mean) / fit.scale
    return (standard - fit.shift[centre]) / fit.stretch[centre] * fit.scale + fit.mean


def _shrink(shift: Floats, variance: Floats, count: Floats) -> tuple[Floats, Floats]:
    """Posterior shift and standard deviation of one centre's features; its features are each other's prior."""
    if len(shift) < 2:
        return shift, np.sqrt(variance)  # nothing to learn a prior from
    centre, spread = shift.mean(), shift.var(ddof=1)
    level, wobble = variance.mean(), max(variance.var(ddof=1), 1e-12)
    shape, rate = 2 + level**2 / wobble, level + level**3 / wobble  # of an inverse gamma with these moments
    new_shift, new_variance = shift, variance
    for _ in range(1000):
        old_shift, old_variance = new_shift, new_variance
        new_shift = (spread * count * shift + old_variance * centre) / (spread * count + old_variance)
        squares = (count - 1) * variance + count * (shift - new_shift) ** 2
        new_variance = (squares / 2 + rate) / (count / 2 + shape - 1)
        if max(np.abs(new_shift - old_shift).max(), np.abs(new_variance / old_variance - 1).max()) < 1e-10:
            break
    return new_shift, np.sqrt(new_variance)
