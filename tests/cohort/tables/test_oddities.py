"""Tests of what is odd about a table before its columns mean anything."""

from pathlib import Path

import pytest

from her2study.cohort.tables import read_sheet
from her2study.study import Reading

HEADER = "id,age,size,shape\n"
ROWS = "p1,40,2.5,oval\np2,50,3.5,round\np3,60,4.5,oval\n"


def told(folder: Path, text: str, reading: Reading | None = None) -> list[list]:
    path = folder / "t.csv"
    path.write_text(text, encoding="utf-8")
    return read_sheet(path, None, reading).findings[["severity", "row", "column", "value"]].to_numpy().tolist()


@pytest.mark.parametrize("word", ["Total", "mean:", "合计", "N = 3", "Mittelwert", "SD"])
def test_a_summary_at_the_end_is_no_patient(tmp_path, word):
    assert told(tmp_path, HEADER + ROWS + f"{word},50,3.5,\n") == [["error", 5, "id", word]]


@pytest.mark.parametrize("name", ["N1", "SD12", "Max1", "N 1"])
def test_a_patient_called_like_a_summary_is_one(tmp_path, name):
    assert told(tmp_path, HEADER + ROWS + f"{name},40,1,a\n") == []


def test_a_repeated_header_is_no_patient(tmp_path):
    assert told(tmp_path, HEADER + ROWS + HEADER + ROWS) == [["error", 5, "id", "id"]]


def test_a_remark_below_the_table_is_told(tmp_path):
    assert told(tmp_path, HEADER + ROWS + "* two refused,,,\n") == [["warning", 5, "id", "* two refused"]]


def test_nameless_and_empty_columns(tmp_path):
    found = told(tmp_path, "id,,age,\np1,x,,\np2,y,,\n")
    assert [[severity, column, value] for severity, _, column, value in found] == [
        ["warning", "column B", "x"],
        ["note", "age", ""],
    ]


def test_points_that_may_be_thousands_are_told_where_the_comma_is_decimal(tmp_path):
    comma = Reading(decimal=",", delimiter=";")
    assert told(tmp_path, "id;v\n1;1.250\n2;2,5\n", comma) == [["warning", 2, "v", "1.250"]]
    assert told(tmp_path, "id;v\n1;1.250\n2;2.5\n", comma) == []
