import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from scipy import ndimage

from her2study.imaging.preprocess import preprocess_patients
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
    done = preprocess_patients(cohort_of("P1"), tmp_path, IMAGING, tmp_path / "store")
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


def test_the_result_does_not_depend_on_workers_or_on_the_order_of_the_cohort(tmp_path):
    for seed, name in enumerate(["P1", "P2", "P3"]):
        write_patient(tmp_path, name, levels=(100, 200 + 10 * seed, 150), seed=seed)
    alone = preprocess_patients(cohort_of("P1", "P2", "P3"), tmp_path, IMAGING, tmp_path / "one", workers=1)
    beside = preprocess_patients(cohort_of("P3", "P1", "P2"), tmp_path, IMAGING, tmp_path / "two", workers=2)
    assert alone.channels.tobytes() == beside.channels.tobytes()
    assert alone.mask.tobytes() == beside.mask.tobytes()
    pd.testing.assert_frame_equal(alone.index, beside.index)
    pd.testing.assert_frame_equal(alone.quality, beside.quality)


def test_a_phase_on_another_grid_stops_the_work_by_name(tmp_path):
    write_patient(tmp_path, "P1")
    save(phase_path(tmp_path, "P1", 2), np.ones((60, 56, 30), np.float32), AXIAL)
    with pytest.raises(StudyError, match=r"P1_0002\.nii\.gz: .*shape .* differs"):
        preprocess_patients(cohort_of("P1"), tmp_path, IMAGING, tmp_path / "store")


def test_a_mask_in_air_is_refused(tmp_path):
    write_patient(tmp_path, "P1", levels=(-50, 100, 90))
    with pytest.raises(StudyError, match="must be positive"):
        preprocess_patients(cohort_of("P1"), tmp_path, IMAGING, tmp_path / "store")


def test_an_error_in_a_worker_arrives_as_it_is(tmp_path):
    write_patient(tmp_path, "P1")
    write_patient(tmp_path, "P2")
    phase_path(tmp_path, "P2", 1).write_bytes(b"no scan")
    with pytest.raises(StudyError, match=r"P2_0001\.nii\.gz: cannot be read"):
        preprocess_patients(cohort_of("P1", "P2"), tmp_path, IMAGING, tmp_path / "two", workers=2)


def test_index_says_where_the_crop_lies_in_the_patient(tmp_path):
    write_patient(tmp_path, "P1", *GRIDS["oblique"])
    done = preprocess_patients(cohort_of("P1"), tmp_path, IMAGING, tmp_path / "store")
    mask = sitk.ReadImage(str(tmp_path / "segmentations" / "expert" / "P1.nii.gz"))
    statistics = sitk.LabelShapeStatisticsImageFilter()
    statistics.Execute(mask)
    origin = done.index.loc[0, ["origin_x_mm", "origin_y_mm", "origin_z_mm"]].to_numpy(float)
    ours = np.array(ndimage.center_of_mass(done.mask[0]))[::-1] * IMAGING.spacing_mm[::-1] + origin
    np.testing.assert_allclose(ours, statistics.GetCentroid(1), atol=0.2)  # LPS, by another reader


def test_phases_between_the_times_are_blended(tmp_path):
    times = {"P1": "[0, 60, 120, 240, 480]", "P2": "[0, 90, 200, 360, 500]"}
    for name, text in times.items():  # one curve seen at other times: 100 + 0.5 a second
        seconds = [float(t) for t in text.strip("[]").split(",")]
        write_patient(tmp_path, name, levels=tuple(100 + 0.5 * t for t in seconds))
    cohort = cohort_of(*times).assign(acquisition_times=list(times.values()))
    lesions = {}
    for choice in ("nearest", "interpolated"):
        imaging = Imaging(phase_choice=choice)
        done = preprocess_patients(cohort, tmp_path, imaging, tmp_path / "store")
        inner = ndimage.binary_erosion(done.mask[0], iterations=2)
        lesions[choice] = done.channels[:, 1:, inner].astype(float).mean(axis=2)  # patient, (wash-in, wash-out)
    np.testing.assert_allclose(lesions["interpolated"], [[0.45, 1.35], [0.45, 1.35]], atol=0.02)
    assert np.abs(np.diff(lesions["nearest"], axis=0)).max() > 0.1


def test_motion_is_measured_and_undone_on_demand(tmp_path):
    write_patient(tmp_path, "P1")
    write_patient(tmp_path, "P2")
    rng = np.random.default_rng(8)
    tissue = ndimage.gaussian_filter(rng.normal(0, 1, (60, 56, 36)), 2.5)
    tissue *= 25 / tissue.std()
    for name in ("P1", "P2"):
        for phase in range(3):
            path = phase_path(tmp_path, name, phase)
            voxels = np.asarray(nib.load(path).dataobj) + tissue
            if name == "P2" and phase == 2:
                voxels = ndimage.shift(voxels, (3, 0, 1), order=3, mode="nearest")  # 3 mm and 2 mm
            save(path, voxels.astype(np.float32), AXIAL)
    off, on = (
        preprocess_patients(cohort_of("P1", "P2"), tmp_path, Imaging(motion_correction=on), tmp_path / "store")
        for on in (False, True)
    )
    for done in (off, on):
        np.testing.assert_allclose(done.quality["motion_mm"], [0, np.hypot(3, 2)], atol=0.5)
    np.testing.assert_array_equal(off.channels[0], on.channels[0])  # who lay still stays as she is
    wrong = [np.abs(done.channels[1, 2].astype(float) - off.channels[0, 2]).mean() for done in (off, on)]
    assert wrong[1] < 0.35 * wrong[0]


def test_only_the_named_channels_are_made(tmp_path):
    write_patient(tmp_path, "P1")
    imaging = Imaging(channels=("subtraction", "mask"))
    done = preprocess_patients(cohort_of("P1"), tmp_path, imaging, tmp_path / "store")
    assert done.channels.shape == (1, 2, *imaging.crop_voxels)
    np.testing.assert_array_equal(done.channels[0, 1], done.mask[0])


def test_a_lesion_that_leaves_the_crop_is_still_measured_whole(tmp_path):
    write_patient(tmp_path, "P1")
    small = Imaging(crop_voxels=(4, 4, 4))
    whole, part = (
        preprocess_patients(cohort_of("P1"), tmp_path, imaging, tmp_path / "store") for imaging in (IMAGING, small)
    )
    columns = ["volume_ml", "reference_signal"]
    pd.testing.assert_frame_equal(whole.index[columns], part.index[columns])
    columns = ["signal_to_noise", "enhancement_ratio", "lesion_voxels", "mask_components"]
    pd.testing.assert_frame_equal(whole.quality[columns], part.quality[columns], rtol=0.1)
