"""A killed training goes on from where it was, to the same bytes; nobody else's state is taken for it."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from her2study.models import checkpoint
from her2study.models.checkpoint import FILE, Checkpoint, fingerprint
from her2study.store import Run
from tests.models.toy import toy_fit, weights_of
from tests.tiny import ROOT


@pytest.fixture(autouse=True)
def often(monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoint, "EVERY_SECONDS", 0.0)
    monkeypatch.setenv("HER2STUDY_PROGRESS", str(tmp_path / "progress.json"))


def test_state_comes_back_with_its_types_values_and_layout(tmp_path):
    image = torch.arange(2 * 3 * 4 * 5 * 6, dtype=torch.float32).view(2, 3, 4, 5, 6)
    state = {
        "optimiser": {
            "state": {0: {"step": torch.tensor(3.0)}, 1: {}},
            "groups": [{"lr": 0.1 + 0.2, "betas": (0.9, 1)}],
        },
        "image": image.contiguous(memory_format=torch.channels_last_3d),
        "random": torch.get_rng_state(),
        "curve": [[1, float("nan")]],
        "none": None,
    }
    Checkpoint(tmp_path / "fit", "x").save_when_due(lambda: state)
    again = Checkpoint(tmp_path / "fit", "x").load()
    assert again["optimiser"]["state"][0]["step"].shape == ()
    assert again["optimiser"]["groups"] == [{"lr": 0.1 + 0.2, "betas": [0.9, 1]}]
    assert torch.equal(again["image"], image)
    assert again["image"].stride() == state["image"].stride()
    assert torch.equal(again["random"], state["random"])
    assert np.isnan(again["curve"][0][1])
    assert again["none"] is None


def test_a_state_of_another_fit_or_a_damaged_one_is_ignored(tmp_path):
    keeper = Checkpoint(tmp_path, "this fit")
    assert keeper.load() is None
    keeper.save_when_due(lambda: {"epoch": 3})
    assert keeper.load() == {"epoch": 3}
    assert Checkpoint(tmp_path, "another fit").load() is None
    save_file({"0": torch.ones(1)}, tmp_path / FILE)
    assert keeper.load() is None
    (tmp_path / FILE).write_bytes(b"half a file")
    assert keeper.load() is None


def test_saves_only_when_due_and_only_with_a_folder(tmp_path, monkeypatch):
    Checkpoint(None, "").save_when_due(lambda: pytest.fail("there is nowhere to save"))
    monkeypatch.setattr(checkpoint, "EVERY_SECONDS", 1000.0)
    Checkpoint(tmp_path, "x").save_when_due(lambda: pytest.fail("nothing is due yet"))


def test_fingerprint_tells_fits_apart():
    scans = np.zeros((2, 3), np.float16)
    first = fingerprint(scans, {"epochs": 3}, [1, 0])
    assert first == fingerprint(scans.copy(), {"epochs": 3}, [1, 0])
    others = [
        fingerprint(scans + 1, {"epochs": 3}, [1, 0]),
        fingerprint(scans.T, {"epochs": 3}, [1, 0]),
        fingerprint(scans, {"epochs": 4}, [1, 0]),
        fingerprint(scans, {"epochs": 3}, [1, 1]),
    ]
    assert len({first, *others}) == 5


@pytest.mark.slow
def test_killed_training_ends_with_the_same_bytes(tmp_path):
    """A process is killed twice in the midst of work; then it is let finish."""
    uninterrupted = toy_fit()
    command = [sys.executable, "-m", "tests.models.toy", str(tmp_path), "60"]
    path = tmp_path / "scratch" / FILE
    epochs = []
    for pause in (0.0, 0.13):
        before = path.stat().st_mtime_ns if path.exists() else 0
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})
        while process.poll() is None and not (path.exists() and path.stat().st_mtime_ns > before):
            time.sleep(0.001)
        time.sleep(pause)
        assert process.poll() is None, "it was done before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
        epochs.append(_epoch(path))
    (path.parent / f"{FILE}.123.part").write_bytes(b"the kill came while it was saving")
    assert 0 < epochs[0] < epochs[1] < 60
    resumed = toy_fit(scratch=path.parent)
    assert weights_of(resumed.network) == weights_of(uninterrupted.network)
    pd.testing.assert_frame_equal(resumed.curve, uninterrupted.curve, check_exact=True)
    assert not path.parent.exists()


def test_nothing_stays_behind_and_saving_changes_nothing(tmp_path):
    saved = toy_fit(scratch=tmp_path / "scratch")
    assert weights_of(saved.network) == weights_of(toy_fit().network)
    assert not (tmp_path / "scratch").exists()


def _epoch(path):
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        pairs = dict(json.loads(file.metadata()["state"])["pairs"])
    return pairs["epoch"]


def test_scratch_of_a_run_is_no_artefact(tmp_path, monkeypatch):
    class Study:
        name, profile, simulated = "x", "smoke", True

    monkeypatch.setenv("HER2STUDY_JOURNAL", str(tmp_path / "journal"))
    folder = Run(Study, tmp_path).scratch("dscore_fold_3")
    assert folder == tmp_path / "x-smoke" / ".scratch" / "dscore_fold_3"
    assert not (tmp_path / "journal").exists()
