"""Exports as they come: damaged, incomplete, ambiguous, interrupted. Nothing is guessed silently, the rest goes on."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pydicom
import pytest

from her2study.cli import main
from her2study.cohort.simulated.dicom import planted_identity, write_dicom
from tests.cohort.privacy import leaks
from tests.cohort.tiny_scans import SHAPE, tiny_source

SECONDS = (0, 97, 194, 291)
SLICES = SHAPE[2]


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return tiny_source(tmp_path_factory.mktemp("source"), {"A1": "oblique"}, SECONDS)


def change(path: Path, **values: object) -> None:
    """Set attributes of a written file; None takes one away."""
    data = pydicom.dcmread(path)
    for name, value in values.items():
        if value is not None:
            setattr(data, name, value)
        elif name in data:
            delattr(data, name)
    data.save_as(path)


def images(folder: Path) -> list[Path]:
    """MR images in the order of InstanceNumber, masks not among them."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name != "lesion.dcm"]
    return sorted(found, key=lambda path: pydicom.dcmread(path, specific_tags=["InstanceNumber"]).InstanceNumber)


def run(export: Path, *options: str) -> tuple[int, pd.DataFrame]:
    """Import into ``scans`` beside ``export``; status, and the report without the lists of dropped attributes."""
    scans = export.with_name("scans")
    status = main(["import-dicom", str(export), str(scans), "--workers", "1", *options])
    report = pd.read_csv(scans / "import_report.csv", dtype="str", keep_default_na=False)
    return status, report[report["topic"] != "dropped"]


def imported_phases(scans: Path) -> list[np.ndarray]:
    paths = sorted((scans / "images" / "P0001").glob("*.nii.gz"))
    return [nib.as_closest_canonical(nib.load(path)).get_fdata() for path in paths]


def original_phases(source: Path) -> list[np.ndarray]:
    paths = sorted((source / "images" / "A1").glob("*.nii.gz"))
    return [nib.as_closest_canonical(nib.load(path)).get_fdata() for path in paths]


def lose_a_slice(files: list[Path]) -> None:
    files[SLICES + 2].unlink()


def cut_pixels(files: list[Path]) -> None:
    files[SLICES + 2].write_bytes(files[SLICES + 2].read_bytes()[:-60])


def cut_header(files: list[Path]) -> None:
    files[SLICES + 2].write_bytes(files[SLICES + 2].read_bytes()[:400])


def mix_birth_dates(files: list[Path]) -> None:
    for path in files[:SLICES]:
        change(path, PatientBirthDate="19500101")


def mix_patients(files: list[Path]) -> None:
    for path in files[SLICES : SLICES + 2]:
        change(path, PatientID="SOMEBODYELSE", PatientName="Else^Somebody")


def colour(files: list[Path]) -> None:
    pixels = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0}
    for path in files:
        change(
            path,
            SamplesPerPixel=3,
            PhotometricInterpretation="RGB",
            PlanarConfiguration=0,
            PixelData=bytes(SHAPE[0] * SHAPE[1] * 3 + 1),
            **pixels,
        )


def empty_a_phase(files: list[Path]) -> None:
    for path in files[SLICES : 2 * SLICES]:
        change(path, PixelData=bytes(2 * SHAPE[0] * SHAPE[1]))


def lose_spacing(files: list[Path]) -> None:
    for path in files:
        change(path, PixelSpacing=["0", "0"])


def shift_a_slice(files: list[Path]) -> None:
    for path in files[::SLICES]:
        position = np.array(pydicom.dcmread(path).ImagePositionPatient, dtype=float)
        change(path, ImagePositionPatient=[f"{value:.6f}" for value in position + 0.4])


def lose_pixels(files: list[Path]) -> None:
    change(files[0], PixelData=None)


def lose_orientation(files: list[Path]) -> None:
    for path in files:
        change(path, ImageOrientationPatient=None)


def lose_phases(files: list[Path]) -> None:
    for path in files[2 * SLICES :]:
        path.unlink()


MISHAPS = {
    lose_a_slice: "slices",
    cut_pixels: "truncated or damaged",
    cut_header: "slices",
    mix_birth_dates: "dates of birth",
    mix_patients: "slices",
    colour: "colour",
    empty_a_phase: "empty",
    lose_spacing: "spacing",
    shift_a_slice: "slices",
    lose_pixels: "decoded",
    lose_orientation: "position or orientation",
    lose_phases: "2 phases",
}


