"""Measurements of lesions whose answer is known: balls, shells and planted signals; distances against SciPy's."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from her2study.models.measurement import DEPTHS, MEASUREMENTS, REACH, Measurements, _distance, eigenvalues
from her2study.types import StudyError

CHANNELS = ("pre", "wash_in", "wash_out", "mask")
CROP = (22, 26, 24)


def ball(radius, stretch=1.0):
    grid = np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in CROP], indexing="ij")
    return np.sqrt((grid[0] / stretch) ** 2 + grid[1] ** 2 + grid[2] ** 2) <= radius


def lesion(mask, wash_in=1.0, wash_out=-0.2, around=0.1):
    """A lesion of even signals, or of the maps given, in even surroundings."""
    channels = np.stack(
        [np.ones(CROP), np.where(mask, wash_in, around), np.where(mask, wash_out, 0.0), mask.astype(float)]
    )
    return channels.astype(np.float32)


def measure(*lesions):
    values = Measurements(CHANNELS)(torch.from_numpy(np.stack(lesions)))
    return [dict(zip(MEASUREMENTS, row, strict=True)) for row in values.double().numpy()]


def test_distances_are_scipys():
    region = torch.from_numpy(np.stack([ball(3, 2.0), ball(4)]).astype(np.float32))
    for reach in (DEPTHS, REACH):
        ours = _distance(region, reach).numpy()
        for own, theirs in zip(ours, (ndimage.distance_transform_edt(r == 0) for r in region.numpy()), strict=True):
            near = theirs <= reach
            np.testing.assert_allclose(own[near], theirs[near], rtol=1e-6)
            assert (own[~near] > reach).all()


def test_signals_of_an_even_ball():
    (found,) = measure(lesion(ball(6)))
    assert found["wash_out"] == pytest.approx(np.log(0.8), abs=1e-5)
    assert found["peritumoural"] == pytest.approx(np.log(0.03))  # nothing above background: the floor
    assert found["heterogeneity"] == pytest.approx(np.log(0.01), abs=1e-3)
    assert found["rim"] == pytest.approx(0, abs=1e-5)
    assert found["volume"] == pytest.approx(np.log(ball(6).sum()))
    assert found["size"] == pytest.approx(np.log(6 / np.sqrt(5)), abs=0.03)  # SD along an axis of a ball
    assert found["elongation"] == pytest.approx(0, abs=0.02)


def test_a_halo_a_rim_and_unevenness_are_measured():
    mask = ball(6)
    inner = ndimage.distance_transform_edt(mask) > 2
    halo = lesion(mask, around=np.where(ball(9), 0.5, 0.1))
    rim = lesion(mask, wash_in=np.where(inner, 0.4, 1.2))
    noise = lesion(mask, wash_in=np.exp(0.3 * np.random.default_rng(0).standard_normal(CROP)))
    even, *others = measure(lesion(mask), halo, rim, noise)
    assert others[0]["peritumoural"] == pytest.approx(np.log(0.5 - 0.8 * 0.1), abs=0.02)
    assert others[1]["rim"] == pytest.approx(np.log(1.2 / 0.4), abs=0.01)
    assert others[1]["heterogeneity"] == pytest.approx(np.log(0.01), abs=0.1)  # depth is taken out: a rim is even
    assert others[2]["heterogeneity"] == pytest.approx(np.log(0.31), abs=0.1)
    assert even["rim"] < others[1]["rim"]


def test_shape_is_measured():
    round_, long, rough = ball(5), ball(4, 2.0), ball(5).copy()
    rough[::2, ::2, 6:18] &= ball(4)[::2, ::2, 6:18]
    plain, stretched, uneven = measure(lesion(round_), lesion(long), lesion(rough))
    assert stretched["elongation"] == pytest.approx(np.log(0.5), abs=0.06)
    assert stretched["flatness"] == pytest.approx(np.log(0.5), abs=0.06)
    assert stretched["size"] > plain["size"] + 0.3
    assert uneven["surface"] > plain["surface"] + 0.05


def test_mirrored_and_brighter_lesions_measure_the_same():
    rng = np.random.default_rng(1)
    one = lesion(ball(5, 1.5), wash_in=1 + 0.3 * rng.random(CROP), around=0.3 * rng.random(CROP))
    first, second = measure(one, one[:, ::-1, :, ::-1].copy())
    assert first == pytest.approx(second, abs=1e-5)


def test_order_of_channels_is_followed_and_empty_masks_are_survived():
    one = lesion(ball(5))
    turned = Measurements(CHANNELS[::-1])(torch.from_numpy(one[::-1].copy())[None])
    assert torch.equal(turned, Measurements(CHANNELS)(torch.from_numpy(one)[None]))
    assert torch.isfinite(Measurements(CHANNELS)(torch.zeros(5, 4, *CROP))).all()


def test_missing_channels_are_named():
    with pytest.raises(StudyError, match="'mask' is not among"):
        Measurements(CHANNELS[:3])


def test_eigenvalues_are_lapacks():
    """Of random matrices, and where two or three eigenvalues are the same or nearly so."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(4000, 3, 3)))[0]
    values = np.exp(rng.uniform(np.log(1 / 12), np.log(140), (4000, 3)))
    values[1000:2000, 1] = values[1000:2000, 0] * rng.choice([1, 1 + 1e-9, 1 + 1e-5], 1000)
    values[2000:2500] = values[2000:2500, :1]
    matrices = (axes * values[:, None]) @ axes.transpose(0, 2, 1)
    matrices[2500:2510] = np.eye(3) / 12  # a single voxel
    found = eigenvalues(torch.from_numpy((matrices + matrices.transpose(0, 2, 1)) / 2)).numpy()
    np.testing.assert_allclose(found, np.linalg.eigvalsh(matrices), rtol=1e-4, atol=1e-5)
    assert (np.diff(found, axis=1) >= -1e-12).all()


def test_all_at_once_is_the_same():
    lesions = torch.from_numpy(np.stack([lesion(ball(2 + row)) for row in range(6)]))
    measurements = Measurements(CHANNELS)
    np.testing.assert_allclose(measurements.at_once(lesions), measurements(lesions), rtol=1e-6)
