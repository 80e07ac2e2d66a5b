"""Convolutions that are trained to repeat measurements, without labels, and their ridge head."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from her2study.models import checkpoint
from her2study.models.augmentation import augment
from her2study.models.device import Ranks, deterministic
from her2study.models.inference import predict_logits
from her2study.models.loop import TrainingLoop
from her2study.models.measurement import MEASUREMENTS
from her2study.models.network import DScoreNetwork, network_from_arrays, weights_to_arrays, with_mask
from her2study.models.training import fit_fold
from her2study.types import StudyError
from tests.models.toy import SETTINGS, SHAPE, toy_splits, weights_of

REPEAT = SETTINGS.model_copy(update={"objective": "measurements", "noise": 0.05, "intensity_jitter": 0.1, "epochs": 30})
BOTH = REPEAT.model_copy(update={"learned_share": 0.5})


@pytest.fixture(autouse=True)
def quiet(monkeypatch, tmp_path):
    monkeypatch.setenv("HER2STUDY_PROGRESS", str(tmp_path / "progress.json"))


def lesions(labels, seed=0):
    """Balls of many sizes that wash out, more so if positive; channels and mask, float16."""
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*[np.arange(size) - (size - 1) / 2 for size in SHAPE], indexing="ij")
    radius = rng.uniform(1.8, 3.6, len(labels))[:, None, None, None]
    mask = sum(axis**2 for axis in grid) < radius**2
    channels = rng.normal(0, 0.1, (len(labels), 3, *SHAPE))
    channels[:, 0] += 1
    channels[:, 1] += mask
    wash_out = rng.normal(0.1, 0.1, len(labels)) + 0.4 * np.asarray(labels)
    channels[:, 2] -= mask * wash_out[:, None, None, None]
    return with_mask(channels.astype(np.float16), mask)


def make_loop(channels, labels, settings=REPEAT, seed=3):
    with deterministic(seed):
        network = DScoreNetwork(settings)
        network.standardise_like(channels)
        network.measure_like(channels)
        return TrainingLoop(network, channels, labels, settings, Ranks())


def train(seed):
    """A network that repeats measurements of 60 lesions, and the loss of each epoch."""
    labels = np.arange(60) % 2
    channels = lesions(labels)
    loop = make_loop(channels, labels, seed=seed)
    with deterministic(seed):
        losses = [loop.learn_once() for _ in range(REPEAT.epochs)]
    network = loop.averaged.module.eval()
    network.fit_head(channels, labels)
    return network, losses


@pytest.fixture(scope="module")
def fitted():
    return train(3)


def test_convolutions_learn_to_measure_lesions_they_never_saw(fitted):
    """The median of three trainings: a single one of 60 lesions is too much a matter of its seed."""
    fresh = torch.from_numpy(lesions(np.arange(80) % 2, seed=7).astype(np.float32))
    agreement = []
    for network, losses in (fitted, train(4), train(5)):
        assert losses[-1] < 0.6 * losses[0]
        with torch.inference_mode():
            told, truth = network.repeat(network.features(fresh)), network.to_repeat(fresh)
        places = [list(MEASUREMENTS).index(name) for name in ("wash_out", "size")]
        agreement.append([np.corrcoef(told[:, place], truth[:, place])[0, 1] for place in places])
    assert (np.median(agreement, axis=0) > 0.8).all(), agreement


def test_the_ridge_head_finds_what_the_labels_have_to_do_with_it(fitted):
    labels = np.arange(80) % 2
    logits = predict_logits(fitted[0], lesions(labels, seed=7), True, fitted[0].learned_logit)
    assert roc_auc_score(labels, logits) > 0.85


def test_no_label_reaches_the_convolutions():
    labels = np.arange(24) % 2
    channels = lesions(labels)
    networks = []
    for given in (labels, np.roll(labels, 1), np.ones(24, int) - (np.arange(24) == 3)):
        loop = make_loop(channels, given)
        with deterministic(3):
            loop.learn_once()
            loop.watch(channels[:6], labels[:6])  # a head for the curve must not disturb what is trained
            loop.learn_once()
        loop.averaged.module.fit_head(channels, given)
        networks.append(loop.averaged.module)
    convolutions = [{k: v for k, v in weights_of(n).items() if k.startswith(("backbone", "repeat"))} for n in networks]
    assert convolutions[0] == convolutions[1] == convolutions[2]
    assert not torch.equal(networks[0].head.weight, networks[1].head.weight)


def test_in_training_the_network_gives_measurements_and_else_logits(fitted):
    batch = torch.from_numpy(lesions([0, 1, 1]).astype(np.float32))
    network = DScoreNetwork(BOTH)
    assert network.train()(batch).shape == (3, 9)
    assert network.eval()(batch).shape == (3, 1)
    trained = {name for name, weight in network.named_parameters() if weight.requires_grad}
    assert not any(name.startswith(("head.", "measured.")) for name in trained)


def test_these_convolutions_see_the_mask(fitted):
    batch = torch.from_numpy(lesions([0, 1, 1]).astype(np.float32))
    other = batch.clone()
    other[:, -1] = 1 - other[:, -1]
    with torch.inference_mode():
        assert not torch.allclose(fitted[0].learned_logit(batch), fitted[0].learned_logit(other))


def test_weights_come_back(fitted):
    again = network_from_arrays(REPEAT, weights_to_arrays(fitted[0]))
    batch = torch.from_numpy(lesions([0, 1]).astype(np.float32))
    with torch.inference_mode():
        assert torch.equal(again(batch), fitted[0](batch))


def test_a_whole_fold_and_a_training_that_was_stopped_end_alike(tmp_path, monkeypatch):
    splits = toy_splits(48)
    channels = lesions(splits["label"])
    brief = BOTH.model_copy(update={"epochs": 6, "watch_every": 2})
    whole = fit_fold(channels, splits, 0, brief, seed=5)
    assert whole.curve.columns.tolist() == ["fold", "epoch", "train_loss", "inner_loss", "inner_auc", "chosen"]
    monkeypatch.setattr(checkpoint, "EVERY_SECONDS", 0.0)
    once, learn_once = [], TrainingLoop.learn_once

    def stopping(loop):
        once.append(1)
        if len(once) == 4:
            raise KeyboardInterrupt
        return learn_once(loop)

    monkeypatch.setattr(TrainingLoop, "learn_once", stopping)
    with pytest.raises(KeyboardInterrupt):
        fit_fold(channels, splits, 0, brief, seed=5, scratch=tmp_path / "fold")
    again = fit_fold(channels, splits, 0, brief, seed=5, scratch=tmp_path / "fold")
    assert len(once) == 4 + 3  # three epochs were kept
    assert weights_of(again.network) == weights_of(whole.network)


def test_a_mask_moves_with_its_lesion_and_stays_a_mask():
    batch = torch.from_numpy(lesions([0, 1] * 4).astype(np.float32))
    moved = augment(batch, REPEAT, 3, torch.Generator().manual_seed(0))
    assert set(moved[:, 3].unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(moved[:, 3], batch[:, 3])
    inside = moved[:, 3] > 0
    assert moved[:, 1][inside].mean() > 0.8  # enhancement went along
    assert moved[:, 1][~inside].abs().mean() < 0.2


def test_what_cannot_be_measured_cannot_be_repeated():
    with pytest.raises(StudyError, match=r"network\.objective to labels"):
        DScoreNetwork(REPEAT, ("pre", "wash_in", "wash_out"))
