"""Every public statistic has an oracle that we did not write, and the tests say which.

A test that compares with an oracle carries ``@pytest.mark.oracle("auc", "delong", by="pROC")``; the names are those of
the front door :mod:`her2study.evaluation`, and the test's module must really use them.
"""

from __future__ import annotations

import ast
import inspect
from functools import cache

import pytest

import her2study.evaluation as door
from tests.tiny import ROOT

STATISTICS = sorted(name for name in door.__all__ if inspect.isfunction(getattr(door, name)))


@cache
def marked() -> dict[str, list[str]]:
    """``{statistic: tests that hold it against an oracle}``, from the marks of all test files."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        for test in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for mark in test.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.oracle":
                    for name in (ast.literal_eval(argument) for argument in mark.args):
                        assert name in used, f"{path.name}::{test.name} marks {name!r} but never calls it"
                        found.setdefault(name, []).append(f"{path.name}::{test.name}")
    return found


@pytest.mark.parametrize("name", STATISTICS)
def test_every_public_statistic_has_an_oracle(name):
    assert name in marked(), f"{name}: write a test against R, a library or a closed form; mark it @pytest.mark.oracle"


@pytest.mark.parametrize("name", STATISTICS)
def test_every_public_statistic_says_what_it_takes_and_where_it_comes_from(name):
    text = inspect.getdoc(getattr(door, name)) or ""
    for section in ("Parameters", "Returns", "Raises", "References"):
        assert f"{section}\n---" in text, f"{name}: the docstring has no section {section!r}"


def test_the_list_of_statistics_is_complete():
    text = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    assert [name for name in STATISTICS if f"`{name}`" not in text] == []


def test_no_mark_names_something_that_is_not_public():
    assert set(marked()) <= set(STATISTICS)
