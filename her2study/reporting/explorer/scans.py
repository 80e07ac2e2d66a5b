"""A patient's scan as it was acquired: all phases around the lesion, upright, and what contrast does at a point."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.cohort.sources import mask_file, parse_times, phase_files
from her2study.imaging.fitness_probe import find_lesion
from her2study.imaging.kinetics import CHANGE
from her2study.imaging.nifti import read_header
from her2study.imaging.phases import choose_phases
from her2study.imaging.resampling import crop_origin_mm, crop_window, lesion_centre_mm, resample_crop
from her2study.imaging.volume import Scan, read_scan
from her2study.imaging.window import box_around, read_window, shifted
from her2study.study import Imaging
from her2study.types import Mask, StudyError, Volume

VIEW_MM = 1.0
"""Voxel of the view: finer than the network's, since it is for eyes."""

AROUND = 4 / 3
"""The view is so many times as wide as the network's crop, which lies in its middle."""

MAPS = {"gradcam": "Grad-CAM", "occlusion": "Occlusion"}
"""Methods whose maps notebook 10 stores, and their names."""


@dataclass(frozen=True)
class PatientScan:
    """One patient's phases, twice: on the scanner's grid for measuring, upright and isotropic for looking.

    Attributes
    ----------
    seconds : tuple of float
        Of each phase, after injection; NaN where not recorded.
    early, late : int
        The phases that the study's network is shown.
    phases : tuple of Scan
        Around the lesion, scanner units.
    lesion : Mask
        On the grid of ``phases``.
    views : ndarray
        ``(phase, z, y, x)``, LPS, ``VIEW_MM`` millimetres.
    view_mask : Mask
    maps : dict of ndarray
        ``(z, y, x)`` on the view's grid, by :data:`MAPS`, as stored: above 0 speaks for the outcome.
    origin_mm : ndarray
        LPS position ``(x, y, z)`` of the view's first voxel.
    """

    patient_id: str
    seconds: tuple[float, ...]
    early: int
    late: int
    phases: tuple[Scan, ...]
    lesion: Mask
    views: NDArray[np.float32]
    view_mask: Mask
    maps: dict[str, Volume]
    origin_mm: NDArray[np.float64]

    def point_mm(self, place: tuple[int, int, int]) -> tuple[float, float, float]:
        """LPS millimetres ``(x, y, z)`` of a voxel ``(z, y, x)`` of the view."""
        x, y, z = np.round(self.origin_mm + VIEW_MM * np.array(place[::-1], float), 2).tolist()
        return x, y, z


def load_patient(patient_id: str, cohort: pd.DataFrame, source: Path, imaging: Imaging, maps: Path) -> PatientScan:
    """Read a patient's phases, mask and saliency maps; of each file only what lies around the lesion is kept.

    Parameters
    ----------
    cohort : DataFrame
        ``patient_id`` and, where recorded, ``acquisition_times``.
    source : Path
        Folder in MAMA-MIA's layout.
    maps : Path
        Folder of ``<patient>_<method>.nii.gz``; a patient without maps is shown without.

    Raises
    ------
    StudyError
        A file is missing or damaged, or the patient is not in the cohort.
    """
    known = cohort[cohort["patient_id"] == patient_id]
    if known.empty:
        raise StudyError(
            f"the cohort has no patient {patient_id!r}; it has {cohort['patient_id'].iloc[0]!r} and others"
        )
    files = phase_files(source, patient_id)
    cell = known["acquisition_times"].iloc[0] if "acquisition_times" in known else None
    recorded = None if pd.isna(cell) else str(cell)
    chosen = choose_phases(recorded, len(files), imaging).phases
    headers, mask = [read_header(path) for path in files], read_header(mask_file(source, patient_id))
    voxels, grid, view = find_lesion(mask).voxels, headers[0].grid, view_settings(imaging)
    box = box_around(voxels.min(axis=0), voxels.max(axis=0), 0, grid.shape)
    centre_mm = lesion_centre_mm(_marked(voxels, box), shifted(grid.affine, box))
    window = crop_window(grid.shape, grid.affine, centre_mm, view)
    phases = tuple(read_window(header, window) for header in headers)
    inside = ((voxels >= [part.start for part in window]) & (voxels < [part.stop for part in window])).all(axis=1)
    lesion = _marked(voxels[inside], window)
    stack = resample_crop([*(p.voxels for p in phases), lesion.astype(np.float32)], phases[0].affine, centre_mm, view)
    heats = {method: maps / f"{patient_id}_{method}.nii.gz" for method in MAPS}
    times = [np.nan] * len(files) if recorded is None else parse_times(recorded)
    seconds = tuple(float(time - imaging.injection_seconds) for time in times)
    return PatientScan(
        patient_id, seconds, chosen.early, chosen.late, phases, lesion, stack[:-1],
        stack[-1] >= min(0.5, float(stack[-1].max())),
        {method: _on_view(read_scan(path), centre_mm, view) for method, path in heats.items() if path.is_file()},
        crop_origin_mm(centre_mm, view),
    )  # fmt: skip


