"""What was found in scans as findings, and what lies in a folder that no patient of the table has."""

import pytest

from her2study.cohort.findings import AREAS as ALL_AREAS
from her2study.imaging.findings import Finding, Reason
from her2study.imaging.fitness_findings import folder_findings, header_findings, repeated_scans, unfit_findings
from her2study.imaging.fitness_patient import Judged

HEADER = {"phases": 4, "slices": 20, "rows": 44, "columns": 64, "spacing_z_mm": 3.0, "spacing_y_mm": 1.0,
          "spacing_x_mm": 1.0}  # fmt: skip


def judged(name, *reasons, doubts=(), **header):
    found = [Finding(reason, f"/data/images/{name}", "is odd", "must be sound", "mend it") for reason in reasons]
    return Judged(name, found, list(doubts), {**HEADER, **header})


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_a_warning_of_one_patient_who_leaves(reason, tmp_path):
    cohort = [judged("P1", reason), judged("P2"), judged("P3")]
    found = unfit_findings(cohort, tmp_path)
    assert found[["severity", "patient"]].to_numpy().tolist() == [["warning", "P1"]]
    assert found["area"][0] in ALL_AREAS
    assert found["value"][0].startswith(reason.value)
    assert found["rule"][0].endswith("the patient leaves the study")


def test_one_cause_for_most_is_an_error_besides(tmp_path):
    cohort = [judged("P1", Reason.NO_MASK), judged("P2", Reason.NO_MASK), judged("P3")]
    found = unfit_findings(cohort, tmp_path)
    assert found["severity"].value_counts().to_dict() == {"warning": 2, "error": 1}
    assert "2 of 3 patients" in found.loc[found["severity"] == "error", "value"].iloc[0]


def test_a_lesion_that_gets_darker_is_a_matter_of_phases(tmp_path):
    doubts = [judged("P1", doubts=["mask marks tissue that enhances by -27%"]),
              judged("P2", doubts=["mask marks tissue that enhances by -2%"])]  # fmt: skip
    found = unfit_findings(doubts, tmp_path)
    assert found["area"].tolist() == ["phases", "masks"]
    assert "27% less" in found["value"][0]


def test_voxels_in_metres_and_a_phase_less_than_all_others():
    cohort = [judged(f"P{i}") for i in range(20)]
    cohort += [judged("thin", spacing_z_mm=0.003), judged("short", phases=3)]
    found = header_findings(cohort)
    assert dict(zip(found["patient"], found["area"], strict=True)) == {"thin": "geometry", "short": "phases"}


def test_scans_that_two_patients_share():
    found = repeated_scans({"P1": "a", "P2": "b", "P3": "a"})
    assert found[["patient", "value"]].to_numpy().tolist() == [
        ["P1", "the same file as of P3"], ["P3", "the same file as of P1"],
    ]  # fmt: skip


def layout(source, folders=(), masks=()):
    for name in folders:
        (source / "images" / name).mkdir(parents=True)
    (source / "segmentations" / "expert").mkdir(parents=True)
    for name in masks:
        (source / "segmentations" / "expert" / name).touch()


def test_scans_and_masks_of_nobody_are_named_and_near_names_suggested(tmp_path):
    layout(tmp_path, ["P1", "p2", "P9"], ["P1.nii.gz", "P8.nii.gz", "P2.nii"])
    (tmp_path / "images" / "letter.pdf").touch()
    found = folder_findings(tmp_path, ["P1", "P2"])
    told = dict(zip(found["file"], found["mend"], strict=True))
    assert told["images/p2"] == "rename it to P2"
    assert {"images/P9", "segmentations/expert/P8.nii.gz", "images", "segmentations/expert"} <= set(told)
    assert (found["severity"] == "warning").all()


def test_accents_stored_in_two_ways_are_the_same_name(tmp_path):
    layout(tmp_path, ["Gae\u0308l"])
    found = folder_findings(tmp_path, ["Ga\u00ebl"])
    assert found["mend"].tolist() == ["rename it to Ga\u00ebl"]


def test_a_sound_folder_has_no_findings(tmp_path):
    layout(tmp_path, ["P1"], ["P1.nii.gz"])
    assert folder_findings(tmp_path, ["P1", "P2"]).empty


def test_one_of_two_folders_is_an_error(tmp_path):
    (tmp_path / "images").mkdir()
    found = folder_findings(tmp_path, ["P1"])
    assert found["severity"].tolist() == ["error"]
    assert "segmentations" in found["value"][0]


def test_scans_in_another_layout_are_noticed(tmp_path):
    (tmp_path / "MRI" / "P1").mkdir(parents=True)
    (tmp_path / "MRI" / "P1" / "0001.dcm").touch()
    found = folder_findings(tmp_path, ["P1"])
    assert "MRI/P1/0001.dcm" in found["value"][0]
    assert "import-dicom" in found["mend"][0]
    assert folder_findings(tmp_path / "MRI" / "P1", ["P1"]).empty