def test_damaged_patients_are_reported_and_the_rest_goes_on(tmp_path):
    damaged = {damage.__name__: damage for damage in MISHAPS}
    patients = dict.fromkeys(["whole_before", *damaged, "whole_after"], "sagittal")
    source = tiny_source(tmp_path / "source", patients)
    people = write_dicom(source, patients, tmp_path / "export", "ge", masks="seg")
    for name, damage in damaged.items():
        damage(images(tmp_path / "export" / people[name].folder))
    status, report = run(tmp_path / "export")
    assert status == 1
    key = pd.read_csv(tmp_path / "scans-key.csv", dtype="str").set_index("original_patient_id")["patient_id"]
    outcome = report[report["topic"] == "outcome"].set_index("patient_id")
    for damage, words in MISHAPS.items():
        row = outcome.loc[key[people[damage.__name__].patient_id]]
        assert row["status"] == "not imported", damage
        assert words in row["text"], (damage, row["text"])
        assert row["mend"]
    whole = [key[people[name].patient_id] for name in ("whole_before", "whole_after")]
    assert list(outcome.index[outcome["status"] == "imported"]) == sorted(whole)
    assert sorted(path.name for path in (tmp_path / "scans" / "images").iterdir()) == sorted(whole)
    masks = (tmp_path / "scans" / "segmentations" / "expert").iterdir()
    assert sorted(path.name.removesuffix(".nii.gz") for path in masks) == sorted(whole)
    secrets = {secret for person in people.values() for secret in person.secrets()}
    assert not leaks(tmp_path / "scans", {*secrets, "SOMEBODYELSE", "Somebody"})


@pytest.mark.parametrize("style", ["siemens", "enhanced"])
def test_two_dynamic_series_are_a_reported_choice_that_can_be_made_otherwise(tmp_path, source, style):
    write_dicom(source, ["A1"], tmp_path / "export", style, masks=None, distractors=["repeat"])
    status, report = run(tmp_path / "export")
    assert status == 0
    (row,) = report[report["topic"] == "choice of series"].to_dict("records")
    assert "rather than" in row["text"]
    choices = pd.read_csv(tmp_path / "scans" / "import_choices.csv", dtype="str")
    (taken,) = choices.loc[choices["setting"] == "series", "chosen_by_rule"]
    other = {"1": "2", "2": "1"}[taken]
    was_first = taken == "1"
    for phase, before in zip(imported_phases(tmp_path / "scans"), original_phases(source), strict=True):
        np.testing.assert_array_equal(phase, before + (0 if was_first else 1))
    choices["value"] = other
    choices.to_csv(tmp_path / "mine.csv", index=False)
    status, _ = run(tmp_path / "export", "--choices", str(tmp_path / "mine.csv"))
    for phase, before in zip(imported_phases(tmp_path / "scans"), original_phases(source), strict=True):
        np.testing.assert_array_equal(phase, before + (1 if was_first else 0))


def test_a_folder_that_was_copied_twice_counts_once(tmp_path, source):
    person = write_dicom(source, ["A1"], tmp_path / "export", "siemens", masks="seg")["A1"]
    shutil.copytree(tmp_path / "export" / person.folder, tmp_path / "export" / "again")
    status, report = run(tmp_path / "export")
    assert status == 0
    assert report["text"].str.contains("copies of others").any()
    assert not report["text"].str.contains("masks:").any()
    for phase, before in zip(imported_phases(tmp_path / "scans"), original_phases(source), strict=True):
        np.testing.assert_array_equal(phase, before)


def test_a_mask_of_the_other_dynamic_series_is_pointed_out(tmp_path, source):
    write_dicom(source, ["A1"], tmp_path / "export", "siemens", masks="seg", distractors=["repeat"])
    _, report = run(tmp_path / "export")
    assert not report["text"].str.contains("refers to another series").any()
    (tmp_path / "mine.csv").write_text("patient_id,setting,value\nP0001,series,2\n")
    _, report = run(tmp_path / "export", "--choices", str(tmp_path / "mine.csv"))
    assert report["text"].str.contains("refers to another series").any()


def test_of_a_dixon_scan_the_water_images_are_taken(tmp_path, source):
    write_dicom(source, ["A1"], tmp_path / "export", "siemens", masks=None, distractors=["repeat"])
    for path in images(tmp_path / "export"):
        kind = "WATER" if pydicom.dcmread(path).SeriesNumber > 5 else "FAT"
        change(path, ImageType=["DERIVED", "PRIMARY", "DIXON", kind])
    _, report = run(tmp_path / "export")
    assert (report["topic"] == "choice of series").sum() == 1
    for phase, before in zip(imported_phases(tmp_path / "scans"), original_phases(source), strict=True):
        np.testing.assert_array_equal(phase, before + 1)


@pytest.mark.parametrize("dates", [True, False], ids=["with dates", "without dates"])
def test_a_scan_across_midnight_keeps_its_order(tmp_path, source, dates):
    def late(patient):
        return replace(planted_identity(patient), study_started=datetime(2019, 5, 1, 23, 47, 30))

    write_dicom(source, ["A1"], tmp_path / "export", "siemens", identity=late, masks=None)
    files = images(tmp_path / "export")
    assert len({pydicom.dcmread(path).AcquisitionDate for path in files}) == 2
    for path in files if not dates else []:
        change(path, AcquisitionDate=None, ContentDate=None)
    status, _ = run(tmp_path / "export")
    assert status == 0
    for phase, before in zip(imported_phases(tmp_path / "scans"), original_phases(source), strict=True):
        np.testing.assert_array_equal(phase, before)
    table = pd.read_csv(tmp_path / "scans" / "patients.csv")
    assert list(table["acquisition_times"]) == ["[0, 97, 194, 291]"]


