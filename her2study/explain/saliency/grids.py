"""Between a coarse grid over the crop and the crop's voxels: linear weights along each axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Weights = tuple[NDArray[np.float32], ...]


def linear_weights(size: int, places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Weight of each coarse place on each voxel, ``(size, places)``; the weights on a voxel sum to 1.

    ``places`` are positions in voxels, rising. Between two places the weights are linear; beyond the last
    one its value is continued.
    """
    voxels = np.arange(size)
    return np.stack([np.interp(voxels, places, unit) for unit in np.eye(len(places))], axis=1).astype(np.float32)


def strided_weights(shape: tuple[int, ...], coarse: tuple[int, ...]) -> Weights:
    """Weights of the grid that strided convolutions leave of a crop of ``shape`` voxels.

    With kernels of odd size, padded by half of it, cell i stands on voxel i x stride, not in the middle of
    its stride: upsampling by the usual rule moves a map by half a stride, 5 mm at a stride of 8 voxels of
    1.5 mm.
    """
    return tuple(
        linear_weights(size, np.arange(cells) * round(size / cells)) for size, cells in zip(shape, coarse, strict=True)
    )


def even_weights(shape: tuple[int, ...], distances: tuple[float, ...]) -> Weights:
    """Weights of places about ``distances`` voxels apart that cover a crop of ``shape`` voxels evenly."""
    weights = []
    for size, distance in zip(shape, distances, strict=True):
        cells = max(2, round(size / distance))
        weights.append(linear_weights(size, (np.arange(cells) + 0.5) * size / cells - 0.5))
    return tuple(weights)


def spread(coarse: NDArray[np.float32], weights: Weights) -> NDArray[np.float32]:
    """Values on the coarse grid ``(n, gz, gy, gx)`` as a map of voxels ``(n, z, y, x)``."""
    return np.einsum("nijk,zi,yj,xk->nzyx", coarse, *weights, optimize=True).astype(np.float32)
