"""Lesion masks on the grid of a scan: from DICOM segmentations, RT structures and NIfTI files.

A mask is moved voxel by voxel, never interpolated: its grid must be the scan's, or a part of it, however its file
orders the axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from her2study.cohort.dicom.frames import Finding, Refused
from her2study.cohort.dicom.geometry import TOLERANCE_VOXELS, Grid

LARGE_SHARE = 0.2
"""A segment that fills more of the image is an organ or the body, hardly a lesion."""

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

DRAW_AGAIN = "draw or convert the mask on the series that was imported"


@dataclass
class Drawn:
    """A mask ``(slices, rows, columns)`` uint8 on the scan's grid and what is to be said about it."""

    mask: NDArray[np.uint8]
    findings: list[Finding] = field(default_factory=list)


def unite(segments: Iterator[tuple[int, NDArray[np.int64]]], grid: Grid, wanted: Sequence[int]) -> Drawn:
    """The union of segments, each given by its number and the ``(columns, rows, slices)`` indices of its voxels.

    Raises
    ------
    Refused
        No voxel inside the image, or a segment that was asked for does not exist.
    """
    mask = np.zeros(grid.shape[::-1], np.uint8)
    drawn, counts, outside = Drawn(mask), {}, 0
    total = int(np.prod(grid.shape))
    large = []
    for number, indices in segments:
        if wanted and number not in wanted:
            counts[number] = len(indices)
            continue
        inside = ((indices >= 0) & (indices < np.array(grid.shape))).all(axis=1)
        outside += int((~inside).sum())
        i, j, k = indices[inside].T
        mask[k, j, i] = 1
        counts[number] = len(indices)
        large += [number] if len(indices) > LARGE_SHARE * total else []
    absent = sorted(set(wanted) - set(counts))
    if absent:
        raise Refused(f"segment {absent[0]}, named in the choices, is not in the mask", "name another segment")
    if not mask.any():
        reason = "the mask lies outside the image" if outside else "the mask marks no voxel"
        raise Refused(reason, DRAW_AGAIN)
    if outside:
        drawn.findings.append(Finding("mask", f"{outside} voxels of the mask lie outside the image and were cut off"))
    filled = {number: count for number, count in counts.items() if count}
    if len(filled) > 1 or wanted:
        volumes = ", ".join(f"{n}: {c * np.prod(grid.spacing_mm) / 1000:.2f} ml" for n, c in filled.items())
        used = ", ".join(str(n) for n in (wanted or filled))
        taken = f"the union of {used} is the mask" if len(wanted or filled) > 1 else f"{used} is the mask"
        text = f"{len(filled)} segments ({volumes}); {taken}"
        drawn.findings.append(Finding("mask", text, "segments", " ".join(str(n) for n in (wanted or filled))))
    if large:
        text = f"segment {large[0]} fills more than {LARGE_SHARE:.0%} of the image: an organ rather than a lesion?"
        drawn.findings.append(Finding("mask", text, "segments", ""))
    return drawn


def to_scan(affine: NDArray[np.float64], shape: Sequence[int], grid: Grid) -> tuple[NDArray[np.int64], NDArray]:
    """The whole-numbered map from indices of another array to those of the scan: a matrix and an offset.

    Parameters
    ----------
    affine : ndarray
        From the other array's indices to LPS millimetres.

    Raises
    ------
    Refused
        The two grids do not agree to a tenth of a voxel; the reason says how they differ.
    """
    if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise Refused("the mask does not say where it lies (its affine has no volume)", DRAW_AGAIN)
    own = np.linalg.inv(grid.affine)
    if _misfit(own @ affine, shape) <= TOLERANCE_VOXELS:
        matrix = own @ affine
        return np.round(matrix[:3, :3]).astype(np.int64), np.round(matrix[:3, 3]).astype(np.int64)
    for words, mirror in (("left and right", (-1, 1, 1)), ("left and right and front and back", (-1, -1, 1))):
        flipped = np.diag([*mirror, 1.0]) @ affine
        matched = own @ flipped
        if _misfit(matched, shape) <= TOLERANCE_VOXELS and _covers(matched, shape, grid):
            raise Refused(
                f"the mask would lie on the scan's grid if {words} were exchanged: its file was written with a "
                "mirrored affine, and whether its voxels are mirrored too cannot be known",
                "convert the mask again with the affine of the scan, and look at it",
            )
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    same = sorted(shape) == sorted(grid.shape)
    words = (
        f"shape {' x '.join(str(n) for n in shape)} and spacing {' x '.join(f'{s:.2f}' for s in spacing)} mm, the scan "
        f"{' x '.join(str(n) for n in grid.shape)} and {' x '.join(f'{s:.2f}' for s in grid.spacing_mm)} mm"
    )
    raise Refused(
        f"the mask lies on another grid ({words})" + ("; same shape, other place or direction" if same else ""),
        DRAW_AGAIN,
    )


def _misfit(matrix: NDArray[np.float64], shape: Sequence[int]) -> float:
    """How far, in voxels of the scan, any corner of the array is from a whole-numbered map of axes onto axes."""
    axes = np.round(matrix[:3, :3])
    if not (np.abs(axes).sum(axis=0) == 1).all() or not (np.abs(axes).sum(axis=1) == 1).all():
        return float("inf")
    ends = [(0, n - 1) for n in shape]
    corners = np.array([(a, b, c) for a in ends[0] for b in ends[1] for c in ends[2]], float).T
    whole = axes @ corners + np.round(matrix[:3, 3])[:, None]
    return float(np.abs(matrix[:3, :3] @ corners + matrix[:3, 3:4] - whole).max())


def _covers(matrix: NDArray[np.float64], shape: Sequence[int], grid: Grid) -> bool:
    """Whether the array's corners lie inside the scan."""
    ends = np.array([[0, 0, 0], [n - 1 for n in shape]], float).T
    mapped = matrix[:3, :3] @ ends + matrix[:3, 3:4]
    return bool((mapped > -0.5).all() and (mapped < np.array(grid.shape)[:, None] - 0.5).all())


def nifti_mask(path: Path, grid: Grid, wanted: Sequence[int]) -> Drawn:
    """A mask from a NIfTI file; every whole value above 0 is a segment of its own.

    Raises
    ------
    Refused
        The file is damaged, not three-dimensional, or not on the scan's grid.
    """
    import nibabel as nib

    try:
        image = nib.load(path)
        values = np.asarray(image.dataobj)
    except Exception:  # nibabel, gzip and zlib raise each their own
        raise Refused("the mask file cannot be read as NIfTI", "copy or convert it again") from None
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim != 3:
        raise Refused(f"the mask file has {values.ndim} dimensions, not 3", "one mask file holds one volume")
    if not np.isfinite(values).all():
        raise Refused("the mask file holds values that are not finite", "convert it again")
    matrix, offset = to_scan(RAS_TO_LPS @ image.affine, values.shape, grid)
    labels = np.unique(values[values > 0.5])
    if len(labels) > 50 or not (labels == np.round(labels)).all():
        labels = np.array([1])
        values = values > 0.5

    def segments() -> Iterator[tuple[int, NDArray[np.int64]]]:
        for label in labels:
            yield int(label), np.argwhere(values == label) @ matrix.T + offset

    return unite(segments(), grid, wanted)
