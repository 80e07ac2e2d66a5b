"""Where slices lie: one stack of parallel, evenly spaced slices, or the reason why not.

Slices are ordered by their position along the normal of the image plane, never by their number or file name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from her2study.cohort.dicom.frames import Frame, Refused

SAME_PLACE_MM = 0.05
"""Slices nearer than this along the normal are repetitions of one place."""

TOLERANCE_VOXELS = 0.1
"""A slice may lie this far from where an even stack has it; two grids are one if no corner is further apart."""

SAME_DIRECTION = 1e-3
"""Direction cosines that differ by less are equal."""

EXPORT_AGAIN = "export the series again from the archive, complete"


@dataclass(frozen=True)
class Grid:
    """Shape ``(columns, rows, slices)`` and the affine from these indices to LPS millimetres."""

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """Voxel size along columns, rows and slices."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def view(self) -> str:
        """``sagittal``, ``coronal`` or ``axial``: the plane that the slices are nearest to."""
        normal = np.cross(self.affine[:3, 0], self.affine[:3, 1])
        return ("sagittal", "coronal", "axial")[int(np.argmax(np.abs(normal)))]

    def corners(self) -> NDArray[np.float64]:
        """Centres of the eight corner voxels, homogeneous, ``(4, 8)``, in millimetres."""
        ends = [(0, n - 1) for n in self.shape]
        return self.affine @ np.array([(i, j, k, 1) for i in ends[0] for j in ends[1] for k in ends[2]], float).T

    def apart_voxels(self, other: Grid) -> float:
        """Largest distance of corresponding corners, in this grid's smallest spacing; infinite if shapes differ."""
        if self.shape != other.shape:
            return float("inf")
        return float(np.linalg.norm((self.corners() - other.corners())[:3], axis=0).max() / self.spacing_mm.min())


def faulty_frame(frame: Frame) -> str:
    """Why a slice has no place in space; empty if it has one."""
    if frame.position is None or frame.orientation is None:
        return "slices without position or orientation"
    if frame.spacing is None or min(frame.spacing) <= 0:
        return "pixel spacing is missing or zero"
    row, column = np.array(frame.orientation[:3]), np.array(frame.orientation[3:])
    skewed = abs(row @ column) > SAME_DIRECTION
    if skewed or abs(np.linalg.norm(row) - 1) > 0.01 or abs(np.linalg.norm(column) - 1) > 0.01:
        return "row and column directions are not perpendicular unit vectors"
    return ""


def normal_of(orientation: Sequence[float]) -> NDArray[np.float64]:
    """Unit normal of the image plane, right-handed with rows and columns."""
    normal = np.cross(orientation[:3], orientation[3:])
    return normal / np.linalg.norm(normal)


def places(frames: Sequence[Frame], normal: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each frame the number of its slice place, and the places' distances along the normal, ascending."""
    along = np.array([frame.position for frame in frames]) @ normal
    order = np.argsort(along, kind="stable")
    starts = np.concatenate([[True], np.diff(along[order]) > SAME_PLACE_MM])
    number = np.empty(len(frames), dtype=np.int64)
    number[order] = np.cumsum(starts) - 1
    return number, along[order][starts]


def stack(frames: Sequence[Frame], rows: int, columns: int) -> tuple[list[Frame], Grid]:
    """One volume: its slices in order along the normal, and its grid.

    Raises
    ------
    Refused
        A single slice, a missing or doubled one, uneven spacing, or slices shifted against each other in plane.
    """
    normal = normal_of(frames[0].orientation)
    number, along = places(frames, normal)
    if len(along) < 2:
        raise Refused("a single slice is no volume", "choose a series with a stack of slices")
    if len(along) != len(frames):
        raise Refused(
            f"{len(frames) - len(along)} slices lie where another one lies already",
            "remove the copies, or name another series under choices",
        )
    ordered = [frames[i] for i in np.argsort(number)]
    steps = np.diff(along)
    usual = float(np.median(steps))
    _check_even(along, steps, usual)
    positions = np.array([frame.position for frame in ordered])
    step = (positions[-1] - positions[0]) / (len(ordered) - 1)
    line = positions[0] + np.arange(len(ordered))[:, None] * step
    pixel = min(ordered[0].spacing)
    off_line = np.linalg.norm(positions - line, axis=1).max()
    shear = np.linalg.norm(step - (step @ normal) * normal) * (len(ordered) - 1)
    if max(off_line, shear) > TOLERANCE_VOXELS * max(pixel, usual):
        words = "every slice is shifted in plane against the one before (a sheared stack, as from a tilted gantry)"
        if off_line > shear:
            words = "slices are shifted in plane against each other (positions do not lie on one line)"
        raise Refused(
            f"{words}: up to {max(off_line, shear):.1f} mm", "reformat the series to a straight stack at the scanner"
        )
    affine = np.eye(4)
    affine[:3, 0] = np.array(ordered[0].orientation[:3]) * ordered[0].spacing[1]
    affine[:3, 1] = np.array(ordered[0].orientation[3:]) * ordered[0].spacing[0]
    affine[:3, 2] = step
    affine[:3, 3] = positions[0]
    return ordered, Grid((columns, rows, len(ordered)), affine)


def _check_even(along: NDArray[np.float64], steps: NDArray[np.float64], usual: float) -> None:
    gaps = steps / usual
    wide = gaps[gaps > 1.5]
    if (
        len(wide)
        and np.abs(wide - np.round(wide)).max() < TOLERANCE_VOXELS
        and np.abs(gaps[gaps <= 1.5] - 1).max() < (TOLERANCE_VOXELS)
    ):
        absent = int(np.round(wide - 1).sum())
        raise Refused(
            f"{absent} of {len(along) + absent} slices {'is' if absent == 1 else 'are'} missing inside the stack",
            EXPORT_AGAIN,
        )
    even = np.linspace(along[0], along[-1], len(along))
    if np.abs(along - even).max() > TOLERANCE_VOXELS * usual:
        raise Refused(
            f"slices are unevenly spaced: {steps.min():.2f} to {steps.max():.2f} mm apart",
            "export the series again; if the scanner really left gaps, it cannot be used",
        )
