"""How far a patient moved between the phases, and turning a phase back onto the one before contrast.

The estimate is cheap and made for every scan, for the quality control. The correction is a rigid
registration, a setting, off by default: where nobody moved it can only blur.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import fft, ndimage

from her2study.imaging.volume import Scan
from her2study.types import Mask

SPHERE_MM = 20.0
"""A rigid motion is summed up as the root mean square displacement within so far of the lesion's centre."""

LEAST_VOXELS = 0.3
"""A smaller motion, in voxels of the finest axis, is not undone: interpolation would cost more than it mends."""

MOST_MM = 25.0
"""A larger motion is not believed, and the phase stays as it is."""

MARGIN_MM = 15.0
"""Surroundings of the crop that the registration also sees."""

FARTHEST_MM = 15.0
"""The estimate looks no farther: patients who moved more show it in every slice."""

WHITENED = 1e-3
CLEAR = 1.6
"""The peak of the correlation must exceed all others by this factor."""


def estimate_shifts_mm(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    lesion: Mask,
    spacing_mm: tuple[float, float, float],
) -> NDArray[np.float64]:
    """Length in mm of each phase's shift against the one before contrast, by phase correlation.

    Kuglin & Hines 1975, of the edges and not of the signal, for contrast changes how bright tissue is more than
    where it ends. The lesion is cut out; the peak's place is refined with a parabola along each axis. Still
    simulated scans read 0.1 mm (at most 1), shifts of 1 to 6 mm are found within 0.3 mm (at most 1).

    Parameters
    ----------
    before, lesion : ndarray
        ``(z, y, x)``.
    after : ndarray
        ``(phase, z, y, x)`` on the same grid.
    spacing_mm : tuple
        Along ``(z, y, x)``.

    Returns
    -------
    ndarray
        ``(phase,)``; NaN where nothing can be said: no structure, or two shifts that explain it as well.
    """
    # Fades in smoothly: a sharp edge of the mask would be an edge that stands still.
    keep = ndimage.gaussian_filter((~ndimage.binary_dilation(lesion, iterations=2)).astype(np.float32), 1)
    near = np.ones(before.shape, dtype=bool)
    for axis, n in enumerate(before.shape):
        along = [-1 if a == axis else 1 for a in range(3)]
        keep *= np.hanning(n + 2)[1:-1].astype(np.float32).reshape(along)
        near &= (np.abs(fft.fftfreq(n)) * n * spacing_mm[axis] <= FARTHEST_MM).reshape(along)
    if not keep.any():  # nothing but lesion
        return np.full(len(after), np.nan)
    spectra = [fft.rfftn((edge - np.average(edge, weights=keep)) * keep) for edge in map(_edges, (before, *after))]
    shifts = []
    for spectrum in spectra[1:]:
        cross = spectrum * np.conj(spectra[0])
        power = np.abs(cross)
        floor = WHITENED * power.max()  # frequencies of noise alone would only blur the peak
        correlation = fft.irfftn(cross / np.where(power + floor > 0, power + floor, 1), before.shape)
        shifts.append(_peak_mm(np.where(near, correlation, 0), spacing_mm))
    return np.array(shifts)


def correct_motion(
    before: Scan, after: Scan, lesion: Mask, centre_mm: NDArray[np.float64]
) -> tuple[NDArray[np.float32], float]:
    """A later phase turned back onto the pre-contrast one, and how far it had moved.

    A rigid transform about the lesion's centre, by mutual information (Mattes et al. 2003) of all voxels but
    the lesion's, which change with contrast; interpolated once, with cubic splines.

    Returns
    -------
    ndarray
        ``after``'s voxels on ``before``'s grid, untouched if it moved by less than :data:`LEAST_VOXELS`.
    float
        Root mean square displacement within 20 mm of the lesion's centre, mm (Jenkinson 1999).
    """
    fixed, moving = _image(before), _image(after)
    surroundings = sitk.GetImageFromArray((~ndimage.binary_dilation(lesion, iterations=2)).astype(np.uint8))
    surroundings.CopyInformation(fixed)
    start = sitk.Euler3DTransform(centre_mm.tolist(), 0, 0, 0, (0, 0, 0))
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)  # sums in one order: the same bytes with any number of workers
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricFixedMask(surroundings)
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 100, 0.5, 1e-6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([1.5, 0.5])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(start, inPlace=True)
    try:
        method.Execute(fixed, moving)
    except RuntimeError:  # too little overlap or no structure: nothing can be said, nothing is changed
        return after.voxels, float("nan")
    moved_mm = displacement_mm(start)
    if not LEAST_VOXELS * before.spacing_mm.min() <= moved_mm <= MOST_MM:
        return after.voxels, moved_mm
    resampler = sitk.ResampleImageFilter()
    resampler.SetNumberOfThreads(1)
    resampler.SetReferenceImage(fixed)
    resampler.SetTransform(start)
    resampler.SetInterpolator(sitk.sitkBSpline3)
    resampler.SetUseNearestNeighborExtrapolator(True)
    return sitk.GetArrayFromImage(resampler.Execute(moving)), moved_mm


def displacement_mm(transform: sitk.Euler3DTransform) -> float:
    """Root mean square displacement of a rigid transform within :data:`SPHERE_MM` of its centre.

    Jenkinson, FMRIB technical report TR99MJ1: ``sqrt(R^2/5 trace(M'M) + t't)`` with ``M`` the matrix less identity.
    """
    turn = np.reshape(transform.GetMatrix(), (3, 3)) - np.eye(3)
    shift = np.array(transform.GetTranslation())
    return float(np.sqrt(SPHERE_MM**2 / 5 * np.trace(turn.T @ turn) + shift @ shift))


def _edges(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Size of the gradient, by central differences; 0 at the border."""
    total = np.zeros_like(image)
    for axis in range(3):
        lines, found = np.moveaxis(image, axis, 0), np.moveaxis(total, axis, 0)
        found[1:-1] += (lines[2:] - lines[:-2]) ** 2
    return np.sqrt(total)


def _peak_mm(correlation: NDArray[np.float32], spacing_mm: tuple[float, float, float]) -> float:
    """Distance of the highest point from the first, circular; NaN if another is nearly as high."""
    shape = np.array(correlation.shape)
    peak = np.array(np.unravel_index(int(np.argmax(correlation)), shape))
    centred = np.roll(correlation, tuple(shape // 2 - peak), axis=(0, 1, 2))
    around = tuple(slice(max(n // 2 - 2, 0), n // 2 + 3) for n in shape)
    middle = centred[tuple(shape // 2)]
    cube = centred[around].copy()
    centred[around] = 0
    if not middle > CLEAR * centred.max():
        return float("nan")
    fine = np.zeros(3)
    for axis in range(3):
        line = np.moveaxis(cube, axis, 0)[1:4, 2, 2] if min(cube.shape) == 5 else np.zeros(3)
        bend = line[0] - 2 * line[1] + line[2]
        fine[axis] = 0.5 * (line[0] - line[2]) / bend if bend < 0 else 0.0
    shift = np.where(peak <= shape // 2, peak, peak - shape) + fine
    return float(np.linalg.norm(shift * spacing_mm))


def _image(scan: Scan) -> sitk.Image:
    own = scan.spacing_mm[::-1]
    image = sitk.GetImageFromArray(scan.voxels)
    image.SetSpacing(own.tolist())
    image.SetOrigin(scan.affine[:3, 3].tolist())
    image.SetDirection((scan.affine[:3, :3] / own).ravel().tolist())
    return image
