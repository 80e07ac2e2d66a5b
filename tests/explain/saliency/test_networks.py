"""The networks while they are explained: what their parts give to a logit, and what is forgotten."""

import numpy as np
import pytest
import torch

from her2study.explain.saliency.gradcam import gradcam
from her2study.explain.saliency.networks import learned_logits, logits, randomised_networks
from her2study.explain.saliency.occlusion import occlusion
from her2study.models.network import DScoreNetwork, with_mask
from her2study.study import Network
from tests.explain.saliency.lookers import lesions


@pytest.fixture(scope="module")
def channels():
    images, mask = lesions()
    noise = np.random.default_rng(0).normal(0, 0.2, images.shape).astype(np.float16)
    return with_mask(images + noise, mask)


def network(seed, learned_share):
    torch.manual_seed(seed)
    settings = Network(epochs=1, widths=(4, 4, 4, 4), layers=(1, 1, 1, 1), learned_share=learned_share)
    made = DScoreNetwork(settings).eval()
    for module in made.modules():  # the measured branch starts at zero
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return made


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_logits_are_those_of_each_network(channels, share):
    models, batch = [network(0, share), network(1, share)], torch.from_numpy(channels).float()
    with torch.inference_mode():
        expected = torch.stack([model(batch)[:, 0] for model in models])
        torch.testing.assert_close(logits(models, batch), expected)
        rest = expected - torch.stack([learned_logits(model, batch)[:, 0] for model in models])
    if share == 1:
        assert (rest == 0).all()
    else:  # what is left is what was measured
        measured = torch.stack([model.measured_logit(batch)[:, 0] for model in models])
        torch.testing.assert_close(rest, 0.9 * measured, rtol=1e-3, atol=1e-5)


def test_randomising_the_head_forgets_the_weights_of_the_measurements_too(channels):
    model = network(0, 0.0)  # the whole score is measured: occlusion shows it, Grad-CAM has nothing to show
    assert not gradcam([model], channels).any()
    heat = occlusion([model], channels, (1.5, 1.5, 1.5), images=3)
    assert heat.any()
    _, (blank,) = next(iter(randomised_networks([model], seed=1)))
    assert not (blank.measured.head.weight == model.measured.head.weight).any()
    assert (blank.backbone.conv1.weight == model.backbone.conv1.weight).all()
    assert not np.allclose(occlusion([blank], channels, (1.5, 1.5, 1.5), images=3), heat)
