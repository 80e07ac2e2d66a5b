"""Rules that keep the code and the notebooks readable; `make lint` runs them too."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tokenize
from io import StringIO
from pathlib import Path

import pytest

from her2study.pipeline.notebook import TYPES, read_cells, read_code
from her2study.study import Study
from tests.tiny import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MODULES = sorted((ROOT / "her2study").rglob("*.py"))

MAX_CODE_LINES = 250
MAX_MODULE_LINES = 400
MAX_PARAMETERS = 4

SLOW_TO_IMPORT = {
    "torch",
    "monai",
    "shap",
    "mirp",
    "matplotlib",
    "sklearn",
    "scipy",
    "statsmodels",
    "papermill",
    "IPython",
}
FILE_WORDS = {
    "read_csv",
    "read_parquet",
    "read_excel",
    "to_csv",
    "to_parquet",
    "to_excel",
    "savefig",
    "open",
    "write_text",
}

notebooks = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_layers_import_downwards_only():
    linter = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "1 kept, 0 broken" in linter.stdout, linter.stdout + linter.stderr


def test_the_command_starts_without_heavy_imports():
    code = "import sys, her2study.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not SLOW_TO_IMPORT & set(loaded)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_thin_and_say_what_they_are(path):
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MAX_MODULE_LINES
    assert ast.get_docstring(ast.parse(source)), f"{path}: say in the first line what the module is for"


@notebooks
def test_notebook_is_stored_without_outputs(path):
    dirty = [
        i + 1 for i, cell in enumerate(_code_cells(path)) if cell["outputs"] or cell["execution_count"] is not None
    ]
    assert not dirty, f"{path.name}: clear the outputs of code cells {dirty}"
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    assert not {"papermill", "widgets"} & set(metadata)


@notebooks
def test_notebook_is_thin(path):
    code = read_code(path)
    lines = [line for line in code.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) <= MAX_CODE_LINES
    defined = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert not defined, f"{path.name}: move {defined[0].name} into the library"


@notebooks
def test_notebook_opens_with_its_question_and_explains(path):
    cells = read_cells(path)
    assert cells[0]["cell_type"] == "markdown"
    assert cells[0]["source"].startswith("# ")
    explained = sum(len(cell["source"].split()) for cell in cells if cell["cell_type"] == "markdown")
    assert explained >= 100, f"{path.name}: {explained} words of prose; explain it to a reader of the abstract"


@notebooks
def test_parameters_are_literals_with_type_and_comment(path):
    tagged = [cell for cell in read_cells(path) if "parameters" in cell["metadata"].get("tags", [])]
    if path.stem == "explore" and not tagged:
        return
    assert len(tagged) == 1, f"{path.name}: exactly one cell is tagged 'parameters'"
    statements = ast.parse(tagged[0]["source"]).body
    assert len(statements) <= MAX_PARAMETERS
    tokens = tokenize.generate_tokens(StringIO(tagged[0]["source"]).readline)
    commented = {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
    for statement in statements:
        assert isinstance(statement, ast.AnnAssign), f"{path.name}: write `name: type = literal  # what it is`"
        assert ast.unparse(statement.annotation) in TYPES
        assert type(ast.literal_eval(statement.value)).__name__ == ast.unparse(statement.annotation)
        assert statement.lineno in commented, f"{path.name}: say what {ast.unparse(statement.target)} is"


@notebooks
def test_settings_are_named_as_study_section(path):
    """The chain finds out from this which settings a notebook depends on."""
    tree = ast.parse(read_code(path))
    known = set(Study.model_fields) | {name for name in vars(Study) if not name.startswith("_")}
    owners = [node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "study":
            assert node.attr in known, f"{path.name}: study.{node.attr} does not exist"
        elif isinstance(node, ast.Name) and node.id == "study" and isinstance(node.ctx, ast.Load):
            assert any(node is owner for owner in owners), (
                f"{path.name}, line {node.lineno}: name the section of `study`"
            )


@notebooks
def test_files_are_read_and_written_through_run(path):
    """Only what goes through ``run`` is in the journal from which the chain learns what a notebook needs."""
    for node in ast.walk(ast.parse(read_code(path))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            of_truth = "run.truth" in ast.unparse(node)  # declared by that very name
            assert name not in FILE_WORDS or of_truth, f"{path.name}: {ast.unparse(node)} goes around `run`"


def _code_cells(path):
    return [cell for cell in read_cells(path) if cell["cell_type"] == "code"]
