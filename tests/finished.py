"""The smoke run of each study, made once and shared by every test and every pytest-xdist worker.

What these fixtures give is read-only: copy what a test changes.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from her2study.pipeline import open_chain
from her2study.pipeline.graph import Chain
from tests.tiny import ROOT

PUBLIC_DATA = ROOT.parent / "shared" / "data" / "mamamia"

ELSEWHERE = "HER2STUDY_FINISHED"
"""Names a results root with finished smoke runs, to use instead of making them while one develops."""


class Finished(NamedTuple):
    """A study after `her2study reproduce`."""

    results: Path
    arguments: list[str]
    status: int
    out: str
    err: str

    @property
    def chain(self) -> Chain:
        name, profile, data = self.arguments[1::2]
        return open_chain(name, profile, data)


def reproduce(results: Path, arguments: list[str]) -> Finished:
    """`her2study reproduce` into the parent of ``results``, in a process of its own."""
    command = [sys.executable, "-m", "her2study.cli", "reproduce", *arguments]
    environment = {**os.environ, "HER2STUDY_RESULTS": str(results.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    return Finished(results, arguments, done.returncode, done.stdout, done.stderr)


def shared_run(tmp_path_factory: pytest.TempPathFactory, name: str, data: str = "") -> Finished:
    """The smoke run of a study: whoever asks first makes it, the others wait and share it, or its failure."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"finished-{name}"
    root.mkdir(exist_ok=True)
    results, end = root / f"{name}-smoke", root / "reproduce.json"
    arguments = ["--study", name, "--profile", "smoke", "--data", data]
    with open(root / "reproduce.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go when closed, even by a worker that is killed
        if not end.is_file():
            run = reproduce(results, arguments)
            end.write_text(json.dumps(run[2:]), encoding="utf-8")
        finished = Finished(results, arguments, *json.loads(end.read_text(encoding="utf-8")))
    assert (finished.status, finished.err) == (0, ""), finished.out + finished.err
    return finished


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """Results root with the finished smoke run of the simulated study: ``finished / "hong2025-smoke"``."""
    return _elsewhere("hong2025") or shared_run(tmp_path_factory, "hong2025").results.parent


@pytest.fixture(scope="session")
def finished_public(tmp_path_factory) -> Path:
    """Results root with the finished smoke run of the public cohort, real patients: ``.../"mamamia-smoke"``."""
    root = _elsewhere("mamamia")
    return root or shared_run(tmp_path_factory, "mamamia", public_data()).results.parent


def public_data() -> str:
    """Folder of the public cohort's table; skips the test where it is absent."""
    if not PUBLIC_DATA.is_dir():
        pytest.skip(f"the public cohort's table is not here: {PUBLIC_DATA} does not exist")
    return str(PUBLIC_DATA)


def _elsewhere(name: str) -> Path | None:
    root = Path(os.environ.get(ELSEWHERE) or os.devnull)
    return root.resolve() if (root / f"{name}-smoke" / "manifest.json").is_file() else None
