"""Mending: from what a public table says to the words of the study, in one open file.

``mending.yml`` stands beside ``study.yml``. It lists, column by column, which raw value becomes
which clean one, corrections of single patients, and columns derived from others. What it does
not name stays as it is and is judged by the schema, so a spelling nobody has seen is an error
and never a silent guess.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from her2study.study import Section, nearest
from her2study.types import StudyError


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


class Mending(Section):
    """The content of a mending file; raw values are compared after the text rules below."""

    ignore_case: bool = True
    columns: dict[str, dict[str, str | None]] = Field(default_factory=dict)
    corrections: dict[str, dict[str, str | None]] = Field(default_factory=dict)
    derived: dict[str, Derivation] = Field(default_factory=dict)

    @field_validator("columns", "corrections", mode="before")
    @classmethod
    def _text(cls, value: dict) -> dict:
        return {str(outer): {_quoted(k): _quoted(v) for k, v in inner.items()} for outer, inner in value.items()}


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
        raise StudyError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}") from None


def mend(table: pd.DataFrame, mending: Mending, patient_column: str) -> pd.DataFrame:
    """Apply corrections, value maps and derivations, in this order.

    Parameters
    ----------
    table : DataFrame
        Text columns, missing values as missing (see ``sources.read_table``).

    Raises
    ------
    StudyError
        A named column or patient does not exist, or a derivation meets something that is no number.
    """
    mended = table.copy()
    for patient, cells in mending.corrections.items():
        rows = mended[patient_column] == patient
        if not rows.any():
            raise StudyError(f"mending: corrections name patient {patient!r}, who is not in the table")
        for column, value in cells.items():
            _known(column, mended, "corrections")
            mended.loc[rows, column] = pd.NA if value is None else value
    for column, values in mending.columns.items():
        _known(column, mended, "columns")
        lookup = {_key(raw, mending.ignore_case): clean for raw, clean in values.items()}
        mended[column] = pd.Series(
            [lookup.get(_key(v, mending.ignore_case), v) if isinstance(v, str) else None for v in mended[column]],
            index=mended.index,
            dtype="str",
        )
    for name, rule in mending.derived.items():
        for column in rule.columns:
            _known(column, mended, f"derived.{name}")
        mended[name] = _derive(mended, rule, name, patient_column)
    return mended


def _derive(table: pd.DataFrame, rule: Derivation, name: str, patient_column: str) -> pd.Series:
    if rule.item_of:
        numbers = [_item(v, rule.item) if isinstance(v, str) else None for v in table[rule.item_of]]
        values = pd.Series(numbers, index=table.index, dtype="float64")
        sources = [rule.item_of]
    else:
        sources = list(rule.columns)
        values = table[sources].apply(pd.to_numeric, errors="coerce").max(axis=1, skipna=False) - rule.minus
    # a patient with one source missing has the derived value missing; anything else must be a number
    broken = values.isna() & table[sources].notna().all(axis=1)
    if broken.any():
        row = table[broken].iloc[0]
        found = {column: row[column] for column in sources}
        raise StudyError(
            f"mending: derived.{name}, patient {row[patient_column]!r}: {found} is not numeric; "
            f"correct it under 'corrections' or set it to null"
        )
    return values.map(_number_text).astype("str")


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
    return collapsed.casefold() if ignore_case else collapsed


def _known(column: str, table: pd.DataFrame, where: str) -> None:
    if column not in table:
        raise StudyError(
            f"mending: {where} names the column {column!r}, which the table does not have"
            f"{nearest(column, table.columns)}"
        )


def _quoted(value: Any) -> str | None:
    """YAML reads a bare yes, no, on and off as true and false: insist on quotes."""
    if isinstance(value, bool):
        raise ValueError("YAML reads yes, no, true and false as logical values; write them in quotes")
    return None if value is None else str(value)
