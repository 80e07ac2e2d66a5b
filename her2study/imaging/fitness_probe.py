"""Where a patient's phases are looked at: in the lesion, around it, and where a mirror would put both.

A mask that was turned on its way from the drawing tool marks tissue that does not enhance, while its
mirror image does. Whether a place enhances more than its surroundings is measured as a probability
(the Mann-Whitney statistic over its size): 0.5 is no difference, whatever the scanner's units.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from her2study.imaging.findings import Reason, Unfit
from her2study.imaging.grids import Grid, turn_to_lps
from her2study.imaging.nifti import Stored, slabs
from her2study.imaging.volume import empty_mask, not_finite

PLACES = {"as drawn": None, "head to foot": 0, "front to back": 1, "left to right": 2}
"""The mask as it is, and turned round along one axis of ``(z, y, x)``."""

MOST_VOXELS = 3000
"""Of lesion and of surroundings that are looked at; evenly spread over a larger lesion."""

NEAR, FAR = 1, 4
"""Surroundings are the voxels between so many steps from the lesion."""

LARGEST_ML, SMALLEST_ML = 2000.0, 0.001


class Probe(NamedTuple):
    """Voxels to look at.

    ``places`` is ``(m, 3)``, indices ``(z, y, x)``: lesion and surroundings for each of
    :data:`PLACES` in turn; ``lesion`` and ``around`` are how many of each.
    """

    places: NDArray[np.int64]
    lesion: int
    around: int

    def split(self, values: NDArray[np.float64]) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Values at ``places`` as lesion and surroundings by name of the place."""
        parts = values.reshape(len(PLACES), -1)
        return {name: (part[: self.lesion], part[self.lesion :]) for name, part in zip(PLACES, parts, strict=True)}


class Lesion(NamedTuple):
    """Marked voxels ``(n, 3)`` as indices ``(z, y, x)`` of the mask's grid, and the labels that stand in the file."""

    voxels: NDArray[np.int64]
    labels: tuple[float, ...]


class Look(NamedTuple):
    """One phase, read once: its extremes and sum, low and high percentile, and the values at a probe's places."""

    smallest: float
    largest: float
    total: float
    low: float
    high: float
    values: NDArray[np.float64]


