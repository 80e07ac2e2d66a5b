import gzip
import tracemalloc

import nibabel as nib
import numpy as np
import pytest

from her2study.imaging.nifti import read_header
from her2study.imaging.volume import read_scan
from her2study.imaging.window import box_around, read_window, shifted, whole
from her2study.types import StudyError
from tests.imaging.patients import AXIAL, OBLIQUE, SAGITTAL, save

WINDOW = (slice(3, 9), slice(2, 11), slice(1, 6))


@pytest.mark.parametrize("affine", [AXIAL, -AXIAL, SAGITTAL, OBLIQUE], ids=["axial", "flipped", "sagittal", "oblique"])
@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32, np.float64, ">i2"])
@pytest.mark.parametrize("ending", ["nii.gz", "nii"])
def test_a_window_is_that_part_of_the_whole_scan(tmp_path, affine, kind, ending):
    affine = affine.copy()
    affine[3, 3] = 1
    voxels = np.random.default_rng(1).integers(0, 200, (12, 13, 14)).astype(kind)
    image = nib.Nifti1Image(voxels, affine)
    nib.save(image, tmp_path / f"scan.{ending}")
    stored, scan = read_header(tmp_path / f"scan.{ending}"), read_scan(tmp_path / f"scan.{ending}")
    part = read_window(stored, WINDOW)
    np.testing.assert_array_equal(part.voxels, scan.voxels[WINDOW])
    assert part.voxels.dtype == np.float32
    np.testing.assert_allclose(part.affine @ [2, 3, 1, 1], scan.affine @ [3, 5, 4, 1], atol=1e-9)
    assert part.orientation == scan.orientation
    np.testing.assert_array_equal(read_window(stored, whole(stored.grid)).voxels, scan.voxels)


def test_slope_and_intercept_are_applied_as_nibabel_does(tmp_path):
    image = nib.Nifti1Image(np.arange(2000, dtype=np.int16).reshape(10, 20, 10), AXIAL)
    image.header.set_slope_inter(0.25, -3)
    nib.save(image, tmp_path / "scan.nii.gz")
    found = read_window(read_header(tmp_path / "scan.nii.gz"), (slice(2, 5), slice(4, 9), slice(0, 10))).voxels
    theirs = np.asanyarray(nib.load(tmp_path / "scan.nii.gz").dataobj)  # AXIAL runs left, posterior, superior
    np.testing.assert_allclose(found, theirs.T[2:5, 4:9], rtol=1e-6)


def test_a_file_that_ends_inside_the_window_is_refused_by_name(tmp_path):
    path = tmp_path / "scan.nii.gz"
    save(path, np.random.default_rng(2).normal(size=(40, 40, 40)).astype(np.float32), AXIAL)
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(StudyError, match=r"scan\.nii\.gz: cannot be read to its end"):
        read_window(read_header(path), (slice(30, 40), slice(0, 40), slice(0, 40)))


def test_values_that_are_no_numbers_are_refused(tmp_path):
    voxels = np.ones((12, 13, 14), np.float32)
    voxels[4, 4, 4] = np.nan
    save(tmp_path / "scan.nii.gz", voxels, AXIAL)
    stored = read_header(tmp_path / "scan.nii.gz")
    with pytest.raises(StudyError, match="1 voxels are NaN"):
        read_window(stored, whole(stored.grid))


def test_a_large_volume_costs_the_memory_of_its_window(tmp_path):
    path = tmp_path / "scan.nii.gz"
    shape = (256, 256, 400)  # 52 MB as it is stored, 105 MB as float
    header = nib.Nifti1Image(np.zeros((1, 1, 1), np.int16), AXIAL).header
    header.set_data_shape(shape)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header.binaryblock + bytes(4) + bytes(2 * int(np.prod(shape))))
    tracemalloc.start()
    part = read_window(read_header(path), (slice(180, 220), slice(100, 150), slice(100, 150)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert part.voxels.shape == (40, 50, 50)
    assert peak < 8e6  # 40 planes of 131 kB as they are stored, and the window itself


def test_a_box_stays_inside_the_scan():
    box = box_around(np.array([0, 5, 9]), np.array([2, 6, 9]), 3, (10, 10, 10))
    assert box == (slice(0, 6), slice(2, 10), slice(6, 10))
    far = box_around(np.array([50, -9, 3]), np.array([60, -5, 4]), 0, (10, 10, 10))
    assert far == (slice(9, 10), slice(0, 1), slice(3, 5))  # a crop beside the scan still reads one plane


def test_the_affine_of_a_part_keeps_every_place():
    np.testing.assert_allclose(shifted(OBLIQUE, WINDOW) @ [0, 0, 0, 1], OBLIQUE @ [1, 2, 3, 1])
