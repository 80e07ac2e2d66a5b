"""From contrast agent to signal: arterial input, extended Tofts uptake, spoiled gradient echo, Rician noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import cumulative_trapezoid

from her2study.cohort.simulated.planted import ArterialInput

STEP_MINUTES = 0.5 / 60
"""Step of the numerical convolution; a tenth of the first pass's width would already do."""


def parker_input(minutes: ArrayLike, a: ArterialInput) -> NDArray[np.float64]:
    """Concentration in whole blood, mM, ``minutes`` after arrival (zero before).

    Two Gaussians and a sigmoid-gated exponential: Parker et al. 2006, Magn Reson Med 56:993, eq. 1.
    """
    t = np.asarray(minutes, dtype=np.float64)
    passes = [
        area / (width * np.sqrt(2 * np.pi)) * np.exp(-((t - centre) ** 2) / (2 * width**2))
        for area, centre, width in zip(a.area_mmol_min, a.centre_min, a.width_min, strict=True)
    ]
    gate = 1 / (1 + np.exp(-a.sigmoid_width_per_min * (t - a.sigmoid_centre_min)))
    tail = a.amplitude_mmol * np.exp(-a.decay_per_min * t) * gate
    return np.where(t < 0, 0.0, passes[0] + passes[1] + tail)


def uptake_curves(
    plasma_mm: NDArray[np.float64], grid_minutes: NDArray[np.float64], kep_per_min: ArrayLike, at_minutes: ArrayLike
) -> NDArray[np.float32]:
    r"""Tofts uptake for unit Ktrans, :math:`\int_0^t C_p(\tau)\, e^{-k_{ep}(t-\tau)} d\tau`.

    Uptake is linear in Ktrans, so these few curves serve every voxel.

    Parameters
    ----------
    plasma_mm, grid_minutes
        Plasma concentration on a regular fine grid that starts at arrival, ``(t,)``.
    kep_per_min
        Rate constants, ``(k,)``.
    at_minutes
        Times after arrival at which phases are acquired, ``(p,)``; before arrival uptake is zero.

    Returns
    -------
    array, ``(k, p)``, mM min
    """
    curves = []
    for kep in np.atleast_1d(kep_per_min):
        grown = cumulative_trapezoid(plasma_mm * np.exp(kep * grid_minutes), grid_minutes, initial=0)
        curves.append(np.interp(at_minutes, grid_minutes, grown * np.exp(-kep * grid_minutes), left=0.0))
    return np.array(curves, dtype=np.float32)


def interpolate_curves(
    curves: NDArray[np.float32], grid_per_min: NDArray[np.float64], kep_per_min: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Curves of every voxel, ``(p, *voxels)``, from curves on a logarithmic grid of kep, ``(k, p)``.

    Rate constants outside the grid take its end.
    """
    step = np.log(grid_per_min[1] / grid_per_min[0])
    position = np.clip(np.log(kep_per_min / np.float32(grid_per_min[0])) / np.float32(step), 0, len(grid_per_min) - 1)
    lower = np.minimum(position.astype(np.int32), len(grid_per_min) - 2)
    share = position - lower.astype(np.float32)
    return np.stack([phase[lower] + share * (phase[lower + 1] - phase[lower]) for phase in curves.T])


def gradient_echo(
    t1_seconds: float,
    contrast_mm: ArrayLike,
    relaxivity_per_mm_s: float,
    repetition_time_seconds: float,
    flip_angle_degrees: float,
) -> NDArray[np.float32]:
    r"""Signal of a spoiled gradient echo per unit proton density, T2* neglected at its short echo time.

    .. math:: S = \sin\alpha\,\frac{1-E_1}{1-\cos\alpha\,E_1}, \quad E_1 = e^{-TR\,(1/T_1 + r_1 C)}
    """
    rate = 1 / t1_seconds + relaxivity_per_mm_s * np.asarray(contrast_mm, dtype=np.float32)
    e1 = np.exp(np.float32(-repetition_time_seconds) * rate.astype(np.float32))
    flip = np.deg2rad(flip_angle_degrees)
    return np.float32(np.sin(flip)) * (1 - e1) / (1 - np.float32(np.cos(flip)) * e1)


def rician(signal: NDArray[np.float32], noise_sd: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Magnitude of the signal with Gaussian noise in both channels of the receiver."""
    real = signal + np.float32(noise_sd) * rng.standard_normal(signal.shape, dtype=np.float32)
    imaginary = np.float32(noise_sd) * rng.standard_normal(signal.shape, dtype=np.float32)
    return np.sqrt(real**2 + imaginary**2)
