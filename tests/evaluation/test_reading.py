"""Tests of reading predictions from files of either shape, and of every file that must be refused."""

import pandas as pd
import pytest

from her2study.evaluation.reading import read_predictions
from her2study.types import StudyError
from tests.evaluation.golden import make_predictions


@pytest.fixture
def tidy():
    return make_predictions({"net": 1.0, "a b": 0.5}, n=8).sort_values(["model", "patient_id"], ignore_index=True)


def widen(tidy):
    keys = ["patient_id", "centre", "split", "label", "fold"]
    return tidy.pivot_table(index=keys, columns="model", values="probability").reset_index()


def read(tmp_path, text, name="p.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_predictions(path)


def test_tidy_and_wide_are_the_same_predictions(tmp_path, tidy):
    tidy.to_csv(tmp_path / "tidy.csv", index=False)
    widen(tidy).to_csv(tmp_path / "wide.csv", index=False)
    found = read_predictions(tmp_path / "tidy.csv")
    pd.testing.assert_frame_equal(found.predictions, tidy)
    pd.testing.assert_frame_equal(read_predictions(tmp_path / "wide.csv").predictions, tidy)
    assert found.models == ("a b", "net")


@pytest.mark.parametrize(
    "options",
    [
        {"sep": ";", "decimal": ",", "lineterminator": "\r\n", "encoding": "utf-8-sig"},
        {"sep": "\t", "decimal": ",", "encoding": "utf-16"},
        {"sep": ";"},
        {"lineterminator": "\r\n"},
        {"quoting": 1},
    ],
)
def test_files_of_other_programs_are_read_exactly(tmp_path, tidy, options):
    widen(tidy.assign(centre="Köln, Süd")).to_csv(tmp_path / "p.csv", index=False, **options)
    found = read_predictions(tmp_path / "p.csv")
    pd.testing.assert_frame_equal(found.predictions, tidy.assign(centre="Köln, Süd"))


def test_parquet_and_workbooks_are_read(tmp_path, tidy):
    tidy.to_parquet(tmp_path / "p.parquet")
    tidy.to_excel(tmp_path / "p.xlsx", index=False)
    pd.testing.assert_frame_equal(read_predictions(tmp_path / "p.parquet").predictions, tidy)
    # a workbook keeps 15 to 16 digits
    pd.testing.assert_frame_equal(read_predictions(tmp_path / "p.xlsx").predictions, tidy, rtol=1e-14)


def test_what_a_file_does_not_say_is_filled_in_and_told(tmp_path):
    found = read(tmp_path, "patient_id,label,age group,net\n001,1,old,0.9\n002,0,young,.2\n\n003,1.0,old,1e-1\n")
    assert found.predictions["patient_id"].tolist() == ["001", "002", "003"]
    assert found.predictions["split"].unique().tolist() == ["external"]
    assert len(set(found.predictions["centre"])) == 1
    assert found.predictions["fold"].unique().tolist() == [-1]
    assert found.predictions["probability"].tolist() == [0.9, 0.2, 0.1]
    told = " ".join(found.notes)
    for words in ("taken as models: net.", "left aside: age group.", "taken as external", "taken as one centre"):
        assert words in told


def test_decimal_commas_are_told(tmp_path):
    found = read(tmp_path, "patient_id;label;net\n1;1;0,9\n2;0;0,25\n")
    assert found.predictions["probability"].tolist() == [0.9, 0.25]
    assert "decimal commas were read as points" in " ".join(found.notes)


def test_row_numbers_without_a_name_are_no_model(tmp_path):
    found = read(tmp_path, ",patient_id,label,net\n0,a,1,0.9\n1,b,0,0.25\n")
    assert found.models == ("net",)


def test_an_empty_fold_is_fine_outside_development(tmp_path):
    rows = "a,1,development,0,0.9\nb,0,development,1,0.2\nc,1,external,,0.8\nd,0,external,,0.1\n"
    found = read(tmp_path, f"patient_id,label,split,fold,net\n{rows}")
    assert found.predictions["fold"].tolist() == [0, 1, -1, -1]


HEAD = "patient_id,label,net\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; it must have"),
        ("\n \n", "is empty; it must have"),
        (HEAD, "there are no rows below the column names"),
        ("just words\n", "is no table: its first line is 'just words'"),
        (b"\x89PNG\r\n\0\0", "is no table but binary data"),
        (b"PK\x03\x04abc", "is no text but a workbook"),
        (b"patient_id,label,net\n1,1,0.5\n2,0,\xe4\n", "line 3: byte 0xe4 is not UTF-8"),
        (f"{HEAD}1,1,0,9\n", "line 2: 4 fields where the first line has 3 column names.*decimal commas need"),
        (f'{HEAD}1,1,"0.9\n2,0,0.1\n', "line 2: not readable as a table"),
        ("patient_id,label,net,net\n1,1,1,1\n", "two columns are called 'net'"),
        ("patient,label,net\n1,1,1\n", "no column 'patient_id'; did you mean 'patient'.*A tidy table has"),
        ("patient_id,outcome,net\n1,1,1\n", "no column 'label'"),
        ("patient_id,label,model,prob\n1,1,net,1\n", "no column 'probability'; did you mean 'prob'"),
        ("patient_id,label,sex\n1,1,f\n2,0,m\n", "no column holds the probabilities of a model"),
        (f"{HEAD}1,1,0.9\n2,,0.1\n3,0,0.3\n4,,0.3\n", r"line 3, .*: label is missing; leave .* \(2 such lines: 3, 5\)"),
        (f"{HEAD}1,1,0.9\n2,2,0.1\n", "line 3, model 'net', patient '2': label '2' must be 0 or 1"),
        (f"{HEAD}1,1,0.9\n2,0,0.1\n3,HER2+,0.1\n", "line 4, .* label 'HER2\\+' must be 0 or 1"),
        (f"{HEAD}1,1,0.9\n2,0,1.5\n", "line 3, .* probability '1.5' must be .*; if this column is no model, remove it"),
        (f"{HEAD}1,1,0.9\n2,0,x\n3,0,0.2\n", "line 3, .* probability 'x' must be a number"),
        (f"{HEAD}1,1,0.9\n2,0,nan\n3,0,0.2\n", "line 3, .* probability 'nan' must be a number"),
        (f"{HEAD}1,1,0.9\n2,0,\n3,0,0.2\n", "line 3, model 'net', patient '2': probability is missing"),
        (f"{HEAD}1,1,0.9\n1,1,0.9\n2,0,0.2\n", r"patient '1': patient_id '1' has two rows .* \(2 such lines: 2, 3\)"),
        (f"{HEAD}1,1,0.9\n2,1,0.2\n", "external: all 2 patients have the label 1"),
        ("patient_id,label,treat_all\n1,1,0.9\n2,0,0.2\n", "a model is called 'treat_all'"),
        ("patient_id,label,split,net\n1,1,development,1\n2,0,development,0\n", "development rows but no column 'fold'"),
        ("patient_id,label,fold,net\n1,1,0,0.9\n2,0,1,0.2\n", "held-out folds but no column 'split'"),
        ("patient_id,label,split,net\n1,1,externl,0.9\n2,0,external,0.2\n", "line 2, .* did you mean 'external'"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_meant_is_explained(tmp_path, text, message):
    with pytest.raises(StudyError, match=message) as error:
        read(tmp_path, text)
    assert "p.csv" in str(error.value)


def test_models_that_score_other_patients_are_refused(tmp_path, tidy):
    tidy.drop(index=3).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(StudyError, match=r"model 'a b' has no row for patient 'D003' \(development\)"):
        read_predictions(tmp_path / "p.csv")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("q.csv", "q.csv does not exist; did you mean 'p.csv'"),
        ("", "is a folder; give the table file"),
        ("p.docx", "tables are read from .csv"),
        ("damaged.xlsx", "is not readable as a workbook"),
        ("damaged.parquet", "is not readable as parquet"),
    ],
)
def test_a_file_that_is_not_there_or_no_table_is_named(tmp_path, name, message):
    for other in ("p.csv", "p.docx", "damaged.xlsx", "damaged.parquet"):
        (tmp_path / other).write_text("no table")
    with pytest.raises(StudyError, match=message):
        read_predictions(tmp_path / name)
