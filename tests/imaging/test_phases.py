import pytest

from her2study.imaging.phases import choose_files, choose_phases, paths
from her2study.study import Imaging
from her2study.types import StudyError
from tests.imaging.patients import cohort_of, mask_path, write_patient

IMAGING = Imaging(early_seconds=90, late_seconds=360)


@pytest.mark.parametrize(
    ("times", "early", "late"),
    [
        ("[0, 97, 194, 291, 388, 486]", 1, 4),
        ("[0, 40, 80, 120, 300]", 2, 4),
        ("[0, 60, 120]", 1, 2),  # 60 and 120 are equally near: the earlier one
        ("[0, 300, 350]", 1, 2),  # wash-in and wash-out never share a phase
        ("[0, 20, 88]", 1, 2),  # even where the last phase is nearest to the early time
    ],
)
def test_phases_are_chosen_by_time_and_not_by_number(times, early, late):
    assert choose_phases(times, times.count(",") + 1, IMAGING)[:2] == (early, late)


def test_unrecorded_times_mean_the_first_and_the_last_phase():
    chosen = choose_phases(None, 5, IMAGING)
    assert chosen[:2] == (1, 4)
    assert chosen.early_seconds != chosen.early_seconds  # NaN: quality control says so


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ("0; 90; 360", "is not a list of seconds"),
        ("[0, 360, 90]", "must start at 0 and grow"),
        ("[0, 90]", "2 entries for 3 phases on disk"),
    ],
)
def test_phases_that_cannot_be_chosen_are_explained(tmp_path, times, says):
    write_patient(tmp_path, "P7")
    with pytest.raises(StudyError, match=says) as error:
        choose_files(cohort_of("P7", times=times), tmp_path, IMAGING)
    assert "patient 'P7': acquisition_times" in str(error.value)


def test_one_phase_after_contrast_is_not_enough():
    with pytest.raises(ValueError, match="1 phases after contrast"):
        choose_phases("[0, 90]", 2, IMAGING)


def test_the_files_read_are_three_phases_and_the_mask(tmp_path):
    write_patient(tmp_path, "P1", levels=(100, 150, 200, 190, 180))
    chosen = choose_files(cohort_of("P1", times="[0, 30, 95, 200, 350]"), tmp_path, IMAGING)
    names = [path.name for path in paths(chosen)]
    assert names == ["P1_0000.nii.gz", "P1_0002.nii.gz", "P1_0004.nii.gz", "P1.nii.gz"]


def test_a_cohort_without_times_is_read_in_order_of_patient(tmp_path):
    for name in ("P2", "P1"):
        write_patient(tmp_path, name, levels=(100, 150, 200, 190))
    chosen = choose_files(cohort_of("P2", "P1").drop(columns="acquisition_times"), tmp_path, IMAGING)
    assert [(files.patient_id, files.late.name) for files in chosen] == [
        ("P1", "P1_0003.nii.gz"),
        ("P2", "P2_0003.nii.gz"),
    ]


def test_a_missing_mask_is_named_before_any_work(tmp_path):
    write_patient(tmp_path, "P1")
    mask_path(tmp_path, "P1").unlink()
    with pytest.raises(StudyError, match=r"P1\.nii\.gz is missing"):
        choose_files(cohort_of("P1"), tmp_path, IMAGING)
