"""What no program can read: a clear message, the right exit status, and nothing half-written."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import msoffcrypto
import openpyxl
import pytest
from msoffcrypto.format.ooxml import OOXMLFile

from tests.hospital import clinic, ward
from tests.hospital.judge import errors
from tests.hospital.running import Place


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


def _workbook() -> bytes:
    held = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(["patient_id", "her2"])
    book.active.append(["P1", "positive"])
    book.save(held)
    return held.getvalue()


def _encrypted() -> bytes:
    held = io.BytesIO()
    OOXMLFile(io.BytesIO(_workbook())).encrypt("geheim", held)
    assert msoffcrypto.OfficeFile(io.BytesIO(held.getvalue())).is_encrypted()
    return held.getvalue()


def _zipped(name: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as parts:
        parts.writestr(name, "<w:document/>")
    return held.getvalue()


def _spoilt() -> bytes:
    """A workbook whose sheet ends in the middle; the package around it is sound."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_workbook())) as old, zipfile.ZipFile(held, "w") as new:
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, content[: len(content) // 2] if "sheet1" in part else content)
    return held.getvalue()


FILES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "a password": ("patients.xlsx", _encrypted, "password"),
    "half a workbook": ("patients.xlsx", lambda: _workbook()[:2000], "patients.xlsx"),
    "a workbook with half a sheet": ("patients.xlsx", _spoilt, "patients.xlsx"),
    "no byte": ("patients.xlsx", lambda: b"", "empty"),
    "a letter named a workbook": ("patients.xlsx", lambda: _zipped("word/document.xml"), "patients.xlsx"),
    "a web page named a workbook": ("patients.xlsx", lambda: b"<html><table><tr><td>1</td></tr></table>", "html"),
    "text named a workbook": ("patients.xlsx", lambda: b"patient_id,her2\nP1,positive\n", "csv"),
    "a workbook of 1997": ("patients.xls", lambda: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), ".xlsx"),
    "a picture named a table": ("patients.csv", lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "patients.csv"),
    "an empty text": ("patients.csv", lambda: b"", "empty"),
    "a header alone": ("patients.csv", lambda: b"patient_id,her2\n", "no row|no patient|empty|no rows"),
    "half a parquet": ("patients.parquet", lambda: b"PAR1" + bytes(40), "patients.parquet"),
}


def _says(message: str, words: str) -> bool:
    return any(word.casefold() in message.casefold() for word in words.split("|"))


@pytest.mark.parametrize("kind", FILES)
def test_a_table_that_cannot_be_read_starts_no_study(place, capsys, kind):
    name, content, words = FILES[kind]
    (place.root / name).write_bytes(content())
    assert place.call("new", "mine", "--table", place.root / name) == 2
    said = capsys.readouterr()
    assert name in said.err
    assert _says(said.err, words), said.err
    assert "Traceback" not in said.err
    assert place.files("papers") == []


@pytest.mark.parametrize("kind", FILES)
def test_a_table_that_cannot_be_read_is_a_finding(place, kind):
    name, content, words = FILES[kind]
    data = place.root / "data"
    data.mkdir()
    (data / name).write_bytes(content())
    settings = ward.settings()
    settings["source"] |= {"table": name, "sheet": None, "reading": {}, "mending": None}
    status, found = place.validate(place.study(settings), data)
    assert status == 1
    assert any(name in line and _says(line, words) for line in errors(found)), errors(found)


def test_a_folder_of_unrelated_files(place):
    data = place.root / "holiday"
    data.mkdir()
    for name in ("beach.jpg", "invoice.pdf", "notes.txt", "budget.csv"):
        (data / name).write_bytes(b"nothing of a patient")
    status, found = place.validate(place.study(ward.settings(), ward.mending()), data)
    assert status == 1
    assert any("patients.xlsx" in line and "budget.csv" in line for line in errors(found)), errors(found)


def test_a_folder_that_is_not_there(place, capsys):
    study = place.study(ward.settings(), ward.mending())
    assert place.call("validate", study, "--data", place.root / "gone") in (1, 2)
    said = capsys.readouterr()
    assert "gone" in said.err + said.out


def test_a_study_that_is_not_there(place, capsys):
    place.study(ward.settings(), ward.mending())
    assert place.call("validate", "wart", "--data", place.root) == 2
    assert "did you mean 'ward'" in capsys.readouterr().err
    assert place.files("results") == []


def test_settings_that_are_no_settings(place):
    data = place.root / "data"
    data.mkdir()
    ward.sheet().to_xlsx(data / "patients.xlsx", "患者")
    study = place.study(ward.settings(), ward.mending())
    for text in ("name: [ward", "- a list\n", "", "\tname: ward"):
        (place.root / "papers" / study / "study.yml").write_text(text)
        status, found = place.validate(study, data)
        assert status == 1
        assert len(errors(found)) == 1, text
        assert "study.yml" in errors(found)[0]


def test_a_study_is_never_written_over(place, capsys):
    ward.sheet().to_xlsx(place.root / "patients.xlsx", "患者")
    study = place.study(ward.settings(), ward.mending())
    before = {name: (place.root / name).read_bytes() for name in place.files("papers")}
    assert place.call("new", study, "--table", place.root / "patients.xlsx") == 2
    assert "ward" in capsys.readouterr().err
    assert {name: (place.root / name).read_bytes() for name in place.files("papers")} == before


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "", ".hidden", "con\nfig", "名" * 300])
def test_a_name_that_is_no_folder(place, capsys, name):
    ward.sheet().to_xlsx(place.root / "patients.xlsx", "患者")
    assert place.call("new", name, "--table", place.root / "patients.xlsx") == 2
    assert place.files(".") == ["patients.xlsx"]
    assert "Traceback" not in capsys.readouterr().err


def test_reproduce_refuses_on_errors_and_says_which(place, capsys):
    data = place.root / "data"
    data.mkdir()
    sheet = ward.sheet()
    sheet.of_patient("XH-004")["age"] = "5O"
    sheet.to_xlsx(data / "patients.xlsx", "患者")
    study = place.study(ward.settings(), ward.mending())
    assert place.call("reproduce", "--study", study, "--data", data) in (1, 2)
    said = capsys.readouterr()
    assert "5O" in said.err + said.out
    assert not [name for name in place.files("results") if name.endswith((".parquet", ".ipynb"))]


def test_a_cohort_without_events_is_said_before_hours_are_spent(place, capsys):
    files = clinic.Clinic()
    files.without_events()
    files.write(place.root / "data")
    study = place.study(files.study, files.mending)
    status, found = place.validate(study, place.root / "data")
    assert status == 1
    assert any("HER2-positive" in line for line in errors(found)), errors(found)
    assert place.call("reproduce", "--study", study, "--data", place.root / "data") in (1, 2)
    assert "HER2-positive" in capsys.readouterr().err
