"""From phases on the scanner's grid to network channels: one crop around the lesion per patient, one pass each.

Each worker takes a patient from her files to an entry of the volume store and keeps nothing, so memory does
not grow with the number of patients, and whatever was finished when a run is killed is there for the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.imaging.bias import bias_field
from her2study.imaging.channels import make_channels, reference_signal
from her2study.imaging.findings import Reason, Unfit
from her2study.imaging.fitness_probe import find_lesion
from her2study.imaging.grids import Grid, differ
from her2study.imaging.motion import MARGIN_MM, correct_motion, estimate_shifts_mm
from her2study.imaging.nifti import Stored, read_header
from her2study.imaging.phases import PatientFiles, choose_files
from her2study.imaging.quality import flag_scans, measure_scan
from her2study.imaging.resampling import crop_origin_mm, crop_window, lesion_centre_mm, resample_crop
from her2study.imaging.volume import Scan, other_grid
from her2study.imaging.volume_store import (
    entry_key,
    file_hashes,
    load_entry,
    remembered_hashes,
    save_entry,
    tidy,
)
from her2study.imaging.window import Window, box_around, read_window, whole
from her2study.parallel import map_patients
from her2study.study import Imaging
from her2study.types import Mask

MARGIN_VOXELS = 12
"""So much around the lesion is read beside it, to measure the noise there."""


class Patient(NamedTuple):
    """One patient: ``channels`` ``(c, z, y, x)`` float16, ``mask`` ``(z, y, x)`` uint8, her index and quality rows."""

    channels: NDArray[np.float16]
    mask: NDArray[np.uint8]
    index: dict[str, Any]
    quality: dict[str, Any]


class StoredRows(Sequence[Mapping[str, np.ndarray]]):
    """``channels`` and ``mask`` of each patient, read from the store when asked for."""

    def __init__(self, store: Path, keys: Sequence[str]) -> None:
        self.store, self.keys = store, keys

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, position: int) -> Mapping[str, np.ndarray]:
        found = load_entry(self.store, self.keys[position])
        if found is None:
            raise OSError(f"{self.store}: entry {self.keys[position]} vanished while it was needed; run again")
        return found[0]


class Preprocessed(NamedTuple):
    """All patients, sorted by patient_id: ``index`` and ``quality`` are frames with one row each, in that order."""

    stored: StoredRows
    index: pd.DataFrame
    quality: pd.DataFrame

    def rows(self) -> StoredRows:
        """Arrays ``channels`` and ``mask``, patient by patient: what :meth:`her2study.store.Run.save_stack` takes."""
        return self.stored

    @property
    def channels(self) -> NDArray[np.float16]:
        """All channels at once, ``(n, c, z, y, x)``: of few patients only."""
        return np.stack([row["channels"] for row in self.stored])

    @property
    def mask(self) -> NDArray[np.uint8]:
        """All masks at once, ``(n, z, y, x)``: of few patients only."""
        return np.stack([row["mask"] for row in self.stored])


def preprocess_patients(
    cohort: pd.DataFrame, source: Path, imaging: Imaging, store: Path, workers: int = 1
) -> Preprocessed:
    """Preprocess every patient of a cohort who is not yet in the store; the result does not depend on ``workers``.

    Parameters
    ----------
    cohort : DataFrame
        ``patient_id``, ``centre`` and, where recorded, ``acquisition_times``.
    source : Path
        Folder in MAMA-MIA's layout.
    store : Path
        The volume store, a folder that studies may share.

    Raises
    ------
    StudyError
        A file is missing or damaged, a mask does not lie on its scan, a phase is absent.
    """
    chosen = choose_files(cohort, source, imaging)
    done = {files.patient_id: recall_patient(files, imaging, store) for files in chosen}
    missing = [files for files in chosen if done[files.patient_id] is None]
    made = map_patients(partial(keep_patient, imaging=imaging, store=store), missing, "scans", workers)
    done |= {files.patient_id: kept for files, kept in zip(missing, made, strict=True)}
    keys, index, quality = zip(*done.values(), strict=True)
    tidy(store, keys)
    patients = [files.patient_id for files in chosen]
    frame = pd.DataFrame(quality)
    frame.insert(0, "patient_id", pd.Series(patients, dtype="str"))
    frame = frame.merge(cohort[["patient_id", "centre"]], on="patient_id", validate="one_to_one")
    frame.insert(1, "centre", frame.pop("centre"))
    frame["findings"] = flag_scans(frame, imaging)
    table = pd.DataFrame(index)
    table.insert(0, "patient_id", pd.Series(patients, dtype="str"))
    return Preprocessed(StoredRows(store, keys), table, frame)


class Kept(NamedTuple):
    """A patient who is in the store: her entry's key, her index row and her quality row."""

    key: str
    index: dict[str, Any]
    quality: dict[str, Any]


def keep_patient(files: PatientFiles, imaging: Imaging, store: Path) -> Kept:
    """See that a patient is in the store."""
    key = _key(file_hashes(store, files.paths), files, imaging)
    found = load_entry(store, key)
    if found is None:
        done = preprocess_patient(files, imaging)
        arrays, notes = {"channels": done.channels, "mask": done.mask}, {"index": done.index, "quality": done.quality}
        save_entry(store, key, arrays, notes)
        found = arrays, notes
    return Kept(key, **found[1])


def recall_patient(files: PatientFiles, imaging: Imaging, store: Path) -> Kept | None:
    """A patient of whom the store knows everything without reading her files; else nothing."""
    hashes = remembered_hashes(store, files.paths)
    key = _key(hashes, files, imaging) if hashes else ""
    found = load_entry(store, key) if key else None
    return Kept(key, **found[1]) if found else None


