"""pydicom's own test files, the strangest DICOM there is: a clear outcome, never a traceback."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pydicom
import pydicom.data
import pytest

from her2study.cli import main
from tests.cohort.privacy import leaks

BUNDLED = sorted(path for path in (Path(pydicom.data.__file__).parent).rglob("*") if path.is_file())

ALONE = [path for path in BUNDLED if path.parent.name == "test_files" and path.suffix == ".dcm"]


def test_pydicom_brings_enough_files_to_mean_something():
    assert len(ALONE) > 60


def test_all_bundled_files_in_one_folder(tmp_path, capfd):
    (tmp_path / "export").mkdir()
    for number, path in enumerate(BUNDLED):
        shutil.copy(path, tmp_path / "export" / f"{number:03d}_{path.name}")
    status = main(["import-dicom", str(tmp_path / "export"), str(tmp_path / "scans"), "--workers", "1"])
    printed = capfd.readouterr()
    assert status == 1
    assert "Traceback" not in printed.out + printed.err
    report = (tmp_path / "scans" / "import_report.md").read_text(encoding="utf-8")
    assert "no DICOM file" in report
    assert not list((tmp_path / "scans").rglob("*.nii.gz"))
    assert not leaks(tmp_path / "scans", people_in(BUNDLED))


def people_in(paths: list[Path]) -> set[str]:
    """Names, identifiers and birth dates in the files that pydicom reads."""
    found = set()
    for path in paths:
        with contextlib.suppress(Exception):  # pydicom's bundle holds files that no reader opens
            data = pydicom.dcmread(path, specific_tags=["PatientName", "PatientID", "PatientBirthDate"])
            found |= {str(value) for value in (data.PatientName, data.PatientID, data.PatientBirthDate) if value}
    assert len(found) > 20
    return {text for text in found if len(text) > 5}


@pytest.mark.parametrize("path", ALONE, ids=lambda path: path.name)
def test_each_bundled_file_alone(tmp_path, capfd, path):
    (tmp_path / "export").mkdir()
    shutil.copy(path, tmp_path / "export")
    status = main(["import-dicom", str(tmp_path / "export"), str(tmp_path / "scans"), "--workers", "1"])
    printed = capfd.readouterr()
    assert status in (1, 2)
    assert "Traceback" not in printed.out + printed.err
    assert printed.out + printed.err
