"""Mending: from what a hospital's or a public table says to the words of the study, in one open file.

``mending.yml`` stands beside ``study.yml``. It says, column by column, which cells mean missing, which raw value
becomes which clean one, how numbers with units and dates are written, and, beside that, corrections of single
patients and columns derived from others. What it does not name stays as it is and is judged by the schema, so a
spelling nobody has seen is an error and never a silent guess.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from her2study.cohort.findings import findings
from her2study.cohort.tables.dates import iso_date
from her2study.cohort.tables.quantities import AMBIGUOUS, quantity
from her2study.study import Section, nearest
from her2study.types import StudyError

NAMED = 200
"""So many distinct cells of a column have a finding each."""

FIX = "correct mending.yml"


class Derivation(Section):
    """A new column: the largest of several, an item of a list in a string, or a count less some."""

    largest_of: tuple[str, ...] = ()
    item_of: str | None = None
    item: int = 0
    difference_of: str | None = None
    minus: float = 0

    @model_validator(mode="after")
    def _one_rule(self) -> Derivation:
        if sum(map(bool, (self.largest_of, self.item_of, self.difference_of))) != 1:
            raise ValueError("name exactly one of largest_of, item_of, difference_of")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return self.largest_of or tuple(c for c in (self.item_of, self.difference_of) if c)


class Numbers(Section):
    """How the numbers of a column are written: ``2,3 cm`` with units {cm: 10, mm: 1} is 23."""

    unit: str | None = Field(None, description="of cells without a unit")
    units: dict[str, float] = Field(default_factory=dict, description="what a number with this unit is multiplied with")
    decimal: Literal[".", ","] = "."


class Dates(Section):
    """How the dates of a column are written; they become ISO text, 2020-03-01."""

    order: Literal["dmy", "mdy", "ymd"] = "ymd"
    excel_days: bool = Field(False, description="numbers such as 43891 are days of Excel's calendar")


class Mending(Section):
    """The content of a mending file; raw values are compared after the text rules below.

    Applied in the order corrections, missing, columns, numbers, dates, derived.
    """

    ignore_case: bool = True
    columns: dict[str, dict[str, str | None]] = Field(default_factory=dict)
    corrections: dict[str, dict[str, str | None]] = Field(default_factory=dict)
    missing: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    numbers: dict[str, Numbers] = Field(default_factory=dict)
    dates: dict[str, Dates] = Field(default_factory=dict)
    derived: dict[str, Derivation] = Field(default_factory=dict)

    @field_validator("columns", "corrections", mode="before")
    @classmethod
    def _text(cls, value: dict) -> dict:
        return {str(outer): {_quoted(k): _quoted(v) for k, v in inner.items()} for outer, inner in value.items()}

    @field_validator("missing", mode="before")
    @classmethod
    def _codes(cls, value: dict) -> dict:
        return {str(column): tuple(_quoted(code) for code in codes) for column, codes in value.items()}


def load_mending(path: Path) -> Mending:
    """Read and validate a mending file.

    Raises
    ------
    StudyError
        The file is absent, not YAML, or holds an unknown key or rule.
    """
    if not path.is_file():
        raise StudyError(f"{path} does not exist; write it or remove 'mending' from the source section of study.yml")
    try:
        return Mending(**(yaml.safe_load(path.read_text(encoding="utf-8")) or {}))
    except (yaml.YAMLError, TypeError, AttributeError) as error:
        raise StudyError(f"{path}: not a mending file: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        found = first["input"] if isinstance(first["input"], str | int | float) else None
        value = f" is {found!r}:" if found is not None else ":"
        raise StudyError(f"{path}: {where}{value} {first['msg'].removeprefix('Value error, ')}") from None


def mend(table: pd.DataFrame, mending: Mending, patient_column: str) -> pd.DataFrame:
    """Apply a mending file to a table.

    Parameters
    ----------
    table : DataFrame
        Text columns, missing values as missing (see ``sources.read_table``).

    Raises
    ------
    StudyError
        A named column or patient does not exist, a cell is not the number or date that it should be, or a
        derivation meets something that is no number.
    """
    mended, found = apply_mending(table, mending, patient_column)
    errors = found[found["severity"] == "error"]
    if len(errors):
        first = errors.iloc[0]
        more = f" ({len(errors) - 1} more findings; her2study validate lists them)" if len(errors) > 1 else ""
        raise StudyError(f"mending: {_place(first)}{first['rule']}; {first['mend']}{more}")
    return mended


def mending_findings(
    table: pd.DataFrame, mending: Mending, patient_column: str = "patient_id", file: str = ""
) -> pd.DataFrame:
    """All that :func:`mend` would refuse, and what it would do that a person should look at."""
    return apply_mending(table, mending, patient_column, file)[1]


def apply_mending(
    table: pd.DataFrame, mending: Mending, patient_column: str, file: str = ""
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The mended table and the findings; a cell with an error stays as it is.

    Parameters
    ----------
    table : DataFrame
        Text; the index is the row of the file less 2.
    file : str
        What findings name as their file.
    """
    mended = table.copy()
    found: list[dict] = []
    for patient, cells in mending.corrections.items():
        rows = mended[patient_column] == patient
        if not rows.any():
            found.append(_rule(f"corrections name patient {patient!r}, who is not in the table", patient=patient))
        for column, value in cells.items():
            if _known(column, mended, "corrections", found):
                mended.loc[rows, column] = pd.NA if value is None else value
    for column, codes in mending.missing.items():
        if _known(column, mended, "missing", found):
            gone = {_key(code, mending.ignore_case) for code in codes}
            mended[column] = _mapped(mended[column], lambda v, g=gone: None if _key(v, mending.ignore_case) in g else v)
    for column, values in mending.columns.items():
        if _known(column, mended, "columns", found):
            lookup = {_key(raw, mending.ignore_case): clean for raw, clean in values.items()}
            mended[column] = _mapped(mended[column], lambda v, known=lookup: known.get(_key(v, mending.ignore_case), v))
    for column, written in mending.numbers.items():
        if _known(column, mended, "numbers", found):
            made = {v: quantity(v, written.unit, written.units, written.decimal) for v in _distinct(mended[column])}
            wrong = {v: problem for v, (_, problem) in made.items() if problem}
            found += _cells(mended, column, "numbers", wrong, patient_column, file)
            if written.decimal == ",":
                found += _thousands(mended, column, patient_column, file)
            mended[column] = _mapped(mended[column], lambda v, m=made: v if m[v][0] is None else m[v][0])
    for column, rule in mending.dates.items():
        if _known(column, mended, "dates", found):
            days = {v: iso_date(v, rule.order, rule.excel_days) for v in _distinct(mended[column])}
            wrong = {v: problem for v, (_, problem, _) in days.items() if problem}
            found += _cells(mended, column, "dates", wrong, patient_column, file)
            short = [v for v, (_, _, assumed) in days.items() if assumed]
            if short:
                told = f"the year has two digits and is read as {days[short[0]][0][:4]}"
                found += _cells(mended, column, "dates", {short[0]: told}, patient_column, file, "warning", len(short))
            mended[column] = _mapped(mended[column], lambda v, d=days: v if d[v][0] is None else d[v][0])
    for name, rule in mending.derived.items():
        known = [_known(column, mended, f"derived.{name}", found) for column in rule.columns]
        if all(known):
            mended[name] = _derive(mended, rule, name, patient_column, file, found)
    return mended, findings(found)


