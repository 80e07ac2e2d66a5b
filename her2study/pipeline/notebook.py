"""What a notebook says before it is run: its code, and its parameters with their types.

Papermill accepts a misspelt parameter or a word where a number belongs and lets the run go wrong
later; here both are errors before anything starts.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from her2study.study import nearest
from her2study.types import StudyError

TYPES: Mapping[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
"""The types that a parameter may declare."""


def read_cells(path: Path) -> list[dict]:
    """The cells of a stored notebook.

    Raises
    ------
    StudyError
        The file does not exist or is not a notebook.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except FileNotFoundError:
        raise StudyError(f"{path}: the notebook does not exist; restore it (git checkout {path.name})") from None
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise StudyError(f"{path}: not a notebook ({error}); restore it (git checkout {path.name})") from None
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


def read_code(path: Path) -> str:
    """The code cells of a notebook as one module; lines of IPython magic are left out."""
    sources = [cell["source"] for cell in read_cells(path) if cell["cell_type"] == "code"]
    lines = [line for source in sources for line in source.splitlines()]
    return "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!"))) + "\n"


def declared_parameters(path: Path) -> dict[str, str]:
    """Name and type of each parameter: the annotated assignments of the cell tagged ``parameters``."""
    tagged = [cell for cell in read_cells(path) if "parameters" in cell.get("metadata", {}).get("tags", [])]
    return {
        statement.target.id: ast.unparse(statement.annotation)
        for cell in tagged
        for statement in ast.parse(cell["source"]).body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    }


def check_parameters(path: Path, parameters: Mapping[str, Any]) -> None:
    """Refuse a parameter that the notebook does not declare, or a value of another type.

    Raises
    ------
    StudyError
        Names the notebook, the parameter, the value, the rule and the nearest known name.
    """
    declared = declared_parameters(path)
    for name, value in parameters.items():
        if name not in declared:
            raise StudyError(
                f"{path.name}: unknown parameter {name!r}{nearest(name, declared)} "
                f"Declared in its parameters cell: {', '.join(declared) or 'none'}."
            )
        wanted = TYPES.get(declared[name])
        if wanted is not None and type(value) is not wanted and not (wanted is float and type(value) is int):
            raise StudyError(
                f"{path.name}: parameter {name!r} is {value!r} ({type(value).__name__}) but its parameters cell "
                f"declares {declared[name]}; give a value of that type"
            )


def parse_parameters(path: Path, texts: Mapping[str, str]) -> dict[str, Any]:
    """Values typed on a command line, as the types that the notebook declares."""
    declared = declared_parameters(path)
    check_parameters(path, {name: text for name, text in texts.items() if name not in declared})
    values: dict[str, Any] = {}
    for name, text in texts.items():
        kind = declared[name]
        try:
            values[name] = {"true": True, "false": False}[text.lower()] if kind == "bool" else TYPES[kind](text)
        except (KeyError, ValueError):
            raise StudyError(
                f"{path.name}: parameter {name}={text!r} is not of the declared type {kind}; give a value of that type"
            ) from None
    return values
