import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from her2study.imaging.volume import check_same_grid, read_mask, read_scan
from her2study.types import StudyError
from tests.imaging.patients import AXIAL, OBLIQUE, SAGITTAL, mask_path, phase_path, save, write_patient


@pytest.mark.parametrize("affine", [AXIAL, SAGITTAL, OBLIQUE], ids=["axial", "sagittal", "oblique"])
def test_every_voxel_keeps_its_place_in_the_patient(tmp_path, affine):
    voxels = np.random.default_rng(1).normal(size=(5, 6, 7)).astype(np.float32)
    save(tmp_path / "scan.nii.gz", voxels, affine)
    scan = read_scan(tmp_path / "scan.nii.gz")
    itk = sitk.ReadImage(str(tmp_path / "scan.nii.gz"))  # an independent reader, also in LPS
    for z, y, x in [(0, 0, 0), (1, 2, 3), tuple(n - 1 for n in scan.voxels.shape)]:
        place_mm = (scan.affine @ [x, y, z, 1])[:3]
        assert itk[itk.TransformPhysicalPointToIndex(place_mm.tolist())] == scan.voxels[z, y, x]


def test_axes_end_left_posterior_superior_with_their_own_spacing(tmp_path):
    save(tmp_path / "scan.nii.gz", np.ones((4, 5, 6), np.float32), SAGITTAL)
    scan = read_scan(tmp_path / "scan.nii.gz")
    assert scan.orientation == "PSR"
    assert scan.voxels.shape == (5, 4, 6)
    np.testing.assert_allclose(scan.spacing_mm, [0.8, 0.8, 2.5])
    assert (np.diag(scan.affine) > 0).all()


def test_a_mask_stored_along_other_axes_is_the_same_mask(tmp_path):
    write_patient(tmp_path, "P1")
    path = mask_path(tmp_path, "P1")
    scan = read_scan(phase_path(tmp_path, "P1", 0))
    expected = read_mask(path, scan)
    nib.save(nib.as_closest_canonical(nib.load(path)), path)
    np.testing.assert_array_equal(read_mask(path, scan), expected)


def _truncated(path):
    path.write_bytes(path.read_bytes()[:400])


def _with_nan(path):
    save(path, np.full((60, 56, 36), np.nan, np.float32), AXIAL)


def _flat(path):
    save(path, np.ones((60, 56), np.float32), AXIAL)


def _without_affine(path):
    image = nib.Nifti1Image(np.ones((60, 56, 36), np.float32), None)
    image.header["srow_x"] = image.header["srow_y"] = 0
    image.header["sform_code"] = 1
    nib.save(image, path)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.unlink(), "does not exist"),
        (_truncated, "cannot be read to its end"),
        (_with_nan, "120960 voxels are NaN"),
        (_flat, r"shape \(60, 56\)"),
        (_without_affine, "its affine has no volume"),
    ],
)
def test_a_bad_scan_is_refused_by_name(tmp_path, spoil, says):
    write_patient(tmp_path, "P1")
    path = phase_path(tmp_path, "P1", 1)
    spoil(path)
    with pytest.raises(StudyError, match=says) as error:
        read_scan(path)
    assert "P1_0001.nii.gz" in str(error.value)


@pytest.mark.parametrize(
    ("voxels", "affine", "says"),
    [
        (np.ones((60, 56, 35)), AXIAL, r"shape \(z, y, x\) \(35, 56, 60\) differs from \(36, 56, 60\)"),
        (np.ones((60, 56, 36)), AXIAL + np.diag([0, 0, 0.1, 0]), r"3\.50 mm away"),
        (np.zeros((60, 56, 36)), AXIAL, "marks no voxel"),
    ],
    ids=["shape", "affine", "empty"],
)
def test_a_mask_that_does_not_fit_its_scan_is_refused(tmp_path, voxels, affine, says):
    write_patient(tmp_path, "P1")
    save(mask_path(tmp_path, "P1"), voxels.astype(np.uint8), affine)
    with pytest.raises(StudyError, match=says):
        read_mask(mask_path(tmp_path, "P1"), read_scan(phase_path(tmp_path, "P1", 0)))


def test_rounding_of_an_affine_is_no_mismatch(tmp_path):
    write_patient(tmp_path, "P1")
    write_patient(tmp_path, "P2", affine=AXIAL + 1e-4)
    check_same_grid(read_scan(phase_path(tmp_path, "P1", 0)), read_scan(phase_path(tmp_path, "P2", 0)))
