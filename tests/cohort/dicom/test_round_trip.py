"""What vendors' DICOM holds comes back from the import voxel by voxel; what identifies people does not.

The DICOM is written by ``her2study.cohort.simulated.dicom``, which shares no code with the import and is itself
checked against GDCM and highdicom in ``tests/cohort/test_simulate_dicom.py``.
"""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from her2study.cli import main
from her2study.cohort.simulated.dicom import STYLES, write_dicom
from her2study.cohort.sources import mask_file, parse_times, phase_files, read_table
from her2study.imaging.volume import read_mask, read_scan
from her2study.study import Source
from tests.cohort.privacy import leaks
from tests.cohort.tiny_scans import GEOMETRIES, SECONDS, tiny_source

PATIENTS = {f"A{number}": geometry for number, geometry in enumerate(GEOMETRIES)}

WITH_OTHERS = ("siemens", "enhanced")
"""Styles whose export also holds what is no dynamic scan."""

OTHERS = ("localiser", "t2", "subtraction", "mip", "secondary_capture", "report", "pdf", "dicomdir", "junk")


class Imported:
    """A style's patients before and after."""

    def __init__(self, folder: Path, style: str, masks: str | None, distractors: tuple[str, ...] = (), **source):
        self.folder, self.dest = folder, folder / "scans"
        self.source = tiny_source(folder / "source", PATIENTS, **source)
        self.people = write_dicom(self.source, PATIENTS, folder / "export", style, masks=masks, distractors=distractors)
        options = ["--masks", str(folder / "export" / "masks")] if masks == "nifti" else []
        self.status = main(["import-dicom", str(folder / "export"), str(self.dest), "--workers", "1", *options])
        key = pd.read_csv(folder / "scans-key.csv", dtype="str").set_index("original_patient_id")["patient_id"]
        self.pseudonym = {patient: key[person.patient_id] for patient, person in self.people.items()}

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.dest / name, dtype="str", keep_default_na=False)

    def phases(self, patient: str) -> list[Path]:
        return sorted((self.dest / "images" / self.pseudonym[patient]).iterdir())

    def mask(self, patient: str) -> Path:
        return self.dest / "segmentations" / "expert" / f"{self.pseudonym[patient]}.nii.gz"


@pytest.fixture(scope="module", params=STYLES)
def imported(request, tmp_path_factory) -> Imported:
    others = OTHERS if request.param in WITH_OTHERS else ()
    return Imported(tmp_path_factory.mktemp(request.param), request.param, "seg", others)


