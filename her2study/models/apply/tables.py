"""The table of new patients: where it lies, and which of its columns is which predictor.

A hospital fills in the bundle's template, whose columns have the names of the variables, or has a table in the
study's own format, which is mended as the study's was. Columns that no frozen model needs may be absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from her2study.cohort.findings import join
from her2study.cohort.her2 import with_category
from her2study.cohort.mending import Mending, apply_mending
from her2study.cohort.rows import one_row_a_patient
from her2study.cohort.tables import Sheet, read_sheet, sniff
from her2study.cohort.tables.sheet import FORMATS
from her2study.models.bundle import Bundle
from her2study.study import nearest
from her2study.types import StudyError

PATIENT = "patient_id"
DSCORE = "dscore"


class Named(NamedTuple):
    """A table as text, one row a patient, and which column is what (None: there is none).

    ``index`` of ``cells`` is the row of the file less 2. ``columns`` leads from a variable's name to its column.
    """

    cells: pd.DataFrame
    columns: dict[str, str]
    patient: str
    centre: str | None
    outcome: str | None
    file: str
    findings: pd.DataFrame


def needed_variables(bundle: Bundle) -> list[str]:
    """Names of the predictors of all frozen models, in the order of the study's variables; D-scores made elsewhere
    are one of them where the bundle has no network."""
    wanted = {name for frozen in bundle.logistic.values() for name in frozen["variables"]}
    known = [name for name in bundle.variables if name in wanted]
    return known + ([DSCORE] if DSCORE in wanted and bundle.network is None else [])


def find_table(bundle: Bundle, data: Path, table: str | None) -> Path | None:
    """The patients' table: the one that is named, the study's or the template's name, or the only one there is.

    None if the folder has none, but scans, and the bundle has networks.

    Raises
    ------
    StudyError
        There is no such folder or table, or several and none is named.
    """
    if data.is_file():
        return data
    if not data.is_dir():
        raise StudyError(f"{data} does not exist; give the folder with the patients' table and, if there are, scans")
    if table is not None:
        places = [place for place in (data / table, Path(table)) if place.is_file()]
        if not places:
            beside = [path.name for path in _tables(data)]
            raise StudyError(
                f"{data / table} does not exist{nearest(table, beside)} Tables there: {', '.join(beside) or 'none'}."
            )
        return places[0]
    found = [path for path in _tables(data) if path.name not in bundle.source.joins]
    by_name = {path.name: path for path in found}
    for name in (bundle.source.table, "template.csv"):
        if name in by_name:
            return by_name[name]
    if len(found) == 1:
        return found[0]
    if not found and bundle.network is not None and (data / "images").is_dir():
        return None
    names = ", ".join(sorted(by_name)) or "none"
    raise StudyError(
        f"{data}: {len(found) or 'no'} tables ({names}), and it is not said which holds the patients: name it with "
        "--table FILE; template.csv of the bundle shows what it must hold"
    )


def name_columns(bundle: Bundle, path: Path, data: Path, outcome: bool = False) -> Named:
    """Read a table and find the variables in it, by the names of the template or of the study's own table.

    Raises
    ------
    StudyError
        A predictor has no column, or patients have none (all of them in one message); a patient has no name, or
        several rows where the study allowed one; with ``outcome``, HER2 cannot be told from the cells.
    """
    source = bundle.source
    raw, found = _read(bundle, path)
    wanted = needed_variables(bundle)
    own = {name: _own_column(bundle, name) for name in wanted}
    template = {name: name for name in wanted}
    if outcome or (_lacking(template, raw) and _lacking(own, raw)):
        raw = _joined(bundle, raw, path, data)
    mended, told = _mended(bundle, raw, path.name)
    if source.patient_column in mended and not _lacking(own, mended):
        cells, patient = mended, source.patient_column
        columns = {name: _own_column(bundle, name) for name in [*bundle.variables, *wanted]}
        found = join([found, told[told["severity"] != "error"]])  # a cell that stays as it is is told by its variable
    elif PATIENT in raw and not _lacking(template, raw):
        cells, patient, columns = raw, PATIENT, {name: name for name in [*bundle.variables, *wanted]}
    else:
        raise StudyError(_what_is_absent(bundle, path, raw, mended, own, template))
    nameless = cells.index[cells[patient].isna()]
    if len(nameless):
        raise StudyError(f"{path}: row {nameless[0] + 2} has no {patient}; write it, or delete the row")
    if cells.empty:
        raise StudyError(f"{path}: no patients; the table has a header and no rows")
    if outcome and bundle.outcome.her2 is not None and bundle.outcome.column not in cells:
        cells = with_category(cells, bundle.outcome.her2)
    cells, _ = one_row_a_patient(cells, source.rows, patient, str(path))
    centre = next((name for name in (source.centre_column, "centre") if name in cells), None)
    there = {name: column for name, column in columns.items() if column in cells}
    label = bundle.outcome.column
    return Named(cells, there, patient, centre, label if label in cells else None, path.name, found)


def _tables(data: Path) -> list[Path]:
    return sorted(path for path in data.iterdir() if path.suffix.lower() in FORMATS and path.name[0] not in "~.")


def _own_column(bundle: Bundle, name: str) -> str:
    variable = bundle.variables.get(name)
    return (variable.column if variable else None) or name


def _read(bundle: Bundle, path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table as text, and what is odd about the file: read as the study's was if it has its name and reads so,
    else however its hospital writes tables."""
    source = bundle.source
    if path.name == source.table:
        try:
            read = read_sheet(path, source.sheet, source.reading)
            if source.patient_column in read.cells:
                return _by_row(read)
        except StudyError:
            pass  # another hospital's file of the same name: found out below, with its own message
    sheet, reading, _ = sniff(path, None)
    codes = tuple(dict.fromkeys([*reading.missing, *source.reading.missing]))
    return _by_row(read_sheet(path, sheet, reading.model_copy(update={"missing": codes})))


