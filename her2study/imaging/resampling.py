"""The crop: a box of fixed size in millimetres around the lesion, upright, at one resolution.

Scans whose axes run along the patient's (most do) are resampled one axis after the other with small sparse
matrices that smooth and interpolate in one step; tilted scans go through SimpleITK. Both do the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage, sparse

from her2study.imaging.window import Window, box_around
from her2study.study import Imaging
from her2study.types import Mask

TRUNCATE = 3
"""The Gaussian ends so many standard deviations from its middle."""

STRAIGHT = 1e-4
"""Axes along which a whole crop deviates by less than this, in voxels per voxel, count as parallel."""


def lesion_centre_mm(lesion: Mask, affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """LPS position ``(x, y, z)`` of the middle of the largest connected piece's bounding box."""
    box = ndimage.find_objects(lesion.view(np.uint8))[0]
    pieces, _ = ndimage.label(lesion[box], structure=np.ones((3, 3, 3)))
    largest = ndimage.find_objects(pieces)[int(np.argmax(np.bincount(pieces.ravel())[1:]))]
    middle = [outer.start + (inner.start + inner.stop - 1) / 2 for outer, inner in zip(box, largest, strict=True)]
    return (affine @ np.array([*middle[::-1], 1.0]))[:3]


def crop_origin_mm(centre_mm: NDArray[np.float64], imaging: Imaging) -> NDArray[np.float64]:
    """LPS position ``(x, y, z)`` of the middle of the crop's first voxel."""
    return centre_mm - np.array(imaging.spacing_mm[::-1]) * (np.array(imaging.crop_voxels[::-1]) - 1) / 2


def crop_window(
    shape: tuple[int, ...], affine: NDArray[np.float64], centre_mm: NDArray[np.float64], imaging: Imaging
) -> Window:
    """The part of a scan, ``(z, y, x)`` of ``shape``, that the crop's values depend on."""
    far = (np.array(imaging.crop_voxels[::-1]) - 1) * imaging.spacing_mm[::-1]
    corners = crop_origin_mm(centre_mm, imaging) + np.array(np.meshgrid(*[(0, mm) for mm in far])).reshape(3, -1).T
    reach = (np.linalg.inv(affine) @ np.c_[corners, np.ones(8)].T)[:3]
    margin = np.floor(TRUNCATE * smoothing_voxels(affine, imaging) + 0.5) + 1  # the Gaussian's reach, and rounding
    low, high = np.floor(reach.min(axis=1) - margin)[::-1], np.ceil(reach.max(axis=1) + margin)[::-1]
    return box_around(low.astype(int), high.astype(int), 0, shape)


def smoothing_voxels(affine: NDArray[np.float64], imaging: Imaging) -> NDArray[np.float64]:
    """Standard deviation, in voxels along ``(x, y, z)``, of the Gaussian that brings a scan to the crop's resolution.

    Point-spread matching (Cardoso et al., MICCAI 2015): FWHM^2 = crop spacing^2 - own spacing^2 along each of
    the scan's own axes; an axis that is coarser already is not smoothed.
    """
    own = np.linalg.norm(affine[:3, :3], axis=0)
    share = np.abs(affine[:3, :3] / own)
    target = share.T @ np.array(imaging.spacing_mm[::-1]) / share.sum(axis=0)  # crop spacing along each own axis
    return np.sqrt(np.maximum(target**2 - own**2, 0) / (8 * np.log(2))) / own


def resample_crop(
    images: Sequence[NDArray[np.float32]], affine: NDArray[np.float64], centre_mm: NDArray[np.float64], imaging: Imaging
) -> NDArray[np.float32]:
    """Resample images onto the crop grid: upright in LPS, ``spacing_mm``, centred on ``centre_mm``.

    Linear interpolation after the Gaussian of :func:`smoothing_voxels`, so that scans of different matrix size
    end with the same sharpness. Outside the scan, half a voxel beyond its outermost voxels' middles, the
    value is 0.

    Parameters
    ----------
    images : sequence of ndarray
        Each ``(z, y, x)``, on one grid.
    affine : ndarray
        ``(4, 4)``, index ``(x, y, z)`` to LPS mm; flips, tilts and permuted axes are followed.

    Returns
    -------
    ndarray
        ``(image, *crop_voxels)``.
    """
    own = np.linalg.norm(affine[:3, :3], axis=0)
    direction = affine[:3, :3] / own
    sigma = smoothing_voxels(affine, imaging)
    off_axis = np.abs(direction - np.diag(np.diag(direction))).max()
    if off_axis * max(images[0].shape) < STRAIGHT:
        return _straight(images, affine, crop_origin_mm(centre_mm, imaging), sigma, imaging)
    return _tilted(images, affine, centre_mm, sigma, imaging)


