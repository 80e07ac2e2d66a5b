"""Tests of header checks on fabricated scans of a few voxels."""

from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest

from her2study.cohort.scans import check_images, image_files
from her2study.types import StudyError

AFFINE = np.diag([0.7, 0.7, 2.0, 1.0])


def save(path: Path, shape: tuple[int, ...] = (4, 5, 3), affine: np.ndarray = AFFINE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.zeros(shape, dtype=np.uint8), affine), path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two patients, three phases and a mask each."""
    for patient in ("p1", "p2"):
        for phase in range(3):
            save(tmp_path / "images" / patient / f"{patient}_{phase:04d}.nii.gz")
        save(tmp_path / "segmentations" / "expert" / f"{patient}.nii.gz")
    return tmp_path


@pytest.fixture
def cohort() -> pd.DataFrame:
    return pd.DataFrame(
        {"patient_id": ["p1", "p2"], "acquisition_times": pd.Series(["[0, 90, 180]", None], dtype="str")}
    )


def mask(folder: Path) -> Path:
    return folder / "segmentations" / "expert" / "p2.nii.gz"


def test_headers_of_a_sound_folder(folder, cohort):
    headers = check_images(folder, cohort)
    assert headers["phases"].tolist() == [3, 3]
    assert headers.loc[0, ["slices", "rows", "columns"]].tolist() == [3, 5, 4]
    assert headers.loc[0, ["spacing_z_mm", "spacing_y_mm", "spacing_x_mm"]].tolist() == pytest.approx([2, 0.7, 0.7])
    assert len(image_files(folder, cohort)) == 8


def test_a_mask_stored_with_other_axes_on_the_same_grid_is_accepted(folder, cohort):
    # third file axis runs along x, backwards: index (i, j, k) lies at x = 0.7 (3 - k), y = 0.7 j, z = 2 i
    turned = np.array([[0, 0, -0.7, 2.1], [0, 0.7, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1.0]])
    save(mask(folder), (3, 5, 4), turned)
    assert len(check_images(folder, cohort)) == 2


def test_a_mask_of_another_shape_is_named_with_both_shapes(folder, cohort):
    save(mask(folder), (4, 5, 2))
    with pytest.raises(StudyError, match=r"patient 'p2'.*p2.nii.gz has shape \(2, 5, 4\).*has \(3, 5, 4\)"):
        check_images(folder, cohort)


def test_a_mask_that_lies_elsewhere_is_named_with_the_distance(folder, cohort):
    moved = AFFINE.copy()
    moved[0, 3] = 5
    save(mask(folder), affine=moved)
    with pytest.raises(StudyError, match=r"patient 'p2'.*lies 5.0 mm away"):
        check_images(folder, cohort)


def test_times_must_match_the_phases_on_disk(folder, cohort):
    cohort.loc[1, "acquisition_times"] = "[0, 90]"
    with pytest.raises(StudyError, match=r"patient 'p2'.*2 entries for 3 phases"):
        check_images(folder, cohort)


def test_a_damaged_file_is_named(folder, cohort):
    mask(folder).write_bytes(b"not a scan")
    with pytest.raises(StudyError, match=r"patient 'p2'.*p2.nii.gz is unreadable"):
        check_images(folder, cohort)


def test_several_findings_come_in_one_message(folder, cohort):
    mask(folder).unlink()
    (folder / "images" / "p1" / "p1_0001.nii.gz").unlink()
    with pytest.raises(StudyError, match=r"(?s)p1_0001.nii.gz is missing.*lesion mask .*p2.nii.gz is missing"):
        check_images(folder, cohort)
