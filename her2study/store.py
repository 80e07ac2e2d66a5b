"""The only reader and writer of artefacts: atomic, typed, with provenance.

A :class:`Run` is the folder ``results/<study>/`` (``results/<study>-<profile>/`` for profiles other
than ``full``). Every file is written to a temporary name and renamed, so a reader never meets half
a file. Inside the chain each read and write is noted in a journal: that is how the pipeline knows
what a notebook depends on, by content and not by date.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from her2study.study import Study, load_study
from her2study.types import StudyError


class Run:
    """The results of one study under one profile.

    Parameters
    ----------
    study : Study
        Decides the folder and whether tables must be marked SIMULATED.
    root : Path
        Parent of all results, ``results/`` by default.
    data : str
        Source folder of the patients; empty for the simulated cohort's own folder.
    """

    def __init__(self, study: Study, root: Path, data: str = "") -> None:
        suffix = "" if study.profile == "full" else f"-{study.profile}"
        self.folder = root / f"{study.name}{suffix}"
        self.simulated = study.simulated
        self.source = Path(data).resolve() if data else self.folder / "source"

    # Where things are -----------------------------------------------------------------------
    @property
    def truth(self) -> Path:
        """Planted truth of a simulated cohort: for evaluation and benchmarks only."""
        return self.folder / "truth"

    def scratch(self, name: str) -> Path:
        """Folder for what unfinished work needs to go on after a kill; no artefact, whoever made it removes it."""
        return self.folder / ".scratch" / name

    def cache(self, name: str) -> Path:
        """Folder that all studies and profiles share: in ``HER2STUDY_CACHE``, by default beside their results.

        What lies there can be made again, and is named after the content it was made from: never out of date.
        """
        return Path(os.environ.get("HER2STUDY_CACHE") or self.folder.parent / ".cache") / name

    @property
    def has_images(self) -> bool:
        """Whether the source folder holds scans and masks, without which no D-score exists."""
        return (self.source / "images").is_dir() and (self.source / "segmentations").is_dir()

    # Frames and arrays ------------------------------------------------------------------------
    def save_frame(self, name: str, frame: pd.DataFrame) -> None:
        """Store a tidy table as ``<name>.parquet``, without its index."""
        self._write(self.folder / f"{name}.parquet", lambda path: frame.to_parquet(path, index=False))

    def load_frame(self, name: str) -> pd.DataFrame:
        """Read a table stored by :meth:`save_frame`."""
        return pd.read_parquet(self._read(self.folder / f"{name}.parquet"))

    def has(self, name: str) -> bool:
        """Whether ``<name>`` (``.parquet`` if it has no ending) was stored by this run."""
        path = self.folder / (name if Path(name).suffix else f"{name}.parquet")
        self._note("asked", path)
        return path.is_file()

    def save_json(self, name: str, value: Any) -> None:
        """Store a JSON document as ``<name>.json``; floats keep every digit."""
        text = json.dumps(value, indent=1, sort_keys=True, default=_plain, allow_nan=False)
        self._write(self.folder / f"{name}.json", lambda path: path.write_text(text + "\n", encoding="utf-8"))

    def load_json(self, name: str) -> Any:
        """Read a document stored by :meth:`save_json`."""
        return json.loads(self._read(self.folder / f"{name}.json").read_text(encoding="utf-8"))

    def save_arrays(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Store named arrays (volumes, network weights) as ``<name>.safetensors``; never a pickle."""
        from safetensors.numpy import save_file

        contiguous = {key: np.ascontiguousarray(value) for key, value in arrays.items()}
        self._write(self.folder / f"{name}.safetensors", lambda path: save_file(contiguous, path))

    def load_arrays(self, name: str) -> dict[str, np.ndarray]:
        """Read arrays stored by :meth:`save_arrays`."""
        from safetensors.numpy import load_file

        return load_file(self._read(self.folder / f"{name}.safetensors"))

    def save_stack(self, name: str, rows: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Store what :meth:`save_arrays` would store of the stacked rows, in the memory of one row.

        ``rows`` may make each row when it is asked for; every row has arrays of the same names, types and shapes.
        """
        self._write(self.folder / f"{name}.safetensors", lambda path: _write_stack(path, rows))

    def map_arrays(self, name: str) -> dict[str, np.ndarray]:
        """Stored arrays, read only where they are looked at."""
        path = self._read(self.folder / f"{name}.safetensors")
        with open(path, "rb") as file:
            start = 8 + int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(start - 8))
        return {
            key: np.memmap(path, _DTYPES[told["dtype"]], "r", start + told["data_offsets"][0], tuple(told["shape"]))
            for key, told in header.items()
            if key != "__metadata__"
        }

    def save_volume(self, name: str, volume: np.ndarray, affine: np.ndarray) -> None:
        """Store a volume ``(z, y, x)`` in patient space as ``<name>.nii.gz``, for any viewer.

        ``affine`` leads from index ``(x, y, z)`` to millimetres in LPS, as everywhere here; the file is in RAS,
        as NIfTI has it. Same values, same bytes; the header says whose patients they are.
        """
        import nibabel as nib

        to_ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
        image = nib.Nifti1Image(np.ascontiguousarray(np.asarray(volume, np.float32).T), to_ras)
        image.header.set_xyzt_units("mm")
        image.set_sform(to_ras, code=1)
        image.set_qform(to_ras, code=1)
        image.header["descrip"] = "SIMULATED patients" if self.simulated else "real patients"
        packed = gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)
        self._write(self.folder / f"{name}.nii.gz", lambda path: path.write_bytes(packed))

    # What a reader sees -----------------------------------------------------------------------
    def save_table(self, name: str, frame: pd.DataFrame) -> None:
        """Store a table of the paper as ``tables/<name>.csv``, its last column saying whose patients.

        Numbers keep ten significant digits; rounding is for display.
        """
        if frame.empty:
            raise ValueError(f"table {name!r} is empty; nothing would be reported")
        marked = frame.assign(patients="SIMULATED" if self.simulated else "real")
        path = self.folder / "tables" / f"{name}.csv"
        self._write(path, lambda part: marked.to_csv(part, index=False, float_format="%.10g"))

    def load_table(self, name: str) -> pd.DataFrame:
        """Read a table stored by :meth:`save_table`, without the mark."""
        return pd.read_csv(self._read(self.folder / "tables" / f"{name}.csv")).drop(columns="patients")

    def has_table(self, name: str) -> bool:
        """Whether the table was stored by this run."""
        return self.has(f"tables/{name}.csv")

    def table_names(self) -> list[str]:
        """Names of all stored tables, sorted."""
        self._note("listed", self.folder / "tables")
        return sorted(path.stem for path in (self.folder / "tables").glob("*.csv"))

    def save_figure_data(self, name: str, frame: pd.DataFrame) -> None:
        """Store what a figure is drawn from, so that style can change without any computation.

        Pictures are rows with flattened ``image`` columns and their ``height`` and ``width``.
        """
        self.save_frame(f"figure_data/{name}", frame)

    def load_figure_data(self, name: str) -> pd.DataFrame:
        """Read what :meth:`save_figure_data` stored."""
        return self.load_frame(f"figure_data/{name}")

    def figure_names(self) -> list[str]:
        """Names of all figures with stored data, sorted."""
        self._note("listed", self.folder / "figure_data")
        return sorted(path.stem for path in (self.folder / "figure_data").glob("*.parquet"))

    def save_values(self, notebook: str, values: Mapping[str, Any]) -> None:
        """Store numbers a sentence may use: ``name -> {value, low, high, unit, format}`` or plain."""
        self.save_json(f"values/{notebook}", dict(values))

    def load_values(self) -> dict[str, Any]:
        """All values stored by all notebooks, by name."""
        gathered: dict[str, Any] = {}
        self._note("listed", self.folder / "values")
        for path in sorted((self.folder / "values").glob("*.json")):
            gathered |= json.loads(self._read(path).read_text(encoding="utf-8"))
        return gathered

    # Provenance ---------------------------------------------------------------------------------
    def note_source(self, paths: Iterable[Path]) -> None:
        """Note that files of the source folder were read."""
        for path in paths:
            self._note("source", Path(path))

    def _read(self, path: Path) -> Path:
        if not path.is_file():
            raise StudyError(
                f"{path} does not exist: the notebook that writes it has not run; run the chain first (make reproduce)"
            )
        self._note("read", path)
        return path

    def _write(self, path: Path, write: Callable[[Path], Any]) -> None:
        write_atomically(path, write)
        self._note("write", path)

    def _note(self, what: str, path: Path) -> None:
        journal = os.environ.get("HER2STUDY_JOURNAL")
        if journal:
            with open(journal, "a", encoding="utf-8") as file:
                file.write(json.dumps([what, str(path.resolve())]) + "\n")


def open_study(name: str, profile: str = "full", data: str = "", results: str = "results") -> tuple[Study, Run]:
    """The settings of a study and the folder its results live in: the first line of every notebook.

    ``results`` and ``data`` are taken relative to the project's root when the current folder is
    ``notebooks/``, else relative to the current folder.
    """
    base = Path.cwd().parent if Path.cwd().name == "notebooks" else Path.cwd()
    root = Path(os.environ.get("HER2STUDY_RESULTS") or base / results)
    study = load_study(name, profile)
    return study, Run(study, root, str(base / data) if data else "")


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then rename it into place.

    Raises
    ------
    StudyError
        The disk is full or the folder may not be written; nothing half-written stays.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        os.replace(part, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StudyError(
                f"{path}: no space left on the disk; free some and run the same command again (finished work is kept)"
            ) from None
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise StudyError(
                f"{path}: may not be written ({error.strerror}); change the folder's permissions "
                "or choose another with HER2STUDY_RESULTS"
            ) from None
        raise
    finally:
        part.unlink(missing_ok=True)


_DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32, "U8": np.uint8}
"""safetensors' names of the types that are stored."""


def _write_stack(path: Path, rows: Sequence[Mapping[str, np.ndarray]]) -> None:
    """The file that safetensors would write of the stacked rows, row by row at the place of each."""
    first, names = rows[0], {np.dtype(kind): name for name, kind in _DTYPES.items()}
    header, places, end = {}, {}, 0
    for key in sorted(first, key=lambda key: (-first[key].itemsize, key)):  # safetensors' own order
        start, end = end, end + len(rows) * first[key].nbytes
        shape = [len(rows), *first[key].shape]
        header[key] = {"dtype": names[first[key].dtype], "shape": shape, "data_offsets": [start, end]}
        places[key] = start
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for i, row in enumerate(rows):
            for key, start in places.items():
                if (row[key].dtype, row[key].shape) != (first[key].dtype, first[key].shape):
                    raise ValueError(f"row {i}: {key} is {row[key].dtype} {row[key].shape}, not as in the first row")
                file.seek(8 + len(text) + start + i * row[key].nbytes)
                file.write(np.ascontiguousarray(row[key]).tobytes())


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(value: Any) -> Any:
    """Numpy scalars and arrays, and anything with ``model_dump``, as plain JSON values."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if hasattr(value, "model_dump"):
        return value.model_dump()
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")
