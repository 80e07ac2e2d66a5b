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
import re
import warnings
from itertools import pairwise
from pathlib import Path

import pandas as pd

from her2study.cohort.mending import load_mending, mend
from her2study.study import Source, nearest
from her2study.types import StudyError

MISSING_CODES = ("", "NA", "N/A", "n/a", "NaN", "nan", "<NA>", "NULL", "null", "#N/A", ".")
"""Cells that mean missing. Other codes (-9, 999, unknown) are mapped to null in mending.yml."""


def table_files(folder: Path, source: Source, study_folder: Path) -> list[Path]:
    """Every file that :func:`read_table` reads."""
    mending = [study_folder / source.mending] if source.mending else []
    return [folder / name for name in (source.table, *source.joins)] + mending


def read_table(folder: Path, source: Source, study_folder: Path) -> pd.DataFrame:
    """The clinical table with its joins, mended, as text.

    Parameters
    ----------
    folder : Path
        Source folder.
    source : Source
        Names of the table, its sheet, joins, patient column and mending file.
    study_folder : Path
        Where ``study.yml`` and the mending file stand.

    Returns
    -------
    DataFrame
        One row a patient in the order of the file, all columns text, missing cells missing. The index
        counts rows from 0; row ``i`` is line ``i + 2`` of the file.

    Raises
    ------
    StudyError
        A file, sheet or the patient column is absent; a patient stands twice in any table.
    """
    if not folder.is_dir():
        raise StudyError(
            f"the source folder {folder} does not exist; name the folder that holds {source.table} with DATA=<folder>"
        )
    table = _one_row_a_patient(_read_text(folder / source.table, source.sheet), folder / source.table, source)
    for name in source.joins:
        joined = _one_row_a_patient(_read_text(folder / name, None), folder / name, source)
        twice = sorted((set(table) & set(joined)) - {source.patient_column})
        if twice:
            raise StudyError(f"{folder / name}: the column {twice[0]!r} is also in {source.table}; rename one")
        table = table.merge(joined, how="left", on=source.patient_column, validate="one_to_one")
    if source.mending:
        table = mend(table, load_mending(study_folder / source.mending), source.patient_column)
    return table


def _read_text(path: Path, sheet: str | None) -> pd.DataFrame:
    """A table file as clean text."""
    if not path.is_file():
        beside = [p.name for p in path.parent.iterdir() if p.suffix in (".csv", ".xlsx", ".parquet")]
        raise StudyError(
            f"{path} does not exist{nearest(path.name, beside)} Tables in this folder: "
            f"{', '.join(sorted(beside)) or 'none'}."
        )
    try:
        if path.suffix == ".csv":
            with warnings.catch_warnings():  # a row longer than the header would shift or lose cells
                warnings.simplefilter("error", pd.errors.ParserWarning)
                raw = pd.read_csv(path, dtype="str", keep_default_na=False, index_col=False, encoding="utf-8-sig")
        elif path.suffix == ".xlsx":
            raw = pd.read_excel(path, sheet_name=sheet or 0, dtype="object", keep_default_na=False)
        elif path.suffix == ".parquet":
            raw = pd.read_parquet(path)
        else:
            raise StudyError(f"{path}: a table must be .csv, .xlsx or .parquet; convert it")
    except (ValueError, pd.errors.ParserWarning) as error:  # a sheet that is not there, a ragged or mis-encoded file
        raise StudyError(f"{path}: cannot be read: {error}") from None
    raw.columns = [str(column).strip() for column in raw.columns]
    return pd.DataFrame({c: pd.Series([_clean(v) for v in raw[c]], dtype="str") for c in raw.columns})


def _clean(value: object) -> str | None:
    """A cell as stripped text; whole numbers without the ``.0`` that spreadsheets add."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    text = " ".join(str(value).split())
    return None if text in MISSING_CODES else re.sub(r"^(-?\d+)\.0+$", r"\1", text)


def _one_row_a_patient(table: pd.DataFrame, path: Path, source: Source) -> pd.DataFrame:
    column = source.patient_column
    if column not in table:
        raise StudyError(
            f"{path}: the patient column {column!r} is missing{nearest(column, table.columns)} "
            "Rename it, or set source.patient_column in study.yml."
        )
    nameless = table.index[table[column].isna()]
    if len(nameless):
        raise StudyError(f"{path}: row {nameless[0] + 2} has no {column}; every row is one patient")
    twice = table[table[column].duplicated(keep=False)]
    if len(twice):
        patient = twice[column].iloc[0]
        rows = ", ".join(str(i + 2) for i in twice.index[twice[column] == patient])
        others = twice[column].nunique() - 1
        more = f" ({others} more patients likewise)" if others else ""
        raise StudyError(
            f"{path}: patient {patient!r} stands in rows {rows}; one row a patient: remove or merge the others{more}"
        )
    return table


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