def find_lesion(stored: Stored) -> Lesion:
    """Read a mask; values above 0.5 are lesion.

    Raises
    ------
    Unfit
        Damaged, not finite, or marking nothing or more than a breast.
    """
    most = min(int(LARGEST_ML / stored.grid.voxel_ml), stored.size // 2)
    places, labels, count, bad = [], set(), 0, 0
    for start, block in slabs(stored):
        values = block if (stored.slope, stored.inter) == (1, 0) else block * stored.slope + stored.inter
        bad += 0 if values.dtype.kind in "biu" else int((~np.isfinite(values)).sum())
        found = np.flatnonzero(values > 0.5)
        count += found.size
        if count <= most:
            places.append(found + start)
        if len(labels) < 10:
            labels |= set(np.unique(values[found][:: max(1, found.size // MOST_VOXELS)]).tolist())
    if bad:
        raise not_finite(stored.path, bad)
    if not count:
        raise empty_mask(stored.path)
    volume_ml = count * stored.grid.voxel_ml
    if count > most or volume_ml < SMALLEST_ML:
        share = f", {100 * count / stored.size:.0f}% of the volume" if count > most else ""
        raise Unfit(
            Reason.VOLUME, stored.path, f"the mask marks {volume_ml:.4g} ml{share}",
            f"a lesion has between {SMALLEST_ML:g} and {LARGEST_ML:g} ml and less than half of the scan",
            "see whether lesion and background were exchanged and whether the affine is in millimetres",
        )  # fmt: skip
    own = np.stack(np.unravel_index(np.concatenate(places), stored.shape, order="F"), axis=1)
    return Lesion(_turned(own, stored), tuple(sorted(labels)))


def make_probe(lesion: NDArray[np.int64], grid: Grid) -> Probe:
    """Lesion and surroundings, as drawn and turned round along each axis."""
    low = np.maximum(lesion.min(axis=0) - FAR, 0)
    high = np.minimum(lesion.max(axis=0) + FAR + 1, grid.shape)
    box = np.zeros(high - low, dtype=bool)
    box[tuple((lesion - low).T)] = True
    near = ndimage.binary_dilation(box, iterations=NEAR)
    around = np.argwhere(ndimage.binary_dilation(near, iterations=FAR - NEAR) & ~near) + low
    inside, outside = _some(lesion), _some(around)
    here = np.concatenate([inside, outside])
    places = []
    for axis in PLACES.values():
        turned = here.copy()
        if axis is not None:
            turned[:, axis] = grid.shape[axis] - 1 - turned[:, axis]
        places.append(turned)
    return Probe(np.concatenate(places), len(inside), len(outside))


def look_at(stored: Stored, places: NDArray[np.int64]) -> Look:
    """Read a phase once, from its first byte to its last.

    Raises
    ------
    Unfit
        Damaged, or not finite.
    """
    flat = np.ravel_multi_index(tuple(_own(places, stored).T), stored.shape, order="F")
    order = np.argsort(flat, kind="stable")
    wanted = flat[order]
    values = np.empty(flat.size)
    smallest, largest, total, bad = np.inf, -np.inf, 0.0, 0
    sample = []
    step = max(1, stored.size // 20_000) | 1  # odd: never in step with rows of even length
    for start, block in slabs(stored):
        with np.errstate(invalid="ignore"):  # infinities of both signs
            total += float(block.sum(dtype=np.float64))
        if not np.isfinite(total):
            bad += int((~np.isfinite(block)).sum())
        smallest, largest = min(smallest, float(block.min())), max(largest, float(block.max()))
        sample.append(block[::step].copy())  # a view would keep the slab
        first, last = np.searchsorted(wanted, (start, start + block.size))
        values[order[first:last]] = block[wanted[first:last] - start]
    if bad:
        raise not_finite(stored.path, bad)
    signal = np.array([smallest, largest, *np.percentile(np.concatenate(sample), (1, 99))])
    ends = signal * stored.slope + stored.inter
    return Look(
        *ends[:2].tolist(), total * stored.slope + stored.inter * stored.size, *ends[2:].tolist(),
        values * stored.slope + stored.inter,
    )  # fmt: skip


def stands_out(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """Probability that a voxel inside exceeds one outside, ties counted half."""
    if not (inside.size and outside.size):
        return 0.5
    order = np.sort(outside)
    below = np.searchsorted(order, inside, "left") + np.searchsorted(order, inside, "right")
    return float(below.mean() / (2 * outside.size))


def _some(places: NDArray[np.int64]) -> NDArray[np.int64]:
    return places[:: -(-len(places) // MOST_VOXELS)] if len(places) else places


def _turned(own: NDArray[np.int64], stored: Stored) -> NDArray[np.int64]:
    """Indices ``(i, j, k)`` of a file as ``(z, y, x)`` of its grid."""
    turned = np.empty_like(own)
    for axis, (target, sign) in enumerate(turn_to_lps(stored.affine).astype(int)):
        turned[:, 2 - target] = own[:, axis] if sign > 0 else stored.shape[axis] - 1 - own[:, axis]
    return turned


def _own(places: NDArray[np.int64], stored: Stored) -> NDArray[np.int64]:
    """The way back: ``(z, y, x)`` of the grid as ``(i, j, k)`` of the file."""
    own = np.empty_like(places)
    for axis, (target, sign) in enumerate(turn_to_lps(stored.affine).astype(int)):
        index = places[:, 2 - target]
        own[:, axis] = index if sign > 0 else stored.shape[axis] - 1 - index
    return own
