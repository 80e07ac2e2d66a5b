"""`her2study import-dicom` from files to folder: what is written, what is refused, and that it goes on."""

from __future__ import annotations

import csv
import shutil

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from her2study.cli import main
from her2study.cohort.sources import parse_times, read_table
from her2study.study import Source
from tests.cohort.dicom.maker import clock, uid, write_scan


@pytest.fixture
def run(tmp_path, capsys):
    """Run the import of ``tmp_path/in`` and return its status and what it said."""

    def call(*options, dest="out"):
        status = main(
            ["import-dicom", str(tmp_path / "in"), str(tmp_path / dest), "--workers", "1", *map(str, options)]
        )
        told = capsys.readouterr()
        return status, told.out + told.err

    return call


def table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def texts(folder, patient="P0001"):
    rows = table(folder / "import_report.csv")
    return " | ".join(row["text"] for row in rows if row["patient_id"] == patient and row["topic"] != "dropped")


def voxels(folder, patient="P0001"):
    """Phases as stored, ``(phase, slice, row, column)``."""
    files = sorted((folder / "images" / patient).glob("*.nii.gz"))
    return np.stack([np.asarray(nib.load(path).dataobj).T for path in files])


def test_a_scan_becomes_volumes_with_times(run, tmp_path):
    expected = write_scan(tmp_path / "in" / "deep" / "er")
    (tmp_path / "in" / "notes.txt").write_text("no image")
    status, told = run()
    out = tmp_path / "out"
    assert status == 0, told
    np.testing.assert_array_equal(voxels(out), expected)
    assert voxels(out).dtype == np.int16
    assert table(out / "patients.csv") == [
        {
            "patient_id": "P0001",
            "acquisition_times": "[0, 90, 180]",
            "manufacturer": "Siemens",
            "field_strength_t": "3.0",
            "in_plane_spacing_mm": "0.8",
            "slice_thickness_mm": "2.0",
            "view": "axial",
            "post_contrast_phases": "2",
        }
    ]
    assert [row["files"] for row in table(out / "import_mapping.csv")] == ["6", "6", "6"]
    assert "| no DICOM file | 1 |" in (out / "import_report.md").read_text()


