"""The package's map names every module, and its floors hold."""

import ast
import re
from pathlib import Path

import her2study.evaluation

FOLDER = Path(her2study.evaluation.__file__).parent
MODULES = {path.stem: path for path in FOLDER.glob("*.py") if path.stem != "__init__"}
ROWS = [line for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
FLOOR = {name: floor for floor, row in enumerate(ROWS) for name in re.findall(r"`(\w+)`", row) if name in MODULES}


def test_the_map_names_every_module():
    assert set(MODULES) == set(FLOOR)


def test_modules_import_from_their_own_floor_and_those_above():
    wrong = []
    for name, path in MODULES.items():
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(item, ast.ImportFrom) and str(item.module).startswith("her2study.evaluation"):
                used = {item.module.rpartition(".")[2], *(alias.name for alias in item.names)} & set(MODULES)
                wrong += [f"{name} imports {other}" for other in used if FLOOR[other] > FLOOR[name]]
    assert wrong == []
