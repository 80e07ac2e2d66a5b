"""N4: the slow change of brightness across a scan that the coil causes, and not the patient."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from her2study.imaging.window import Window

SHRUNK_VOXELS = 32
"""The field is smooth: N4 finds it on so many voxels along each axis as well as on all."""

ITERATIONS = (30, 20, 10)


def bias_field(voxels: NDArray[np.float32], spacing_mm: NDArray[np.float64], window: Window) -> NDArray[np.float32]:
    """N4 bias field (Tustison et al., IEEE TMI 2010) of the pre-contrast phase, by which all phases are divided.

    Estimated on the whole scan, shrunk, where it is brighter than air (Otsu's threshold), and there 1 in the
    geometric mean, for a common factor is no bias; interpolated back for the window alone. The coil does not
    change between phases, and a field estimated after contrast would take part of the enhancement for the
    coil's.

    Parameters
    ----------
    voxels : ndarray
        ``(z, y, x)``, the whole scan.
    spacing_mm : ndarray
        Along ``(z, y, x)``.
    window : tuple of slice
        Where the field is wanted, ``(z, y, x)``.
    """
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(spacing_mm[::-1].tolist())
    small = sitk.Shrink(image, [-(-n // SHRUNK_VOXELS) for n in image.GetSize()])
    corrector = sitk.N4BiasFieldCorrectionImageFilter()
    corrector.SetNumberOfThreads(1)
    corrector.SetMaximumNumberOfIterations(ITERATIONS)
    bright = sitk.OtsuThreshold(small, 0, 1)
    corrector.Execute(small, bright)
    log_field = corrector.GetLogBiasFieldAsImage(small)
    level = float(np.mean(sitk.GetArrayViewFromImage(log_field)[sitk.GetArrayViewFromImage(bright) == 1]))
    start = [part.start for part in window[::-1]]
    resampler = sitk.ResampleImageFilter()
    resampler.SetNumberOfThreads(1)
    resampler.SetSize([part.stop - part.start for part in window[::-1]])
    resampler.SetOutputSpacing(image.GetSpacing())
    resampler.SetOutputOrigin(image.TransformIndexToPhysicalPoint(start))
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.SetUseNearestNeighborExtrapolator(True)  # the shrunk grid ends half a step inside the scan
    return np.exp(sitk.GetArrayFromImage(resampler.Execute(log_field - level)))
