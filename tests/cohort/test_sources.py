"""Tests of reading tables and naming scans."""

from pathlib import Path

import pandas as pd
import pytest

from her2study.cohort.sources import mask_file, parse_times, phase_files, read_table, table_files
from her2study.study import Source
from her2study.types import StudyError


def write(folder: Path, text: str, name: str = "clinical.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_csv_is_read_as_text_with_missing_cells_missing(tmp_path, settings):
    write(tmp_path, "patient_id,age,code\n001, 41.0 ,NA\n002,,no\n")
    table = read_table(tmp_path, settings.source, tmp_path)
    assert table["patient_id"].tolist() == ["001", "002"]
    assert table["age"][0] == "41"
    assert table["age"].isna().tolist() == [False, True]
    assert table["code"].isna().tolist() == [True, False]


@pytest.mark.parametrize("name", ["clinical.csv", "clinical.xlsx", "clinical.parquet"])
def test_all_formats_give_the_same_table(tmp_path, name):
    frame = pd.DataFrame({"patient_id": ["a", "b"], "grade": [1.0, None], "size": [2.5, 3.0], "word": ["x y", None]})
    writer = {"csv": frame.to_csv, "xlsx": frame.to_excel, "parquet": frame.to_parquet}[name.split(".")[1]]
    writer(tmp_path / name, index=False)
    table = read_table(tmp_path, Source(kind="folder", table=name), tmp_path)
    expected = pd.DataFrame(
        {"patient_id": ["a", "b"], "grade": ["1", None], "size": ["2.5", "3"], "word": ["x y", None]}, dtype="str"
    )
    pd.testing.assert_frame_equal(table, expected)


def test_joined_tables_add_columns_and_lose_nobody(tmp_path):
    write(tmp_path, "patient_id,age\na,1\nb,2\n")
    write(tmp_path, "patient_id,volume\nb,7\n", "more.csv")
    source = Source(kind="folder", table="clinical.csv", joins=("more.csv",))
    table = read_table(tmp_path, source, tmp_path)
    assert table["volume"].tolist()[1] == "7"
    assert table["volume"].isna().tolist() == [True, False]
    assert [p.name for p in table_files(tmp_path, source, tmp_path)] == ["clinical.csv", "more.csv"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient_id,age\na,1\nb,2\na,3\n", r"patient 'a' stands in rows 2, 4"),
        ("patient_id,age\n,1\n", "row 2 has no patient_id"),
        ("patient,age\na,1\n", r"patient column 'patient_id' is missing; did you mean 'patient'"),
        ("patient_id,age\na,1,2\nb,1,2\n", "cannot be read"),
        ("patient_id,age\na,1\nb,1,2\n", "cannot be read: row 3 has 3 cells"),
    ],
)
def test_a_broken_table_is_named_with_row_and_mend(tmp_path, settings, text, message):
    write(tmp_path, text)
    with pytest.raises(StudyError, match=message) as error:
        read_table(tmp_path, settings.source, tmp_path)
    assert "clinical.csv" in str(error.value)


def test_absent_folder_table_and_sheet_are_errors(tmp_path, settings):
    with pytest.raises(StudyError, match=r"source folder .* does not exist"):
        read_table(tmp_path / "no", settings.source, tmp_path)
    write(tmp_path, "x\n", "clinic.csv")
    with pytest.raises(StudyError, match=r"did you mean 'clinic.csv'"):
        read_table(tmp_path, settings.source, tmp_path)
    pd.DataFrame({"patient_id": ["a"]}).to_excel(tmp_path / "t.xlsx", index=False)
    with pytest.raises(StudyError, match="nosheet"):
        read_table(tmp_path, Source(kind="folder", table="t.xlsx", sheet="nosheet"), tmp_path)


def test_two_tables_may_not_share_a_column(tmp_path):
    write(tmp_path, "patient_id,age\na,1\n")
    write(tmp_path, "patient_id,age\na,2\n", "more.csv")
    with pytest.raises(StudyError, match=r"'age' is also in clinical.csv"):
        read_table(tmp_path, Source(kind="folder", table="clinical.csv", joins=("more.csv",)), tmp_path)


def test_times_are_seconds_that_start_at_zero_and_grow():
    assert parse_times("[0, 97, 194.5]") == [0, 97, 194.5]


@pytest.mark.parametrize("text", ["[0, 97, 90]", "[10, 20]", "[0]", "97", "soon", "[0, null]"])
def test_other_times_are_refused(text):
    with pytest.raises(ValueError, match="0"):
        parse_times(text)


def make_patient(folder: Path, patient: str, phases: tuple[int, ...]) -> None:
    (folder / "images" / patient).mkdir(parents=True)
    for i in phases:
        (folder / "images" / patient / f"{patient}_{i:04d}.nii.gz").touch()


def test_phases_come_in_time_order(tmp_path):
    make_patient(tmp_path, "p1", (2, 0, 1))
    assert [p.name for p in phase_files(tmp_path, "p1")] == [f"p1_000{i}.nii.gz" for i in range(3)]


@pytest.mark.parametrize(("phases", "absent"), [((0, 1), "_0002"), ((1, 2, 3), "_0000"), ((0, 1, 3), "_0002")])
def test_a_missing_phase_is_named(tmp_path, phases, absent):
    make_patient(tmp_path, "p1", phases)
    with pytest.raises(StudyError, match=f"patient 'p1'.*p1{absent}.nii.gz is missing"):
        phase_files(tmp_path, "p1")


def test_a_patient_without_scans_or_mask_is_named(tmp_path):
    with pytest.raises(StudyError, match="patient 'p1': no scans"):
        phase_files(tmp_path, "p1")
    with pytest.raises(StudyError, match=r"patient 'p1': the lesion mask .* is missing"):
        mask_file(tmp_path, "p1")
