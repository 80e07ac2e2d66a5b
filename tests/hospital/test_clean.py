"""No false error: tables as they should be, in every way a hospital may write them, and our own studies."""

from __future__ import annotations

import copy
import io
import shutil
from pathlib import Path

import pandas as pd
import pytest

from her2study.pipeline.validate import validate_study
from her2study.store import Run
from her2study.study import load_study
from tests.finished import public_data
from tests.hospital import clinic, scans, ward
from tests.hospital.judge import errors
from tests.hospital.running import Place
from tests.tiny import ROOT


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


def ward_file(place: Place, kind: str) -> tuple[str, Path]:
    """The ward's clean table in one of the ways it may be kept, and the study that says so."""
    data, settings, sheet = place.root / "data", ward.settings(), ward.sheet()
    data.mkdir()
    if kind == "xlsx":
        sheet.to_xlsx(data / "patients.xlsx", "患者")
    else:
        encoding, delimiter = kind.split()
        delimiter = "\t" if delimiter == "tab" else delimiter
        sheet.to_csv(data / "patients.csv", encoding, delimiter)
        settings["source"] |= {"table": "patients.csv", "sheet": None}
        settings["source"]["reading"] |= {"encoding": encoding, "delimiter": delimiter}
    return place.study(settings, ward.mending()), data


@pytest.mark.parametrize("kind", ["xlsx", "utf-8 ,", "utf-8-sig ;", "gb18030 ,", "gbk |", "utf-16 tab"])
def test_a_ward_s_table_however_it_is_kept(place, kind):
    study, data = ward_file(place, kind)
    _, found = place.validate(study, data)
    assert errors(found) == []


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-8", "utf-8-sig"])
def test_a_clinic_s_export(place, encoding):
    files = clinic.Clinic()
    if encoding == "latin-1":  # which has no œ
        files.table = files.table.replace("œ", "oe")
    files.encoding = files.study["source"]["reading"]["encoding"] = encoding
    files.write(place.root / "data")
    _, found = place.validate(place.study(files.study, files.mending), place.root / "data")
    assert errors(found) == []


def test_a_table_of_a_statistician(place):
    """Parquet with types: whole numbers, categories, days, and an index that means nothing."""
    table = pd.read_csv(io.StringIO(scans.table())).astype({"her2": "category", "rim": "category"})
    table["examined"] = pd.date_range("2019-01-07", periods=len(table), freq="9D")
    table["patient_id"] = range(1, len(table) + 1)
    data = place.root / "data"
    data.mkdir()
    table.drop(columns="acquisition_times").set_index(table["age_years"]).to_parquet(data / "patients.parquet")
    settings = copy.deepcopy(scans.SETTINGS)
    settings["source"] |= {"table": "patients.parquet", "date_column": "examined"}
    settings["centres"] = {"development": ["Lyon", "Nantes"], "external_by": "date", "external_from": "2019-10-01"}
    _, found = place.validate(place.study(settings), data)
    assert errors(found) == []


def test_scans(place):
    scans.write_scans(place.root / "data")
    _, found = place.validate(place.study(scans.SETTINGS), place.root / "data")
    assert errors(found) == []
    assert not found["area"].isin(["images", "masks", "geometry", "phases"]).any(), found.to_string()


def test_scans_in_other_letters(place):
    """Names in Chinese, with accents and with spaces are names."""
    data = place.root / "data"
    scans.write_scans(data)
    for old, new in {"S01": "患者 01", "S02": "Gaël-02", "S03": "S 03"}.items():
        table = (data / "patients.csv").read_text(encoding="utf-8").replace(f"{old},", f"{new},")
        (data / "patients.csv").write_text(table, encoding="utf-8")
        shutil.move(data / "images" / old, data / "images" / new)
        for path in (data / "images" / new).iterdir():
            path.rename(path.with_name(path.name.replace(old, new)))
        mask = data / "segmentations" / "expert" / f"{old}.nii.gz"
        mask.rename(mask.with_name(f"{new}.nii.gz"))
    _, found = place.validate(place.study(scans.SETTINGS), data)
    assert errors(found) == []
    assert not found["area"].isin(["images", "masks", "geometry", "phases"]).any(), found.to_string()


def test_the_public_cohort(place):
    data = public_data()
    shutil.copytree(ROOT / "papers" / "mamamia", place.root / "papers" / "mamamia")
    _, found = place.validate("mamamia", Path(data))
    assert errors(found) == []


def test_the_simulated_cohort(finished):
    study = load_study("hong2025", "smoke")
    run = Run(study, finished, "")
    checked = validate_study(study, run.source, workers=1)
    assert errors(checked.findings) == []
    assert checked.included == len(run.load_frame("cohort"))  # what a run does include
