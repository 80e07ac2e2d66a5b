"""Voxels of one phase from its files, and the NIfTI file they become. One phase is in memory at a time."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from her2study.cohort.dicom.elements import quiet
from her2study.cohort.dicom.frames import Frame, Refused
from her2study.cohort.dicom.geometry import Grid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

INTEGERS = (np.int16, np.uint16, np.int32)
"""Types of whole numbers in NIfTI files, the first that holds the values is taken."""

EXACT_IN_FLOAT32 = 2**24

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


class Unreadable(Refused):
    """A file whose voxels cannot be read; ``path`` is for the terminal, never for the report."""

    def __init__(self, reason: str, mend: str, path: str) -> None:
        super().__init__(reason, mend)
        self.path = path

    def __reduce__(self):
        return Unreadable, (self.reason, self.mend, self.path)


def read_phase(root: Path, frames: Sequence[Frame], grid: Grid) -> NDArray:
    """Voxels of one phase ``(slices, rows, columns)`` with slope and intercept applied.

    Whole numbers stay whole (int16 where they fit); anything else becomes float32.

    Raises
    ------
    Unreadable
        A file is truncated or damaged, or no decoder for its compression is installed.
    """
    columns, rows, slices = grid.shape
    plain = all(frame.slope == 1 and frame.intercept == 0 for frame in frames)
    volume: NDArray | None = None
    whole = True
    for k, (frame, stored) in enumerate(_quietly(_slices(root, frames))):
        if stored.shape != (rows, columns):
            raise Unreadable("an image has another size than its header says", "export it again", frame.path)
        if volume is None:
            volume = np.empty((slices, rows, columns), stored.dtype if plain else np.float32)
        if plain:
            if stored.dtype != volume.dtype:
                volume = volume.astype(np.promote_types(volume.dtype, stored.dtype))
            volume[k] = stored
            continue
        values = stored * np.float64(frame.slope) + frame.intercept
        whole = whole and bool((values == np.round(values)).all() and np.abs(values).max() < EXACT_IN_FLOAT32)
        volume[k] = values
    return _smallest(volume) if whole else volume


def write_volume(path: Path, volume: NDArray, grid: Grid) -> None:
    """Write ``(slices, rows, columns)`` as compressed NIfTI whose header holds a grid and nothing else.

    The bytes depend on voxels and grid only: no date, no file name.
    """
    import nibabel as nib

    affine = LPS_TO_RAS @ grid.affine
    header = nib.Nifti1Header()
    header.set_data_dtype(volume.dtype.newbyteorder("<"))
    header.set_data_shape(grid.shape)
    header.set_xyzt_units("mm")
    header.set_sform(affine, code=1)
    header.set_qform(affine, code=1)
    header["vox_offset"] = 352
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file, gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as packed:
        packed.write(header.binaryblock + bytes(4))  # four zeros: no extension follows
        for plane in volume:
            packed.write(np.ascontiguousarray(plane, volume.dtype.newbyteorder("<")).tobytes())


def _quietly(slices: Iterator[tuple[Frame, NDArray]]) -> Iterator[tuple[Frame, NDArray]]:
    with quiet():
        yield from slices


def _slices(root: Path, frames: Sequence[Frame]) -> Iterator[tuple[Frame, NDArray]]:
    """Stored values of each slice, in the order given; neighbours in one file are read together."""
    import pydicom
    from pydicom.pixels import iter_pixels

    for path, members in groupby(frames, key=lambda frame: frame.path):
        wanted = list(members)
        several = len(wanted) > 1 or wanted[0].index > 0
        try:
            dataset = pydicom.dcmread(root / path, force=True, stop_before_pixels=several)
            if not hasattr(dataset, "file_meta") or "TransferSyntaxUID" not in dataset.file_meta:
                dataset.ensure_file_meta()
                dataset.file_meta.TransferSyntaxUID = _assumed_syntax(dataset)
            _check_decoder(dataset, path)
            quick = None if several else _uncompressed(dataset)
            if quick is not None:
                yield wanted[0], quick
                continue
            # of a multi-frame file only the wanted frames are read: it may hold gigabytes
            indices = [frame.index for frame in wanted]
            planes = iter_pixels(root / path if several else dataset, indices=indices, raw=True)
            yield from zip(wanted, (np.asarray(plane) for plane in planes), strict=True)
        except Unreadable:
            raise
        except Exception:  # a damaged file can raise anything, and its text may quote the header
            raise Unreadable(
                "the voxels of a file cannot be decoded: it is truncated or damaged",
                "copy or export the file again (the terminal names it)",
                path,
            ) from None


def _assumed_syntax(dataset: Dataset) -> str:
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    implicit, little = dataset.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _check_decoder(dataset: Dataset, path: str) -> None:
    from pydicom.pixels import get_decoder

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError:
        available = False
    if not available:
        name = syntax.name if syntax.name != str(syntax) else "a private method"
        raise Unreadable(
            f"images are compressed with {name}, for which no decoder is installed",
            "decompress the files first (gdcmconv --raw or dcmdjpeg), or install pylibjpeg with pylibjpeg-libjpeg",
            path,
        )


def _uncompressed(dataset: Dataset) -> NDArray | None:
    """Stored values of a plain single-frame file; None where pydicom must do it."""
    syntax, bits = dataset.file_meta.TransferSyntaxUID, dataset.BitsAllocated
    if syntax.is_encapsulated or not syntax.is_little_endian or bits not in (8, 16) or "PixelData" not in dataset:
        return None
    if (dataset.BitsStored != bits and dataset.PixelRepresentation) or int(dataset.get("NumberOfFrames") or 1) > 1:
        return None  # signed values in part of the bits need their sign extended
    count = dataset.Rows * dataset.Columns
    kind = {(8, 0): "u1", (8, 1): "i1", (16, 0): "<u2", (16, 1): "<i2"}[bits, dataset.PixelRepresentation]
    values = np.frombuffer(dataset.PixelData, kind, count)  # raises if the file ends early
    if dataset.BitsStored != bits:
        values = values & ((1 << dataset.BitsStored) - 1)
    return values.reshape(dataset.Rows, dataset.Columns)


def _smallest(volume: NDArray) -> NDArray:
    """Whole numbers in the first NIfTI type that holds them."""
    if volume.dtype in (np.int16,):
        return volume
    low, high = float(volume.min()), float(volume.max())
    for kind in INTEGERS:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return volume.astype(kind)
    return volume.astype(np.float64)
