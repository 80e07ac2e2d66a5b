"""Planted values of the simulated cohort: ``assumptions.yml``, validated and frozen.

Each entry of the file is ``value``, ``unit`` (if any), ``reason`` and ``source``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import ValidationError

from her2study.cohort.simulated.planted import Assumptions
from her2study.study import nearest
from her2study.types import StudyError

ENTRY = ("value", "unit", "reason", "source")


def load_assumptions(path: Path) -> Assumptions:
    """Read and validate the planted values.

    Raises
    ------
    StudyError
        The file is absent or not YAML, a key is unknown or missing, an entry lacks its reason or
        source, a value has the wrong type.
    """
    values = {
        group: {name: entry["value"] for name, entry in entries.items()} for group, entries in _entries(path).items()
    }
    try:
        return Assumptions(**values)
    except ValidationError as error:
        raise StudyError(f"{path}: {_first_finding(error)}") from None


def assumptions_table(path: Path) -> pd.DataFrame:
    """The table ``assumptions``: ``group, name, value, unit, reason, source``, in the file's order.

    Also for studies of real patients, whose file lists choices made and plants nothing.
    """
    rows = [
        {"group": group, "name": name, **entry, "value": _printed(entry["value"]), "unit": entry.get("unit", "")}
        for group, entries in _entries(path).items()
        for name, entry in entries.items()
    ]
    return pd.DataFrame(rows, columns=["group", "name", *ENTRY])


def _entries(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """The file as written, each entry checked for its parts."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise StudyError(f"{path} does not exist: a simulated cohort needs its planted values there") from None
    except yaml.YAMLError as error:
        raise StudyError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(raw, dict):
        raise StudyError(f"{path}: must be a mapping of groups, found {type(raw).__name__}")
    for group, entries in raw.items():
        if not isinstance(entries, dict):
            raise StudyError(f"{path}: group {group!r} must be a mapping of entries")
        for name, entry in entries.items():
            parts = set(entry) if isinstance(entry, dict) else set()
            if unknown := sorted(parts - set(ENTRY)):
                raise StudyError(
                    f"{path}: {group}.{name} has an unknown part {unknown[0]!r}{nearest(unknown[0], ENTRY)}"
                )
            if lacking := [part for part in ENTRY if part != "unit" and part not in parts]:
                raise StudyError(f"{path}: {group}.{name} lacks its {lacking[0]!r}; every planted value says why")
    return raw


def _first_finding(error: ValidationError) -> str:
    """The first of pydantic's findings, with key, value and mend."""
    item = error.errors()[0]
    where = ".".join(str(part) for part in item["loc"]) or "the whole file"
    if item["type"] == "missing":
        return f"the entry {where!r} is missing; add it"
    if item["type"] == "extra_forbidden":
        section = Assumptions.model_fields.get(str(item["loc"][0])) if len(item["loc"]) > 1 else None
        known = (section.annotation if section else Assumptions).model_fields
        return f"unknown entry {where!r}{nearest(item['loc'][-1], known)}"
    value = "" if isinstance(item["input"], dict) else f" (found {item['input']!r})"
    return f"{where}: {item['msg'].removeprefix('Value error, ')}{value}"


def _printed(value: Any) -> str:
    """A value as the table prints it."""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_printed(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_printed(item) for item in value)
    return str(value)
