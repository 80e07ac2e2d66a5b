"""Tests of finding the header: titles above it, groups over it, units below it."""

from pathlib import Path

import pytest

from her2study.cohort.tables import read_sheet, sniff
from her2study.cohort.tables.headers import header_cells, unique_names
from her2study.cohort.tables.sheet import letter
from her2study.cohort.tables.top import find_header

ONE = [["id", "age", "her2", "size"], ["p1", "40", "pos", "12.5"], ["p2", "50", "neg", "8"]]


def padded(rows: list[list]) -> list[list]:
    width = max(map(len, rows))
    return [[cell or None for cell in row] + [None] * (width - len(row)) for row in rows]


@pytest.mark.parametrize(
    ("above", "expected"),
    [
        ([], (1, 1)),
        ([["Registry of 2020"]], (2, 1)),
        ([["Registry"], [], ["exported by:", "Dr X"]], (4, 1)),
        ([["sep=;"]], (2, 1)),
        ([["Patient", "", "Lesion", ""]], (1, 2)),
        ([["Registry of 2020"], ["", "Patient", "Lesion", ""]], (2, 2)),
    ],
)
def test_the_header_is_found_under_titles_and_groups(above, expected):
    assert find_header(padded(above + ONE), ()) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([ONE[0], ["", "years", "", "mm"], *ONE[1:]], (1, 2)),
        ([ONE[0], ["", "(years)", "0 = neg, 1 = pos", "[mm]"], *ONE[1:]], (1, 2)),
        ([["id", "age", "HER2", ""], ["", "", "IHC", "FISH"], ["p1", "40", "3+", "neg"]], (1, 2)),
        ([["id", "group"], ["p1", "a"], ["p2", "b"]], (1, 1)),  # words only: the second row is a patient
        ([["id", "age", "remark"], ["p1", "", ""], ["p2", "", "x"], ["p3", "40", ""]], (1, 1)),
    ],
)
def test_rows_below_names_are_units_or_patients(rows, expected):
    assert find_header(padded(rows), ()) == expected


def test_the_names_of_two_rows_carry_groups_over_blanks_only():
    rows = [["ID", "Clinic", "", "", "Site"], ["", "Age", "ER", "", "Name"]]
    assert header_cells(rows, 1, ()) == [("ID", ""), ("Clinic", "Age"), ("Clinic", "ER"), ("", ""), ("Site", "Name")]


def test_names_are_unique_and_nameless_columns_have_their_letter():
    names, twice = unique_names([("a",), ("a",), ("a (2)",), ("",), ("g", "x"), ("g", "g")])
    assert names == ["a", "a (2)", "a (2) (2)", "column D", "g / x", "g"]
    assert twice == ["a", "a (2)"]


def test_letters_are_those_of_a_spreadsheet():
    from openpyxl.utils import get_column_letter

    assert [letter(i) for i in range(800)] == [get_column_letter(i + 1) for i in range(800)]


def test_a_table_read_as_sniffed_is_told_what_was_decided(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_bytes("Klinik Süd;;\nNr;Größe;HER2\n1;2,5;pos\n2;3,75;neg\n".encode("cp1252"))
    _, reading, told = sniff(path)
    assert reading.model_dump() == {
        "header_row": 2, "header_rows": 1, "encoding": "cp1252", "delimiter": ";", "decimal": ",", "missing": (),
    }  # fmt: skip
    assert read_sheet(path, None, reading).cells["Größe"].tolist() == ["2.5", "3.75"]
    for words in ("'Klinik Süd'", "semicolon", "decimal comma: 2,5 is read as 2.5", "row 2"):
        assert told["rule"].str.contains(words, regex=False).sum() == 1, words


def test_a_plain_table_has_no_finding(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text("\n".join(",".join(row) for row in ONE))
    assert sniff(path)[2].empty
