import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from scipy import ndimage

from her2study.imaging.preprocess import lesion_centre_mm, preprocess_patients, relative_channels, resample_crop
from her2study.imaging.volume import read_scan
from her2study.study import Imaging
from her2study.types import StudyError
from tests.imaging.patients import (
    AXIAL,
    OBLIQUE,
    SAGITTAL,
    SEMI_AXES_MM,
    cohort_of,
    phase_path,
    save,
    write_patient,
)

IMAGING = Imaging()
GRIDS = {"axial": (AXIAL, (60, 56, 36)), "sagittal": (SAGITTAL, (70, 70, 32)), "oblique": (OBLIQUE, (64, 56, 36))}


@pytest.mark.parametrize("grid", GRIDS)
def test_an_ellipsoid_keeps_volume_place_and_enhancement_on_every_grid(tmp_path, grid):
    write_patient(tmp_path, "P1", *GRIDS[grid])
    done = preprocess_patients(cohort_of("P1"), tmp_path, IMAGING)
    lesion = done.mask[0].astype(bool)
    volume_ml = 4 / 3 * np.pi * SEMI_AXES_MM.prod() / 1000
    assert done.index["volume_ml"][0] == pytest.approx(volume_ml, rel=0.05)
    assert lesion.sum() * 1.5**3 / 1000 == pytest.approx(volume_ml, rel=0.05)
    extent_mm = [2 * np.sqrt(5 * axis.var()) * 1.5 for axis in np.nonzero(lesion)][::-1]  # uniform ellipsoid
    np.testing.assert_allclose(extent_mm, 2 * SEMI_AXES_MM, rtol=0.05)
    np.testing.assert_allclose(ndimage.center_of_mass(lesion), [15.5, 19.5, 19.5], atol=0.4)
    inner = ndimage.binary_erosion(lesion, iterations=2)
    pre, wash_in, wash_out = done.channels[0].astype(float)
    assert pre[inner].mean() == pytest.approx(1.0, abs=0.02)
    assert wash_in[inner].mean() == pytest.approx(1.2, abs=0.03)  # (220 - 100) / 100
    assert wash_out[inner].mean() == pytest.approx(-0.3, abs=0.03)  # (190 - 220) / 100


@pytest.mark.parametrize("grid", GRIDS)
def test_resampling_without_smoothing_equals_simpleitk_reading_the_file_itself(tmp_path, grid):
    affine, shape = GRIDS[grid]
    voxels = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    save(tmp_path / "scan.nii.gz", voxels, affine)
    fine = Imaging(spacing_mm=(0.5, 0.7, 0.6), crop_voxels=(11, 12, 13))  # finer than the scan: nothing to smooth
    scan = read_scan(tmp_path / "scan.nii.gz")
    middle = [(n - 1) / 2 for n in scan.voxels.shape[::-1]]
    centre_mm = (scan.affine @ [*middle, 1])[:3] + np.array([1.3, -2.1, 0.7])
    ours = resample_crop(scan.voxels[None], scan.affine, centre_mm, fine)[0]
    spacing = np.array([0.6, 0.7, 0.5])
    target = sitk.Image([13, 12, 11], sitk.sitkFloat32)
    target.SetSpacing(spacing.tolist())
    target.SetOrigin((centre_mm - spacing * (np.array([13, 12, 11]) - 1) / 2).tolist())
    theirs = sitk.Resample(sitk.ReadImage(str(tmp_path / "scan.nii.gz")), target, sitk.Transform(), sitk.sitkLinear)
    np.testing.assert_allclose(ours, sitk.GetArrayFromImage(theirs), atol=2e-4)


def test_resampling_agrees_with_scipy_after_point_spread_matching():
    voxels = np.random.default_rng(4).normal(size=(30, 30, 30)).astype(np.float32)
    half = Imaging(spacing_mm=(2.0, 2.0, 2.0), crop_voxels=(5, 5, 5))
    ours = resample_crop(voxels[None], np.eye(4), np.full(3, 14.5), half)[0]
    sigma = np.sqrt(2.0**2 - 1.0**2) / (2 * np.sqrt(2 * np.log(2)))
    smooth = ndimage.gaussian_filter(voxels, sigma, truncate=3)
    at = np.arange(5) * 2 + 10.5
    theirs = ndimage.map_coordinates(smooth, np.meshgrid(at, at, at, indexing="ij"), order=1)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_outside_the_scan_is_air():
    crop = resample_crop(np.ones((1, 4, 4, 4), np.float32), np.eye(4), np.array([1.5, 1.5, 1.5]), IMAGING)[0]
    assert crop[0, 0, 0] == 0
    assert crop.max() == pytest.approx(1)


