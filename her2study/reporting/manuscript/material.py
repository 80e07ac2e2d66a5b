"""What a manuscript may use: values, tables, figures and settings, each found by name or refused by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from her2study import words
from her2study.reporting.tables import print_column
from her2study.study import nearest
from her2study.types import StudyError


@dataclass(frozen=True)
class Material:
    """All that is known of a finished study.

    Parameters
    ----------
    values : mapping
        ``values.json``: ``name -> {value, low, high, unit, format, text}``.
    tables, figure_data : mapping of DataFrame
        Tidy tables, and the frames behind the figures, by name; may be read when asked for.
    figures : Path
        Folder with ``<figure>.png`` and ``<figure>.pdf``.
    settings : mapping
        Sections of ``study.yml`` by name.
    simulated : bool
        Whether every page must say that the patients are simulated.
    confidence : float
        Of every interval.
    """

    values: Mapping[str, Mapping[str, Any]]
    tables: Mapping[str, pd.DataFrame]
    figure_data: Mapping[str, pd.DataFrame]
    figures: Path
    settings: Mapping[str, Any]
    simulated: bool
    confidence: float


@dataclass(frozen=True)
class Value:
    """One number (or word) of a sentence; printed it is its text, with the interval where there is one."""

    name: str
    value: Any
    low: float | None
    high: float | None
    text: str
    decimals: int = 2

    def __str__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        if isinstance(self.value, bool):
            return self.value
        raise StudyError(
            f"'if {self.name}' would choose words by an estimate; only yes/no values may stand in a condition, "
            "others go through choose()"
        )

    @property
    def number(self) -> float:
        """The value, which must be a number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise StudyError(f"value {self.name!r} is {self.value!r} and no number")
        return self.value


class Values:
    """``v`` of the template: ``v.auc_combined_external`` or ``v["a name with brackets"]``."""

    def __init__(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Value:
        if name not in self._values:
            known = "add it in the notebook that computes it, with run.save_values"
            raise StudyError(
                f"value {name!r} is not in values.json{nearest(name, self._values)} If it is new, {known}."
            )
        stored = self._values[name]
        plain = isinstance(stored["value"], str) and not stored["format"]
        spec = stored["format"] or ""
        decimals = int(spec.rstrip("f").rpartition(".")[2]) if spec.endswith("f") else 2
        text = stored["value"] if plain else stored["text"]
        if isinstance(stored["value"], int) and not isinstance(stored["value"], bool) and not spec:
            text = f"{stored['value']:,}" + (f" {stored['unit']}" if stored["unit"] else "")
        return Value(name, stored["value"], stored["low"], stored["high"], text.replace(" %", "%"), decimals)

    def __getattr__(self, name: str) -> Value:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]


class Settings:
    """``s`` of the template: ``s.statistics.confidence``; an unknown name is an error with the nearest one."""

    def __init__(self, parts: Mapping[str, Any], path: str = "s") -> None:
        self._parts, self._path = parts, path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._parts:
            raise StudyError(f"study.yml has no setting '{self._path}.{name}'{nearest(name, self._parts)}")
        part = self._parts[name]
        if hasattr(type(part), "model_fields"):
            part = {field: getattr(part, field) for field in type(part).model_fields}
        return Settings(part, f"{self._path}.{name}") if isinstance(part, Mapping) else part

    def __str__(self) -> str:
        raise StudyError(f"{self._path} is a section of study.yml; name one of its settings: {', '.join(self._parts)}")


def find_row(frame: pd.DataFrame, table: str, where: Mapping[str, Any]) -> int:
    """Place of the one row of a table that has these values.

    Raises
    ------
    StudyError
        A column does not exist, or not exactly one row is meant.
    """
    chosen = pd.Series(True, index=frame.index)
    for column, wanted in where.items():
        check_column(frame, table, column)
        chosen &= frame[column].astype(str) == str(wanted)
    told = ", ".join(f"{column}={wanted!r}" for column, wanted in where.items()) or "no condition"
    if (count := int(chosen.sum())) != 1:
        raise StudyError(f"table {table!r} has {count} rows with {told}; name exactly one{_levels(frame, where)}")
    return int(chosen.to_numpy().argmax())


def look_up(tables: Mapping[str, pd.DataFrame], table: str, column: str, where: Mapping[str, Any]) -> Value:
    """One cell of a table as a value, with its interval if the table has ``<column>_low`` and ``<column>_high``.

    Raises
    ------
    StudyError
        No such table, column or row.
    """
    frame = find_table(tables, table)
    check_column(frame, table, column)
    place = find_row(frame, table, where)
    row = frame.iloc[place]
    plain = column == "value" and f"{column}_low" not in frame  # (low, high) bound the column called value
    low, high = (_finite(row.get(end if plain else f"{column}_{end}")) for end in ("low", "high"))
    value = row[column]
    value = value.item() if hasattr(value, "item") else value
    name = f"{table}.{column}[{', '.join(map(str, where.values()))}]"
    return Value(name, value, low, high, print_column(frame, column)[place])


def find_table(tables: Mapping[str, pd.DataFrame], table: str) -> pd.DataFrame:
    """A table by name, or a message that names the nearest."""
    if table not in tables:
        raise StudyError(f"this study has no table {table!r}{nearest(table, tables)}")
    return tables[table]


def check_column(frame: pd.DataFrame, table: str, column: str) -> None:
    """Refuse a column that a table does not have."""
    if column not in frame.columns:
        raise StudyError(f"table {table!r} has no column {column!r}{nearest(column, list(frame.columns))}")


def _levels(frame: pd.DataFrame, where: Mapping[str, Any]) -> str:
    """What the columns of a condition hold, for a message."""
    told = [f"{column}: {_some(frame[column].astype(str).unique())}" for column in where]
    return f" ({'; '.join(told)})" if told else ""


def _some(names: Iterable[str], most: int = 12) -> str:
    names = list(names)
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def _finite(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and words.number(value) != words.ABSENT else None
