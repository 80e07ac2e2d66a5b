"""Scans and masks from NIfTI files, in one orientation, with their geometry checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.orientations import apply_orientation
from numpy.typing import NDArray

from her2study.imaging.findings import Reason, Unfit
from her2study.imaging.grids import Grid, differ, turn_to_lps
from her2study.imaging.nifti import read_header, slabs
from her2study.types import Mask, Volume


@dataclass(frozen=True)
class Scan:
    """One phase on its scanner's grid, axes turned to the nearest of left, posterior, superior.

    Attributes
    ----------
    voxels : Volume
        ``(z, y, x)``, scanner units.
    affine : ndarray
        ``(4, 4)``, from index ``(x, y, z)`` to LPS millimetres; keeps an oblique scan's tilt.
    orientation : str
        How the file's own axes ran, e.g. ``"PSR"`` for a sagittal scan.
    path : Path
        For messages.
    """

    voxels: Volume
    affine: NDArray[np.float64]
    orientation: str
    path: Path

    @property
    def grid(self) -> Grid:
        """Its place in the patient, without the voxels."""
        return Grid(self.voxels.shape, self.affine)

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """Voxel size along ``(z, y, x)``, each axis its own."""
        return self.grid.spacing_mm


def read_scan(path: Path) -> Scan:
    """Read one phase: a slab of the file at a time into one float32 volume.

    Raises
    ------
    StudyError
        The file is missing, damaged, not three-dimensional, without a usable affine, or holds
        values that are not finite.
    """
    stored = read_header(path)
    flat = np.empty(stored.size, np.float32)
    count = 0
    for start, block in slabs(stored):
        part = flat[start : start + block.size]
        part[...] = block if (stored.slope, stored.inter) == (1, 0) else block * stored.slope + stored.inter
        count += 0 if block.dtype.kind in "biu" else int((~np.isfinite(part)).sum())
    if count:
        raise not_finite(stored.path, count)
    turn = turn_to_lps(stored.affine)
    voxels = apply_orientation(flat.reshape(stored.shape, order="F"), turn).T
    orientation = "".join(nib.aff2axcodes(stored.affine))
    return Scan(np.ascontiguousarray(voxels), stored.grid.affine, orientation, stored.path)


def read_mask(path: Path, scan: Scan) -> Mask:
    """Read a lesion mask drawn on ``scan``; every value above 0.5 is lesion.

    Raises
    ------
    StudyError
        As :func:`read_scan`, and if the grid is not the scan's or no voxel is marked.
    """
    mask = read_scan(path)
    check_same_grid(mask, scan)
    lesion = mask.voxels > 0.5
    if not lesion.any():
        raise empty_mask(mask.path)
    return lesion


def check_same_grid(scan: Scan, reference: Scan) -> None:
    """Make sure that two scans share shape and position, however their files store the axes.

    Raises
    ------
    StudyError
        Naming what differs: shape, axes, spacing, tilt or origin, and by how much.
    """
    different = differ(scan.grid, reference.grid)
    if different:
        raise other_grid(Reason.PHASE_GRID, scan.path, reference.path, different)


def not_finite(path: Path, count: int) -> Unfit:
    """The finding that a file holds values that are no numbers."""
    return Unfit(
        Reason.NOT_FINITE, path, f"{count} voxels are NaN or infinite", "a scan must be finite everywhere",
        "export it again from the scanner's DICOM files, or exclude the patient",
    )  # fmt: skip


def empty_mask(path: Path) -> Unfit:
    """The finding that a mask marks nothing."""
    return Unfit(
        Reason.EMPTY_MASK, path, "the mask marks no voxel", "a lesion of at least one voxel is needed",
        "draw the mask again, or exclude the patient",
    )  # fmt: skip


def other_grid(reason: Reason, path: Path, reference: Path, different: tuple[str, str]) -> Unfit:
    """The finding that a file does not lie on the grid of another."""
    words, mend = different
    return Unfit(reason, path, f"compared with {reference.name}, {words}", "both must lie on one grid", mend)
