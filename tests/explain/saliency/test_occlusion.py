"""Occlusion maps of a network that rewards bright spots, and of one that sees only the mean."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from her2study.explain.saliency.grids import even_weights
from her2study.explain.saliency.occlusion import BLUR_MM, WINDOW_MM, occlusion
from tests.explain.saliency.lookers import CENTRES, SHAPE, Brightness, lesions

SPACING = (1.5, 1.5, 1.5)


def test_blurring_the_lesion_costs_the_score_most():
    channels, mask = lesions()
    maps = occlusion([Brightness(), Brightness()], channels, SPACING)
    assert maps.shape == (2, 4, *SHAPE)
    assert maps.dtype == np.float32
    for patient, centre in enumerate(CENTRES):
        peak = np.unravel_index(maps[0, patient].argmax(), SHAPE)
        assert np.linalg.norm(np.subtract(peak, centre)) < 7
        assert maps[0, patient][mask[patient] == 1].mean() > 5 * np.abs(maps[0, patient][mask[patient] == 0]).mean()


def test_a_value_is_the_loss_of_log_odds_behind_its_window():
    channels, _ = lesions()
    patient, network = channels[0].astype(np.float32), Brightness()
    places = [(np.arange(4) + 0.5) * 8 - 0.5] * 3
    weights = even_weights(SHAPE, (8, 8, 8))
    window = np.einsum("z,y,x->zyx", weights[0][:, 1], weights[1][:, 0], weights[2][:, 2])
    sigma = BLUR_MM / 1.5
    blurred = np.stack([gaussian_filter(channel, sigma, truncate=3) for channel in patient])
    behind = patient + window * (blurred - patient)
    whole, hidden = (network(torch.from_numpy(image[None])).item() for image in (patient, behind))
    assert WINDOW_MM / 1.5 == 8
    at = tuple(int(place[cell]) for place, cell in zip(places, (1, 0, 2), strict=True))
    around = occlusion([network], channels[:1], SPACING)[0, 0][tuple(slice(i, i + 2) for i in at)]
    # the window's middle lies between eight voxels, each of which is 1/16 of the way to the next window
    assert abs(around.mean() - (whole - hidden)) < 0.15 * abs(whole - hidden)


def test_nothing_to_blur_is_not_worth_a_look():
    network = Brightness()
    maps = occlusion([network], np.ones((2, 3, *SHAPE), np.float16), SPACING)
    assert (maps == 0).all()
    assert network.seen == 2


def test_channels_that_are_no_images_are_left_alone():
    channels, _ = lesions()
    maps = occlusion([Brightness()], channels, SPACING, images=1)  # of the pre-contrast image, which it does not see
    assert (maps == 0).all()
    np.testing.assert_array_equal(
        occlusion([Brightness()], channels, SPACING, images=2), occlusion([Brightness()], channels, SPACING)
    )
