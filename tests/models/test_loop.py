"""The training loop: it can learn a batch by heart, and shares of a batch add up to the batch."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from her2study.models.checkpoint import Checkpoint
from her2study.models.device import Ranks, deterministic
from her2study.models.loop import TrainingLoop
from her2study.models.network import DScoreNetwork
from tests.models.toy import SETTINGS, toy_channels

LABELS = np.array([0, 1] * 4)
ALONE = Ranks()


@pytest.fixture(autouse=True)
def quiet(monkeypatch, tmp_path):
    monkeypatch.setenv("HER2STUDY_PROGRESS", str(tmp_path / "progress.json"))


def make_loop(settings, labels=LABELS, signal=0.0, ranks=ALONE):
    channels = toy_channels(labels, signal)
    with deterministic(3):
        network = DScoreNetwork(settings)
        network.standardise_like(channels)
        return TrainingLoop(network, channels, labels, settings, ranks)


def test_learns_one_batch_by_heart():
    """Pure noise with labels: whoever cannot memorise eight patients cannot learn from any."""
    still = {"epochs": 150, "shift_voxels": 0, "intensity_jitter": 0.0, "weight_decay": 0.0}
    loop = make_loop(SETTINGS.model_copy(update=still))
    with deterministic(3):
        losses = [loop.learn_once() for _ in range(150)]
    assert losses[0] > 0.5
    assert losses[-1] < 0.1


def test_class_weights_count_both_labels_the_same():
    labels = np.array([0] * 6 + [1] * 2)
    assert make_loop(SETTINGS, labels).positive_weight.item() == 3


def test_gradients_of_the_shares_average_to_the_gradient_of_the_batch(monkeypatch):
    """Seven patients over two processes: shares of four and three."""
    monkeypatch.setattr(TrainingLoop, "_prepared", lambda self, network: network)  # there is no other process
    monkeypatch.setattr(Ranks, "average", lambda self, tensors: None)
    labels = LABELS[:7]
    results = []
    for ranks in (ALONE, Ranks(0, 2), Ranks(1, 2)):
        loop = make_loop(SETTINGS, labels, ranks=ranks)
        loop.network.eval()  # batch norm would tie the patients of a share together
        loss = loop._step(np.arange(7))
        results.append((loss, [weight.grad for weight in loop.network.parameters()]))
    (loss, gradients), *shares = results
    torch.testing.assert_close((shares[0][0] + shares[1][0]) / 2, loss)
    for whole, first, second in zip(gradients, shares[0][1], shares[1][1], strict=True):
        torch.testing.assert_close((first + second) / 2, whole, rtol=1e-4, atol=1e-6)
        assert not torch.equal(first, second)


def test_state_brings_another_loop_to_the_same_place():
    settings = SETTINGS.model_copy(update={"epochs": 4, "dropout": 0.5})
    first, second = make_loop(settings, signal=1.0), make_loop(settings, signal=1.0)
    with deterministic(3):
        first.learn_once()
        state = deepcopy(first.state_dict())  # a checkpoint is a copy too
        expected = first.learn_once()
    with deterministic(77):
        second.load_state_dict(state)
        assert second.learn_once() == expected


def test_watched_patients_are_looked_at_now_and_then_and_at_the_end(tmp_path):
    settings = SETTINGS.model_copy(update={"epochs": 7, "watch_every": 3})
    loop = make_loop(settings)
    with deterministic(3):
        curve = loop.run(toy_channels(LABELS, 1.0), LABELS, Checkpoint(None, ""), what="test")
    assert curve.columns.tolist() == ["epoch", "train_loss", "inner_loss", "inner_auc", "chosen"]
    assert curve["epoch"].tolist() == [1, 3, 6, 7]
    assert curve["chosen"].tolist() == [False, False, False, True]
