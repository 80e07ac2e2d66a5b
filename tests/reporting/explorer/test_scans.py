import nibabel as nib
import numpy as np
import pytest

from her2study.reporting.explorer.scans import (
    curve_words,
    lesion_curve,
    load_patient,
    patients_with_maps,
    region_curve,
    view_settings,
)
from her2study.study import Imaging
from her2study.types import StudyError
from tests.imaging.patients import AXIAL, OBLIQUE, SAGITTAL, cohort_of, mask_path, phase_path, save, write_patient

IMAGING = Imaging(crop_voxels=(24, 28, 28))
GRIDS = {"axial": AXIAL, "sagittal": SAGITTAL, "oblique": OBLIQUE}


def read(source, name="P1", times="[0, 90, 360]"):
    return load_patient(name, cohort_of("P1", times=times), source, IMAGING, source / "saliency")


@pytest.fixture(params=GRIDS, ids=str)
def source(request, tmp_path):
    write_patient(tmp_path, "P1", affine=GRIDS[request.param])
    return tmp_path


def by_hand(source, point_mm, radius_mm):
    """Mean of the voxels whose middles lie in the sphere, straight from the files."""
    means = []
    for phase in range(3):
        image = nib.load(phase_path(source, "P1", phase))
        index = np.stack([*np.indices(image.shape), np.ones(image.shape)]).reshape(4, -1)
        lps = (np.diag([-1, -1, 1, 1]) @ image.affine @ index)[:3].T
        inside = np.linalg.norm(lps - point_mm, axis=1) <= radius_mm
        means.append(image.get_fdata().ravel()[inside].mean())
    return means, int(inside.sum())


def test_a_region_is_measured_in_the_scanners_own_voxels(source):
    scan = read(source)
    middle = [n // 2 for n in scan.views.shape[1:]]
    for place in (middle, [middle[0] + 3, middle[1] - 4, middle[2] + 2]):
        point = scan.point_mm(tuple(place))
        curve = region_curve(scan, point, 4.0)
        signal, voxels = by_hand(source, point, 4.0)
        np.testing.assert_allclose(curve["signal"], signal, rtol=1e-5)
        assert curve["voxels"].iloc[0] == voxels
    np.testing.assert_allclose(curve["enhancement_percent"], 100 * (np.array(signal) / signal[0] - 1), rtol=1e-4)


def test_view_and_mask_show_the_lesion_in_the_middle(source):
    scan = read(source)
    assert scan.views.shape == (3, *view_settings(IMAGING).crop_voxels)
    middle = np.array(scan.view_mask.shape) / 2
    np.testing.assert_allclose(np.argwhere(scan.view_mask).mean(axis=0), middle, atol=1.5)
    inside = scan.views[:, scan.view_mask].mean(axis=1)
    np.testing.assert_allclose(inside, [100, 220, 190], rtol=0.06)  # voxels at the border are a mixture
    assert scan.view_mask.sum() == pytest.approx(4 / 3 * np.pi * 9 * 12 * 7, rel=0.1)


def test_a_sphere_smaller_than_a_voxel_takes_the_nearest(source):
    scan = read(source)
    curve = region_curve(scan, scan.point_mm(tuple(n // 2 for n in scan.views.shape[1:])), 0.01)
    assert curve["voxels"].iloc[0] == 1


def test_a_point_outside_the_scan_is_refused(source):
    with pytest.raises(StudyError, match="outside the scan"):
        region_curve(read(source), (900.0, 0.0, 0.0))


def test_the_lesions_curve_and_its_words(source):
    scan = read(source)
    curve = lesion_curve(scan)
    np.testing.assert_allclose(curve["signal"], [100, 220, 190], rtol=0.02)
    assert curve["seconds"].tolist() == [0, 90, 360]
    assert curve_words(curve, scan.early, scan.late).startswith("Early enhancement +120%; from the early to the late")
    assert curve_words(curve, scan.early, scan.late).endswith("−14%: wash-out.")


@pytest.mark.parametrize(("late", "kind"), [(300, "persistent"), (225, "plateau"), (190, "wash-out")])
def test_curve_types(tmp_path, late, kind):
    write_patient(tmp_path, "P1", levels=(100, 220, late))
    scan = read(tmp_path)
    assert curve_words(lesion_curve(scan), scan.early, scan.late).endswith(f"{kind}.")


def test_times_that_were_not_recorded_are_missing(source):
    scan = read(source, times=None)
    assert np.isnan(scan.seconds).all()
    assert region_curve(scan, scan.point_mm((16, 18, 18)))["seconds"].isna().all()


def test_a_map_lies_where_the_scan_has_it(source):
    mask = nib.load(mask_path(source, "P1"))
    (source / "saliency").mkdir()
    save(source / "saliency" / "P1_gradcam.nii.gz", mask.get_fdata().astype(np.float32), mask.affine)
    scan = read(source)
    assert list(scan.maps) == ["gradcam"]
    assert (scan.maps["gradcam"] > 0.5).sum() == pytest.approx(scan.view_mask.sum(), rel=0.02)
    assert scan.maps["gradcam"][scan.view_mask].mean() > 0.9
    assert patients_with_maps(source / "saliency") == {"P1"}
    assert patients_with_maps(source / "nowhere") == set()


def test_who_is_not_there_is_named(source):
    with pytest.raises(StudyError, match="no patient 'P9'"):
        read(source, "P9")
    phase_path(source, "P1", 1).unlink()
    with pytest.raises(StudyError, match="P1_0001"):
        read(source)