def assert_same_volume(before: Path, after: Path) -> None:
    """Same whole numbers at the same millimetres, whichever way the files store their axes."""
    old, new = (nib.as_closest_canonical(nib.load(path)) for path in (before, after))
    assert np.issubdtype(new.get_data_dtype(), np.integer)
    np.testing.assert_array_equal(np.asanyarray(new.dataobj), np.asanyarray(old.dataobj))
    np.testing.assert_allclose(new.affine, old.affine, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("patient", PATIENTS, ids=PATIENTS.get)
def test_volumes_come_back_voxel_by_voxel_and_in_millimetres(imported, patient):
    assert imported.status == 0
    after = imported.phases(patient)
    assert len(after) == len(SECONDS)
    for phase, path in enumerate(after):
        assert_same_volume(imported.source / "images" / patient / f"{patient}_{phase:04d}.nii.gz", path)
        assert nib.load(path).header["qform_code"] > 0
        np.testing.assert_allclose(nib.load(path).get_qform(), nib.load(path).affine, atol=1e-4)


@pytest.mark.parametrize("patient", PATIENTS, ids=PATIENTS.get)
def test_segmentations_come_back_exactly(imported, patient):
    assert_same_volume(imported.source / "segmentations" / "expert" / f"{patient}.nii.gz", imported.mask(patient))
    on_scan = nib.load(imported.mask(patient)), nib.load(imported.phases(patient)[0])
    np.testing.assert_allclose(on_scan[0].affine, on_scan[1].affine, atol=1e-6)


@pytest.mark.parametrize("imported", ["ge"], indirect=True)
def test_the_folder_is_the_source_of_a_study(imported):
    """As docs/dicom.md says: a clinical table with the pseudonyms, joined with patients.csv."""
    pseudonyms = sorted(imported.pseudonym.values())
    clinical = pd.DataFrame({"patient_id": pseudonyms, "her2": ["positive", "negative", "negative"]})
    clinical.to_csv(imported.dest / "clinical.csv", index=False)
    source = Source(kind="folder", table="clinical.csv", joins=("patients.csv",))
    table = read_table(imported.dest, source, imported.folder)
    assert list(table["acquisition_times"].map(parse_times)) == [list(SECONDS)] * len(PATIENTS)
    for patient, pseudonym in imported.pseudonym.items():
        before, after = (
            read_scan(phase_files(folder, name)[1])
            for folder, name in ((imported.source, patient), (imported.dest, pseudonym))
        )
        np.testing.assert_array_equal(after.voxels, before.voxels)
        np.testing.assert_allclose(after.affine, before.affine, atol=1e-5)
        lesion = read_mask(mask_file(imported.dest, pseudonym), after)
        np.testing.assert_array_equal(lesion, read_mask(mask_file(imported.source, patient), before))


@pytest.mark.parametrize(("style", "masks"), [("siemens", "rtstruct"), ("enhanced", "rtstruct"), ("ge", "nifti")])
def test_contours_and_nifti_masks_come_back_exactly(tmp_path, style, masks):
    imported = Imported(tmp_path, style, masks)
    assert imported.status == 0
    for patient in PATIENTS:
        assert_same_volume(imported.source / "segmentations" / "expert" / f"{patient}.nii.gz", imported.mask(patient))
        assert not leaks(imported.dest, imported.people[patient].secrets())


def test_contours_thinned_by_half_a_voxel_agree_within_a_tenth(tmp_path):
    """Two of the lesion's 50 voxels are lost: a hole of one voxel is filled, a voxel at a corner is cut off."""
    imported = Imported(tmp_path, "siemens", "rtstruct_thinned")
    for patient in PATIENTS:
        before = nib.as_closest_canonical(nib.load(imported.source / "segmentations" / "expert" / f"{patient}.nii.gz"))
        after = nib.as_closest_canonical(nib.load(imported.mask(patient)))
        overlap = 2 * np.sum(before.get_fdata() * after.get_fdata())
        assert overlap / (before.get_fdata().sum() + after.get_fdata().sum()) >= 0.95


def test_phase_times_come_back(imported):
    table = imported.table("patients.csv").set_index("patient_id")
    for pseudonym in imported.pseudonym.values():
        assert parse_times(table.loc[pseudonym, "acquisition_times"]) == list(SECONDS)
        assert table.loc[pseudonym, "post_contrast_phases"] == str(len(SECONDS) - 1)


def test_nothing_that_identifies_a_person_leaves_the_header(imported):
    for person in imported.people.values():
        assert not leaks(imported.dest, person.secrets())


def test_the_report_names_what_was_dropped(imported):
    report = (imported.dest / "import_report.md").read_text(encoding="utf-8")
    for attribute in (
        "PatientName PatientID OtherPatientIDs PatientBirthDate PatientComments AccessionNumber InstitutionName "
        "StudyDate StudyTime StationName DeviceSerialNumber ReferringPhysicianName OperatorsName StudyDescription "
        "SeriesDescription ProtocolName StudyInstanceUID SeriesInstanceUID SOPInstanceUID FrameOfReferenceUID "
        "RequestAttributesSequence PatientTelephoneNumbers"
    ).split():
        assert re.search(rf"\b{attribute}\b", report), attribute
    style_with_private_attributes = "enhanced_separate" not in imported.folder.name
    assert ("private" in report) or not style_with_private_attributes


@pytest.mark.parametrize("imported", WITH_OTHERS, indirect=True)
def test_other_objects_are_left_out_and_counted(imported):
    series = imported.table("import_series.csv")
    for pseudonym in imported.pseudonym.values():
        own = series[series["patient_id"] == pseudonym]
        assert (own["used"] == "yes").sum() == 1
        reasons = " | ".join(own.loc[own["used"] == "no", "left_out_because"])
        for words in ("localiser", "one volume", "computed from other images", "not MR"):
            assert words in reasons
    report = (imported.dest / "import_report.md").read_text(encoding="utf-8")
    assert re.search(r"DICOMDIR \| 3", report)
    assert re.search(r"no DICOM file \| 1\d", report)


@pytest.mark.parametrize("imported", ["siemens"], indirect=True)
def test_the_search_for_leaks_finds_what_is_there(imported, tmp_path):
    """Without this, the test of privacy could pass by looking in the wrong places."""
    person = next(iter(imported.people.values()))
    for number, encoding in enumerate(("utf-8", "utf-16-le", "latin-1")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "a.csv").write_bytes(b"x" + person.given_name.encode(encoding, "ignore"))
        assert leaks(folder, person.secrets())
    for name in ("header", "member", "file"):
        folder = tmp_path / name
        folder.mkdir()
        image = nib.load(imported.phases("A0")[0])
        image.header["descrip"] = person.birth_date.strftime("%Y%m%d") if name == "header" else ""
        target = folder / (f"{person.accession_number}.nii.gz" if name == "file" else "P0001.nii.gz")
        inner = f"{person.patient_id}.nii" if name == "member" else ""
        with open(target, "wb") as file, gzip.GzipFile(inner, "wb", fileobj=file, mtime=0) as packed:
            packed.write(nib.Nifti1Image(np.asanyarray(image.dataobj), None, image.header).to_bytes())
        assert leaks(folder, person.secrets())
    (tmp_path / "uid").mkdir()
    (tmp_path / "uid" / "a.json").write_text('{"series": "1.2.840.113619.2.312.1"}')
    assert leaks(tmp_path / "uid", ())
