"""Weights between a coarse grid and the crop's voxels."""

import numpy as np
import torch
from torch import nn

from her2study.explain.saliency.grids import even_weights, linear_weights, spread, strided_weights


def test_weights_on_every_voxel_sum_to_one_and_are_linear_between_places():
    weights = linear_weights(7, np.array([1.0, 5.0]))
    assert weights.shape == (7, 2)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_allclose(weights[:, 1], [0, 0, 0.25, 0.5, 0.75, 1, 1])


def test_cells_of_strided_convolutions_stand_where_the_convolutions_put_them():
    """Where a cell's gradient lies on the input is found by torch, not by us."""
    layers = nn.Sequential(*[nn.Conv3d(1, 1, 3, stride=2, padding=1, bias=False) for _ in range(2)])
    for layer in layers:
        nn.init.ones_(layer.weight)
    image = torch.ones(1, 1, 16, 24, 32, requires_grad=True)
    cells = layers(image)
    (seen,) = torch.autograd.grad(cells[0, 0, 1, 3, 5], image)
    weights = strided_weights((16, 24, 32), tuple(cells.shape[2:]))
    for axis, cell in enumerate((1, 3, 5)):
        profile = seen[0, 0].sum(dim=[other for other in range(3) if other != axis]).numpy()
        middle = float((profile * np.arange(len(profile))).sum() / profile.sum())
        assert int(weights[axis][:, cell].argmax()) == round(middle)


def test_even_places_cover_the_crop_alike():
    weights = even_weights((32, 40, 40), (8, 8, 13))
    assert [weight.shape for weight in weights] == [(32, 4), (40, 5), (40, 3)]
    assert even_weights((6,), (8,))[0].shape == (6, 2)
    for weight in weights:
        np.testing.assert_allclose(weight, weight[::-1, ::-1], atol=1e-6)


def test_a_slope_stays_a_slope():
    weights = even_weights((8, 8, 8), (2, 2, 2))
    places = [(np.arange(4) + 0.5) * 2 - 0.5] * 3
    slope = sum(np.meshgrid(*places, indexing="ij"))[None].astype(np.float32)
    voxels = sum(np.meshgrid(*[np.arange(8.0)] * 3, indexing="ij"))
    np.testing.assert_allclose(spread(slope, weights)[0, 1:7, 1:7, 1:7], voxels[1:7, 1:7, 1:7], rtol=1e-5)
