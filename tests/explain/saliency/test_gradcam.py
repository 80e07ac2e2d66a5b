"""Grad-CAM of a network built by hand to look for bright wash-in."""

import numpy as np
import pytest
import torch
from monai.visualize import GradCAM

from her2study.explain.saliency.gradcam import contributions, gradcam
from her2study.explain.saliency.overlap import centre_blob, lesion_overlap
from tests.explain.saliency.lookers import CENTRES, SHAPE, Looker, blank, lesions


def test_evidence_lies_on_what_the_network_looks_for():
    channels, mask = lesions()
    maps = gradcam([Looker(0), Looker(2)], channels)
    assert maps.shape == (2, 4, *SHAPE)
    assert maps.dtype == np.float32
    for patient, centre in enumerate(CENTRES):
        peak = np.unravel_index(maps[0, patient].argmax(), SHAPE)
        assert np.linalg.norm(np.subtract(peak, centre)) < 7
    blob = np.broadcast_to(centre_blob(SHAPE), mask.shape)
    assert lesion_overlap(maps.mean(axis=0), mask).min() > 4 * lesion_overlap(blob, mask).max()


@pytest.mark.parametrize("average_flips", [False, True])
def test_the_map_is_not_moved_against_the_image(average_flips):
    """Upsampling by the usual rule moves it by half a stride, 1.5 voxels, towards the last corner."""
    channels = np.zeros((1, 3, *SHAPE), np.float16)
    channels[0, 1, 14:19, 14:19, 14:19] = 1  # its middle is voxel 16, on a cell of the stage
    heat = gradcam([Looker()], channels, average_flips)[0, 0].astype(float)
    middle = [(heat.sum(axis=tuple({0, 1, 2} - {axis})) * np.arange(32)).sum() / heat.sum() for axis in range(3)]
    np.testing.assert_allclose(middle, 16, atol=0.3 if average_flips else 0.75)


def test_what_speaks_against_has_the_other_sign():
    channels, _ = lesions()
    np.testing.assert_array_equal(gradcam([Looker(sign=-1)], channels), -gradcam([Looker()], channels))


def test_a_mirrored_lesion_has_the_mirrored_map():
    channels, _ = lesions()
    networks = [blank(3)]
    mirrored = gradcam(networks, channels[:, :, ::-1])
    np.testing.assert_allclose(mirrored[:, :, ::-1], gradcam(networks, channels), rtol=1e-4, atol=1e-7)


def test_before_mean_pooling_it_is_the_grad_cam_of_monai():
    channels, _ = lesions()
    batch, network = torch.from_numpy(channels).float(), blank(1)

    def as_it_is(heat):
        return heat

    camera = GradCAM(network, "backbone.layer4", upsampler=lambda *_: as_it_is, postprocessing=as_it_is)
    theirs = camera(batch, class_idx=0)[:, 0].detach().numpy()
    ours = contributions(blank(1), "layer4", batch).numpy()
    cells = np.prod(ours.shape[1:])
    assert (theirs > 0).any()
    np.testing.assert_allclose(np.maximum(ours, 0), theirs, rtol=1e-4, atol=1e-8)
    bias = float(network.head.bias.detach())
    logits = network(batch)[:, 0].detach().numpy()
    np.testing.assert_allclose(ours.sum(axis=(1, 2, 3)), logits - bias, rtol=1e-3, atol=1e-6)
    assert cells == 8


def test_networks_are_left_as_they_were():
    network = Looker().train()
    gradcam([network], lesions()[0])
    assert network.training
    assert not any(module._forward_hooks or module._backward_hooks for module in network.modules())
    assert all(weight.grad is None for weight in network.parameters())
