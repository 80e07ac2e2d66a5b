"""Decisions that a person made where the files allow several: read from a small table, or YAML."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from her2study.study import nearest
from her2study.types import StudyError

SETTINGS = {
    "series": "running numbers (import_series.csv) or SeriesInstanceUIDs of the series to import, apart by spaces",
    "drop_phases": "numbers of phases to leave out, the first is 1",
    "seconds": "time of each phase in seconds after the first, such as 0 90 180",
    "accept": "yes: the first phase present was measured before contrast, although the header announces earlier ones",
    "mask": "running number of the mask object to use",
    "segments": "numbers of the segments to unite",
    "skip": "yes: leave the patient out",
}

COLUMNS = ("patient_id", "setting", "value")


@dataclass(frozen=True)
class Choice:
    """What was decided for one patient; empty means that the rules decide."""

    series: tuple[str, ...] = ()
    drop_phases: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()
    accept: bool = False
    mask: int | None = None
    segments: tuple[int, ...] = ()
    skip: bool = False


def read_choices(path: Path, pseudonyms: Mapping[str, str]) -> dict[str, Choice]:
    """Choices by pseudonym.

    Parameters
    ----------
    path : Path
        ``.csv`` with the columns ``patient_id, setting, value`` (further ones are ignored), or ``.yml``:
        ``P0001: {series: 4, drop_phases: [6]}``.
    pseudonyms : mapping
        Original identifiers to pseudonyms; a choice may name a patient by either.

    Raises
    ------
    StudyError
        The file cannot be read, or names an unknown patient or setting, or a value that cannot be meant.
    """
    if not path.is_file():
        raise StudyError(
            f"{path} does not exist; --choices names a .csv or .yml file, such as an edited import_choices.csv"
        )
    known = set(pseudonyms.values())
    gathered: dict[str, dict[str, Any]] = {}
    for place, patient, setting, value in _rows(path):
        name = pseudonyms.get(patient, patient)
        if name not in known:
            raise StudyError(
                f"{path}: {place}: patient {patient!r} is not in the source folder{nearest(patient, known)}"
            )
        if setting not in SETTINGS:
            raise StudyError(
                f"{path}: {place}: unknown setting {setting!r}{nearest(setting, list(SETTINGS))} "
                f"Settings: {', '.join(SETTINGS)}."
            )
        try:
            gathered.setdefault(name, {})[setting] = _value(setting, value)
        except ValueError:
            raise StudyError(
                f"{path}: {place}: {setting} = {value!r} cannot be meant; it takes {SETTINGS[setting]}"
            ) from None
    return {name: Choice(**settings) for name, settings in gathered.items()}


def _rows(path: Path) -> list[tuple[str, str, str, str]]:
    """Place in the file, patient, setting and value as text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix in (".yml", ".yaml"):
            return _rows_of_yaml(text)
        rows = list(csv.DictReader(io.StringIO(text)))
    except (OSError, ValueError, csv.Error) as error:
        raise StudyError(f"{path}: cannot be read: {error}") from None
    absent = [column for column in COLUMNS if rows and column not in rows[0]]
    if absent:
        raise StudyError(f"{path}: the column {absent[0]!r} is missing; a table of choices has {', '.join(COLUMNS)}")
    found = [(f"row {i + 2}", *((row[c] or "").strip() for c in COLUMNS)) for i, row in enumerate(rows)]
    return [row for row in found if row[3]]


def _rows_of_yaml(text: str) -> list[tuple[str, str, str, str]]:
    import yaml

    try:
        content = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    if not isinstance(content, dict) or not all(isinstance(settings, dict) for settings in content.values()):
        raise ValueError("write PATIENT: {setting: value} for each patient")
    return [
        (str(patient), str(patient), str(setting), _flat(value))
        for patient, settings in content.items()
        for setting, value in settings.items()
        if value not in (None, [], "")
    ]


def _flat(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(str(part) for part in value) if isinstance(value, list) else str(value)


def _value(setting: str, text: str) -> Any:
    parts: Sequence[str] = text.replace(",", " ").replace(";", " ").split()
    if setting in ("accept", "skip"):
        return {"yes": True, "no": False, "true": True, "false": False}.get(text.lower()) or _no(text)
    if setting == "mask":
        return int(text)
    if setting == "series":
        return tuple(parts)
    if setting == "seconds":
        seconds = tuple(float(part) for part in parts)
        if seconds[0] != 0 or any(b <= a for a, b in pairwise(seconds)):
            raise ValueError
        return seconds
    return tuple(int(part) for part in parts)


def _no(text: str) -> bool:
    if text.lower() not in ("no", "false"):
        raise ValueError
    return False