@pytest.mark.parametrize("style", ["siemens", "ge"])
def test_a_phase_missing_in_between_is_noticed(tmp_path, source, style):
    write_dicom(source, ["A1"], tmp_path / "export", style, masks=None)
    for path in images(tmp_path / "export")[SLICES : 2 * SLICES]:
        path.unlink()
    _, report = run(tmp_path / "export")
    assert report["text"].str.contains("missing|absent|gap").any(), report["text"].tolist()


@pytest.mark.parametrize(
    "different",
    [{}, {"FrameOfReferenceUID": "1.2.3.4"}, {"FlipAngle": "12"}, {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"]}],
    ids=["nothing else", "frame of reference", "flip angle", "image type"],
)
def test_a_phase_before_contrast_in_a_series_of_its_own_is_joined_or_asked_for(tmp_path, source, different):
    """Taken silently, the first enhanced phase would stand for the one before contrast."""
    write_dicom(source, ["A1"], tmp_path / "export", "siemens", masks=None)
    for path in images(tmp_path / "export")[:SLICES]:
        change(path, SeriesInstanceUID="1.2.3.4.5", SeriesNumber=4, SeriesDescription="t1 pre", **different)
    _, report = run(tmp_path / "export")
    if different:
        asked = report[(report["mend"] != "") & report["text"].str.contains("before contrast")]
        assert len(asked) == 1
        (tmp_path / "mine.csv").write_text("patient_id,setting,value\nP0001,series,1 2\n")
        run(tmp_path / "export", "--choices", str(tmp_path / "mine.csv"))
    for phase, before in zip(imported_phases(tmp_path / "scans"), original_phases(source), strict=True):
        np.testing.assert_array_equal(phase, before)


def test_without_times_the_user_is_asked_and_can_answer(tmp_path, source):
    write_dicom(source, ["A1"], tmp_path / "export", "ge", masks=None)
    for path in images(tmp_path / "export"):
        change(path, TriggerTime=None, AcquisitionTime=None, ContentTime=None)
    status, report = run(tmp_path / "export")
    assert status == 0
    assert report["text"].str.contains("times are not recorded").any()
    (tmp_path / "mine.csv").write_text("patient_id,setting,value\nP0001,seconds,0 90 180 270\n")
    run(tmp_path / "export", "--choices", str(tmp_path / "mine.csv"))
    table = pd.read_csv(tmp_path / "scans" / "patients.csv")
    assert list(table["acquisition_times"]) == ["[0, 90, 180, 270]"]


def test_files_without_preamble_and_a_strange_patient_id(tmp_path, source):
    write_dicom(source, ["A1"], tmp_path / "export", "ge", masks=None)
    for path in images(tmp_path / "export"):
        data = pydicom.dcmread(path)
        data.PatientID = "../../x/=1+1"
        stream = pydicom.filebase.DicomBytesIO()
        stream.is_little_endian = stream.is_implicit_VR = True
        pydicom.filewriter.write_dataset(stream, data)
        path.write_bytes(stream.getvalue())
    status, _ = run(tmp_path / "export")
    assert status == 0
    for phase, before in zip(imported_phases(tmp_path / "scans"), original_phases(source), strict=True):
        np.testing.assert_array_equal(phase, before)


def test_a_slope_as_philips_writes_it_gives_display_values(tmp_path, source):
    write_dicom(source, ["A1"], tmp_path / "export", "philips", masks=None)
    stored = {}
    for path in images(tmp_path / "export"):
        change(path, RescaleSlope="0.23174603174603")
        data = pydicom.dcmread(path)
        stored.setdefault(data.TemporalPositionIdentifier, []).append(data.pixel_array.ravel())
    run(tmp_path / "export")
    for number, phase in enumerate(imported_phases(tmp_path / "scans"), start=1):
        expected = np.sort(np.concatenate(stored[number]) * 0.23174603174603)
        np.testing.assert_allclose(np.sort(phase.ravel()), expected, rtol=1e-6)


@pytest.mark.parametrize("mask", ["seg", "rtstruct"])
def test_a_mask_drawn_elsewhere_is_not_moved_onto_the_scan(tmp_path, source, mask):
    write_dicom(source, ["A1"], tmp_path / "export", "siemens", masks=mask)
    (path,) = (tmp_path / "export").rglob("*.dcm")
    data = pydicom.dcmread(path)
    if mask == "seg":
        for groups in data.PerFrameFunctionalGroupsSequence:
            plane = groups.PlanePositionSequence[0]
            plane.ImagePositionPatient = [float(value) + 300 for value in plane.ImagePositionPatient]
    else:
        for contour in data.ROIContourSequence[0].ContourSequence:
            contour.ContourData = [float(value) + 300 for value in contour.ContourData]
    data.save_as(path)
    _, report = run(tmp_path / "export")
    assert report["text"].str.contains("no mask was written").any()
    assert not list((tmp_path / "scans").rglob("segmentations/expert/*"))
