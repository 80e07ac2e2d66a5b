import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from her2study.imaging.resampling import crop_origin_mm, crop_window, lesion_centre_mm, resample_crop
from her2study.imaging.volume import read_scan
from her2study.study import Imaging
from tests.imaging.patients import AXIAL, OBLIQUE, SAGITTAL, save

IMAGING = Imaging()
THREE = Imaging(crop_voxels=(3, 3, 3))
FLIPPED = AXIAL @ np.diag([-1.0, -1.0, -1.0, 1.0])
FLIPPED[:3, 3] = [-60, -50, 40]
ANISOTROPIC = np.diag([-0.5, -0.9, 4.0, 1.0])
TILT = np.array([[0.98, 0.17, 0.10], [-0.17, 0.985, -0.02], [-0.10, 0.003, 0.995]])
TWICE_OBLIQUE = np.eye(4)
TWICE_OBLIQUE[:3, :3] = np.linalg.qr(TILT)[0] @ np.diag([0.7, 1.1, 3.0])
GRIDS = {
    "axial": AXIAL,
    "flipped": FLIPPED,
    "anisotropic": ANISOTROPIC,
    "sagittal": SAGITTAL,
    "oblique": OBLIQUE,
    "twice oblique and flipped": TWICE_OBLIQUE,
}
SHAPE = (40, 36, 20)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("spacing_mm", [(0.5, 0.6, 0.4), (2.0, 1.6, 1.2)], ids=["finer", "coarser"])
def test_resampling_equals_simpleitk_reading_the_file_itself(tmp_path, grid, spacing_mm):
    affine = GRIDS[grid]
    save(tmp_path / "scan.nii.gz", np.random.default_rng(3).normal(size=SHAPE).astype(np.float32), affine)
    imaging = Imaging(spacing_mm=spacing_mm, crop_voxels=(21, 14, 17))
    scan = read_scan(tmp_path / "scan.nii.gz")
    middle = [(n - 1) / 2 for n in scan.voxels.shape[::-1]]
    centre_mm = (scan.affine @ [*middle, 1])[:3] + np.array([5.3, -2.1, 9.7])  # part of the crop lies outside
    ours = resample_crop(scan.voxels[None], scan.affine, centre_mm, imaging)[0]

    theirs = sitk.ReadImage(str(tmp_path / "scan.nii.gz"))  # own reader, own axes, own smoothing
    spacing = np.array(spacing_mm[::-1])
    direction = np.reshape(theirs.GetDirection(), (3, 3))
    share = np.abs(direction)
    target = share.T @ spacing / share.sum(axis=0)
    own = np.array(theirs.GetSpacing())
    fwhm_mm = np.sqrt(np.maximum(target**2 - own**2, 0))
    size = [17, 14, 21]
    grid_wanted = sitk.Image(size, sitk.sitkFloat32)
    grid_wanted.SetSpacing(spacing.tolist())
    grid_wanted.SetOrigin((centre_mm - spacing * (np.array(size) - 1) / 2).tolist())
    sharp = sitk.Resample(theirs, grid_wanted, sitk.Transform(), sitk.sitkLinear)
    if spacing_mm[0] < 1:  # finer than the scan: nothing is smoothed
        np.testing.assert_allclose(ours, sitk.GetArrayFromImage(sharp), atol=3e-4)
        return
    smooth = theirs
    for axis in range(3):
        sigma_voxels = fwhm_mm[axis] / own[axis] / np.sqrt(8 * np.log(2))
        if sigma_voxels > 0:
            reach = int(3 * sigma_voxels + 0.5)
            weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_voxels) ** 2)
            kernel = sitk.GetImageFromArray(
                (weights / weights.sum()).reshape([-1 if a == 2 - axis else 1 for a in range(3)])
            )
            smooth = sitk.Convolution(
                smooth, sitk.Cast(kernel, sitk.sitkFloat32), False, sitk.ConvolutionImageFilter.ZERO_FLUX_NEUMANN_PAD
            )
    wanted = sitk.Resample(smooth, grid_wanted, sitk.Transform(), sitk.sitkLinear)
    np.testing.assert_allclose(ours, sitk.GetArrayFromImage(wanted), atol=3e-4)