def _straight(
    images: Sequence[NDArray[np.float32]],
    affine: NDArray[np.float64],
    origin_mm: NDArray[np.float64],
    sigma: NDArray[np.float64],
    imaging: Imaging,
) -> NDArray[np.float32]:
    """One axis after the other: each a matrix of linear weights times one of Gaussian weights."""
    weights = []
    for axis, world in enumerate((2, 1, 0)):  # z, y, x
        spacing, count, length = imaging.spacing_mm[axis], imaging.crop_voxels[axis], images[0].shape[axis]
        places = (origin_mm[world] + spacing * np.arange(count) - affine[world, 3]) / affine[world, world]
        weights.append(sparse.csr_array(np.float32(_linear(places, length) @ _gaussian(sigma[world], length))))
    return np.stack([_turn_thrice(image, weights) for image in images])


def _turn_thrice(image: NDArray[np.float32], weights: list[sparse.csr_array]) -> NDArray[np.float32]:
    """Weights times the first axis, which then becomes the last; after three times all are done and in order."""
    for matrix in weights:
        lines = matrix @ image.reshape(len(image), -1)
        image = np.ascontiguousarray(lines.T).reshape(*image.shape[1:], matrix.shape[0])
    return image


def _linear(places: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """``(places, length)``: weights that interpolate at ``places``; a row of zeros outside the scan."""
    inside = (places >= -0.5) & (places < length - 0.5)
    away = np.abs(np.clip(places, 0, length - 1)[:, None] - np.arange(length))
    return np.maximum(1 - away, 0) * inside[:, None]


def _gaussian(sigma: float, length: int) -> NDArray[np.float64]:
    """``(length, length)``: a sampled Gaussian that repeats the outermost values, as scipy.ndimage's."""
    radius = int(TRUNCATE * sigma + 0.5)
    steps = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (steps / sigma) ** 2) if radius else np.ones(1)
    weights, middle = np.zeros((length, length)), np.arange(length)
    for step, weight in zip(steps, kernel / kernel.sum(), strict=True):
        weights[middle, np.clip(middle + step, 0, length - 1)] += weight
    return weights


def _tilted(
    images: Sequence[NDArray[np.float32]],
    affine: NDArray[np.float64],
    centre_mm: NDArray[np.float64],
    sigma: NDArray[np.float64],
    imaging: Imaging,
) -> NDArray[np.float32]:
    """Smooth along the scan's own axes, then let SimpleITK follow its tilt."""
    window = crop_window(images[0].shape, affine, centre_mm, imaging)
    part = [ndimage.gaussian_filter(image[window], sigma[::-1], mode="nearest", truncate=TRUNCATE) for image in images]
    first = np.array([*(side.start for side in window[::-1]), 1.0])
    own = np.linalg.norm(affine[:3, :3], axis=0)
    moving = sitk.GetImageFromArray(np.stack(part, axis=-1), isVector=True)
    moving.SetSpacing(own.tolist())
    moving.SetOrigin((affine @ first)[:3].tolist())
    moving.SetDirection((affine[:3, :3] / own).ravel().tolist())
    resampler = sitk.ResampleImageFilter()
    resampler.SetNumberOfThreads(1)
    resampler.SetSize(imaging.crop_voxels[::-1])
    resampler.SetOutputSpacing(imaging.spacing_mm[::-1])
    resampler.SetOutputOrigin(crop_origin_mm(centre_mm, imaging).tolist())
    resampler.SetInterpolator(sitk.sitkLinear)
    crop = sitk.GetArrayFromImage(resampler.Execute(moving)).reshape(*imaging.crop_voxels, len(images))
    return np.ascontiguousarray(np.moveaxis(crop, -1, 0))
