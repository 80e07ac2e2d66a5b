"""What a step depends on besides files: its code, the settings it touches, the packages.

All of it is derived, nothing is declared twice. The settings are the ``study.<section>`` that the
notebook's code names; the code is the closure of ``her2study`` modules that it imports. Comments,
docstrings and layout of the code do not count. How things look (:data:`APPEARANCE`) does not count either, but for
the plain steps ``figures``, ``tables`` and ``report``: a new colour draws the figures again and trains nothing.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from her2study.code import meaning
from her2study.pipeline.graph import Chain, Node
from her2study.pipeline.notebook import read_code
from her2study.store import file_hash
from her2study.study import Study

PACKAGE = Path(__file__).resolve().parent.parent
APPEARANCE = (
    "her2study.reporting",
    "her2study.reporting.figures",
    "her2study.reporting.style",
    "her2study.reporting.tables",
)
"""Modules that decide how results look, not what they are: the front door of reporting and what it shows."""

STEP_CODE: Mapping[str, str] = {
    "simulate": "from her2study.cohort import simulate\nstudy.simulation, study.seed\n'assumptions.yml'",
    "figures": "from her2study.reporting import figures",
    "tables": "from her2study.reporting.printed import write_table\nstudy.statistics",
    "report": "from her2study.pipeline import report\n"
    + ", ".join(f"study.{name}" for name in Study.model_fields if name != "folder"),  # it shows every setting
}
"""What the plain steps depend on, said in the same words as a notebook's code."""


def fingerprint(chain: Chain, node: Node) -> dict[str, Any]:
    """Everything that decides a step's results, except the files it reads, as plain JSON."""
    code = read_code(chain.notebook(node)) if node.notebook else STEP_CODE[node.stage]
    tree = ast.parse(code, filename=node.stage)
    roots = imported_names(tree)
    modules = closure(roots, excluded=APPEARANCE if node.notebook else ())
    settings = touched_settings(tree, chain.study)
    looks = {} if node.notebook else looks_of(modules)
    return {
        "parameters": dict(node.parameters),
        "upstream": list(node.upstream),
        "notebook": _digest(meaning(tree)),
        "settings": settings,
        "study_files": study_files(tree, chain.study, settings),
        "code": {module: _module_digest(module) for module in sorted(modules)} | looks,
        "reads_truth": any(_attribute_of(item, "run") == "truth" for item in ast.walk(tree)),
    }


def touched_settings(tree: ast.AST, study: Study) -> dict[str, Any]:
    """Value of each ``study.<section>`` that the code names."""
    names = {_attribute_of(item, "study") for item in ast.walk(tree)} - {None, "folder"}
    return {str(name): _plain(study, str(name)) for name in sorted(filter(None, names))}


def study_files(tree: ast.AST, study: Study, settings: Mapping[str, Any]) -> dict[str, str]:
    """Hash of each file beside ``study.yml`` that the code, or a setting it touches, names."""
    words = {item.value for item in ast.walk(tree) if isinstance(item, ast.Constant) and isinstance(item.value, str)}
    words.add((settings.get("source") or {}).get("mending") or "")
    return {
        path.name: file_hash(path)
        for path in sorted(study.folder.iterdir())
        if path.is_file() and path.name in words and path.name != "study.yml"
    }


def closure(roots: Iterable[str], excluded: tuple[str, ...] = ()) -> set[str]:
    """All modules of her2study that using the imported ``roots`` needs, not going into ``excluded`` ones.

    A package's front door, an ``__init__`` that only imports, is passed through by name: who imports one
    function by it depends on that function's module, not on all that the door offers.
    """
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        path = _module_path(name)
        if name in found or name in excluded:
            continue
        if path is None or _is_door(name):
            waiting += _through_door(*name.rpartition(".")[::2])
            continue
        found.add(name)
        waiting += [name.rpartition(".")[0], *_imports_of(name)]
    return found