def test_resampling_agrees_with_scipy_after_point_spread_matching():
    voxels = np.random.default_rng(4).normal(size=(30, 30, 30)).astype(np.float32)
    half = Imaging(spacing_mm=(2.0, 2.0, 2.0), crop_voxels=(5, 5, 5))
    ours = resample_crop(voxels[None], np.eye(4), np.full(3, 14.5), half)[0]
    sigma = np.sqrt(2.0**2 - 1.0**2) / (2 * np.sqrt(2 * np.log(2)))
    smooth = ndimage.gaussian_filter(voxels, sigma, truncate=3)
    at = np.arange(5) * 2 + 10.5
    theirs = ndimage.map_coordinates(smooth, np.meshgrid(at, at, at, indexing="ij"), order=1)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_scan_tilted_by_next_to_nothing_gives_the_same_as_a_straight_one():
    voxels = np.random.default_rng(5).normal(size=(1, 30, 32, 34)).astype(np.float32)
    straight = np.diag([0.8, 1.1, 1.7, 1.0])
    angle = 1e-5
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    one, other = (
        resample_crop(voxels, affine, np.array([12.0, 17, 24]), IMAGING) for affine in (straight, turn @ straight)
    )
    assert not np.array_equal(one, other)  # another path was taken
    np.testing.assert_allclose(one, other, atol=2e-3)


def test_outside_the_scan_is_air():
    crop = resample_crop(np.ones((1, 4, 4, 4), np.float32), np.eye(4), np.array([1.5, 1.5, 1.5]), IMAGING)[0]
    assert crop[0, 0, 0] == 0
    assert crop.max() == pytest.approx(1)


@pytest.mark.parametrize("grid", GRIDS)
def test_the_window_holds_all_that_the_crop_depends_on(tmp_path, grid):
    save(tmp_path / "scan.nii.gz", np.random.default_rng(6).normal(size=(90, 80, 60)).astype(np.float32), GRIDS[grid])
    small = Imaging(crop_voxels=(6, 5, 4))
    scan = read_scan(tmp_path / "scan.nii.gz")
    centre_mm = (scan.affine @ [*[(n - 1) / 2 for n in scan.voxels.shape[::-1]], 1])[:3]
    window = crop_window(scan.voxels.shape, scan.affine, centre_mm, small)
    assert scan.voxels[window].size < scan.voxels.size / 4
    emptied = np.full_like(scan.voxels, 1e6)
    emptied[window] = scan.voxels[window]
    crops = [resample_crop(voxels[None], scan.affine, centre_mm, small) for voxels in (scan.voxels, emptied)]
    np.testing.assert_allclose(crops[0], crops[1], atol=1e-5)


def test_the_origin_is_where_the_first_crop_voxel_lies(tmp_path):
    ramp = np.stack(np.meshgrid(*[np.arange(60.0)] * 3, indexing="ij")).astype(np.float32)  # z, y, x in mm
    crop = resample_crop(ramp, np.eye(4), np.array([30.0, 31.0, 32.0]), Imaging(crop_voxels=(8, 10, 12)))
    origin = crop_origin_mm(np.array([30.0, 31.0, 32.0]), Imaging(crop_voxels=(8, 10, 12)))
    np.testing.assert_allclose(crop[:, 0, 0, 0], origin[::-1], atol=1e-4)


def test_the_crop_is_centred_on_the_largest_piece():
    lesion = np.zeros((20, 20, 20), bool)
    lesion[2:7, 4:9, 6:11] = True
    lesion[15, 15, 15] = True
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    np.testing.assert_allclose(lesion_centre_mm(lesion, affine), [8 * 2, 6 * 3, 4 * 4])


def test_a_window_of_one_slice_still_resamples():
    flat = resample_crop(np.full((1, 1, 9, 9), 7, np.float32), np.eye(4), np.array([4.0, 4.0, 0.0]), THREE)[0]
    assert flat.max() == pytest.approx(7)
    assert np.isfinite(flat).all()
