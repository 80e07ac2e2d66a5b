"""Every planted defect has a finding of its own, and nothing is said of it where it was not planted."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.hospital import (
    clinic,
    own,
    planted_clinic,
    planted_own,
    planted_scans,
    planted_settings,
    planted_ward,
    scans,
    ward,
)
from tests.hospital.judge import Planted, errors, fits, untold
from tests.hospital.running import Place


def everything_planted() -> list[Planted]:
    """All defects of this folder."""
    together = [*planted_ward.PLANTED, *planted_clinic.TOGETHER, *planted_scans.PLANTED]
    return [*together, *planted_clinic.ALONE, *planted_settings.ALONE, *planted_own.ALONE]


def names(planted: list[Planted]) -> list[str]:
    return [one.what for one in planted]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    return Place(tmp_path_factory.mktemp("hospital"))


@pytest.fixture(scope="module")
def ward_findings(place) -> dict[str, pd.DataFrame]:
    """Of the ward's table as it should be, and with all defects at once."""
    found = {}
    for name, sheet in {"clean": ward.sheet(), "dirty": planted_ward.dirty(ward.sheet())}.items():
        data = place.root / f"ward-{name}"
        data.mkdir()
        sheet.to_xlsx(data / "patients.xlsx", "患者")
        study = place.study(ward.settings() | {"name": f"ward-{name}"}, ward.mending())
        _, found[name] = place.validate(study, data)
    return found


@pytest.fixture(scope="module")
def clinic_findings(place) -> dict[str, pd.DataFrame]:
    found = {}
    for name in ("clean", "dirty"):
        files = clinic.Clinic()
        for planted in planted_clinic.TOGETHER if name == "dirty" else ():
            planted.plant(files)
        found[name] = validate_clinic(place, files, f"clinic-{name}")[1]
    return found


def validate_clinic(place: Place, files: clinic.Clinic, name: str) -> tuple[int, pd.DataFrame]:
    """The clinic's files and settings, under a name."""
    files.write(place.root / name)
    return place.validate(place.study(files.study | {"name": name}, files.mending), place.root / name)


@pytest.fixture(scope="module")
def scan_findings(place) -> dict[str, pd.DataFrame]:
    found = {}
    for name in ("clean", "dirty"):
        data = place.root / f"scans-{name}"
        scans.write_scans(data)
        for planted in planted_scans.PLANTED if name == "dirty" else ():
            planted.plant(data)
        _, found[name] = place.validate(place.study(scans.SETTINGS | {"name": f"scans-{name}"}), data)
    return found


def told(planted: Planted, among: list[Planted], found: dict[str, pd.DataFrame]) -> None:
    """Insist that the dirty findings tell it, by a finding of its own, and that the clean ones do not."""
    assert planted.what not in untold(among, found["dirty"])
    assert not fits(planted, found["clean"]).any(), found["clean"][fits(planted, found["clean"])].to_string()


@pytest.mark.parametrize("planted", planted_ward.PLANTED, ids=names(planted_ward.PLANTED))
def test_in_a_ward_s_workbook(planted, ward_findings):
    told(planted, planted_ward.PLANTED, ward_findings)


@pytest.mark.parametrize("planted", planted_clinic.TOGETHER, ids=names(planted_clinic.TOGETHER))
def test_in_a_clinic_s_export(planted, clinic_findings):
    told(planted, planted_clinic.TOGETHER, clinic_findings)


@pytest.mark.parametrize("planted", planted_scans.PLANTED, ids=names(planted_scans.PLANTED))
def test_among_scans(planted, scan_findings):
    told(planted, planted_scans.PLANTED, scan_findings)


@pytest.mark.parametrize("planted", planted_clinic.ALONE, ids=names(planted_clinic.ALONE))
def test_in_how_an_export_is_read(planted, place, clinic_findings):
    files = clinic.Clinic()
    planted.plant(files)
    status, found = validate_clinic(place, files, "clinic-" + planted.what.replace(" ", "-"))
    told(planted, [planted], {"clean": clinic_findings["clean"], "dirty": found})
    assert status == 1


@pytest.mark.parametrize("planted", planted_settings.ALONE, ids=names(planted_settings.ALONE))
def test_in_the_settings(planted, place, ward_findings):
    files = {"study": ward.settings(), "mending": ward.mending()}
    planted.plant(files)
    name = "ward-" + planted.what.replace(" ", "-")
    study = place.study(files["study"] | {"name": name}, files["mending"])
    _, found = place.validate(study, place.root / "ward-clean")
    told(planted, [planted], {"clean": ward_findings["clean"], "dirty": found})


@pytest.fixture(scope="module")
def own_findings(place) -> pd.DataFrame:
    """Of clean tables of own features and scores."""
    return validate_own(place, own.Own(), "own-clean")


def validate_own(place: Place, files: own.Own, name: str) -> pd.DataFrame:
    files.write(place.root / name)
    return place.validate(place.study(files.study | {"name": name}), place.root / name)[1]


@pytest.mark.parametrize("planted", planted_own.ALONE, ids=names(planted_own.ALONE))
def test_in_own_features_and_scores(planted, place, own_findings):
    assert errors(own_findings) == []
    files = own.Own()
    planted.plant(files)
    found = validate_own(place, files, "own-" + planted.what.replace(" ", "-"))
    told(planted, [planted], {"clean": own_findings, "dirty": found})


DIRTY = {
    "ward_findings": planted_ward.PLANTED,
    "clinic_findings": planted_clinic.TOGETHER,
    "scan_findings": planted_scans.PLANTED,
}


@pytest.mark.parametrize("where", DIRTY)
def test_every_error_is_about_a_planted_defect(where, request):
    found = request.getfixturevalue(where)["dirty"]
    about = sum(fits(planted, found).astype(int) for planted in DIRTY[where])
    false = found[(found["severity"] == "error") & (about == 0)]
    assert false.empty, false.to_string()


@pytest.mark.parametrize("where", DIRTY)
def test_every_finding_says_what_to_do(where, request):
    found = request.getfixturevalue(where)["dirty"]
    assert (found[["rule", "mend", "file"]] != "").all().all()
    assert not found["rule"].str.contains("Traceback|nan|None|<NA>", regex=True).any()


def test_there_are_many_and_no_two_alike():
    planted = everything_planted()
    assert len(planted) >= 40
    assert len(set(names(planted))) == len(planted)


def test_a_defect_without_its_finding_is_noticed():
    first, second = (Planted(w, "error", "variables", "P1", "age", ("5O",), lambda _: None) for w in ("one", "two"))
    columns = ["severity", "area", "patient", "file", "row", "column", "value", "rule", "mend"]
    found = pd.DataFrame([["error", "variables", "P1", "t.csv", "2", "age", "5O", "no number", ""]], columns=columns)
    assert untold([first], found) == []
    assert len(untold([first, second], found)) == 1  # one finding is not the own finding of two
    assert untold([first], found.assign(patient="P2")) == ["one"]