def looks_of(modules: Iterable[str]) -> dict[str, str]:
    """Hash of each file that lies among these modules and is no code: templates, style sheets, word lists."""
    folders = {path.parent for path in map(_module_path, modules) if path and path.parent != PACKAGE}
    beside = {path for folder in folders for path in folder.iterdir()}
    plain = {path for path in beside if path.is_dir() and not (path / "__init__.py").exists()}
    plain = {path for path in plain if path.name != "__pycache__"}
    beside |= {path for folder in plain for path in folder.rglob("*")}
    found = sorted(path for path in beside if path.is_file() and path.suffix not in (".py", ".pyc"))
    return {path.relative_to(PACKAGE.parent).as_posix(): file_hash(path) for path in found}


def package_versions(modules: Iterable[str], tree_names: Iterable[str] = ()) -> dict[str, str]:
    """Version of each distribution that the modules import directly, and of Python."""
    names = {name for module in modules for name in _imports_of(module)} | set(tree_names)
    tops = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"her2study"}
    known = _distributions()
    distributions = sorted({distribution for top in tops for distribution in known.get(top, [])[:1]})
    return {"python": _python()} | {name: importlib.metadata.version(name) for name in distributions}


def changed_packages(recorded: Mapping[str, str]) -> list[str]:
    """Which of the recorded versions are no longer installed."""
    return [f"{name} {version}" for name, version in recorded.items() if _installed(name) != version]


def imported_names(tree: ast.AST) -> set[str]:
    """Dotted names that the code imports: ``from a import b`` gives ``a, a.b`` and ``import a`` gives ``a, a.*``."""
    names: set[str] = set()
    for item in ast.walk(tree):
        if isinstance(item, ast.Import):
            names |= {name for alias in item.names for name in (alias.name, f"{alias.name}.*")}
        elif isinstance(item, ast.ImportFrom) and item.module and not item.level:
            names |= {item.module} | {f"{item.module}.{alias.name}" for alias in item.names}
    return names


def _attribute_of(item: ast.AST, owner: str) -> str | None:
    """``section`` when the item is ``owner.section``."""
    owned = isinstance(item, ast.Attribute) and isinstance(item.value, ast.Name) and item.value.id == owner
    return item.attr if owned and isinstance(item, ast.Attribute) else None


def _plain(study: Study, name: str) -> Any:
    return to_jsonable_python(getattr(study, name, None), fallback=str)


@cache
def _module_path(name: str) -> Path | None:
    """File of a her2study module, or none when the name is no module (a function, another package)."""
    parts = name.split(".")
    if parts[0] != PACKAGE.name:
        return None
    base = PACKAGE.joinpath(*parts[1:])
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


@cache
def _is_door(name: str) -> bool:
    """Whether a package's ``__init__`` only imports, beside its text and ``__all__``."""
    path, body = _module_path(name), _tree_of(name).body
    plain = (ast.Import, ast.ImportFrom, ast.Expr, ast.Assign)
    return path is not None and path.name == "__init__.py" and all(isinstance(item, plain) for item in body)


def _through_door(package: str, wanted: str) -> list[str]:
    """The modules behind a name that a package's front door offers; behind ``*`` all of them."""
    if not _is_door(package):
        return []
    froms = [item for item in _tree_of(package).body if isinstance(item, ast.ImportFrom) and item.module]
    return [
        str(item.module) for item in froms if wanted in {"*", *(alias.asname or alias.name for alias in item.names)}
    ]


@cache
def _tree_of(module: str) -> ast.Module:
    path = _module_path(module)
    return ast.parse(path.read_text(encoding="utf-8")) if path else ast.Module([], [])


@cache
def _imports_of(module: str) -> frozenset[str]:
    return frozenset(imported_names(_tree_of(module)))


@cache
def _module_digest(module: str) -> str:
    return _digest(meaning(_tree_of(module)))


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Distributions by the name they are imported under: reading them takes a third of a second."""
    return importlib.metadata.packages_distributions()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _python() -> str:
    return ".".join(map(str, sys.version_info[:3]))


def _installed(name: str) -> str | None:
    try:
        return _python() if name == "python" else importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
