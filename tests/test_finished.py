"""One run for all workers: made once, shared, and so is its failure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import pytest

from tests import finished
from tests.finished import ELSEWHERE, Finished, _elsewhere, shared_run


class Factory(NamedTuple):
    """pytest's factory of temporary folders, reduced to what is asked of it."""

    base: object

    def getbasetemp(self):
        return self.base


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """Counts runs in place of making them; the first worker's folder is where all of them look."""
    made = []
    outcome = {"status": 0, "err": ""}

    def count(results, arguments):
        made.append(arguments)
        return Finished(results, arguments, outcome["status"], "Headline numbers", outcome["err"])

    monkeypatch.setattr(finished, "reproduce", count)
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    return made, outcome, [Factory(tmp_path / f"gw{i}") for i in range(4)]


def test_workers_share_one_run(runs):
    made, _, factories = runs
    with ThreadPoolExecutor(4) as pool:
        shared = list(pool.map(partial(shared_run, name="hong2025"), factories))
    assert len(made) == 1
    assert len(set(map(str, shared))) == 1
    assert shared[0].out == "Headline numbers"


def test_a_failed_run_fails_every_worker_and_is_not_tried_again(runs):
    made, outcome, factories = runs
    outcome.update(status=1, err="error: disk full")
    for factory in factories[:2]:
        with pytest.raises(AssertionError, match="disk full"):
            shared_run(factory, "hong2025")
    assert len(made) == 1


def test_a_run_made_elsewhere_is_used_only_if_finished(monkeypatch, tmp_path):
    monkeypatch.delenv(ELSEWHERE, raising=False)
    assert _elsewhere("hong2025") is None
    monkeypatch.setenv(ELSEWHERE, str(tmp_path))
    (tmp_path / "hong2025-smoke").mkdir()
    assert _elsewhere("hong2025") is None
    (tmp_path / "hong2025-smoke" / "manifest.json").touch()
    assert _elsewhere("hong2025") == tmp_path
    assert _elsewhere("mamamia") is None