def _derive(
    table: pd.DataFrame, rule: Derivation, name: str, patient_column: str, file: str, found: list[dict]
) -> pd.Series:
    if rule.item_of:
        sources = [rule.item_of]
        items = {v: _item(v, rule.item) for v in _distinct(table[rule.item_of])}
        values = table[rule.item_of].map(items).astype("float64")
    else:
        sources = list(rule.columns)
        values = table[sources].apply(pd.to_numeric, errors="coerce").max(axis=1, skipna=False) - rule.minus
    # a patient with one source missing has the derived value missing; anything else must be a number
    broken = table.index[values.isna() & table[sources].notna().all(axis=1)]
    for i in broken[:NAMED]:
        cells = {column: table.loc[i, column] for column in sources}
        patient = table.loc[i, patient_column]
        found.append(
            {
                "severity": "error",
                "area": "variables",
                "patient": patient,
                "file": file,
                "row": int(i) + 2,
                "column": name,
                "value": str(next(iter(cells.values()))) if len(cells) == 1 else str(cells),
                "rule": f"derived.{name} needs numbers, and {cells} is not numeric",
                "mend": "correct it under 'corrections' or set it to null",
            }
        )
    return values.map(_number_text).astype("str")


def _place(finding: pd.Series) -> str:
    if finding["area"] == "settings":
        return ""
    joint = ", which " if finding["rule"].startswith(("is ", "has ")) else ": "
    return f"row {finding['row']}, patient {finding['patient']!r}: {finding['column']} is {finding['value']!r}{joint}"


