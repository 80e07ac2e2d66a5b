import numpy as np
import pytest
from pydantic import ValidationError

from her2study.imaging.phases import choose_files, choose_phases, paths
from her2study.study import Imaging
from her2study.types import StudyError
from tests.imaging.patients import cohort_of, mask_path, write_patient

IMAGING = Imaging(early_seconds=90, late_seconds=360)
BLENDED = Imaging(early_seconds=90, late_seconds=360, phase_choice="interpolated")


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
    choice = choose_phases(times, times.count(",") + 1, IMAGING)
    assert choice.phases[:2] == (early, late)
    assert (choice.early, choice.late) == ({early: 1.0}, {late: 1.0})


@pytest.mark.parametrize(
    ("times", "early", "late"),
    [
        ("[0, 60, 120, 240, 480]", {1: 0.5, 2: 0.5}, {3: 0.5, 4: 0.5}),
        ("[0, 80, 120, 340, 440]", {1: 0.75, 2: 0.25}, {3: 0.8, 4: 0.2}),
        ("[0, 90, 360]", {1: 1.0}, {2: 1.0}),  # phases at the times themselves
        ("[0, 120, 240, 300]", {1: 1.0}, {3: 1.0}),  # never before the first, never after the last
        ("[0, 60, 120]", {1: 0.5, 2: 0.5}, {2: 1.0}),
        ("[0, 20, 88]", {1: 1.0}, {2: 1.0}),  # both times after the last phase: the nearest phases
        ("[0, 400, 500]", {1: 1.0}, {2: 1.0}),  # both before the first
    ],
)
def test_times_between_phases_are_weighted_linearly_and_nothing_is_extrapolated(times, early, late):
    choice = choose_phases(times, times.count(",") + 1, BLENDED)
    assert choice.early == pytest.approx(early)
    assert choice.late == pytest.approx(late)
    seconds = [float(t) for t in times.strip("[]").split(",")]
    assert choice.phases.early_seconds == pytest.approx(sum(w * seconds[i] for i, w in early.items()))
    assert choice.phases.late_seconds == pytest.approx(sum(w * seconds[i] for i, w in late.items()))


def test_a_signal_linear_in_time_is_met_exactly_whatever_the_timing():
    for times in ("[0, 70, 130, 250, 410]", "[0, 33, 95, 222, 301, 388]", "[0, 60, 400]"):
        choice = choose_phases(times, times.count(",") + 1, BLENDED)
        signal = [100 + 0.5 * float(t) for t in times.strip("[]").split(",")]
        assert sum(w * signal[i] for i, w in choice.early.items()) == pytest.approx(100 + 0.5 * 90)
        assert sum(w * signal[i] for i, w in choice.late.items()) == pytest.approx(100 + 0.5 * 360)


def test_weights_sum_to_one_at_every_target():
    for target in np.linspace(5, 600, 40):
        choice = choose_phases("[0, 61, 122, 300, 450]", 5, BLENDED.model_copy(update={"early_seconds": float(target)}))
        assert sum(choice.early.values()) == pytest.approx(1)
        assert 0 not in choice.early  # the pre-contrast phase is never part of it


def test_times_are_counted_from_the_injection():
    later = IMAGING.model_copy(update={"injection_seconds": 60.0})
    choice = choose_phases("[0, 90, 150, 270, 420]", 5, later)
    assert choice.phases == (2, 4, 90.0, 360.0)
    with pytest.raises(ValueError, match=r"before the injection at 60 s"):
        choose_phases("[0, 50, 150, 270]", 4, later)


def test_unrecorded_times_mean_the_first_and_the_last_phase():
    for imaging in (IMAGING, BLENDED):
        choice = choose_phases(None, 5, imaging)
        assert choice.phases[:2] == (1, 4)
        assert choice.phases.early_seconds != choice.phases.early_seconds  # NaN: quality control says so


def test_channels_per_minute_need_times(tmp_path):
    write_patient(tmp_path, "P7")
    slopes = Imaging(channels=("pre", "wash_in_slope"))
    with pytest.raises(StudyError, match=r"patient 'P7'.*not recorded.*wash_in_slope"):
        choose_files(cohort_of("P7", times=None), tmp_path, slopes)


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


@pytest.mark.parametrize(("imaging", "read"), [(IMAGING, [0, 2, 4]), (BLENDED, [0, 1, 2, 4])])
def test_the_files_read_are_the_phases_needed_and_the_mask(tmp_path, imaging, read):
    write_patient(tmp_path, "P1", levels=(100, 150, 200, 190, 180))
    chosen = choose_files(cohort_of("P1", times="[0, 30, 95, 200, 350]"), tmp_path, imaging)
    assert [path.name for path in paths(chosen)] == [*(f"P1_{i:04d}.nii.gz" for i in read), "P1.nii.gz"]


def test_a_cohort_without_times_is_read_in_order_of_patient(tmp_path):
    for name in ("P2", "P1"):
        write_patient(tmp_path, name, levels=(100, 150, 200, 190))
    chosen = choose_files(cohort_of("P2", "P1").drop(columns="acquisition_times"), tmp_path, IMAGING)
    assert [(files.patient_id, files.late[0][0].name) for files in chosen] == [
        ("P1", "P1_0003.nii.gz"),
        ("P2", "P2_0003.nii.gz"),
    ]


def test_a_missing_mask_is_named_before_any_work(tmp_path):
    write_patient(tmp_path, "P1")
    mask_path(tmp_path, "P1").unlink()
    with pytest.raises(StudyError, match=r"P1\.nii\.gz is missing"):
        choose_files(cohort_of("P1"), tmp_path, IMAGING)


@pytest.mark.parametrize(
    "changed",
    [
        {"late_seconds": 90.0},
        {"clip_percentiles": (99.5, 0.5)},
        {"clip_percentiles": (0, 101)},
        {"spacing_mm": (1.5, 0, 1.5)},
        {"phase_choice": "extrapolated"},
        {"injection_seconds": -5},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(changed):
    with pytest.raises(ValidationError):
        Imaging(**changed)
