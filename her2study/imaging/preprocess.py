"""From phases on the scanner's grid to network channels: one crop around the lesion per patient.

Channels are relative signals: every voxel is divided by the median pre-contrast signal of the
patient's own lesion, the reference of "relative enhancement". Scanner gain cancels, and how much a
lesion enhances compared with another patient's survives, which per-channel z-scores would erase.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from her2study.imaging.phases import PatientFiles, choose_files
from her2study.imaging.quality import flag_scans, measure_scan
from her2study.imaging.volume import Scan, check_same_grid, read_mask, read_scan
from her2study.parallel import map_patients
from her2study.study import Imaging
from her2study.types import Channels, Mask, StudyError

CHANNELS = ("pre", "wash_in", "wash_out")
"""Signal before contrast; early minus before; late minus early: all over the lesion's own signal before."""


class Preprocessed(NamedTuple):
    """All patients, sorted by patient_id.

    ``channels`` is ``(n, 3, z, y, x)`` float16, ``mask`` ``(n, z, y, x)`` uint8; ``index`` and
    ``quality`` are frames with one row a patient, in the same order.
    """

    channels: NDArray[np.float16]
    mask: NDArray[np.uint8]
    index: pd.DataFrame
    quality: pd.DataFrame


def lesion_centre_mm(lesion: Mask, affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """LPS position ``(x, y, z)`` of the middle of the largest connected piece's bounding box."""
    box = ndimage.find_objects(lesion.view(np.uint8))[0]
    pieces, _ = ndimage.label(lesion[box], structure=np.ones((3, 3, 3)))
    largest = ndimage.find_objects(pieces)[int(np.argmax(np.bincount(pieces.ravel())[1:]))]
    middle = [outer.start + (inner.start + inner.stop - 1) / 2 for outer, inner in zip(box, largest, strict=True)]
    return (affine @ np.array([*middle[::-1], 1.0]))[:3]


def resample_crop(
    stack: NDArray[np.float32], affine: NDArray[np.float64], centre_mm: NDArray[np.float64], imaging: Imaging
) -> NDArray[np.float32]:
    """Resample images onto the crop grid: upright in LPS, ``spacing_mm``, centred on ``centre_mm``.

    Linear interpolation, after a Gaussian that brings finer axes to the crop's resolution
    (point-spread matching, Cardoso et al., MICCAI 2015: FWHM^2 = crop spacing^2 - own spacing^2), so that
    scans of different matrix size end with the same sharpness. Outside the scan the value is 0.

    Parameters
    ----------
    stack : ndarray
        ``(image, z, y, x)`` on one grid.
    affine : ndarray
        ``(4, 4)``, index ``(x, y, z)`` to LPS mm; flips, tilts and permuted axes are followed.

    Returns
    -------
    ndarray
        ``(image, *crop_voxels)``.
    """
    size, spacing = np.array(imaging.crop_voxels[::-1]), np.array(imaging.spacing_mm[::-1])
    origin = centre_mm - spacing * (size - 1) / 2
    own = np.linalg.norm(affine[:3, :3], axis=0)
    direction = affine[:3, :3] / own
    target = np.abs(direction.T) @ spacing / np.abs(direction).sum(axis=0)  # crop spacing along each own axis
    sigma = np.sqrt(np.maximum(target**2 - own**2, 0) / (8 * np.log(2))) / own

    # Only the part of the scan under the crop is smoothed and handed over.
    corners = origin + np.array(np.meshgrid(*[(0, n - 1) for n in size])).reshape(3, -1).T * spacing
    reach = (np.linalg.inv(affine) @ np.c_[corners, np.ones(8)].T)[:3]
    limits = np.array(stack.shape[:0:-1])
    margin = np.ceil(4 * sigma) + 2
    start = np.clip(np.floor(reach.min(axis=1) - margin), 0, limits - 1).astype(int)
    stop = np.clip(np.ceil(reach.max(axis=1) + margin) + 1, start + 1, limits).astype(int)
    window = tuple(slice(a, b) for a, b in zip(start[::-1], stop[::-1], strict=True))
    part = [ndimage.gaussian_filter(image[window], sigma[::-1], mode="nearest", truncate=3) for image in stack]

    moving = sitk.GetImageFromArray(np.stack(part, axis=-1), isVector=True)
    moving.SetSpacing(own.tolist())
    moving.SetOrigin((affine @ np.array([*start, 1.0]))[:3].tolist())
    moving.SetDirection(direction.ravel().tolist())
    resampler = sitk.ResampleImageFilter()
    resampler.SetNumberOfThreads(1)
    resampler.SetSize(size.tolist())
    resampler.SetOutputSpacing(spacing.tolist())
    resampler.SetOutputOrigin(origin.tolist())
    resampler.SetInterpolator(sitk.sitkLinear)
    crop = sitk.GetArrayFromImage(resampler.Execute(moving)).reshape(*imaging.crop_voxels, len(stack))
    return np.moveaxis(crop, -1, 0)


def relative_channels(
    phases: NDArray[np.float32], lesion: Mask, reference: float, clip_percentiles: tuple[float, float]
) -> Channels:
    """Channels from the three resampled phases, in units of the lesion's own pre-contrast signal.

    Parameters
    ----------
    phases : ndarray
        ``(3, z, y, x)``: pre-contrast, early, late.
    lesion : Mask
        ``(z, y, x)``.
    reference : float
        Median pre-contrast signal of the lesion.
    clip_percentiles : tuple
        Each channel is clipped to the wider of the crop's and the lesion's percentiles: a small bright
        lesion is never cut to fit its dark surroundings.
    """
    pre, early, late = phases / reference
    channels = np.stack([pre, early - pre, late - early])
    for channel in channels:
        over = np.array([np.percentile(channel, clip_percentiles), np.percentile(channel[lesion], clip_percentiles)])
        np.clip(channel, over[:, 0].min(), over[:, 1].max(), out=channel)
    return channels


def preprocess_patient(
    files: PatientFiles, imaging: Imaging
) -> tuple[NDArray[np.float16], NDArray[np.uint8], dict, dict]:
    """Channels, mask, index row and quality row of one patient."""
    before = read_scan(files.pre)
    lesion = read_mask(files.mask, before)
    scans = [before, read_scan(files.early), read_scan(files.late)]
    for scan in scans[1:]:
        check_same_grid(scan, before)
    bias = _bias_field(before) if imaging.bias_correction else np.float32(1)
    native = [scan.voxels / bias for scan in scans]
    reference = float(np.median(native[0][lesion]))
    if reference <= 0:
        raise StudyError(
            f"{before.path}: the lesion's median pre-contrast signal is {reference:g}; it must be positive, "
            "for enhancement is measured relative to it: check the mask and the phase order"
        )
    centre = lesion_centre_mm(lesion, before.affine)
    stack = resample_crop(np.stack([*native, lesion.astype(np.float32)]), before.affine, centre, imaging)
    inside = stack[3] >= min(0.5, float(stack[3].max()))  # a lesion thinner than a crop voxel keeps its best voxels
    channels = relative_channels(stack[:3], inside, reference, imaging.clip_percentiles)
    measured = measure_scan(native[0], native[1], lesion, before, centre, imaging)
    spacing_z, spacing_y, spacing_x = before.spacing_mm
    index = {
        "patient_id": files.patient_id,
        "volume_ml": float(lesion.sum() * abs(np.linalg.det(before.affine[:3, :3])) / 1000),
        "spacing_z_mm": spacing_z,
        "spacing_y_mm": spacing_y,
        "spacing_x_mm": spacing_x,
        "reference_signal": reference,
        **files.phases._asdict(),
    }
    quality = {"patient_id": files.patient_id, **measured, **files.phases._asdict(), "orientation": before.orientation}
    return channels.astype(np.float16), inside.astype(np.uint8), index, quality


def preprocess_patients(cohort: pd.DataFrame, source: Path, imaging: Imaging, workers: int = 1) -> Preprocessed:
    """Preprocess every patient of a cohort; the result does not depend on ``workers``.

    Parameters
    ----------
    cohort : DataFrame
        ``patient_id``, ``centre`` and, where recorded, ``acquisition_times``.
    source : Path
        Folder in MAMA-MIA's layout.

    Raises
    ------
    StudyError
        A file is missing or damaged, a mask does not lie on its scan, a phase is absent.
    """
    chosen = choose_files(cohort, source, imaging)
    done = map_patients(partial(preprocess_patient, imaging=imaging), chosen, "scans", workers)
    channels, masks, index, quality = zip(*done, strict=True)
    frame = pd.DataFrame(quality).merge(cohort[["patient_id", "centre"]], on="patient_id", validate="one_to_one")
    frame.insert(1, "centre", frame.pop("centre"))
    frame["findings"] = flag_scans(frame, imaging)
    return Preprocessed(np.stack(channels), np.stack(masks), pd.DataFrame(index), frame)


def _bias_field(scan: Scan) -> NDArray[np.float32]:
    """N4 bias field of the pre-contrast phase (Tustison et al., IEEE TMI 2010), ``(z, y, x)``."""
    image = sitk.GetImageFromArray(scan.voxels)
    image.SetSpacing(scan.spacing_mm[::-1].tolist())
    shrink = [-(-n // 32) for n in image.GetSize()]  # the field is smooth: N4 needs no more to find it
    small = sitk.Shrink(image, shrink)
    corrector = sitk.N4BiasFieldCorrectionImageFilter()
    corrector.SetNumberOfThreads(1)
    corrector.SetMaximumNumberOfIterations([30, 20, 10])
    corrector.Execute(small, sitk.OtsuThreshold(small, 0, 1))
    return np.exp(sitk.GetArrayFromImage(corrector.GetLogBiasFieldAsImage(image)))