def _rule(text: str, **cells: Any) -> dict:
    """A finding of the mending file itself."""
    return {"severity": "error", "area": "settings", "file": "mending.yml", "rule": text, "mend": FIX, **cells}


def _cells(
    table: pd.DataFrame,
    column: str,
    section: str,
    wrong: dict[str, str],
    patient_column: str,
    file: str,
    severity: str = "error",
    times: int = 1,
) -> list[dict]:
    """One finding for each distinct cell, with the first row that holds it."""
    return [
        {
            "severity": severity,
            "area": "dates" if section == "dates" else "variables",
            "patient": table.loc[i, patient_column] if patient_column in table else "",
            "file": file,
            "row": int(i) + 2,
            "column": column,
            "value": value,
            "rule": problem + (f" ({times} values likewise)" if times > 1 else ""),
            "mend": f"correct it, map it in mending.yml (columns), or name it under missing.{column}",
        }
        for value, i, problem in _first_rows(table[column], wrong)
    ]


def _first_rows(cells: pd.Series, wrong: dict[str, str]) -> Iterator[tuple[str, int, str]]:
    """Value, first index and problem, with the number of cells that hold the same, in the order of the file."""
    if not wrong:
        return
    here = cells[cells.isin(list(wrong))]
    counts = here.value_counts()
    for i, value in here.drop_duplicates().head(NAMED).items():
        more = f" ({counts[value] - 1} more cells likewise)" if counts[value] > 1 else ""
        yield value, i, wrong[value] + more


def _thousands(table: pd.DataFrame, column: str, patient_column: str, file: str) -> list[dict]:
    """Points that may divide thousands, in a column where nothing shows that they are decimal points."""
    pointed = [v for v in _distinct(table[column]) if "." in v]
    if not pointed or not all(AMBIGUOUS.fullmatch(v) for v in pointed):
        return []
    told = f"may be a thousand, and is read as the decimal number {pointed[0]}"
    return _cells(table, column, "numbers", {pointed[0]: told}, patient_column, file, "warning", len(pointed))


def _mapped(cells: pd.Series, change: Callable[[str], str | None]) -> pd.Series:
    """Each distinct value changed once."""
    return cells.map({v: change(v) for v in _distinct(cells)}).astype("str")


def _distinct(cells: pd.Series) -> list[str]:
    return cells.dropna().unique().tolist()


def _item(text: str, position: int) -> float | None:
    """One number of a list in a string, e.g. the first of ``"[0.7, 0.7]"``."""
    try:
        return float(json.loads(text)[position])
    except (ValueError, TypeError, IndexError, KeyError):
        return None


def _number_text(value: float) -> str | None:
    return None if pd.isna(value) else repr(float(value)).removesuffix(".0")


def _key(raw: str, ignore_case: bool) -> str:
    collapsed = " ".join(raw.split())
    return unicodedata.normalize("NFKC", collapsed).casefold() if ignore_case else collapsed


def _known(column: str, table: pd.DataFrame, where: str, found: list[dict]) -> bool:
    if column in table:
        return True
    near = nearest(column, table.columns).removesuffix(".")
    found.append(_rule(f"{where} names the column {column!r}, which the table does not have{near}", column=column))
    return False


def _quoted(value: Any) -> str | None:
    """YAML reads a bare yes, no, on and off as true and false: insist on quotes."""
    if isinstance(value, bool):
        raise ValueError("YAML reads yes, no, true and false as logical values; write them in quotes")
    return None if value is None else str(value)
