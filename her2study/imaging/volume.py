"""Scans and masks from NIfTI files, in one orientation, with their geometry checked."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform
from numpy.typing import NDArray

from her2study.types import Mask, StudyError, Volume

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""nibabel's world is right-anterior-superior; ours, as DICOM's and SimpleITK's, left-posterior-superior."""

GRID_TOLERANCE_VOXELS = 0.1
"""Two grids are one if no corner of the volume lies further apart than this."""


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
    def spacing_mm(self) -> NDArray[np.float64]:
        """Voxel size along ``(z, y, x)``, each axis its own."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)[::-1]


def read_scan(path: Path) -> Scan:
    """Read one phase.

    Raises
    ------
    StudyError
        The file is missing, damaged, not three-dimensional, without a usable affine, or holds
        values that are not finite.
    """
    voxels, affine, orientation = _read(path)
    if not np.isfinite(voxels).all():
        count = int((~np.isfinite(voxels)).sum())
        raise StudyError(
            f"{path}: {count} voxels are NaN or infinite; a scan must be finite everywhere: "
            "export it again from the scanner's DICOM files, or exclude the patient"
        )
    return Scan(voxels, affine, orientation, Path(path))


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
        raise StudyError(
            f"{path}: the mask marks no voxel; a lesion of at least one voxel is needed: "
            "draw the mask again, or exclude the patient"
        )
    return lesion


def check_same_grid(scan: Scan, reference: Scan) -> None:
    """Make sure that two scans share shape and position, however their files store the axes.

    Raises
    ------
    StudyError
        Naming what differs: the shape, or by how many millimetres the corners lie apart.
    """
    if scan.voxels.shape != reference.voxels.shape:
        raise StudyError(
            f"{scan.path}: shape (z, y, x) {scan.voxels.shape} differs from {reference.voxels.shape} of "
            f"{reference.path}; both must lie on one grid: resample it onto that scan, or export it again"
        )
    ends = [(0, n - 1) for n in scan.voxels.shape[::-1]]
    corners = np.array([(x, y, z, 1) for x in ends[0] for y in ends[1] for z in ends[2]], dtype=float).T
    apart_mm = np.linalg.norm((scan.affine @ corners - reference.affine @ corners)[:3], axis=0).max()
    allowed_mm = GRID_TOLERANCE_VOXELS * reference.spacing_mm.min()
    if apart_mm > allowed_mm:
        raise StudyError(
            f"{scan.path}: same shape as {reference.path}, but its affine puts a corner {apart_mm:.2f} mm away "
            f"(at most {allowed_mm:.2f} mm allowed): copy that scan's affine into it if the voxels match, "
            "else resample it onto that scan"
        )


def _read(path: Path) -> tuple[Volume, NDArray[np.float64], str]:
    """Voxels ``(z, y, x)``, affine from ``(x, y, z)`` to LPS, and the file's own axis codes."""
    if not Path(path).is_file():
        raise StudyError(
            f"{path} does not exist; every included patient needs it: add the file, or exclude the patient in study.yml"
        )
    try:
        image = nib.load(path)
        raw = np.asanyarray(image.dataobj)
    except (ImageFileError, OSError, EOFError, ValueError, zlib.error) as error:
        raise StudyError(f"{path}: cannot be read as NIfTI ({error}); copy the file again") from None
    if raw.ndim == 4 and raw.shape[3] == 1:
        raw = raw[..., 0]
    if raw.ndim != 3:
        raise StudyError(
            f"{path}: shape {raw.shape}; one phase must be one three-dimensional volume: split the file by phase"
        )
    affine = image.affine
    if affine is None or not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-6:
        raise StudyError(
            f"{path}: its affine has no volume, so nobody knows the voxel size; convert the scan again "
            "with a tool that writes the affine (dcm2niix, for example)"
        )
    own = io_orientation(affine)
    turn = ornt_transform(own, axcodes2ornt(("L", "P", "S")))
    voxels = np.ascontiguousarray(apply_orientation(raw, turn).T, dtype=np.float32)
    turned = RAS_TO_LPS @ affine @ inv_ornt_aff(turn, raw.shape)
    return voxels, turned, "".join(nib.aff2axcodes(affine))
