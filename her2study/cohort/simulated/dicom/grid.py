"""One simulated patient's phases as a stack of slices with positions in DICOM's patient coordinates (LPS, mm)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.cohort.sources import mask_file, parse_times, phase_files
from her2study.types import StudyError

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

MOST_SHEAR = 1e-4
"""Cosine between two axes above which DICOM cannot hold the grid: its rows, columns and slices stand upright."""


@dataclass(frozen=True)
class Stack:
    """Phases on one grid: axis 0 runs over slices, 1 over rows, 2 over columns.

    Attributes
    ----------
    phases : list of (slices, rows, columns) integers
    seconds : list of float
        When each phase was acquired, counted from the first.
    mask : (slices, rows, columns) bool
    affine : (4, 4)
        From ``(column, row, slice)`` to LPS millimetres.
    field_strength_t : float
    """

    phases: list[NDArray[np.integer]]
    seconds: list[float]
    mask: NDArray[np.bool_]
    affine: NDArray[np.float64]
    field_strength_t: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""
        return self.phases[0].shape

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """Between columns, between rows, between slices."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def orientation(self) -> list[float]:
        """ImageOrientationPatient: along a row, then down a column."""
        cosines = self.affine[:3, :2] / self.spacing_mm[:2]
        return cosines.T.ravel().tolist()

    def position_mm(self, slice_index: int) -> list[float]:
        """ImagePositionPatient: centre of the slice's first voxel."""
        return (self.affine[:3, 3] + slice_index * self.affine[:3, 2]).tolist()

    def along_normal_mm(self, slice_index: int) -> float:
        """SliceLocation: the slice's place along the normal of rows and columns."""
        row, column = np.reshape(self.orientation, (2, 3))
        return float(np.cross(row, column) @ self.position_mm(slice_index))

    def with_phases(self, phases: list[NDArray[np.integer]], seconds: list[float]) -> Stack:
        """Other images on the same grid."""
        return replace(self, phases=phases, seconds=seconds)


def read_stack(source: Path, patient: str) -> Stack:
    """Read a patient of a folder in MAMA-MIA's layout.

    Raises
    ------
    StudyError
        A file is missing, phases lie on different grids, voxels are no integers, axes are not upright.
    """
    images = [nib.load(path) for path in phase_files(source, patient)]
    affine = RAS_TO_LPS @ images[0].affine
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    if np.abs(axes.T @ axes - np.eye(3)).max() > MOST_SHEAR:
        raise StudyError(f"patient {patient!r}: the scan's axes are not at right angles, which DICOM cannot express")
    phases = []
    for image in images:
        voxels = np.asanyarray(image.dataobj)
        if voxels.shape != images[0].shape or not np.allclose(image.affine, images[0].affine, atol=1e-4):
            raise StudyError(f"patient {patient!r}: phases lie on different grids; give them one grid first")
        if not np.issubdtype(voxels.dtype, np.integer):
            raise StudyError(f"patient {patient!r}: voxels are {voxels.dtype}; a scanner stores integers")
        phases.append(np.ascontiguousarray(voxels.T))
    mask = np.asanyarray(nib.load(mask_file(source, patient)).dataobj).T > 0
    seconds, strength = _protocol(source, patient, len(phases))
    return Stack(phases, seconds, mask, affine, strength)


def _protocol(source: Path, patient: str, phases: int) -> tuple[list[float], float]:
    """Phase times and field strength from ``clinical.csv``."""
    table = pd.read_csv(source / "clinical.csv", dtype="str").set_index("patient_id")
    if patient not in table.index:
        raise StudyError(f"{source / 'clinical.csv'}: no patient {patient!r}")
    row = table.loc[patient]
    seconds = parse_times(row["acquisition_times"])
    if len(seconds) != phases:
        raise StudyError(f"patient {patient!r}: {len(seconds)} acquisition_times for {phases} phases")
    return [float(value) for value in seconds], float(row.get("field_strength_t", 1.5))
