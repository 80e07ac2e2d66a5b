"""Masks that stand in DICOM objects: segmentations (read by highdicom) and RT structure sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from her2study.cohort.dicom.elements import quiet
from her2study.cohort.dicom.frames import Finding, Refused
from her2study.cohort.dicom.geometry import TOLERANCE_VOXELS, Grid
from her2study.cohort.dicom.masks import DRAW_AGAIN, Drawn, to_scan, unite

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

NOT_LESIONS = ("EXTERNAL", "SUPPORT", "FIXATION", "ISOCENTER", "MARKER", "REGISTRATION", "BOLUS")
"""Interpreted types of structures that are never a lesion."""


def segmentation_mask(path: Path, grid: Grid, wanted: Sequence[int]) -> Drawn:
    """A mask from a DICOM segmentation, binary, fractional (above one half) or label map.

    Raises
    ------
    Refused
        The object cannot be read, or is not on the scan's grid.
    """
    import highdicom as hd

    try:
        with quiet():
            segmentation = hd.seg.segread(path)
            numbers = [int(number) for number in segmentation.segment_numbers if int(number) > 0]
    except Exception:  # highdicom insists on the standard in many ways
        raise Refused("the segmentation object does not follow the standard and cannot be read", DRAW_AGAIN) from None

    def segments() -> Iterator[tuple[int, NDArray[np.int64]]]:
        for number in numbers:
            try:
                with quiet():
                    volume = segmentation.get_volume(segment_numbers=[number], dtype=np.float32)
            except Exception:
                raise Refused("the frames of the segmentation object do not form a volume", DRAW_AGAIN) from None
            values = volume.array[..., 0]
            matrix, offset = to_scan(np.asarray(volume.affine), values.shape, grid)
            yield number, np.argwhere(values > 0.5) @ matrix.T + offset

    return unite(segments(), grid, wanted)


def structure_mask(path: Path, grid: Grid, wanted: Sequence[int]) -> Drawn:
    """A mask from the closed planar contours of an RT structure set.

    A voxel belongs to a structure if its centre lies inside an odd number of the contours that the structure has on
    that slice, so that holes stay holes.

    Raises
    ------
    Refused
        The object cannot be read, holds no closed contours, or has them between the scan's slices.
    """
    import pydicom

    try:
        with quiet():
            dataset = pydicom.dcmread(path, force=True)
            contours = _contours(dataset)
    except Exception:  # anything may be malformed
        raise Refused("the structure set cannot be read", "export it again") from None
    left_out = sorted(number for number in contours if _type_of(dataset, number) in NOT_LESIONS)
    used = {n: c for n, c in contours.items() if n in wanted or (not wanted and n not in left_out)}
    if not used:
        raise Refused("the structure set holds no closed contours of a lesion", DRAW_AGAIN)
    inverse = np.linalg.inv(grid.affine)

    def segments() -> Iterator[tuple[int, NDArray[np.int64]]]:
        for number in sorted(used):
            yield number, _filled([inverse[:3, :3] @ points.T + inverse[:3, 3:4] for points in used[number]])

    drawn = unite(segments(), grid, wanted)
    if left_out and not wanted:
        text = f"structures {', '.join(str(n) for n in left_out)} are the body outline or marks and were left out"
        drawn.findings.append(Finding("mask", text, "segments", ""))
    return drawn


def _contours(dataset: Dataset) -> dict[int, list[NDArray[np.float64]]]:
    """Closed contours ``(points, 3)`` in LPS millimetres by structure number."""
    found: dict[int, list[NDArray[np.float64]]] = defaultdict(list)
    for structure in dataset.get("ROIContourSequence") or ():
        for contour in structure.get("ContourSequence") or ():
            points = np.array([float(v) for v in contour.get("ContourData") or ()]).reshape(-1, 3)
            kind = str(contour.get("ContourGeometricType") or "CLOSED_PLANAR")
            if kind.startswith("CLOSED_PLANAR") or kind == "CLOSEDPLANAR_XOR":
                found[int(structure.ReferencedROINumber)] += [points] if len(points) > 2 else []
    return {number: contours for number, contours in found.items() if contours}


def _type_of(dataset: Dataset, number: int) -> str:
    for observation in dataset.get("RTROIObservationsSequence") or ():
        if observation.get("ReferencedROINumber") == number:
            return str(observation.get("RTROIInterpretedType") or "")
    return ""


def _filled(contours: list[NDArray[np.float64]]) -> NDArray[np.int64]:
    """Indices of the voxels inside the contours of one structure, given in voxel coordinates ``(3, points)``."""
    from skimage.draw import polygon

    planes: dict[int, list[NDArray[np.float64]]] = defaultdict(list)
    for points in contours:
        level = points[2].mean()
        if np.abs(points[2] - round(level)).max() > TOLERANCE_VOXELS:
            raise Refused("contours of the structure set do not lie on the slices of the scan", DRAW_AGAIN)
        planes[round(level)].append(points[:2])
    found = []
    for level, outlines in sorted(planes.items()):
        low = np.floor(np.min([outline.min(axis=1) for outline in outlines], axis=0)).astype(int) - 1
        high = np.ceil(np.max([outline.max(axis=1) for outline in outlines], axis=0)).astype(int) + 2
        plane = np.zeros(high - low, bool)
        for outline in outlines:
            inside = polygon(*(outline - low[:, None]), shape=plane.shape)
            plane[inside] ^= True
        indices = np.argwhere(plane) + low
        found.append(np.column_stack([indices, np.full(len(indices), level)]))
    return np.concatenate(found).astype(np.int64)