def preprocess_patient(files: PatientFiles, imaging: Imaging) -> Patient:
    """One patient from her files: nothing but the window that holds crop and lesion is turned into numbers."""
    pre, mask = read_header(files.pre), read_header(files.mask)
    after = {path: read_header(path) for path in files.after}
    _check_grids(pre, after, mask)
    grid, voxels = pre.grid, find_lesion(mask).voxels
    low, high = voxels.min(axis=0), voxels.max(axis=0)
    centre_mm = _centre_mm(voxels, box_around(low, high, 0, grid.shape), grid.affine)
    window = _window(low, high, crop_window(grid.shape, grid.affine, centre_mm, imaging), grid, imaging)
    lesion = np.zeros([part.stop - part.start for part in window], dtype=bool)
    lesion[tuple((voxels - [part.start for part in window]).T)] = True

    before = read_window(pre, window)
    scans = {path: read_window(stored, window) for path, stored in after.items()}
    moved_mm = []
    if imaging.motion_correction:
        for path, scan in scans.items():
            turned, moved = correct_motion(before, scan, lesion, centre_mm)
            scans[path] = Scan(turned, scan.affine, scan.orientation, scan.path)
            moved_mm.append(moved)
    images = [before.voxels, *(_blended(scans, blend) for blend in (files.early, files.late))]
    if imaging.bias_correction:
        field = bias_field(read_window(pre, whole(grid)).voxels, grid.spacing_mm, window)
        images = [image / field for image in images]
    own = float(np.median(images[0][lesion]))
    if own <= 0:
        raise Unfit(
            Reason.NO_SIGNAL, files.pre, f"the lesion's median pre-contrast signal is {own:g}",
            "it must be positive, for enhancement is measured relative to it", "check the mask and the phase order",
        )  # fmt: skip
    reference = reference_signal(images[0], lesion, grid.spacing_mm, imaging.reference)
    stack = resample_crop([*images, lesion.astype(np.float32)], before.affine, centre_mm, imaging)
    inside = stack[3] >= min(0.5, float(stack[3].max()))  # a lesion thinner than a crop voxel keeps its best voxels
    channels = make_channels(stack[:3], inside, reference, files.phases, imaging)
    if not imaging.motion_correction:
        moved_mm = estimate_shifts_mm(stack[0], stack[1:3], inside, imaging.spacing_mm)
    measured = measure_scan(images[0], images[1], lesion, before, centre_mm, imaging)
    index = {
        "volume_ml": len(voxels) * grid.voxel_ml,
        **dict(zip(("spacing_z_mm", "spacing_y_mm", "spacing_x_mm"), grid.spacing_mm.tolist(), strict=True)),
        **_origin(centre_mm, imaging),
        "reference_signal": reference,
        **files.phases._asdict(),
    }
    motion = {"motion_mm": float(np.fmax.reduce(moved_mm))}  # NaN only if nothing can be said of any phase
    quality = {**measured, **motion, **files.phases._asdict(), "orientation": before.orientation}
    return Patient(channels.astype(np.float16), inside.astype(np.uint8), index, quality)


def _key(hashes: Sequence[str], files: PatientFiles, imaging: Imaging) -> str:
    blends = [[(files.after.index(path), weight) for path, weight in blend] for blend in (files.early, files.late)]
    settings = {"imaging": imaging.model_dump(mode="json"), "phases": files.phases._asdict(), "blends": blends}
    return entry_key(hashes, settings, __name__)


def _check_grids(pre: Stored, after: Mapping[Path, Stored], mask: Stored) -> None:
    """Insist that phases and mask lie on the pre-contrast phase's grid."""
    for reason, other in [*((Reason.PHASE_GRID, stored) for stored in after.values()), (Reason.MASK_GRID, mask)]:
        if other.shape == pre.shape and np.array_equal(other.affine, pre.affine):
            continue
        different = differ(other.grid, pre.grid)
        if different:
            raise other_grid(reason, other.path, pre.path, different)


def _window(low: NDArray[np.int64], high: NDArray[np.int64], crop: Window, grid: Grid, imaging: Imaging) -> Window:
    """What is read: the crop, the lesion from ``low`` to ``high`` and what lies around it."""
    around = box_around(low, high, MARGIN_VOXELS, grid.shape)
    first = np.array([min(a.start, b.start) for a, b in zip(crop, around, strict=True)])
    last = np.array([max(a.stop, b.stop) - 1 for a, b in zip(crop, around, strict=True)])
    margin = np.ceil(MARGIN_MM / grid.spacing_mm).astype(int) if imaging.motion_correction else 0
    return box_around(first, last, margin, grid.shape)


def _centre_mm(voxels: NDArray[np.int64], box: Window, affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre of the lesion's largest piece, from its voxels ``(n, 3)`` on the whole grid."""
    start = np.array([part.start for part in box])
    small: Mask = np.zeros([part.stop - part.start for part in box], dtype=bool)
    small[tuple((voxels - start).T)] = True
    moved = affine.copy()
    moved[:3, 3] = (affine @ np.array([*start[::-1], 1.0]))[:3]
    return lesion_centre_mm(small, moved)


def _blended(scans: Mapping[Path, Scan], blend: tuple[tuple[Path, float], ...]) -> NDArray[np.float32]:
    """The weighted sum of phases."""
    if len(blend) == 1:
        return scans[blend[0][0]].voxels
    return sum(np.float32(weight) * scans[path].voxels for path, weight in blend)


def _origin(centre_mm: NDArray[np.float64], imaging: Imaging) -> dict[str, float]:
    """LPS position of the middle of crop voxel (0, 0, 0)."""
    names = ("origin_x_mm", "origin_y_mm", "origin_z_mm")
    return dict(zip(names, crop_origin_mm(centre_mm, imaging).tolist(), strict=True))
