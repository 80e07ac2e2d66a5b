from itertools import product
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial.transform import Rotation

from her2study.imaging.motion import correct_motion, displacement_mm, estimate_shifts_mm
from her2study.imaging.volume import Scan

SPACING = np.array([2.0, 1.0, 1.0])  # z, y, x
SHAPE = (36, 56, 60)
AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])
CENTRE_MM = np.array([30.0, 28.0, 36.0])  # x, y, z


def _anatomy(place_mm: np.ndarray, enhancing: float = 1.0) -> np.ndarray:
    """A breast-like scene, given by its formula, so that it can be seen from anywhere: ``place_mm`` is (3, z, y, x)."""
    rng = np.random.default_rng(7)
    x, y, z = place_mm
    image = 60 / (1 + np.exp((np.sqrt((x - 30) ** 2 + (y - 34) ** 2 + (z - 36) ** 2) - 28) / 1.0))
    for _ in range(40):
        at, size, level = rng.uniform(8, 60, 3), rng.uniform(3, 7), rng.uniform(-35, 60)
        image += (
            level
            * np.exp(-(((x - at[0]) ** 2 + (y - at[1]) ** 2 + (z - at[2]) ** 2) / (2 * size**2)))
            * (1 + 0.2 * (enhancing - 1))
        )
    inside = np.exp(-(((x - 30) ** 2 + (y - 28) ** 2 + (z - 36) ** 2) / (2 * 5.0**2)))
    return image + 60 * enhancing * inside


def _grid_mm() -> np.ndarray:
    z, y, x = np.meshgrid(*[np.arange(n) * mm for n, mm in zip(SHAPE, SPACING, strict=True)], indexing="ij")
    return np.stack([x, y, z])


def _scan(shift_mm=(0, 0, 0), degrees=(0, 0, 0), enhancing=1.0, noise=1.0, seed=0) -> Scan:
    """The scene after a rotation about the lesion's centre and a shift ``(x, y, z)``."""
    turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    back = np.einsum("ab,bijk->aijk", turn.T, _grid_mm() - np.reshape(CENTRE_MM + shift_mm, (3, 1, 1, 1)))
    voxels = _anatomy(back + CENTRE_MM.reshape(3, 1, 1, 1), enhancing)
    voxels = voxels + np.random.default_rng(seed).normal(0, noise, SHAPE)
    return Scan(voxels.astype(np.float32), AFFINE, "LPS", Path("scan.nii.gz"))


LESION = ((_grid_mm() - CENTRE_MM.reshape(3, 1, 1, 1)) ** 2).sum(axis=0) < 9**2
MOTIONS = {
    "shift": ((2.4, -1.7, 3.0), (0, 0, 0)),
    "turn": ((0, 0, 0), (4, -3, 5)),
    "both": ((-1.5, 2.0, 1.0), (2, 3, -4)),
}


@pytest.mark.parametrize("name", MOTIONS)
def test_a_known_motion_is_undone_within_a_third_of_a_voxel(name):
    shift, degrees = MOTIONS[name]
    before, still = _scan(seed=1), _scan(enhancing=2.5, noise=0)
    moved = _scan(shift, degrees, enhancing=2.5, seed=2)
    turned, found_mm = correct_motion(before, moved, LESION, CENTRE_MM)
    turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix() - np.eye(3)
    inside = _grid_mm()[:, ((_grid_mm() - CENTRE_MM.reshape(3, 1, 1, 1)) ** 2).sum(axis=0) < 20**2] - CENTRE_MM[:, None]
    planted_mm = np.sqrt(((turn @ inside + np.reshape(shift, (3, 1))) ** 2).sum(axis=0).mean())
    assert found_mm == pytest.approx(planted_mm, abs=0.3)
    # What is left, in voxels: in each octant the shift that best explains the difference from the unmoved scene.
    middle = (slice(8, -8), slice(12, -12), slice(12, -12))
    slopes = [np.gradient(still.voxels, axis=a)[middle] for a in range(3)]
    difference = (still.voxels - turned)[middle]
    halves = [(slice(None, n // 2), slice(n // 2, None)) for n in difference.shape]
    for octant in product(*halves):
        columns = np.stack([slope[octant].ravel() for slope in slopes], axis=1)
        left = np.linalg.lstsq(columns, difference[octant].ravel(), rcond=None)[0]
        assert np.abs(left).max() < 0.3
    error = [np.abs(image - still.voxels)[middle].mean() for image in (turned, moved.voxels)]
    assert error[0] < 0.5 * error[1]


def test_a_still_scan_is_left_as_it_is_to_the_last_bit():
    for seed in range(2):
        later = _scan(enhancing=2.5, noise=2.0, seed=10 + seed)
        turned, found_mm = correct_motion(_scan(noise=2.0, seed=seed), later, LESION, CENTRE_MM)
        assert turned is later.voxels
        assert found_mm < 0.3


def test_a_phase_without_structure_is_left_alone():
    flat = Scan(np.full(SHAPE, 5, np.float32), AFFINE, "LPS", Path("flat.nii.gz"))
    turned, found_mm = correct_motion(flat, flat, LESION, CENTRE_MM)
    assert turned is flat.voxels
    assert np.isnan(found_mm) or found_mm < 0.3


def test_displacement_is_the_root_mean_square_over_the_sphere():
    transform = sitk.Euler3DTransform(CENTRE_MM.tolist(), 0.05, -0.02, 0.04, (1.0, -0.5, 0.3))
    rng = np.random.default_rng(3)
    points = rng.normal(size=(40_000, 3))
    points *= (20 * rng.uniform(size=len(points)) ** (1 / 3) / np.linalg.norm(points, axis=1))[:, None]
    points += CENTRE_MM
    moved = np.array([transform.TransformPoint(p.tolist()) for p in points])
    assert displacement_mm(transform) == pytest.approx(np.sqrt(((moved - points) ** 2).sum(axis=1).mean()), rel=0.01)


def test_the_estimate_finds_known_shifts_and_none_where_there_is_none():
    before = _scan(seed=1).voxels
    after = np.stack(
        [_scan(s, enhancing=2.5, seed=5).voxels for s in ((0, 0, 0), (3.0, 0, 0), (0, -2.2, 4.0), (1.0, 1.0, 1.0))]
    )
    found = estimate_shifts_mm(before, after, LESION, tuple(SPACING))
    np.testing.assert_allclose(found, [0, 3.0, np.hypot(2.2, 4.0), np.sqrt(3)], atol=0.5)


def test_nothing_is_said_about_scans_without_structure():
    rng = np.random.default_rng(4)
    noise = rng.normal(size=(3, *SHAPE)).astype(np.float32)
    assert np.isnan(estimate_shifts_mm(np.zeros(SHAPE, np.float32), noise[:1], LESION, tuple(SPACING))).all()
    assert np.isnan(estimate_shifts_mm(noise[0], noise[1:], LESION, tuple(SPACING))).all()
    thin = ndimage.zoom(noise[0], (2 / 36, 0.2, 0.2), order=0)
    assert estimate_shifts_mm(thin, thin[None], np.zeros(thin.shape, bool), tuple(SPACING)).shape == (1,)
