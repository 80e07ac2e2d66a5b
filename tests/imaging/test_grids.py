"""In which words two grids differ."""

import numpy as np
import pytest

from her2study.imaging.grids import COPY, RESAMPLE, differ, grid_of
from tests.imaging.patients import AXIAL, OBLIQUE, SAGITTAL

SHAPE = (60, 56, 36)


@pytest.mark.parametrize("affine", [AXIAL, SAGITTAL, OBLIQUE], ids=["axial", "sagittal", "oblique"])
def test_a_grid_stored_along_other_axes_is_the_same_grid(affine):
    """The same voxels with axes permuted and reversed, written out by hand."""
    order, size = [2, 0, 1], np.array(SHAPE)
    other = np.eye(4)
    other[:3, :3] = -affine[:3, order]
    other[:3, 3] = affine[:3, 3] + affine[:3, :3] @ (size - 1)
    assert differ(grid_of(tuple(size[order]), other), grid_of(SHAPE, affine)) is None


@pytest.mark.parametrize(
    ("affine", "spacing"), [(AXIAL, [2, 1.2, 1]), (SAGITTAL, [0.8, 0.8, 2.5]), (OBLIQUE, [2, 1.2, 1])]
)
def test_spacing_and_volume_follow_each_axis(affine, spacing):
    grid = grid_of(SHAPE, affine)
    assert grid.spacing_mm.tolist() == pytest.approx(spacing, rel=1e-4)
    assert grid.voxel_ml == pytest.approx(np.prod(spacing) / 1000, rel=1e-4)


def moved(by_mm, affine=AXIAL):
    other = affine.copy()
    other[:3, 3] += by_mm
    return other


CASES = {
    "origin": (moved([3, 4, 0]), ["origin 5.0 mm apart", "5.00 mm away"], COPY),
    "spacing": (AXIAL @ np.diag([1, 0.9, 1, 1]), ["spacing differs: 1.08 v 1.2 mm along y"], COPY),
    "both": (moved([9, 0, 0], AXIAL @ np.diag([1, 1, 1.5, 1])), ["3 v 2 mm along z", "origin 9.0 mm apart"], RESAMPLE),
    "two spacings": (AXIAL @ np.diag([1.1, 1, 0.9, 1]), ["1.8 v 2 mm along z", "1.1 v 1 mm along x"], RESAMPLE),
    "identity": (np.eye(4), ["its affine is the identity"], COPY),
    "LPS": (np.diag([-1.0, -1, 1, 1]) @ moved([10, 20, 30]), ["flipped along x and y (RAS and LPS"], COPY),
    "head to foot": (np.diag([1.0, 1, -1, 1]) @ moved([10, 20, 30]), ["flipped along z ("], COPY),
}


@pytest.mark.parametrize("case", CASES)
def test_a_difference_is_named(case):
    affine, says, mend = CASES[case]
    reference = moved([10, 20, 30]) if case in ("LPS", "head to foot") else AXIAL
    words, todo = differ(grid_of(SHAPE, affine), grid_of(SHAPE, reference))
    for part in says:
        assert part in words
    assert todo == mend


def test_a_tilt_is_told_in_degrees():
    turn = np.eye(4)
    angle = np.radians(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    words, _ = differ(grid_of(SHAPE, turn @ AXIAL), grid_of(SHAPE, AXIAL))
    assert "axes tilted by 4.0 degrees" in words
    assert "spacing" not in words


def test_what_lies_wholly_outside_is_said_to(tmp_path):
    words, _ = differ(grid_of((20, 20, 20), moved([500, 0, 0])), grid_of(SHAPE, AXIAL))
    assert words.startswith("shape (z, y, x) (20, 20, 20) differs from (36, 56, 60)")
    assert words.endswith("it lies wholly outside that scan")
