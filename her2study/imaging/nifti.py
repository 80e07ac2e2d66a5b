"""NIfTI files as they are stored: the header without any guess, the voxels slab by slab.

A header that nibabel would silently repair (voxel sizes of zero become 1 mm) is refused here, and a
file is never held in memory twice: gigabytes pass through a slab of a few megabytes.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from her2study.imaging.findings import Reason, Unfit
from her2study.imaging.grids import Grid, grid_of

SLAB_BYTES = 1 << 23
HEADERS = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
"""By the size that the first four bytes of a file tell."""

LAST_OFFSET = 1 << 30
"""Voxels begin before this byte; headers with extensions are a few kilobytes."""

UNREADABLE = (HeaderDataError, WrapStructError, OSError, EOFError, ValueError, OverflowError, zlib.error, struct.error)

SPACING_MM = (0.15, 15.0)
"""Voxel sizes of breast MRI; anything else is another unit."""

FACTORS = {"metres": 1000.0, "centimetres": 10.0, "micrometres": 0.001}


@dataclass(frozen=True)
class Stored:
    """What the header of a file says.

    Attributes
    ----------
    shape : tuple of int
        ``(i, j, k)``, the file's own axes.
    affine : ndarray
        ``(4, 4)``, from index ``(i, j, k)`` to RAS, in ``units``.
    slope, inter : float
        Stored values are turned into signals by ``slope * value + inter``.
    pixdim : tuple of float
        Voxel sizes beside the affine, which should say the same.
    units : str
        ``mm``, ``meter``, ``micron`` or ``unknown``.
    """

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    offset: int
    slope: float
    inter: float
    affine: NDArray[np.float64]
    pixdim: tuple[float, ...]
    units: str

    @cached_property
    def grid(self) -> Grid:
        """Its place in the patient."""
        return grid_of(self.shape, self.affine)

    @property
    def size(self) -> int:
        """Number of voxels."""
        return int(np.prod(self.shape))


def read_header(path: Path) -> Stored:
    """Read and check the header of one file.

    Raises
    ------
    Unfit
        The file is missing, no NIfTI, not a single grey volume, or has no usable affine.
    """
    path = Path(path)
    if not path.is_file():
        raise Unfit(
            Reason.PHASE_MISSING, path, "does not exist", "every included patient needs it",
            "add the file, or exclude the patient in study.yml",
        )  # fmt: skip
    try:
        with _opened(path) as file:
            size = file.read(4)
            kind = next((HEADERS[n] for n in HEADERS if size in (n.to_bytes(4, "little"), n.to_bytes(4, "big"))), None)
            if kind is None:
                raise ValueError("it does not begin like one")
            file.seek(0)
            header = kind.from_fileobj(file, check=False)
        dtype, shape, offset = header.get_data_dtype(), header.get_data_shape(), header.get_data_offset()
        offset = offset or kind.single_vox_offset
        if not kind.sizeof_hdr <= offset < LAST_OFFSET:
            raise ValueError(f"its voxels begin at byte {offset}, says its header")
        slope, inter = header.get_slope_inter()
        affine, units = header.get_best_affine(), header.get_xyzt_units()[0]
    except UNREADABLE as error:
        raise _damaged(path, f"cannot be read as NIfTI ({_short(error)})") from None
    except KeyError as error:
        raise _damaged(path, f"cannot be read as NIfTI (unknown code {error} in its header)") from None
    _one_volume(path, shape, dtype)
    shape = tuple(int(n) for n in shape[:3])
    pixdim = tuple(float(mm) for mm in header["pixdim"][1:4])
    stored = Stored(
        path, shape, dtype, offset, 1.0 if slope is None else slope, 0.0 if inter is None else inter,
        np.asarray(affine, dtype=float), pixdim, units,
    )  # fmt: skip
    _usable_geometry(stored)
    return stored


def check_units(stored: Stored) -> None:
    """Insist that voxel sizes are millimetres of a breast MRI.

    Raises
    ------
    Unfit
        The header names another unit, or the sizes are those of one.
    """
    spacing = np.linalg.norm(stored.affine[:3, :3], axis=0)
    text = _by(spacing)
    rule = "voxel sizes must be millimetres"
    named = {"meter": "metres", "micron": "micrometres"}.get(stored.units)
    factor = named and FACTORS[named]
    if named and _plausible(spacing * factor):
        mend = f"multiply the affine by {factor:g} and set xyzt_units to 2 (mm)"
        raise Unfit(Reason.UNITS, stored.path, f"voxels of {text} {named}, says its header", rule, mend)
    if named:
        raise Unfit(
            Reason.UNITS, stored.path, f"voxels of {text} {named}, says its header, though {text} mm would be usual"
            if _plausible(spacing) else f"voxels of {text} {named}, says its header", rule,
            "set xyzt_units to 2 (mm) if the sizes are right, else convert the scan again",
        )  # fmt: skip
    if not _plausible(spacing):
        unit = next((name for name, times in FACTORS.items() if _plausible(spacing * times)), None)
        looks = f", which look like {unit}" if unit else ""
        mend = f"multiply the affine by {FACTORS[unit]:g}" if unit else "convert the scan again"
        raise Unfit(
            Reason.UNITS, stored.path, f"voxels of {text} mm{looks}",
            f"{rule} between {SPACING_MM[0]:g} and {SPACING_MM[1]:g}", mend,
        )  # fmt: skip


def slabs(stored: Stored) -> Iterator[tuple[int, NDArray[Any]]]:
    """The stored values in the order of the file (``i`` fastest), a slab at a time, with each slab's first place.

    Values are as stored, neither scaled nor turned. The end of a compressed file is read as well, so its
    check sum is compared.

    Raises
    ------
    Unfit
        The file ends early or its check sum is wrong.
    """
    step = max(1, SLAB_BYTES // stored.dtype.itemsize)
    wanted, done = stored.size * stored.dtype.itemsize, 0
    try:
        with _opened(stored.path) as file:
            file.seek(stored.offset)
            for start in range(0, stored.size, step):
                block = file.read(min(step, stored.size - start) * stored.dtype.itemsize)
                done += len(block)
                if len(block) < min(step, stored.size - start) * stored.dtype.itemsize:
                    raise EOFError(f"it holds {done:,} of {wanted:,} bytes")
                yield start, np.frombuffer(block, stored.dtype)
            file.read(1)
    except UNREADABLE as error:
        raise _damaged(stored.path, f"cannot be read to its end ({_short(error)})") from None


def _opened(path: Path) -> BinaryIO | gzip.GzipFile:
    """The file's content, whether it is compressed or only named so."""
    with open(path, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if compressed else open(path, "rb")


def _one_volume(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    rule = "one file must hold one phase, one grey-valued three-dimensional volume"
    if dtype.fields or dtype.kind not in "biuf":
        kind = "colours" if dtype.fields else "complex numbers"
        raise Unfit(
            Reason.NOT_A_VOLUME, path, f"its voxels are {kind}", rule,
            "export the magnitude image itself and not a screen capture or a map",
        )  # fmt: skip
    if len(shape) != 3 or min(shape) < 1:
        raise Unfit(Reason.NOT_A_VOLUME, path, f"shape {tuple(map(int, shape))}", rule, "split the file by phase")


def _usable_geometry(stored: Stored) -> None:
    affine, mend = stored.affine, "convert the scan again with a tool that writes the affine (dcm2niix, for example)"
    rule = "position and voxel size must be known"
    if not np.isfinite(affine).all():
        raise Unfit(Reason.NO_GEOMETRY, stored.path, "its affine holds NaN or infinity", rule, mend)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if not (spacing > 0).all() or abs(np.linalg.det(affine[:3, :3] / spacing)) < 1e-3:
        value = f"its affine has no volume (voxels of {_by(spacing)} mm)"
        raise Unfit(Reason.NO_GEOMETRY, stored.path, value, rule, mend)
    if not np.allclose(stored.pixdim, spacing, rtol=0.02):  # NaN and zero included
        value = f"voxels of {_by(stored.pixdim)} mm by pixdim, {_by(spacing)} mm by its affine"
        raise Unfit(Reason.NO_GEOMETRY, stored.path, value, "the header must not contradict itself", mend)


def _plausible(spacing: NDArray[np.float64]) -> bool:
    return bool((spacing >= SPACING_MM[0]).all() and (spacing <= SPACING_MM[1]).all())


def _by(sizes: Any) -> str:
    return " x ".join(f"{size:.4g}" for size in sizes)


def _damaged(path: Path, value: str) -> Unfit:
    rule = "every included patient's scans and mask must be readable"
    return Unfit(Reason.DAMAGED, path, value, rule, "copy the file again from where it came from")


def _short(error: Exception) -> str:
    """The first line of a library's message, without a full stop."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
