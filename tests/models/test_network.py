"""The network: shapes, layout, description, and weights that come back as they left."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from her2study.models.network import (
    CHANNELS,
    DScoreNetwork,
    describe,
    network_from_arrays,
    weights_to_arrays,
    with_mask,
)
from her2study.store import Run
from her2study.study import Network
from her2study.types import StudyError

SETTINGS = Network(epochs=1, widths=(4, 6, 8, 10), layers=(1, 2, 1, 1))
BOTH = SETTINGS.model_copy(update={"learned_share": 0.25})
CROP = (16, 20, 12)
IMAGES = len(CHANNELS) - 1


@pytest.fixture
def network():
    torch.manual_seed(0)
    return DScoreNetwork(SETTINGS).eval()


@pytest.fixture
def lesions():
    """Forty lesions, float16, the mask last; balls of growing size that wash out more if positive."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 40)
    grid = np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in CROP], indexing="ij")
    mask = np.stack([sum(axis**2 for axis in grid) < (2.5 + row / 20) ** 2 for row in range(40)])
    channels = rng.normal(1, 0.2, (40, IMAGES, *CROP))
    channels[:, 2] -= 1 + 0.3 * labels[:, None, None, None]
    return with_mask(channels.astype(np.float16), mask.astype(np.uint8)), labels


@pytest.fixture
def fitted(lesions):
    torch.manual_seed(0)
    network = DScoreNetwork(BOTH)
    network.standardise_like(lesions[0])
    network.fit_measured(*lesions, mass=None, unseen=lesions[0][:9])
    return network


def tensor(channels):
    return torch.from_numpy(channels.astype(np.float32))


def test_gives_one_logit_a_patient(network):
    assert network(torch.zeros(5, 4, *CROP)).shape == (5, 1)
    assert network(torch.zeros(5, 3, *CROP)).shape == (5, 1)  # the convolutions never see the mask


def test_the_mask_comes_last(lesions):
    channels, mask = lesions[0][:, :IMAGES], lesions[0][:, IMAGES]
    assert lesions[0].dtype == np.float16
    np.testing.assert_array_equal(with_mask(channels, mask.astype(np.uint8)), lesions[0])


def test_the_convolutions_do_not_see_the_mask(fitted, lesions):
    batch = tensor(lesions[0][:4])
    other = batch.clone()
    other[:, IMAGES] = 1 - other[:, IMAGES]
    assert torch.equal(fitted.learned_logit(batch), fitted.learned_logit(other))
    assert not torch.allclose(fitted.measured_logit(batch), fitted.measured_logit(other))


def test_training_sees_the_convolutions_only_and_inference_both_branches(fitted, lesions):
    batch = tensor(lesions[0][:6])
    with torch.no_grad():
        both, learned, measured = fitted(batch), fitted.learned_logit(batch), fitted.measured_logit(batch)
        rescaled = (learned - fitted.learned_mean) * fitted.learned_scale
        torch.testing.assert_close(both, 0.25 * rescaled + 0.75 * measured)
        assert torch.equal(fitted.combine(learned, measured), both)
        fitted.train()
        torch.manual_seed(3)
        in_training = fitted(batch)
        torch.manual_seed(3)
        assert torch.equal(in_training, fitted.learned_logit(batch))


def test_the_branches_weigh_by_their_spread(fitted, lesions):
    with torch.no_grad():
        measured = fitted.measured_logit(tensor(lesions[0]))
        learned = (fitted.learned_logit(tensor(lesions[0][:9])) - fitted.learned_mean) * fitted.learned_scale
    assert learned.std(correction=0) == pytest.approx(measured.std().item(), rel=1e-3)
    assert learned.mean() == pytest.approx(0, abs=1e-4)


def test_the_measured_branch_learns_what_it_measures(fitted, lesions):
    with torch.no_grad():
        assert roc_auc_score(lesions[1], fitted.measured_logit(tensor(lesions[0]))[:, 0]) > 0.95


def test_gradient_descent_leaves_the_measured_branch_alone(fitted, lesions):
    trained = {name for name, weight in fitted.named_parameters() if weight.requires_grad}
    assert not any(name.startswith("measured.") for name in trained)
    fitted.train()
    fitted(tensor(lesions[0][:4])).sum().backward()
    assert all(weight.grad is not None for weight in fitted.parameters() if weight.requires_grad)  # none idle


