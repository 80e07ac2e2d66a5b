"""Where on the lesion a map lies."""

import numpy as np
import pytest

from her2study.explain.saliency.overlap import lesion_overlap, rim_check, ring_over_core

SPACING = (1.5, 1.5, 1.5)


def balls(n, radius=9):
    """Balls in a crop, and how deep each voxel lies."""
    grid = np.stack(np.meshgrid(*[np.arange(24) - 11.5] * 3, indexing="ij"))
    depth_mm = (radius - np.sqrt((grid**2).sum(axis=0))) * 1.5
    return np.repeat((depth_mm > 0)[None].astype(np.uint8), n, axis=0), np.repeat(depth_mm[None], n, axis=0)


def test_overlap_is_the_share_of_evidence_inside_whatever_its_sign():
    heat = np.zeros((2, 2, 2, 2))
    heat[0, 0, 0] = [-3, 1]
    mask = np.zeros((2, 2, 2, 2), np.uint8)
    mask[:, 0, 0, 0] = 1
    assert lesion_overlap(heat, mask).tolist() == [0.75, 0.0]


def test_ring_and_core_are_told_apart_in_millimetres():
    mask, depth_mm = balls(3)
    heat = np.stack([-depth_mm[0], depth_mm[0], np.zeros_like(depth_mm[0])])
    assert ring_over_core(heat, mask, SPACING).tolist() == pytest.approx([1, 0, 0.5], abs=1e-2)
    # voxels half as large: the ring of 4 mm now reaches the middle of a lesion of half the size
    small, _ = balls(1, radius=5)
    assert np.isnan(ring_over_core(heat[:1], small, (0.75,) * 3)[0])
    assert ring_over_core(heat[:1], mask[:1], (0.75,) * 3)[0] == 1


def test_a_lesion_cut_by_the_crop_has_its_ring_at_the_crop():
    mask, _ = balls(1)
    touching = np.roll(mask, -8, axis=1)
    touching[:, -8:] = 0
    first = np.zeros(mask.shape)
    first[:, :2] = 1
    assert ring_over_core(first, touching, SPACING)[0] > 0.5


def test_a_map_that_knows_the_rim_is_found():
    rng = np.random.default_rng(0)
    mask, depth_mm = balls(40)
    rim = np.arange(40) % 3 == 0
    noise = rng.normal(0, 4, mask.shape)
    (knows,) = rim_check("gradcam", noise - depth_mm * rim[:, None, None, None], mask, rim, SPACING, 1).itertuples()
    assert knows.low > 0.1
    assert knows.reference == 0
    assert knows.label == "Grad-CAM: ring above core, 14 planted rims minus 26 others"
    (ignores,) = rim_check("occlusion", noise - depth_mm, mask, rim, SPACING, 1).itertuples()
    assert ignores.low < 0 < ignores.high
    assert rim_check("gradcam", noise, mask, np.arange(40) == 0, SPACING, 1).empty
