"""Fixtures that more than one layer uses."""

from __future__ import annotations

import os
import shutil

import hypothesis
import pytest

from tests.tiny import ROOT, TINY_NOTEBOOKS, TINY_TABLE, Project

# A person's runs look for new examples; CI's are the same every time. No deadline: other tests run beside.
hypothesis.settings.register_profile("her2study", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("her2study")

pytest_plugins = ["tests.finished"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The smoke runs first: they take longest, and other tests fill the second core meanwhile.

    Files that need a finished run come late and browser tests last, so that no worker sits waiting for the run.
    """
    waiting = {item.path for item in items if {"finished", "finished_public"} & set(getattr(item, "fixturenames", ()))}

    def turn(item: pytest.Item) -> tuple[bool, bool, bool]:
        return item.path.name != "test_study_runs.py", "browser" in item.path.parts, item.path in waiting

    items.sort(key=turn)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    """The tiny study: a table of ten patients, eleven tiny notebooks, no images."""
    tiny = Project(tmp_path)
    for folder in ("papers/tiny", "notebooks", "data"):
        (tmp_path / folder).mkdir(parents=True)
    tiny.settings()
    (tiny.data / "clinical.csv").write_text(TINY_TABLE)
    for stem, code in TINY_NOTEBOOKS.items():
        tiny.notebook(stem, code)
    shutil.copy(ROOT / "notebooks" / "Snakefile", tmp_path / "notebooks")
    for name, value in tiny.variables().items():
        monkeypatch.setenv(name, value)
    return tiny
