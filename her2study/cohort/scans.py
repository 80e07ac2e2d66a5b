"""Scans and masks of a source folder, judged by their headers before anything reads a voxel."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from her2study.cohort.sources import mask_file, parse_times, phase_files
from her2study.progress import progress
from her2study.types import StudyError

HEADER_COLUMNS = ("patient_id", "phases", "slices", "rows", "columns", "spacing_z_mm", "spacing_y_mm", "spacing_x_mm")

TOLERANCE_VOXELS = 0.1
"""Two files lie on one grid if no corner of the volume is further apart than this."""

MOST_FINDINGS = 10
"""So many patients are named in one message."""


def image_files(folder: Path, cohort: pd.DataFrame) -> list[Path]:
    """Every scan and mask of the cohort."""
    return [p for patient in cohort["patient_id"] for p in (*phase_files(folder, patient), mask_file(folder, patient))]


def check_images(folder: Path, cohort: pd.DataFrame) -> pd.DataFrame:
    """Read the headers of all scans and masks and insist that they fit together.

    Files are compared after turning their axes to the same anatomical order, so a mask may be stored
    with other axes than the scans as long as it covers the same grid.

    Returns
    -------
    DataFrame
        ``patient_id, phases`` (pre-contrast included), the grid ``slices, rows, columns`` and its
        ``spacing_z_mm, spacing_y_mm, spacing_x_mm``, axes turned to the patient's.

    Raises
    ------
    StudyError
        A file is missing or unreadable, a shape or a position differs within a patient, or
        ``acquisition_times`` has another length than there are phases. The first ten are named.
    """
    rows: list[tuple] = []
    problems: list[str] = []
    times = cohort["acquisition_times"] if "acquisition_times" in cohort else [None] * len(cohort)
    for patient, text in progress(list(zip(cohort["patient_id"], times, strict=True)), "Reading image headers"):
        try:
            rows.append(_check_patient(folder, patient, text))
        except StudyError as error:
            problems.append(str(error))
    if problems:
        more = f"\n  ... and {len(problems) - MOST_FINDINGS} more" if len(problems) > MOST_FINDINGS else ""
        shown = problems[0] if len(problems) == 1 else "\n  - " + "\n  - ".join(problems[:MOST_FINDINGS]) + more
        raise StudyError(f"{folder}: the images do not fit: {shown}")
    return pd.DataFrame(rows, columns=list(HEADER_COLUMNS))


def _check_patient(folder: Path, patient: str, times: object) -> tuple:
    phases = phase_files(folder, patient)
    files = [*phases, mask_file(folder, patient)]
    shape, affine = _grid(files[0], patient)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    corners = np.array([(*corner, 1) for corner in product(*((0, n - 1) for n in shape))], dtype=float).T
    for path in files[1:]:
        other_shape, other = _grid(path, patient)
        if other_shape != shape:
            raise StudyError(
                f"patient {patient!r}: {path} has shape {other_shape[::-1]} (slices, rows, columns), "
                f"{files[0].name} has {shape[::-1]}; put it on the grid of the scans, or export it again"
            )
        apart_mm = np.linalg.norm(((other - affine) @ corners)[:3], axis=0).max()
        if apart_mm > TOLERANCE_VOXELS * spacing.min():
            raise StudyError(
                f"patient {patient!r}: {path} lies {apart_mm:.1f} mm away from {files[0].name} (their affines differ); "
                "resample it onto the grid of the scans"
            )
    if isinstance(times, str) and len(parse_times(times)) != len(phases):
        raise StudyError(
            f"patient {patient!r}: acquisition_times {times} has {len(parse_times(times))} entries for {len(phases)} "
            "phases on disk; correct the table, or set it to null under corrections in the mending file"
        )
    return (patient, len(phases), *shape[::-1], *spacing[::-1].tolist())


def _grid(path: Path, patient: str) -> tuple[tuple[int, ...], Any]:
    """Shape ``(x, y, z)`` and affine of a file with its axes turned to right, anterior, superior."""
    import nibabel
    from nibabel.orientations import inv_ornt_aff, io_orientation

    try:
        header = nibabel.load(path)
    except (nibabel.filebasedimages.ImageFileError, OSError, EOFError) as error:
        raise StudyError(f"patient {patient!r}: {path} is unreadable ({error}); copy it again") from None
    shape = header.shape[:3] if header.shape[3:] in ((), (1,)) else header.shape
    if len(shape) != 3:
        raise StudyError(f"patient {patient!r}: {path} has shape {shape}; one file holds one volume: split it by phase")
    turn = io_orientation(header.affine)
    turned = np.empty(3, dtype=int)
    turned[turn[:, 0].astype(int)] = shape
    return tuple(turned.tolist()), header.affine @ inv_ornt_aff(turn, shape)
