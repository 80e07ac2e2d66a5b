"""The clinical table of a study put together: main table, joins, mending, HER2, one row a patient.

Strictly, for a run, which stops at the first mistake; or gathering everything that is wrong, for ``validate``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from her2study.cohort.findings import findings, join
from her2study.cohort.her2 import her2_category, her2_findings, with_category
from her2study.cohort.mending import apply_mending, load_mending, mend
from her2study.cohort.rows import chosen, one_row_a_patient, outcome_findings, row_findings
from her2study.cohort.tables import Sheet, read_sheet
from her2study.sections import HER2_CATEGORY
from her2study.study import Her2, Reading, Source, nearest
from her2study.types import StudyError

NAMED = 200
"""So many rows or patients have a finding each."""

LISTED = 50
"""So many patients who are absent from a joined table have one."""


class Assembled(NamedTuple):
    """The table (none where it cannot be read), the rows left out with their reason, and the findings."""

    table: pd.DataFrame | None
    left_out: pd.DataFrame
    findings: pd.DataFrame


def assemble(
    folder: Path, source: Source, study_folder: Path, her2: Her2 | None, strict: bool, outcome: str | None = None
) -> Assembled:
    """Read and put together; see ``sources.read_table`` (strict) and ``sources.read_for_validation``."""
    found: list[pd.DataFrame] = []
    try:
        table, rows = _main(folder, source, strict, found)
        for name in source.joins:
            table = _joined(table, folder / name, source, strict, found)
        table = _with_centre(table, source, strict, found)
        table = _mended(table, source, study_folder, strict, found)
    except StudyError as error:
        if strict:
            raise
        return Assembled(None, pd.DataFrame(), join([*found, refusal(error, folder / source.table)]))
    if strict:
        kept, left_out = one_row_a_patient(with_category(table, her2), source.rows, source.patient_column, rows)
        return Assembled(kept, left_out, join(found))
    table = _with_her2(table, her2, source, found)
    found.append(row_findings(table, source.rows, source.patient_column, source.table))
    label = HER2_CATEGORY if her2 else outcome
    found.append(outcome_findings(table, source.rows, source.patient_column, label, source.table))
    kept, left_out = chosen(table, source.rows, source.patient_column)
    return Assembled(kept, left_out, _with_patients(join(found), table, source))


def refusal(error: StudyError, path: Path, area: str = "file", **cells: str) -> pd.DataFrame:
    """What would stop a run, as a finding; behind the last semicolon of the message stands the mend."""
    text = str(error).removeprefix(f"{path}: ").replace(str(path), path.name)
    rule, _, mend_text = text.rpartition("; ")
    row = re.search(r"\brow (\d+)\b", text)
    told = {"rule": rule or mend_text, "mend": mend_text if rule else "", "row": int(row[1]) if row else pd.NA}
    return findings([{"severity": "error", "area": area, "file": path.name, **told, **cells}])


def _main(folder: Path, source: Source, strict: bool, found: list[pd.DataFrame]) -> tuple[pd.DataFrame, str]:
    """Rows with a patient of the main table, and its path for messages."""
    if not folder.is_dir():
        raise StudyError(
            f"the source folder {folder} does not exist; name the folder that holds {source.table} with DATA=<folder>"
        )
    sheet = read_sheet(folder / source.table, source.sheet, source.reading)
    found.append(sheet.findings)
    return _with_patients_only(sheet, source, strict, found), str(sheet.path)


def _with_patients_only(sheet: Sheet, source: Source, strict: bool, found: list[pd.DataFrame]) -> pd.DataFrame:
    column = source.patient_column
    if column not in sheet.cells:
        raise StudyError(
            f"{sheet.path}: the patient column {column!r} is missing{nearest(column, sheet.cells.columns)} "
            f"The columns are {', '.join(map(repr, sheet.cells.columns[:8]))}"
            f"{' ...' if sheet.cells.shape[1] > 8 else ''}; rename one, or set source.patient_column in study.yml"
        )
    if strict and len(sheet.no_patients):
        row = sheet.no_patients[0]
        told = sheet.findings[sheet.findings["row"] == row].iloc[0]
        raise StudyError(f"{sheet.path}: row {row}: {told['rule']}; {told['mend']}")
    table = sheet.cells.set_index(pd.Index(sheet.rows - 2))
    nameless = table.index[table[column].isna()]
    if not len(nameless):
        return table
    if strict:
        raise StudyError(f"{sheet.path}: row {nameless[0] + 2} has no {column}; every row is one patient")
    found.append(
        findings(
            {
                "severity": "error",
                "area": "identifiers",
                "file": sheet.path.name,
                "row": int(i) + 2,
                "column": column,
                "rule": f"the row has no {column}" + _and_more(len(nameless)) if i == nameless[0] else
                f"the row has no {column}",
                "mend": "write the patient's identifier, or delete the row",
            }
            for i in nameless[:NAMED]
        )
    )  # fmt: skip
    return table.loc[table[column].notna()]


def _joined(table: pd.DataFrame, path: Path, source: Source, strict: bool, found: list[pd.DataFrame]) -> pd.DataFrame:
    """The table with the columns of another, one row a patient, written as the main one is but for its header."""
    key = source.patient_column
    plain = source.reading.model_copy(update={"header_row": 1, "header_rows": 1})
    try:
        sheet = read_sheet(path, None, Reading(**plain.model_dump()))
        other = _with_patients_only(sheet, source, strict, found)
    except StudyError as error:
        if strict:
            raise
        found.append(refusal(error, path))
        return table
    found.append(sheet.findings)
    again = row_findings(other, source.rows.model_copy(update={"keep": "only", "by": None}), key, path.name)
    if strict and len(again):
        raise StudyError(f"{path}: {again['rule'].iloc[0]}; a joined table has one row a patient")
    twice = sorted((set(table) & set(other)) - {key})
    if strict and twice:
        raise StudyError(f"{path}: the column {twice[0]!r} is also in {source.table}; rename one")
    found += [again, _join_findings(table, other, twice, path.name, source)]
    other = other.drop_duplicates(key).drop(columns=twice)
    return table.merge(other, how="left", on=key, validate="many_to_one").set_index(table.index)


def _join_findings(
    table: pd.DataFrame, other: pd.DataFrame, twice: list[str], file: str, source: Source
) -> pd.DataFrame:
    key = source.patient_column
    rows: list[dict] = [
        {
            "severity": "error",
            "area": "table",
            "column": name,
            "value": name,
            "rule": f"the column {name!r} is also in {source.table}",
            "mend": "rename one of the two",
        }
        for name in twice
    ]
    strangers = other[~other[key].isin(table[key])]
    rows += [
        {
            "severity": "warning",
            "area": "identifiers",
            "patient": patient,
            "row": int(i) + 2,
            "column": key,
            "value": patient,
            "rule": f"patient {patient!r} is not in {source.table}; the row is not used"
            + (_and_more(len(strangers)) if i == strangers.index[0] else ""),
            "mend": "add her there, or look whether the identifier is written in another way",
        }
        for i, patient in strangers[key].head(NAMED).items()
    ]
    without = table.loc[~table[key].isin(other[key]), key].drop_duplicates()
    rows += [
        {
            "severity": "note",
            "area": "identifiers",
            "patient": patient,
            "column": key,
            "value": patient,
            "rule": f"patient {patient!r} of {source.table} is not in this table; its columns are missing for her"
            + (f" ({len(without)} patients in all, of whom {LISTED} are listed)" if len(without) > LISTED else ""),
            "mend": "add her row if there is one",
        }
        for patient in without.head(LISTED)
    ]
    return findings({"file": file, **row} for row in rows)


def _with_centre(table: pd.DataFrame, source: Source, strict: bool, found: list[pd.DataFrame]) -> pd.DataFrame:
    if source.only_centre is None:
        return table
    if source.centre_column in table:
        error = StudyError(
            f"{source.table}: source.only_centre says that there is no centre column, and the table has "
            f"{source.centre_column!r}; remove only_centre, or name another centre_column in study.yml"
        )
        if strict:
            raise error
        found.append(refusal(error, Path(source.table), "settings", column=source.centre_column))
    return table.assign(**{source.centre_column: pd.Series(source.only_centre, index=table.index, dtype="str")})


def _mended(
    table: pd.DataFrame, source: Source, study_folder: Path, strict: bool, found: list[pd.DataFrame]
) -> pd.DataFrame:
    if not source.mending:
        return table
    try:
        mending = load_mending(study_folder / source.mending)
    except StudyError as error:
        if strict:
            raise
        found.append(refusal(error, study_folder / source.mending, "settings"))
        return table
    if strict:
        return mend(table, mending, source.patient_column)
    mended, wrong = apply_mending(table, mending, source.patient_column, source.table)
    found.append(wrong)
    return mended


def _with_her2(table: pd.DataFrame, her2: Her2 | None, source: Source, found: list[pd.DataFrame]) -> pd.DataFrame:
    if her2 is None:
        return table
    wrong = her2_findings(table, her2, source.patient_column, source.table)
    found.append(wrong)
    absent = (wrong["area"] == "settings").any()
    made = pd.DataFrame(index=table.index) if absent else her2_category(table, her2)
    return table.drop(columns=list(set(made) & set(table))).join(made)


def _with_patients(found: pd.DataFrame, table: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Findings of a row of the main table name her patient."""
    at = pd.Series(table[source.patient_column].to_numpy(), index=table.index + 2)
    here = (found["patient"] == "") & (found["file"] == source.table) & found["row"].isin(at.index)
    found = found.copy()
    found.loc[here, "patient"] = at.reindex(found.loc[here, "row"].astype("int64")).to_numpy()
    return found


def _and_more(n: int) -> str:
    return f" ({n} in all, of which {NAMED} are listed)" if n > NAMED else ""
