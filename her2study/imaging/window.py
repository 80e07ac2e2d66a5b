"""Part of a scan: only the box of voxels that the crop needs is ever turned into numbers.

A file is read no further than the last plane of the box, and only the planes of the box are kept, as they are
stored, so a volume of gigabytes does not cost gigabytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.orientations import aff2axcodes, apply_orientation
from numpy.typing import NDArray

from her2study.imaging.findings import Reason, Unfit
from her2study.imaging.grids import Grid, grid_of, turn_to_lps
from her2study.imaging.nifti import Stored
from her2study.imaging.volume import Scan, not_finite

Window = tuple[slice, slice, slice]
"""A box of voxels of a :class:`~her2study.imaging.grids.Grid`, ``(z, y, x)``."""

BLOCK_BYTES = 1 << 17
"""So much of a file is read at a time; larger blocks leave the processor's cache."""


def box_around(low: NDArray[np.int64], high: NDArray[np.int64], margin: Any, shape: tuple[int, ...]) -> Window:
    """The window from ``low`` to ``high`` (both included, ``(z, y, x)``), wider by ``margin``, inside ``shape``."""
    start = np.clip(low - margin, 0, np.array(shape) - 1)
    stop = np.clip(high + margin + 1, start + 1, shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))


def shifted(affine: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    """The affine, from index ``(x, y, z)``, of a window of a grid with this ``affine``."""
    moved = affine.copy()
    moved[:3, 3] = (affine @ np.array([*(part.start for part in window[::-1]), 1.0]))[:3]
    return moved


def read_window(stored: Stored, window: Window) -> Scan:
    """The voxels of a window as a small scan of their own, with the affine of that place.

    Parameters
    ----------
    stored : Stored
        The file's header, from :func:`~her2study.imaging.nifti.read_header`.
    window : tuple of slice
        ``(z, y, x)`` on ``stored.grid``.

    Raises
    ------
    Unfit
        The file ends early or is damaged before the window's end, or a voxel of the window is not finite.
    """
    turn, codes, affine = _axes(stored.shape, stored.affine.tobytes())
    own = []
    for axis, (target, sign) in enumerate(turn.astype(int)):
        part, length = window[2 - target], stored.shape[axis]
        own.append(part if sign > 0 else slice(length - part.stop, length - part.start))
    i, j, k = own
    part = apply_orientation(_planes(stored, k)[i, j], turn).T
    if _scaled(stored):  # as nibabel does it
        part = part.astype(np.float64) * stored.slope + stored.inter
    voxels = np.ascontiguousarray(part, dtype=np.float32)
    whole_numbers = stored.dtype.kind in "biu" and not _scaled(stored)
    count = 0 if whole_numbers else int((~np.isfinite(voxels)).sum())
    if count:
        raise not_finite(stored.path, count)
    return Scan(voxels, shifted(affine, window), codes, stored.path)


def whole(grid: Grid) -> Window:
    """The window that is the whole grid."""
    return tuple(slice(0, n) for n in grid.shape)


def _planes(stored: Stored, wanted: slice) -> NDArray[Any]:
    """The file's planes from ``wanted.start`` to ``wanted.stop`` as they are stored, ``(i, j, planes)``."""
    rows, columns, _ = stored.shape
    size = rows * columns * stored.dtype.itemsize
    skip, filled = stored.offset + wanted.start * size, 0
    planes = np.empty((wanted.stop - wanted.start) * size, np.uint8)
    try:
        for block in _blocks(stored.path):
            useful = block[skip : skip + planes.size - filled] if skip < len(block) else b""
            skip = max(skip - len(block), 0)
            planes[filled : filled + len(useful)] = np.frombuffer(useful, np.uint8)
            filled += len(useful)
            if filled == planes.size:
                return planes.view(stored.dtype).reshape(rows, columns, -1, order="F")
        raise EOFError("it ends before its last voxel")
    except (OSError, EOFError, zlib.error) as error:
        raise Unfit(
            Reason.DAMAGED, stored.path, f"cannot be read to its end ({error})",
            "every included patient's scans and mask must be readable", "copy the file again from where it came from",
        ) from None  # fmt: skip


def _blocks(path: Path) -> Iterator[bytes]:
    """The file's content, uncompressed; zlib itself, for Python's gzip module takes half as long again."""
    with open(path, "rb") as file:
        packed = file.read(BLOCK_BYTES)
        if not packed.startswith(b"\x1f\x8b"):
            while packed:
                yield packed
                packed = file.read(BLOCK_BYTES)
            return
        member = zlib.decompressobj(wbits=31)
        while packed:
            yield member.decompress(packed, 4 * BLOCK_BYTES)
            packed = member.unconsumed_tail or member.unused_data or file.read(BLOCK_BYTES)
            if member.eof and packed:  # a file may be several, one after the other
                member = zlib.decompressobj(wbits=31)


@lru_cache(maxsize=16)
def _axes(shape: tuple[int, int, int], affine: bytes) -> tuple[NDArray[np.float64], str, NDArray[np.float64]]:
    """How a file's axes turn to left, posterior, superior, how they ran, and the turned affine: once for all phases."""
    own = np.frombuffer(affine, np.float64).reshape(4, 4)
    return turn_to_lps(own), "".join(aff2axcodes(own)), grid_of(shape, own).affine


def _scaled(stored: Stored) -> bool:
    return (stored.slope, stored.inter) != (1, 0)
