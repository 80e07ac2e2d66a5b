"""Source folders in MAMA-MIA's layout: the clinical table, its joins, the scans and their masks.

::

    <folder>/<table>                                     .csv, .xlsx or .parquet, one row a patient
    <folder>/images/<patient>/<patient>_0000.nii.gz      before contrast
    <folder>/images/<patient>/<patient>_0001.nii.gz ...  after contrast
    <folder>/segmentations/expert/<patient>.nii.gz       lesion, on the grid of the scans

The table is read as text. Types, levels and limits are the schema's business.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from her2study.cohort.assembly import assemble
from her2study.cohort.tables.cells import MISSING_CODES
from her2study.study import Her2, Source
from her2study.types import StudyError

__all__ = [
    "MISSING_CODES", "mask_file", "parse_times", "phase_files", "read_cohort_table", "read_for_validation",
    "read_table", "table_files",
]  # fmt: skip


def table_files(folder: Path, source: Source, study_folder: Path) -> list[Path]:
    """Every file that :func:`read_table` reads."""
    mending = [study_folder / source.mending] if source.mending else []
    return [folder / name for name in (source.table, *source.joins)] + mending


def read_table(folder: Path, source: Source, study_folder: Path, her2: Her2 | None = None) -> pd.DataFrame:
    """The clinical table with its joins, mended, one row a patient, as text.

    Parameters
    ----------
    folder : Path
        Source folder.
    source : Source
        Names of the table, its sheet, joins, patient column and mending file.
    study_folder : Path
        Where ``study.yml`` and the mending file stand.
    her2 : Her2, optional
        ``outcome.her2``: adds ``her2_category`` and ``her2_reason``.

    Returns
    -------
    DataFrame
        In the order of the file, all columns text, missing cells missing. The index ``i`` is row ``i + 2`` of the
        file as a spreadsheet counts, whatever stands above the header or was left out.

    Raises
    ------
    StudyError
        What :func:`her2study.cohort.tables.read_sheet`, the mending and the rule of rows refuse; a patient stands
        twice in a joined table.
    """
    return read_cohort_table(folder, source, study_folder, her2)[0]


def read_cohort_table(
    folder: Path, source: Source, study_folder: Path, her2: Her2 | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """As :func:`read_table`, with the rows that ``source.rows`` leaves out: ``patient_id, centre, reason, row``."""
    table, left_out, _ = assemble(folder, source, study_folder, her2, strict=True)
    assert table is not None
    centre = left_out.get(source.centre_column, pd.NA)
    columns = {"patient_id": left_out[source.patient_column], "centre": centre, "reason": left_out["reason"]}
    left = pd.DataFrame(columns, index=left_out.index).assign(row=left_out.index + 2)
    return table, left.reset_index(drop=True)


def read_for_validation(
    folder: Path, source: Source, study_folder: Path, her2: Her2 | None = None, outcome: str | None = None
) -> tuple[pd.DataFrame | None, pd.DataFrame, np.ndarray]:
    """As :func:`read_table`, with everything that is wrong as findings; never raises for what a file holds.

    ``outcome`` is the column of the outcome, for patients whose rows differ in it.

    Returns
    -------
    table : DataFrame or None
        One row a patient: of several, the one that the rule keeps, or the first. Rows without a patient are left
        out, cells that cannot be mended stay as they are. None if the main table cannot be read.
    findings : DataFrame
        See :mod:`her2study.cohort.findings`.
    rows : ndarray
        Row of the file of each row of the table.
    """
    table, _, found = assemble(folder, source, study_folder, her2, strict=False, outcome=outcome)
    rows = np.array([], dtype="int64") if table is None else table.index.to_numpy() + 2
    return table, found, rows


def parse_times(text: str) -> list[float]:
    """Seconds of each phase after the pre-contrast one from ``"[0, 97, 194]"``.

    Raises
    ------
    ValueError
        Not a list of at least two numbers that starts at 0 and grows.
    """
    try:
        times = [float(t) for t in json.loads(text)]
    except (ValueError, TypeError):
        raise ValueError(f"{text!r} is not a list of seconds such as [0, 97, 194]") from None
    if len(times) < 2 or times[0] != 0 or any(b <= a for a, b in pairwise(times)):
        raise ValueError(f"{text!r} must start at 0 and grow, one number a phase")
    return times


def phase_files(folder: Path, patient_id: str) -> list[Path]:
    """Scans of one patient in time order, pre-contrast first.

    Raises
    ------
    StudyError
        No folder of scans, fewer than two post-contrast phases, or a phase missing in between.
    """
    place = folder / "images" / patient_id
    found = sorted(place.glob("*.nii.gz"))
    if not found:
        raise StudyError(
            f"patient {patient_id!r}: no scans in {place}; expected {patient_id}_0000.nii.gz (before contrast), _0001 "
            "and so on (after): add them, or exclude the patient in study.yml"
        )
    wanted = [place / f"{patient_id}_{i:04d}.nii.gz" for i in range(max(3, len(found)))]
    if found != wanted:
        absent = next(path for path in wanted if path not in found)
        raise StudyError(
            f"patient {patient_id!r}: {absent} is missing ({len(found)} scans are there); one scan before contrast "
            "(_0000) and at least two after it (for wash-in and wash-out) are needed, numbered without gaps: add it, "
            "or exclude the patient in study.yml"
        )
    return found


def mask_file(folder: Path, patient_id: str) -> Path:
    """The lesion mask of one patient.

    Raises
    ------
    StudyError
        There is none.
    """
    path = folder / "segmentations" / "expert" / f"{patient_id}.nii.gz"
    if not path.is_file():
        raise StudyError(
            f"patient {patient_id!r}: the lesion mask {path} is missing: add it, or exclude the patient in study.yml"
        )
    return path