def _by_row(read: Sheet) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cells with the row of the file less 2 as their index, and findings that are no mere notes."""
    found = read.findings
    return read.cells.set_index(pd.Index(read.rows - 2)), found[found["severity"] != "note"]


def _joined(bundle: Bundle, raw: pd.DataFrame, path: Path, data: Path) -> pd.DataFrame:
    """With the study's further tables, if they lie beside."""
    patient = bundle.source.patient_column
    folder = data if data.is_dir() else data.parent
    for name in bundle.source.joins:
        place = folder / name
        if place.is_file() and place != path and patient in raw:
            more, _ = _read(bundle, place)
            new = [column for column in more if column == patient or column not in raw]
            if patient in more and not more[patient].duplicated().any():
                raw = raw.merge(more[new], how="left", on=patient, validate="many_to_one").set_index(raw.index)
    return raw


def _mended(bundle: Bundle, raw: pd.DataFrame, file: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mended as the study's table was, as far as its columns are there; what cannot be mended stays as it is."""
    mending = Mending(**_applicable(bundle.mending or {}, set(raw)))
    patient = bundle.source.patient_column
    return apply_mending(raw, mending, patient if patient in raw else str(raw.columns[0]), file)


def _applicable(mending: Mapping[str, Any], present: set[str]) -> dict[str, Any]:
    """The rules whose columns are all in the table; corrections of single patients were the study's."""
    rules = {key: value for key, value in mending.items() if key != "corrections"}
    for key, value in rules.items():
        if isinstance(value, Mapping) and key != "derived":
            rules[key] = {column: rule for column, rule in value.items() if column in present}
    derived = {}
    for name, rule in (rules.get("derived") or {}).items():
        needs = set(rule.get("largest_of") or ()) | {rule.get("item_of"), rule.get("difference_of")} - {None}
        if needs <= present | set(derived):
            derived[name] = rule
    return rules | ({"derived": derived} if "derived" in rules else {})


def _lacking(columns: Mapping[str, str], table: pd.DataFrame) -> list[str]:
    return [name for name, column in columns.items() if column not in table]


def _what_is_absent(
    bundle: Bundle,
    path: Path,
    raw: pd.DataFrame,
    mended: pd.DataFrame,
    own: Mapping[str, str],
    template: Mapping[str, str],
) -> str:
    """One message for both formats, in the words of the one that is nearer."""
    by_study = len(_lacking(own, mended)) < len(_lacking(template, raw))
    columns, table = (own, mended) if by_study else (template, raw)
    patient = bundle.source.patient_column if by_study else PATIENT
    absent = [columns[name] for name in _lacking(columns, table)] + ([] if patient in table else [patient])
    words = [f"{column!r}{nearest(column, list(table)).rstrip('.')}" for column in absent]
    kind = "the study's own table" if by_study else "the bundle's template.csv"
    return (
        f"{path}: the column{'s' if len(words) > 1 else ''} {', '.join(words)} {'are' if len(words) > 1 else 'is'} "
        f"missing; read as {kind}, the table needs patients as {patient!r} and the predictors "
        f"{', '.join(repr(column) for column in columns.values()) or 'none'}: rename the column, or add it empty if "
        "nobody knows its values (they are then imputed and flagged)"
    )
