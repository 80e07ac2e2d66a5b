"""Where a volume lies in the patient, and in words how two volumes lie differently."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform
from numpy.typing import NDArray

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""NIfTI's world is right-anterior-superior; ours, as DICOM's and SimpleITK's, left-posterior-superior."""

TOLERANCE_VOXELS = 0.1
"""Two grids are one if no corner of the volume lies further apart than this."""

RESAMPLE = "resample it onto that scan, or export it again"
COPY = "if the voxels match, copy that scan's affine into it, else resample it onto that scan"


@dataclass(frozen=True)
class Grid:
    """A volume's voxels in the patient, axes turned to the nearest of left, posterior, superior.

    Attributes
    ----------
    shape : tuple of int
        ``(z, y, x)``.
    affine : ndarray
        ``(4, 4)``, from index ``(x, y, z)`` to LPS millimetres; keeps an oblique scan's tilt.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """Voxel size along ``(z, y, x)``, each axis its own."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)[::-1]

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000

    @property
    def corners_mm(self) -> NDArray[np.float64]:
        """``(8, 3)`` positions of the outermost voxels' middles."""
        index = np.array([(*corner, 1) for corner in product(*((0, n - 1) for n in self.shape[::-1]))], dtype=float)
        return (index @ self.affine.T)[:, :3]


def turn_to_lps(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """nibabel's orientation transform from a file's own axes to left, posterior, superior."""
    return ornt_transform(io_orientation(affine), axcodes2ornt(("L", "P", "S")))


def grid_of(shape: tuple[int, ...], affine: NDArray[np.float64]) -> Grid:
    """The grid of a file of ``shape`` ``(i, j, k)`` whose ``affine`` leads to RAS millimetres."""
    turn = turn_to_lps(affine)
    turned = np.empty(3, dtype=int)
    turned[turn[:, 0].astype(int)] = shape
    return Grid(tuple(turned[::-1].tolist()), RAS_TO_LPS @ affine @ inv_ornt_aff(turn, shape))


def differ(grid: Grid, reference: Grid) -> tuple[str, str] | None:
    """How a grid differs from the one it should be, in words, and what to do; none if they are one.

    Looked for in this order: another shape; a position that was lost; axes that run the other way (a
    writer that took RAS for LPS); spacing; tilt; origin.
    """
    if grid.shape != reference.shape:
        apart = _outside(grid, reference)
        return f"shape (z, y, x) {grid.shape} differs from {reference.shape}{apart}", RESAMPLE
    apart_mm = np.linalg.norm(grid.corners_mm - reference.corners_mm, axis=1).max()
    tolerance_mm = TOLERANCE_VOXELS * reference.spacing_mm.min()
    if apart_mm <= tolerance_mm:
        return None
    words = _lost(grid) or _flipped(grid, reference, tolerance_mm)
    parts = [words] if words else [*_spacing(grid, reference, tolerance_mm), *_tilt(grid, reference, tolerance_mm)]
    if not words:
        origin_mm = np.linalg.norm(grid.affine[:3, 3] - reference.affine[:3, 3])
        parts += [f"origin {origin_mm:.1f} mm apart"] if origin_mm > tolerance_mm else []
    far = f"a corner lies {apart_mm:.2f} mm away, at most {tolerance_mm:.2f} mm are allowed"
    return f"{', '.join(parts)} ({far}){_outside(grid, reference)}", COPY if words or len(parts) == 1 else RESAMPLE


def _lost(grid: Grid) -> str:
    """Whether the file has no position of its own: voxels of 1 mm counted from the corner."""
    first = grid.corners_mm[0] * [-1, -1, 1]  # in RAS a plain identity puts the first voxel at 0
    plain = np.allclose(np.abs(grid.affine[:3, :3]), np.eye(3), atol=1e-6)
    ends = np.array(grid.shape[::-1]) - 1
    corner = np.allclose(np.where(np.isclose(first, 0), 0, np.abs(first) - ends), 0)
    return "no position of its own (its affine is the identity)" if plain and corner else ""


def _flipped(grid: Grid, reference: Grid, tolerance_mm: float) -> str:
    """The axes along which the grid is the reference seen in a mirror through the world's origin."""
    ras = RAS_TO_LPS @ reference.affine
    for signs in product((1, -1), repeat=3):
        if signs == (1, 1, 1):
            continue
        mirrored = grid_of(reference.shape[::-1], np.diag([*signs, 1.0]) @ ras)
        if mirrored.shape == grid.shape and np.abs(mirrored.corners_mm - grid.corners_mm).max() <= tolerance_mm:
            axes = [axis for axis, sign in zip("xyz", signs, strict=True) if sign < 0]
            confused = " (RAS and LPS confused)" if axes == ["x", "y"] else ""
            return f"axes flipped along {' and '.join(axes)}{confused}"
    return ""


def _spacing(grid: Grid, reference: Grid, tolerance_mm: float) -> list[str]:
    own, wanted = grid.spacing_mm, reference.spacing_mm
    return [
        f"spacing differs: {a:.4g} v {b:.4g} mm along {axis}"
        for axis, a, b, n in zip("zyx", own, wanted, grid.shape, strict=True)
        if abs(a - b) * max(n - 1, 1) > tolerance_mm
    ]


def _tilt(grid: Grid, reference: Grid, tolerance_mm: float) -> list[str]:
    directions = [side.affine[:3, :3] / side.spacing_mm[::-1] for side in (grid, reference)]
    cosines = np.clip((directions[0] * directions[1]).sum(axis=0), -1, 1)
    angle = float(np.arccos(cosines).max())
    length_mm = float((reference.spacing_mm * reference.shape).max())
    return [f"axes tilted by {np.degrees(angle):.1f} degrees"] if angle * length_mm > tolerance_mm else []


def _outside(grid: Grid, reference: Grid) -> str:
    """Told only if the two have no millimetre in common."""
    own, wanted = grid.corners_mm, reference.corners_mm
    apart = (own.min(axis=0) > wanted.max(axis=0)) | (own.max(axis=0) < wanted.min(axis=0))
    return ", and it lies wholly outside that scan" if apart.any() else ""
