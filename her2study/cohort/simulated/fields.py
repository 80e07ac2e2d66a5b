"""Random textures and vessels in millimetres, on whatever grid they are sampled."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Axes: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Voxel centres along z, y and x, mm in LPS, each ``(n,)`` and increasing."""


def smooth_field(axes: Axes, scale_mm: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A smooth Gaussian random field with mean 0 and SD 1, ``(z, y, x)``.

    White noise on a lattice of ``scale_mm``, interpolated by cubic B-splines: blobs are about
    ``2 * scale_mm`` wide. Axis by axis, without matrix products, so that bytes do not depend on
    the number of threads.
    """
    sizes = [int((axis[-1] - axis[0]) / scale_mm) + 4 for axis in axes]
    field = rng.standard_normal(sizes, dtype=np.float32)
    for dimension, axis in enumerate(axes):
        field = _spline(field, (axis - axis[0]) / np.float32(scale_mm), dimension)
    return (field - field.mean()) / field.std()


def tubes(
    axes: Axes,
    starts_mm: NDArray[np.float64],
    headings: NDArray[np.float64],
    length_mm: float,
    radius_mm: float,
    winding: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Winding vessels that leave ``starts_mm`` ``(k, 3)`` along unit ``headings`` ``(k, 3)``, z-y-x order.

    Returns
    -------
    array, ``(z, y, x)``
        Share of blood, 0 to 1.
    """
    share = np.zeros([len(axis) for axis in axes], dtype=np.float32)
    spacing = np.array([axis[1] - axis[0] for axis in axes], dtype=np.float64)
    origin = np.array([axis[0] for axis in axes], dtype=np.float64)
    step_mm = spacing.min() / 2
    for start, heading in zip(starts_mm, headings, strict=True):
        direction = heading + np.cumsum(rng.normal(0, winding, (int(length_mm / step_mm), 3)), axis=0)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        index = np.round((start + np.cumsum(direction * step_mm, axis=0) - origin) / spacing).astype(int)
        inside = np.all((index >= 0) & (index < share.shape), axis=1)
        share[tuple(index[inside].T)] = 1
    if not share.any():
        return share
    # a Gaussian thread has fallen to 1/4 of its middle at 1.7 SD, which is taken as the vessel's wall
    threads = gaussian_filter(share, radius_mm / 1.7 / spacing, truncate=3)
    return np.minimum(threads / np.median(threads[share > 0]), 1)


def _spline(lattice: NDArray[np.float32], position: NDArray[np.float32], dimension: int) -> NDArray[np.float32]:
    """Cubic B-spline along one dimension at ``position`` (lattice units)."""
    start = np.floor(position).astype(int)
    t = (position - start).astype(np.float32)
    weights = ((1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6, t**3 / 6)
    shape = [1, 1, 1]
    shape[dimension] = len(position)
    parts = [
        weight.reshape(shape) * np.take(lattice, start + offset, axis=dimension)
        for offset, weight in enumerate(weights)
    ]
    return parts[0] + parts[1] + parts[2] + parts[3]
