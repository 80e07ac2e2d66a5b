"""One patient's volume in three planes, each where it cuts most of her lesion, turned as a radiologist sees them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Plane(NamedTuple):
    """A slice ``(rows, columns)`` of wash-in, of a signed map divided by its largest value, and of the mask.

    ``spacing_mm`` is the size of a pixel, row by column; ``ends`` are the patient's directions at the left, right, top
    and bottom edge; ``at_mm`` is how far the slice lies from the middle of the crop.
    """

    name: str
    image: NDArray[np.float64]
    heat: NDArray[np.float64]
    mask: NDArray[np.float64]
    spacing_mm: tuple[float, float]
    ends: tuple[str, str, str, str]
    at_mm: float


NAMES = {
    0: ("axial", ("R", "L", "A", "P")),
    1: ("coronal", ("R", "L", "S", "I")),
    2: ("sagittal", ("A", "P", "S", "I")),
}
"""By the axis that is cut, of a crop ``(z, y, x)`` upright in LPS: name and directions at left, right, top, bottom."""


def planes(
    image: NDArray, heat: NDArray, mask: NDArray, spacing_mm: tuple[float, float, float]
) -> tuple[Plane, Plane, Plane]:
    """Axial, coronal and sagittal planes.

    Parameters
    ----------
    image, heat, mask : array (z, y, x)
        Wash-in, signed map and lesion on the grid of the crop.
    spacing_mm : tuple
        Voxel size along ``(z, y, x)``.
    """
    peak = float(np.abs(heat).max())
    volumes = [np.asarray(v, np.float64) for v in (image, heat / peak if peak > 0 else heat, mask)]
    made = []
    for axis, (name, ends) in NAMES.items():
        others = tuple(other for other in range(3) if other != axis)
        place = int((volumes[2] > 0.5).sum(axis=others).argmax())
        cut = [volume.take(place, axis=axis) for volume in volumes]
        if axis:  # z runs upwards, rows of a picture downwards
            cut = [part[::-1] for part in cut]
        pixel = tuple(spacing_mm[other] for other in others)
        middle = (image.shape[axis] - 1) / 2
        made.append(Plane(name, *cut, pixel, ends, (place - middle) * spacing_mm[axis]))
    return tuple(made)
