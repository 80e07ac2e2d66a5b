"""Planes stand as a radiologist expects them: right of the patient on the left, front and head up."""

import numpy as np
import pytest

from her2study.explain.saliency.planes import planes

SHAPE, SPACING_MM = (6, 8, 10), (3.0, 2.0, 1.0)


@pytest.fixture
def cut():
    """A lesion around (2, 3, 4) of a crop (z, y, x) in LPS, and a marker in the patient's upper left back corner."""
    image, mask = np.zeros(SHAPE), np.zeros(SHAPE)
    mask[2, 2:5, 3:6] = 1
    mask[1:4, 3, 3:6] = 1
    mask[1:4, 2:5, 4] = 1
    image[2, 7, 9], image[5, 3, 9], image[5, 7, 4] = 1, 2, 3  # left and back; left and up; back and up
    return {plane.name: plane for plane in planes(image, -4 * mask, mask, SPACING_MM)}


@pytest.mark.parametrize(
    ("name", "value", "corner", "ends", "spacing_mm"),
    [
        ("axial", 1, (-1, -1), ("R", "L", "A", "P"), (2.0, 1.0)),
        ("coronal", 2, (0, -1), ("R", "L", "S", "I"), (3.0, 1.0)),
        ("sagittal", 3, (0, -1), ("A", "P", "S", "I"), (3.0, 2.0)),
    ],
)
def test_each_plane_is_upright_and_named(cut, name, value, corner, ends, spacing_mm):
    plane = cut[name]
    assert plane.image[corner] == value
    assert plane.ends == ends
    assert plane.spacing_mm == spacing_mm
    assert plane.mask.sum() == 9  # the largest cut through the lesion


def test_maps_are_signed_shares_of_their_largest_value(cut):
    assert cut["axial"].heat.min() == -1
    np.testing.assert_array_equal(cut["axial"].heat, -cut["axial"].mask)


def test_a_slice_says_how_far_from_the_middle_it_lies(cut):
    assert [cut[name].at_mm for name in ("axial", "coronal", "sagittal")] == [-1.5, -1.0, -0.5]


def test_an_empty_map_stays_empty():
    axial, *_ = planes(np.ones(SHAPE), np.zeros(SHAPE), np.ones(SHAPE), SPACING_MM)
    assert not axial.heat.any()
