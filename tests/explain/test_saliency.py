"""Grad-CAM of a network built by hand to look for bright wash-in, and checks that notice when it forgets."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr

from her2study.explain.saliency import (
    centre_blob,
    choose_failures,
    choose_typical,
    gradcam,
    lesion_overlap,
    saliency_slices,
    sanity,
    spearman,
)
from her2study.models.network import DScoreNetwork
from her2study.study import Network
from her2study.types import StudyError

SHAPE = (32, 32, 32)
CENTRES = [(8, 8, 24), (24, 8, 8), (8, 24, 8), (24, 24, 24)]


def looker(carrier=0):
    """A network whose logit is the mean wash-in: every layer averages and passes on one carrier channel."""
    network = DScoreNetwork(Network(epochs=1, widths=(4, 4, 4, 4), layers=(1, 1, 1, 1))).eval()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if "conv" in name or "downsample.0.weight" in name or name.startswith("head"):
                weight.zero_()
        network.backbone.conv1.weight[carrier, 1] = 1 / 27
        for stage in ("layer2", "layer3", "layer4"):
            block = getattr(network.backbone, stage)[0]
            block.conv1.weight[carrier, carrier] = 1 / 27
            block.conv2.weight[carrier, carrier, 1, 1, 1] = 1
            block.downsample[0].bias.zero_()
        network.head.weight[0, carrier] = 1
    return network


@pytest.fixture(scope="module")
def lesions():
    """Four crops with one bright ball each, far from the centre, and its mask."""
    grid = np.stack(np.meshgrid(*[np.arange(size) for size in SHAPE], indexing="ij"))
    mask = np.stack([((grid - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(0) < 7**2 for centre in CENTRES])
    channels = np.zeros((len(CENTRES), 3, *SHAPE), np.float16)
    channels[:, 0] = 1  # the pre-contrast image is bright everywhere and must not matter
    channels[:, 1] = 4 * mask
    return channels, mask.astype(np.uint8)


def test_heat_lies_on_what_the_network_looks_for(lesions):
    channels, mask = lesions
    heat = gradcam([looker(0), looker(2)], channels)
    assert heat.shape == (4, *SHAPE)
    assert heat.dtype == np.float32
    np.testing.assert_allclose(heat.max(axis=(1, 2, 3)), 1, rtol=1e-5)
    for patient, centre in enumerate(CENTRES):
        peak = np.unravel_index(heat[patient].argmax(), SHAPE)
        assert np.linalg.norm(np.subtract(peak, centre)) < 7
    blob = np.broadcast_to(centre_blob(SHAPE), mask.shape)
    assert lesion_overlap(heat, mask).min() > 4 * lesion_overlap(blob, mask).max()


def test_nothing_that_speaks_for_positive_gives_no_heat(lesions):
    network = looker()
    with torch.no_grad():
        network.head.weight.neg_()
    assert (gradcam([network], lesions[0]) == 0).all()


def test_networks_are_left_without_hooks(lesions):
    network = looker()
    gradcam([network], lesions[0])
    assert not any(module._forward_hooks or module._backward_hooks for module in network.modules())
    assert all(weight.grad is None for weight in network.parameters())


def test_checks_tell_a_network_that_learned_from_one_that_did_not(lesions):
    channels, mask = lesions
    learned = sanity([looker(0), looker(2)], channels, mask, seed=1)
    assert learned.columns.tolist() == ["check", "label", "model", "value", "low", "high", "reference"]
    assert (learned["low"] <= learned["value"]).all()
    assert (learned["value"] <= learned["high"]).all()
    row = learned.set_index("check").loc
    assert row["repeatability"]["value"] == pytest.approx(1)
    assert row["repeatability"]["reference"] < 0.5
    assert row["lesion_overlap"]["value"] > 4 * row["lesion_overlap"]["reference"]
    assert learned["label"][0] == "Random head"
    assert learned["label"][5] == "Random head to stem"
    assert abs(learned["value"][5]) < 0.5

    torch.manual_seed(0)
    blank = [DScoreNetwork(Network(epochs=1, widths=(4, 4, 4, 4), layers=(1, 1, 1, 1))).eval() for _ in range(2)]
    unlearned = sanity(blank, channels, mask, seed=1).set_index("check").loc
    assert unlearned["repeatability"]["value"] < 0.5
    assert unlearned["lesion_overlap"]["value"] < row["lesion_overlap"]["value"] / 2


def test_checks_repeat_with_the_seed(lesions):
    channels, mask = lesions
    models = [looker(0), looker(2)]
    pd.testing.assert_frame_equal(
        sanity(models, channels, mask, seed=3), sanity(models, channels, mask, seed=3), check_exact=True
    )


def test_checks_refuse_a_single_network_or_patient(lesions):
    channels, mask = lesions
    with pytest.raises(StudyError, match="1 networks and 4 patients"):
        sanity([looker()], channels, mask, seed=1)
    with pytest.raises(StudyError, match="2 networks and 1 patients"):
        sanity([looker(), looker()], channels[:1], mask[:1], seed=1)


def test_spearman_agrees_with_scipy_and_knows_constants():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, (2, 3, 4, 5, 6)).astype(float)  # with ties
    expected = [spearmanr(x.ravel(), y.ravel()).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(spearman(a, b), expected)
    assert spearman(np.zeros((1, 2, 2, 2)), a[:1, :2, :2, :2])[0] == 0


def test_overlap_is_the_share_of_heat_inside():
    heat = np.zeros((2, 2, 2, 2))
    heat[0, 0, 0] = [3, 1]
    mask = np.zeros((2, 2, 2, 2), np.uint8)
    mask[:, 0, 0, 0] = 1
    assert lesion_overlap(heat, mask).tolist() == [0.75, 0.0]


@pytest.fixture
def predictions():
    return pd.DataFrame(
        {
            "patient_id": list("ABCDEFGH"),
            "centre": "C",
            "label": [1, 1, 1, 1, 0, 0, 0, 0],
            "probability": [0.9, 0.7, 0.6, 0.1, 0.8, 0.3, 0.2, 0.05],
        }
    )


def test_typical_patients_are_correct_and_near_the_median(predictions):
    chosen = choose_typical(predictions, threshold=0.5, per_group=1)
    assert chosen["patient_id"].tolist() == ["B", "G"]
    assert chosen["title"].tolist() == ["True positive", "True negative"]


def test_failures_are_the_worst_errors_first(predictions):
    chosen = choose_failures(predictions, per_group=2)
    assert chosen["patient_id"].tolist() == ["D", "C", "E", "F"]
    assert chosen["title"].tolist() == ["Missed positive"] * 2 + ["False alarm"] * 2


def test_slices_show_the_largest_lesion_area(predictions):
    channels = np.arange(2 * 3 * 4 * 2 * 3, dtype=np.float16).reshape(2, 3, 4, 2, 3)
    heat = np.random.default_rng(0).random((2, 4, 2, 3)).astype(np.float32)
    mask = np.zeros((2, 4, 2, 3), np.uint8)
    mask[0, 1, 0, 0] = mask[0, 2, 0, :2] = mask[1, 3, 1, 1] = 1
    chosen = predictions.head(2).assign(title="x")
    frame = saliency_slices(chosen, channels, heat, mask)
    assert frame.columns.tolist() == [
        *("patient_id", "centre", "label", "probability", "title"),
        *("height", "width", "image", "heat", "mask"),
    ]
    assert (frame["height"][0], frame["width"][0]) == (2, 3)
    assert np.array_equal(np.reshape(frame["image"][0], (2, 3)), channels[0, 1, 2])
    assert np.array_equal(np.reshape(frame["mask"][0], (2, 3)), mask[0, 2])
    np.testing.assert_allclose(np.reshape(frame["heat"][1], (2, 3)), heat[1, 3])
