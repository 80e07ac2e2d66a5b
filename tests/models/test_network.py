"""The network: shapes, layout, description, and weights that come back as they left."""

import numpy as np
import pytest
import torch

from her2study.models.network import CHANNELS, DScoreNetwork, describe, network_from_arrays, weights_to_arrays
from her2study.store import Run
from her2study.study import Network

SETTINGS = Network(epochs=1, widths=(4, 6, 8, 10), layers=(1, 2, 1, 1))
CROP = (16, 20, 12)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return DScoreNetwork(SETTINGS).eval()


def test_gives_one_logit_a_patient(network):
    assert network(torch.zeros(5, 3, *CROP)).shape == (5, 1)


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
    assert frame.columns.tolist() == ["order", "layer", "output", "parameters", "detail"]
    assert frame["layer"].tolist() == [
        "Input",
        "Stem",
        *(f"Stage {number}" for number in (1, 2, 3, 4)),
        "Pooling",
        "Head",
    ]
    assert frame["output"].tolist()[:3] == ["3 x 16 x 20 x 12", "4 x 8 x 10 x 6", "4 x 8 x 10 x 6"]
    assert frame["output"].tolist()[5] == "10 x 1 x 2 x 1"
    assert frame["order"].tolist() == list(range(8))
    assert all(name in frame["detail"][0] for name in CHANNELS)


def test_description_counts_every_parameter_once(network):
    assert describe(network, CROP)["parameters"].sum() == sum(weight.numel() for weight in network.parameters())


def test_description_leaves_the_network_as_it_was(network):
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    describe(network, CROP)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_weights_survive_the_store(network, tmp_path):
    class Study:
        name, profile, simulated = "x", "full", True

    run = Run(Study, tmp_path)
    network.backbone.bn1.running_mean += 0.5  # statistics count as weights
    run.save_arrays("weights", weights_to_arrays(network))
    again = network_from_arrays(SETTINGS, run.load_arrays("weights"))
    batch = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 3, *CROP)).astype(np.float32))
    assert not again.training
    assert torch.equal(again(batch), network(batch))


def test_weights_of_another_architecture_are_refused(network):
    with pytest.raises(RuntimeError):
        network_from_arrays(Network(epochs=1, widths=(4, 6, 8, 12), layers=(1, 2, 1, 1)), weights_to_arrays(network))
