"""Tests of `her2study new`: from a file to a study that loads, or one message and nothing written."""

import json

import openpyxl
import pandas as pd
import pytest

from her2study.cli import main
from her2study.cohort import flow, schema
from her2study.cohort.sources import read_table
from her2study.study import load_study
from tests.cohort.proposals.tables import cohort


@pytest.fixture
def papers(tmp_path, monkeypatch):
    monkeypatch.setenv("HER2STUDY_PAPERS", str(tmp_path / "papers"))
    (tmp_path / "papers").mkdir()
    (tmp_path / "data").mkdir()
    return tmp_path / "papers"


def workbook(folder, table, legend=(), name="patients.xlsx"):
    """Title, header and rows on one sheet, the legend on another."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Data"
    page.append(list(table))
    for row in zip(*table.values(), strict=True):
        page.append([float(cell) if str(cell).isdigit() else cell for cell in row])
    if legend:
        other = book.create_sheet("Codes")
        for row in legend:
            other.append(row)
    book.save(folder / name)
    return folder / name


def included(study, data):
    """The cohort as the chain reads it."""
    table = read_table(data, study.source, study.folder)
    schema.check_table(table, study.source, study.outcome, study.centres, study.variables, study.exclusions)
    kept, left = flow.apply_exclusions(table, study.exclusions, study.outcome, study.source)
    return schema.typed_cohort(kept, study.source, study.outcome, study.centres, study.variables), left


def test_a_workbook_becomes_a_study_whose_cohort_can_be_read(papers, tmp_path, capsys):
    table = cohort(90) | {
        "HER2": [None if i == 4 else 2 if i % 5 < 2 else 1 for i in range(90)],
        "Oedema": [int(i % 3 > 0) for i in range(90)],
    }
    legend = [["Column", "Meaning"], ["HER2", "1 = negative, 2 = positive"], ["Age", "years"], ["Size (mm)", "MRI"]]
    path = workbook(tmp_path / "data", table, legend)
    before = path.read_bytes()
    assert main(["new", "our-study", "--table", str(path)]) == 0
    said = capsys.readouterr().out
    assert "patients.xlsx: 90 patients" in said
    assert "her2study validate our-study --data" in said
    assert sorted(p.name for p in (papers / "our-study").iterdir()) == [
        "README.md", "assumptions.yml", "claims.yml", "codebook.md", "mending.yml", "study.yml",
    ]  # fmt: skip
    assert path.read_bytes() == before
    study = load_study("our-study")
    load_study("our-study", "smoke")
    frame, left = included(study, tmp_path / "data")
    assert (len(frame), len(left), int(frame["label"].sum())) == (89, 1, 36)  # two of each five, and P004 has no result
    expected = pd.Series(table["Size (mm)"], index=table["Patient"]).astype("float64")
    assert (frame.set_index("patient_id")["largest_diameter_mm"] == expected.drop("P004")).all()


def test_nothing_is_overwritten(papers, tmp_path, capsys):
    path = workbook(tmp_path / "data", cohort())
    (papers / "ours").mkdir()
    (papers / "ours" / "study.yml").write_text("mine")
    assert main(["new", "ours", "--table", str(path)]) == 2
    assert "exists, and nothing is overwritten" in capsys.readouterr().err
    assert (papers / "ours" / "study.yml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Our Study", "--table", "patients.xlsx"], "cannot be the name of a study; use small letters"),
        (["ours", "--table", "absent.xlsx"], "--table: absent.xlsx does not exist"),
        (["ours", "--table", "patients.xlsx", "--sheet", "Dat"], "there is no sheet 'Dat'; did you mean 'Data'?"),
        (["ours", "--table", "patients.xlsx", "--join", "absent.csv"], "--join: absent.csv does not exist"),
        (["ours", "--table", "patients.xlsx", "--join", "../elsewhere.csv"], "is not in the folder of the data"),
        (["ours", "--table", "patients.xlsx", "--outcome", "HER-2"], "no column 'HER-2'; did you mean 'HER2'?"),
        (["ours", "--table", "patients.xlsx", "--centre", "Hospitl"], "no column 'Hospitl'; did you mean 'Hospital'?"),
        (["ours", "--table", "broken.xlsx"], "broken.xlsx"),
    ],
)
def test_what_cannot_be_used_is_one_message_and_leaves_nothing(papers, tmp_path, monkeypatch, capsys, arguments, said):
    data = tmp_path / "data"
    workbook(data, cohort())
    (data / "broken.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    (tmp_path / "elsewhere.csv").write_text("Patient,x\nP001,1\n")
    monkeypatch.chdir(data)
    assert main(["new", *arguments]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert said in message
    assert list(papers.iterdir()) == []


def test_a_cohort_without_events_is_refused(papers, tmp_path, capsys):
    table = cohort() | {"HER2": ["negative"] * 60}
    assert main(["new", "ours", "--table", str(workbook(tmp_path / "data", table))]) == 2
    assert "has one answer only (negative)" in capsys.readouterr().err
    assert list(papers.iterdir()) == []


def test_machines_get_every_decision(papers, tmp_path, capsys):
    path = workbook(tmp_path / "data", cohort())
    assert main(["new", "ours", "--table", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["status"], facts["patients"], facts["positives"]) == (0, 60, 24)
    assert {c["column"]: c["use"] for c in facts["columns"]} == {
        "Patient": "patient", "Name": "identifying", "Hospital": "centre", "Age": "variable",
        "Size (mm)": "variable", "HER2": "outcome",
    }  # fmt: skip


def test_a_join_is_written_like_the_table_and_features_as_they_like(papers, tmp_path, capsys):
    data = tmp_path / "data"
    table = pd.DataFrame(cohort())
    table.to_csv(data / "patients.csv", index=False, sep=";", encoding="cp1252")
    numbers = {f"glcm_{k}": [i * k % 7 / 8 for i in range(60)] for k in range(1, 31)}
    pd.DataFrame({"Patient": table["Patient"], **numbers}).to_csv(data / "radiomics.csv", index=False)
    table[["Patient"]].assign(oedema="yes").to_csv(data / "more.csv", index=False)
    command = ["new", "ours", "--table", str(data / "patients.csv"), "--join"]
    assert main([*command, "more.csv"]) == 2
    assert "save both alike" in capsys.readouterr().err
    assert main([*command, "radiomics.csv"]) == 0
    assert load_study("ours").source.features == ("radiomics.csv",)


def test_names_of_patients_are_never_repeated(papers, tmp_path, capsys):
    table = cohort()
    table["Name"][5] = "Müll\ufffdr, Zoë"  # spoilt by an earlier conversion, which is worth telling
    assert main(["new", "ours", "--table", str(workbook(tmp_path / "data", table))]) == 0
    written = "".join(path.read_text(encoding="utf-8") for path in (papers / "ours").iterdir())
    said = written + capsys.readouterr().out
    assert "an earlier conversion has lost" in said
    assert "Zoë" not in said
    assert "Family7" not in said


def test_the_folders_of_the_images_name_the_patient_column(papers, tmp_path):
    data = tmp_path / "data"
    path = workbook(data, cohort() | {"Scan": [f"XY{i}" for i in range(60)]})
    for i in range(40):
        (data / "images" / f"XY{i}").mkdir(parents=True)
    assert main(["new", "ours", "--table", str(path), "--data", str(data)]) == 0
    assert load_study("ours").source.patient_column == "Scan"


def test_a_study_of_simulated_patients_says_so(papers, tmp_path, capsys):
    path = workbook(tmp_path / "data", cohort())
    (tmp_path / "data" / "simulated.json").write_text("{}")
    assert main(["new", "ours", "--table", str(path)]) == 0
    assert "SIMULATED" in capsys.readouterr().out
    assert load_study("ours").simulated