def test_gradients_of_the_score_reach_the_convolutions(fitted, lesions):
    """What Grad-CAM needs."""
    fitted(tensor(lesions[0][:2])).sum().backward()
    assert fitted.backbone.layer3[0].conv1.weight.grad.abs().sum() > 0


def test_convolutions_are_stored_channels_last(network):
    weight = network.backbone.layer2[0].conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last_3d)


def test_channels_are_standardised_by_what_was_trained_on(network):
    rng = np.random.default_rng(0)
    channels = rng.normal(size=(6, 3, *CROP)) * np.reshape([1, 0.2, 0.05], (3, 1, 1, 1)) + 1
    plain = network(torch.from_numpy(((channels - 1) / np.reshape([1, 0.2, 0.05], (3, 1, 1, 1))).astype(np.float32)))
    network.standardise_like(channels)
    np.testing.assert_allclose(network.channel_sd.ravel(), [1, 0.2, 0.05], rtol=0.02)
    assert torch.allclose(network(torch.from_numpy(channels.astype(np.float32))), plain, atol=0.02)


def test_description_follows_the_layers(network):
    frame = describe(network, CROP)
    assert frame.columns.tolist() == ["order", "branch", "layer", "output", "parameters", "detail"]
    assert frame["layer"].tolist() == [
        "Input",
        "Stem",
        *(f"Stage {number}" for number in (1, 2, 3, 4)),
        "Pooling",
        "Head",
    ]
    assert frame["output"].tolist()[:3] == ["4 x 16 x 20 x 12", "4 x 8 x 10 x 6", "4 x 8 x 10 x 6"]
    assert frame["output"].tolist()[5] == "10 x 1 x 2 x 1"
    assert frame["order"].tolist() == list(range(8))
    assert frame["branch"].tolist() == [0] + 7 * [1]
    assert frame["detail"][0] == "pre, wash-in, wash-out, mask"


def test_description_shows_the_measured_branch():
    frame = describe(DScoreNetwork(BOTH), CROP)
    assert frame["layer"].tolist()[7:] == ["Head", "Measurements", "Lesion type", "Measured head"]
    assert frame["branch"].tolist() == [0] + 7 * [1] + 3 * [2]
    assert "25% of the logit" in frame["detail"][7]
    assert "75% of the logit" in frame["detail"].iloc[-1]


@pytest.mark.parametrize("settings", [SETTINGS, BOTH])
def test_description_counts_every_parameter_once(settings):
    network = DScoreNetwork(settings)
    assert describe(network, CROP)["parameters"].sum() == sum(weight.numel() for weight in network.parameters())


def test_description_leaves_the_network_as_it_was(network):
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    describe(network, CROP)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_weights_survive_the_store(fitted, lesions, tmp_path):
    class Study:
        name, profile, simulated = "x", "full", True

    run = Run(Study, tmp_path)
    fitted.backbone.bn1.running_mean += 0.5  # statistics count as weights
    run.save_arrays("weights", weights_to_arrays(fitted))
    again = network_from_arrays(BOTH, run.load_arrays("weights"))
    batch = tensor(lesions[0][:2])
    assert not again.training
    assert torch.equal(again(batch), fitted(batch))


def test_channels_without_a_mask_cannot_be_measured():
    with pytest.raises(StudyError, match=r"network\.learned_share to 1"):
        DScoreNetwork(BOTH, ("pre", "wash_in", "wash_out"))
    with pytest.raises(StudyError, match=r"take 'mask' out of imaging\.channels"):
        DScoreNetwork(SETTINGS, ("pre", "mask", "wash_in", "mask"))
    assert DScoreNetwork(SETTINGS, ("pre", "early", "late", "wash_in")).images == 4


def test_weights_of_another_architecture_are_refused(network):
    with pytest.raises(RuntimeError):
        network_from_arrays(Network(epochs=1, widths=(4, 6, 8, 12), layers=(1, 2, 1, 1)), weights_to_arrays(network))
