"""The head of ``manuscript.md``: the title page, the rows that tables print, the constants that are allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from her2study.study import Section, nearest
from her2study.types import StudyError

FENCE = "---"


class Shown(Section):
    """Which part of a table a manuscript prints; all of it if nothing is said."""

    columns: tuple[str, ...] = ()
    where: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)


class Front(Section):
    """What an author says about a manuscript beside its text."""

    title: str
    running_title: str = Field(max_length=60)
    article_type: str = "Original research"
    authors: tuple[str, ...] = ()
    affiliation: str = ""
    keywords: tuple[str, ...] = Field((), max_length=10)
    csl: str = Field("acta-radiologica", description="style of the references, a file beside the program")
    line_numbers: bool = True
    line_spacing: float = Field(1.5, ge=1, le=2)
    tables: dict[str, Shown] = Field(default_factory=dict)
    constants: dict[str, str] = Field(
        default_factory=dict, description="phrases with digits that are no results, each with the reason"
    )


def read_front(path: Path) -> tuple[Front, str]:
    """The head of a manuscript and its text, which keeps the line numbers of the file.

    Raises
    ------
    StudyError
        There is no such file or no head, or the head has an unknown key or a wrong value.
    """
    if not path.is_file():
        raise StudyError(f"{path} does not exist; write one (papers/hong2025/manuscript.md is an example)")
    lines = path.read_text(encoding="utf-8").split("\n")
    if lines[0] != FENCE or FENCE not in lines[1:]:
        raise StudyError(f"{path}, line 1: the manuscript must begin with a head between two lines of {FENCE}")
    end = lines.index(FENCE, 1)
    try:
        told = yaml.safe_load("\n".join(lines[1:end])) or {}
        front = Front(**told)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        raise StudyError(f"{path}, line {line}: not valid YAML: {getattr(error, 'problem', error)}") from None
    except ValidationError as error:
        raise StudyError(_explain(path, lines, error.errors()[0])) from None
    except TypeError:
        raise StudyError(f"{path}, line 2: the head must be keys and values") from None
    return front, "\n" * (end + 1) + "\n".join(lines[end + 1 :])


def _explain(path: Path, lines: list[str], found: dict[str, Any]) -> str:
    keys = [str(part) for part in found["loc"]]
    line = next((n for n, text in enumerate(lines, 1) if text.strip().startswith(f"{keys[-1]}:")), 1)
    where = f"{path}, line {line}: {'.'.join(keys)}"
    if found["type"] == "extra_forbidden":
        known = Shown.model_fields if keys[0] == "tables" and len(keys) > 1 else Front.model_fields
        return f"{where} is an unknown key{nearest(keys[-1], known)} Known here: {', '.join(known)}."
    if found["type"] == "missing":
        return f"{path}: the head lacks the key {keys[-1]!r}; add it"
    return f"{where}: {found['msg']} (found {found['input']!r})"