def test_the_crop_is_centred_on_the_largest_piece():
    lesion = np.zeros((20, 20, 20), bool)
    lesion[2:7, 4:9, 6:11] = True
    lesion[15, 15, 15] = True
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    np.testing.assert_allclose(lesion_centre_mm(lesion, affine), [8 * 2, 6 * 3, 4 * 4])


def test_enhancement_survives_normalisation_and_scanner_gain_does_not():
    rng = np.random.default_rng(5)
    lesion = np.zeros((8, 8, 8), bool)
    lesion[2:6, 2:6, 2:6] = True
    phases = rng.uniform(90, 110, (3, 8, 8, 8)).astype(np.float32)
    phases[1][lesion] *= 3
    weak = phases.copy()
    weak[1][lesion] /= 2
    strong, gained, weaker = (
        relative_channels(p, lesion, float(np.median(p[0][lesion])), (0, 100)) for p in (phases, phases * 7, weak)
    )
    np.testing.assert_allclose(gained, strong, rtol=1e-4, atol=1e-5)
    assert strong[1][lesion].mean() == pytest.approx(2.0, abs=0.1)
    assert weaker[1][lesion].mean() == pytest.approx(0.5, abs=0.1)


def test_clipping_never_cuts_a_small_bright_lesion():
    phases = np.full((3, 20, 20, 20), 100, np.float32)
    lesion = np.zeros((20, 20, 20), bool)
    lesion[10, 10, 8:12] = True  # 0.05% of the crop, beyond its 99.5th percentile
    phases[1][lesion] = 300
    assert relative_channels(phases, lesion, 100.0, (0.5, 99.5))[1][lesion].max() == pytest.approx(2.0)


def test_the_result_does_not_depend_on_workers_or_on_the_order_of_the_cohort(tmp_path):
    for seed, name in enumerate(["P1", "P2", "P3"]):
        write_patient(tmp_path, name, levels=(100, 200 + 10 * seed, 150), seed=seed)
    alone = preprocess_patients(cohort_of("P1", "P2", "P3"), tmp_path, IMAGING, workers=1)
    beside = preprocess_patients(cohort_of("P3", "P1", "P2"), tmp_path, IMAGING, workers=2)
    assert alone.channels.tobytes() == beside.channels.tobytes()
    assert alone.mask.tobytes() == beside.mask.tobytes()
    pd.testing.assert_frame_equal(alone.index, beside.index)
    pd.testing.assert_frame_equal(alone.quality, beside.quality)


def test_bias_correction_flattens_a_planted_field(tmp_path):
    write_patient(tmp_path, "P1", levels=(70, 140, 130))
    air = np.ones((60, 56, 36))
    air[8:-8, 8:-8, 5:-5] = 0
    field = np.where(air, 0.01, np.linspace(0.6, 1.4, 60)[:, None, None])
    for phase in range(3):
        path = phase_path(tmp_path, "P1", phase)
        save(path, (np.asarray(nib.load(path).dataobj) * field).astype(np.float32), AXIAL)
    spread = []
    for correct in (False, True):
        done = preprocess_patients(cohort_of("P1"), tmp_path, Imaging(bias_correction=correct))
        spread.append(done.channels[0, 0][done.mask[0] == 1].astype(float).std())
    assert spread[1] < 0.5 * spread[0]


def test_a_phase_on_another_grid_stops_the_work_by_name(tmp_path):
    write_patient(tmp_path, "P1")
    save(phase_path(tmp_path, "P1", 2), np.ones((60, 56, 30), np.float32), AXIAL)
    with pytest.raises(StudyError, match=r"P1_0002\.nii\.gz: shape .* differs"):
        preprocess_patients(cohort_of("P1"), tmp_path, IMAGING)


def test_a_mask_in_air_is_refused(tmp_path):
    write_patient(tmp_path, "P1", levels=(-50, 100, 90))
    with pytest.raises(StudyError, match="must be positive"):
        preprocess_patients(cohort_of("P1"), tmp_path, IMAGING)


def test_an_error_in_a_worker_arrives_as_it_is(tmp_path):
    write_patient(tmp_path, "P1")
    write_patient(tmp_path, "P2")
    phase_path(tmp_path, "P2", 1).write_bytes(b"no scan")
    with pytest.raises(StudyError, match=r"P2_0001\.nii\.gz: cannot be read"):
        preprocess_patients(cohort_of("P1", "P2"), tmp_path, IMAGING, workers=2)