def patients_with_maps(maps: Path) -> set[str]:
    """Names of the patients for whom notebook 10 stored a saliency map."""
    endings = tuple(f"_{method}.nii.gz" for method in MAPS)
    return {path.name.removesuffix(end) for path in maps.glob("*") for end in endings if path.name.endswith(end)}


def view_settings(imaging: Imaging) -> Imaging:
    """The study's crop, wider and with the view's voxels."""
    size = np.array(imaging.spacing_mm) * imaging.crop_voxels * AROUND / VIEW_MM
    voxels = tuple(int(n) for n in np.ceil(size))
    return imaging.model_copy(update={"spacing_mm": (VIEW_MM,) * 3, "crop_voxels": voxels})


def region_curve(scan: PatientScan, point_mm: tuple[float, float, float], radius_mm: float = 3.0) -> pd.DataFrame:
    """Signal of a small sphere in every phase, from the scanner's own voxels.

    Parameters
    ----------
    point_mm : (x, y, z)
        LPS millimetres. Where the sphere holds no voxel's middle, the nearest voxel stands for it.

    Returns
    -------
    DataFrame
        ``phase, seconds, signal, signal_sd, enhancement_percent`` (against the first phase), ``voxels``.

    Raises
    ------
    StudyError
        The point lies outside the scan.
    """
    shape, affine = scan.lesion.shape, scan.phases[0].affine
    place = (np.linalg.inv(affine) @ np.array([*point_mm, 1.0]))[:3][::-1]
    if (place < -0.5).any() or (place > np.array(shape) - 0.5).any():
        raise StudyError(f"{scan.patient_id}: the point lies outside the scan; click where there is an image")
    reach = np.ceil(radius_mm / scan.phases[0].spacing_mm).astype(int) + 1
    nearest = np.clip(np.round(place).astype(int), 0, np.array(shape) - 1)
    box = box_around(nearest, nearest, reach, shape)
    index = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij"), axis=-1).reshape(-1, 3)
    there = index[:, ::-1] @ affine[:3, :3].T + affine[:3, 3]
    distance = np.linalg.norm(there - point_mm, axis=1)
    region = index[distance <= max(radius_mm, float(distance.min()))]
    return _curve(scan, tuple(region.T))


def lesion_curve(scan: PatientScan) -> pd.DataFrame:
    """The same of the whole lesion."""
    return _curve(scan, np.nonzero(scan.lesion))


def curve_words(curve: pd.DataFrame, early: int, late: int) -> str:
    """Wash-in and the radiologist's curve type, from the phases that the study compares."""
    signal = curve.set_index("phase")["signal"]
    before, first, last = signal.iloc[0], signal[early], signal[late]
    if before <= 0 or first <= 0:
        return "No signal here to measure enhancement against."
    change = (last - first) / first
    kind = "persistent" if change > CHANGE else "wash-out" if change < -CHANGE else "plateau"
    return (
        f"Early enhancement {100 * (first - before) / before:+.0f}%; from the early to the late phase "
        f"{100 * change:+.0f}%: {kind}."
    ).replace("-", "−").replace("wash−out", "wash-out")  # fmt: skip


def _curve(scan: PatientScan, region: tuple[np.ndarray, ...]) -> pd.DataFrame:
    inside = np.stack([phase.voxels[region] for phase in scan.phases]).astype(float)
    signal = inside.mean(axis=1)
    gain = 100 * (signal / signal[0] - 1) if signal[0] > 0 else np.full(len(signal), np.nan)
    return pd.DataFrame(
        {
            "phase": range(len(signal)),
            "seconds": scan.seconds,
            "signal": signal,
            "signal_sd": inside.std(axis=1),
            "enhancement_percent": gain,
            "voxels": inside.shape[1],
        }
    )


def _marked(voxels: NDArray[np.int64], box: tuple[slice, slice, slice]) -> Mask:
    marked = np.zeros([part.stop - part.start for part in box], dtype=bool)
    marked[tuple((voxels - [part.start for part in box]).T)] = True
    return marked


def _on_view(heat: Scan, centre_mm: NDArray[np.float64], view: Imaging) -> Volume:
    return resample_crop([heat.voxels], heat.affine, centre_mm, view)[0]