def test_millimetres_are_those_of_simpleitk(run, tmp_path):
    """An oblique scan, read by another library from the same files."""
    tilt = np.deg2rad(20)
    row, column = [np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0]
    normal = np.cross(row, column)

    def oblique(ds, phase, k):
        ds.ImageOrientationPatient = [round(float(v), 12) for v in (*row, *column)]
        ds.ImagePositionPatient = [round(float(v), 9) for v in np.array([3, -7, 11]) + 2.5 * k * normal]

    write_scan(tmp_path / "in", change=oblique)
    assert run()[0] == 0
    names = [str(tmp_path / "in" / f"5-0-{6 - k}") for k in range(6)]
    peer = sitk.ReadImage(names, sitk.sitkInt16, imageIO="GDCMImageIO")
    ours = sitk.ReadImage(str(tmp_path / "out/images/P0001/P0001_0000.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(ours), sitk.GetArrayFromImage(peer))
    np.testing.assert_allclose(ours.GetOrigin(), peer.GetOrigin(), atol=1e-5)
    np.testing.assert_allclose(ours.GetDirection(), peer.GetDirection(), atol=1e-6)
    np.testing.assert_allclose(ours.GetSpacing(), peer.GetSpacing(), rtol=1e-6)


def test_the_folder_serves_as_a_study_source(run, tmp_path):
    write_scan(tmp_path / "in")
    run()
    out = tmp_path / "out"
    (out / "clinical.csv").write_text("patient_id,centre,her2\nP0001,A,positive\n")
    frame = read_table(out, Source(kind="folder", table="clinical.csv", joins=("patients.csv",)), tmp_path)
    assert parse_times(frame["acquisition_times"][0]) == [0, 90, 180]


def test_nothing_of_the_header_text_leaves_it(run, tmp_path):
    write_scan(tmp_path / "in" / "Doe Jane", patient="SECRET-77")
    run()
    planted = ["Doe", "Jane", "SECRET", "19600102", "20200304", "095500", "t1 dyn", uid("SECRET-77", "study")]
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    for path in written:
        text = (path.read_bytes() if path.suffix != ".gz" else nib.load(path).header.binaryblock).decode("latin-1")
        assert not [word for word in planted if word.lower() in text.lower() + path.name.lower()], path
    report = (tmp_path / "out" / "import_report.md").read_text()
    assert "| PatientName | 18 | 1 |" in report
    assert "| SeriesDescription | 18 | 1 |" in report
    key = table(tmp_path / "out-key.csv")
    assert [(row["patient_id"], row["original_patient_id"]) for row in key] == [("P0001", "SECRET-77")]
    assert (tmp_path / "out-key.csv").stat().st_mode & 0o077 == 0


def test_a_patient_that_cannot_be_imported_does_not_stop_the_others(run, tmp_path):
    write_scan(tmp_path / "in" / "a", patient="whole")
    write_scan(tmp_path / "in" / "b", patient="broken", leave_out=[(1, 3)])
    status, told = run()
    assert status == 1
    assert "1 patient could not be imported" in told
    out = tmp_path / "out"
    names = {row["original_patient_id"]: row["patient_id"] for row in table(tmp_path / "out-key.csv")}
    assert [row["patient_id"] for row in table(out / "patients.csv")] == [names["whole"]]
    assert "phase 2 of 3 lacks 1 of 6 slices" in texts(out, names["broken"])
    assert not (out / "images" / names["broken"]).exists()
    assert not list((out / ".import").glob("part/*"))


def test_the_same_command_again_does_nothing_and_changes_nothing(run, tmp_path):
    write_scan(tmp_path / "in")
    run()
    out = tmp_path / "out"
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != ".lock"}
    written = (out / "images/P0001/P0001_0000.nii.gz").stat().st_mtime_ns
    assert "1 of 1 patients are finished already" in run()[1]
    assert {path: path.read_bytes() for path in before} == before
    assert (out / "images/P0001/P0001_0000.nii.gz").stat().st_mtime_ns == written


def test_a_lost_output_and_a_changed_source_are_noticed(run, tmp_path):
    write_scan(tmp_path / "in")
    run()
    lost = tmp_path / "out/images/P0001/P0001_0001.nii.gz"
    expected = lost.read_bytes()
    lost.unlink()
    assert "finished already" not in run()[1]
    assert lost.read_bytes() == expected
    (tmp_path / "in" / "5-0-1").write_bytes(b"damaged")
    status, _ = run()
    assert status == 1
    assert not lost.exists()
    assert table(tmp_path / "out" / "patients.csv") == []


def test_patients_that_come_later_keep_the_pseudonyms_of_the_others(run, tmp_path):
    for name in ("m", "a", "z"):
        write_scan(tmp_path / "in" / name, patient=name)
    run()
    first = {row["original_patient_id"]: row["patient_id"] for row in table(tmp_path / "out-key.csv")}
    shutil.rmtree(tmp_path / "in")
    write_scan(tmp_path / "in" / "new", patient="b")
    run()
    second = {row["original_patient_id"]: row["patient_id"] for row in table(tmp_path / "out-key.csv")}
    assert second == first | {"b": "P0004"}
    assert [row["patient_id"] for row in table(tmp_path / "out" / "patients.csv")] == [f"P000{i}" for i in (1, 2, 3, 4)]


def test_two_people_under_one_identifier_are_not_merged(run, tmp_path):
    write_scan(tmp_path / "in" / "a", series=5)
    write_scan(tmp_path / "in" / "b", series=6, change=lambda ds, *_: setattr(ds, "PatientBirthDate", "19700101"))
    assert run()[0] == 1
    assert "2 different dates of birth stand under one PatientID" in texts(tmp_path / "out")
    choices = tmp_path / "choices.csv"
    choices.write_text("patient_id,setting,value,why\nP0001,series,2,\n")
    assert run("--choices", choices)[0] == 0
    assert {row["series"] for row in table(tmp_path / "out" / "import_mapping.csv")} == {"2"}


def test_an_ultrafast_series_is_left_for_the_slower_one_and_said(run, tmp_path):
    write_scan(tmp_path / "in" / "a", phases=3, series=7)

    def fast(ds, phase, k):
        ds.AcquisitionTime = clock(36000 - 200 + 5 * phase)
        ds.FlipAngle = "20"

    write_scan(tmp_path / "in" / "b", phases=8, series=4, change=fast)
    assert run()[0] == 0
    assert "series 2 (3 phases) was taken rather than series 1 (8 phases)" in texts(tmp_path / "out")
    rows = table(tmp_path / "out" / "import_choices.csv")
    assert [(row["setting"], row["value"], row["chosen_by_rule"]) for row in rows] == [("series", "", "2")]


def test_choices_as_yaml_and_by_original_identifier(run, tmp_path):
    write_scan(tmp_path / "in", phases=4)
    choices = tmp_path / "mine.yml"
    choices.write_text("ID-1: {drop_phases: [3], seconds: [0, 100, 250.5]}\n")
    assert run("--choices", choices)[0] == 0
    assert table(tmp_path / "out" / "patients.csv")[0]["acquisition_times"] == "[0, 100, 250.5]"
    assert {row["seconds_from"] for row in table(tmp_path / "out" / "import_mapping.csv")} == {"choices"}


def test_a_mask_by_the_original_identifier(run, tmp_path):
    write_scan(tmp_path / "in")
    run()
    scan = nib.load(tmp_path / "out/images/P0001/P0001_0000.nii.gz")
    drawn = np.zeros(scan.shape, np.uint8)
    drawn[1:3, 2:4, 3] = 1
    (tmp_path / "masks").mkdir()
    turned = nib.as_closest_canonical(nib.Nifti1Image(drawn, scan.affine))  # other axes, same place
    nib.save(turned, tmp_path / "masks" / "ID-1.nii.gz")
    assert run("--masks", tmp_path / "masks")[0] == 0
    ours = nib.load(tmp_path / "out/segmentations/expert/P0001.nii.gz")
    np.testing.assert_array_equal(np.asarray(ours.dataobj), drawn)
    np.testing.assert_allclose(ours.affine, scan.affine)


def test_a_mirrored_mask_is_told_and_not_used(run, tmp_path):
    write_scan(tmp_path / "in")
    run()
    scan = nib.load(tmp_path / "out/images/P0001/P0001_0000.nii.gz")
    (tmp_path / "masks").mkdir()
    mirrored = nib.Nifti1Image(np.ones(scan.shape, np.uint8), np.diag([-1.0, 1, 1, 1]) @ scan.affine)
    nib.save(mirrored, tmp_path / "masks" / "ID-1.nii.gz")
    assert run("--masks", tmp_path / "masks")[0] == 0
    assert "if left and right were exchanged" in texts(tmp_path / "out")
    assert not (tmp_path / "out" / "segmentations").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "out"], "nowhere is not a folder"),
        (["in", "in/out"], "lie in each other"),
        (["in", "full"], "is not empty and was not written by import-dicom"),
        (["in", "out", "--key", "out/key.csv"], "must lie outside"),
        (["in", "out", "--masks", "nowhere"], "nowhere is not a folder"),
        (["in", "out", "--choices", "nowhere.csv"], "nowhere.csv does not exist"),
        (["in", "out", "--key", "full/a.txt"], "is no key of import-dicom"),
        (["full", "out"], "none of 1 files is a DICOM image"),
    ],
)
def test_wrong_use_is_explained_and_writes_nothing(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    write_scan(tmp_path / "in")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("mine")
    assert main(["import-dicom", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out-key.csv").exists()


def test_without_its_key_a_folder_is_not_continued(run, tmp_path):
    write_scan(tmp_path / "in")
    run()
    (tmp_path / "out-key.csv").unlink()
    status, told = run()
    assert status == 2
    assert "without the key they would get other pseudonyms" in told


def test_manual_page_shows_an_example(capsys):
    with pytest.raises(SystemExit):
        main(["import-dicom", "--help"])
    told = capsys.readouterr().out
    assert "her2study import-dicom /archive/export scans" in told
    assert "P0009,drop_phases,3" in told


def test_a_mistyped_choice_is_explained(run, tmp_path):
    write_scan(tmp_path / "in")
    for line, said in (
        ("P0001,serie,2", "unknown setting 'serie'; did you mean 'series'?"),
        ("P0002,series,2", "patient 'P0002' is not in the source folder"),
        ("P0001,seconds,10 20", "seconds = '10 20' cannot be meant"),
        ("P0001,accept,perhaps", "accept = 'perhaps' cannot be meant"),
    ):
        (tmp_path / "c.csv").write_text(f"patient_id,setting,value\n{line}\n")
        status, told = run("--choices", tmp_path / "c.csv")
        assert status == 2
        assert said in told
    assert not (tmp_path / "out").exists()


def test_workers_do_not_change_a_byte(run, tmp_path):
    for name in ("a", "b"):
        write_scan(tmp_path / "in" / name, patient=name)
    run()
    assert main(["import-dicom", f"{tmp_path}/in", f"{tmp_path}/two", "--workers", "2", "--key",
                 f"{tmp_path}/out-key.csv"]) == 0  # fmt: skip
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file() and path.name != ".lock":
            assert (tmp_path / "two" / path.relative_to(tmp_path / "out")).read_bytes() == path.read_bytes(), path
