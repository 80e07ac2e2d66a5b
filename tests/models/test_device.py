"""CPU or CUDA, one process or several: the choices, and two real processes that train one network."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from her2study.models.device import PatientStore, as_batch, best_device, deterministic, half_precision, join_ranks
from her2study.models.inference import predict_logits
from her2study.models.network import network_from_arrays
from tests.models.toy import LONG, toy_channels, toy_fit, toy_splits
from tests.tiny import ROOT


@pytest.fixture
def two_cards(monkeypatch):
    """What torch says on a machine with two cards; nothing is computed there."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("LOCAL_RANK", raising=False)


def test_cpu_where_there_is_no_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert best_device(3) == torch.device("cpu")


def test_folds_are_dealt_over_the_cards(two_cards, monkeypatch):
    assert [best_device(fold).index for fold in range(5)] == [0, 1, 0, 1, 0]
    monkeypatch.setenv("LOCAL_RANK", "1")  # torchrun knows better
    assert best_device(0) == torch.device("cuda", 1)


def test_half_precision_is_for_cuda_only(monkeypatch):
    card = torch.device("cuda", 0)
    assert half_precision(torch.device("cpu"), wanted=True) is None
    assert half_precision(card, wanted=False) is None
    for bfloat16, expected in ((True, torch.bfloat16), (False, torch.float16)):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, known=bfloat16: known)
        assert half_precision(card, wanted=True) == expected


def test_caller_keeps_random_state_threads_and_strictness():
    torch.manual_seed(4)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    filling = torch.utils.deterministic.fill_uninitialized_memory
    with deterministic(1, 2):
        torch.rand(3)
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory == filling


def test_store_gives_the_rows_in_float32():
    channels = np.random.default_rng(0).normal(size=(5, 3, 4, 4, 4)).astype(np.float16)
    batch = PatientStore(channels, torch.device("cpu")).batch(np.array([4, 0]))
    assert batch.dtype == torch.float32
    np.testing.assert_array_equal(batch.numpy(), channels[[4, 0]].astype(np.float32))
    assert as_batch(batch).is_contiguous(memory_format=torch.channels_last_3d)


def test_alone_without_torchrun(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert join_ranks() == (0, 1)
    join_ranks().wait()  # for nobody


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path, monkeypatch):
    """Each sees half of every batch; had gradients not been averaged, their weights would differ."""
    monkeypatch.setenv("HER2STUDY_PROGRESS", str(tmp_path / "progress.json"))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*torchrun, "-m", "tests.models.toy", str(tmp_path), "20"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    first, second = ((tmp_path / f"weights_{rank}.safetensors").read_bytes() for rank in (0, 1))
    assert first == second
    assert not (tmp_path / "scratch").exists()
    arrays = {name: value.numpy() for name, value in load_file(tmp_path / "weights_0.safetensors").items()}
    channels = toy_channels(toy_splits(48)["label"], signal=1.0)
    together = predict_logits(network_from_arrays(LONG, arrays), channels, average_flips=True)
    alone = predict_logits(toy_fit(20).network, channels, average_flips=True)
    assert not np.array_equal(together, alone)  # batch norm sees half of a batch
    assert np.corrcoef(together, alone)[0, 1] > 0.9
