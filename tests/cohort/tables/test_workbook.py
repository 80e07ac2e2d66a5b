"""Tests of workbooks as people write them; the files are written with openpyxl and read back."""

import datetime
import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
from msoffcrypto.format.ooxml import OOXMLFile

from her2study.cohort.tables import read_sheet, sniff
from her2study.study import Reading
from her2study.types import StudyError


@pytest.fixture
def book():
    return openpyxl.Workbook()


def saved(book: openpyxl.Workbook, folder: Path, name: str = "t.xlsx") -> Path:
    book.save(folder / name)
    return folder / name


def fill(page, rows) -> None:
    for row in rows:
        page.append(row)


def test_values_become_text_as_a_person_reads_them(book, tmp_path):
    day = datetime.datetime(2020, 3, 1)
    fill(
        book.active,
        [
            ["id", "when", "size", "n", "yes"],
            ["a", day, 2.3, 4.0, True],
            ["b", day.replace(hour=9), 1e-7, 5, None],
        ],
    )
    cells = read_sheet(saved(book, tmp_path)).cells
    assert cells["when"].tolist() == ["2020-03-01", "2020-03-01 09:00:00"]
    assert cells["size"].tolist() == ["2.3", "1e-07"]
    assert cells["n"].tolist() == ["4", "5"]
    assert cells["yes"].tolist()[0] == "True"


def test_two_header_rows_with_merged_groups_under_a_title(book, tmp_path):
    page = book.active
    fill(page, [["Registry 2020"], ["ID", "Clinic", None, None, "MRI"], [None, "Age", "HER2", None, "Size", "Size"],
                ["p1", 40, "3+", "x", 12.5, 11], ["p2", 50, "0", "y", 8, 9]])  # fmt: skip
    for merge in ("A1:F1", "A2:A3", "B2:D2", "E2:F2"):
        page.merge_cells(merge)
    path = saved(book, tmp_path)
    sheet, reading, told = sniff(path)
    assert (sheet, reading.header_row, reading.header_rows) == ("Sheet", 2, 2)
    read = read_sheet(path, sheet, reading)
    assert list(read.cells) == ["ID", "Clinic / Age", "Clinic / HER2", "Clinic", "MRI / Size", "MRI / Size (2)"]
    assert read.headers["MRI / Size (2)"] == ("MRI", "Size")
    assert read.rows.tolist() == [4, 5]
    assert told.loc[told["column"] == "MRI / Size", "severity"].tolist() == ["warning"]


def test_hidden_sheets_rows_and_columns_are_told(book, tmp_path):
    fill(book.active, [["patient", "a"], ["p1", 1], ["p2", 2]])
    fill(book.create_sheet("old"), [["patient", "a"], ["p9", 1]])
    fill(book.create_sheet("Legend"), [["Field", "Meaning", "Codes"], *[["x", "y", "z"]] * 30])
    book["old"].sheet_state = "veryHidden"
    book.active.row_dimensions[3].hidden = True
    book.active.column_dimensions["B"].hidden = True
    sheet, _, told = sniff(saved(book, tmp_path))
    assert sheet == "Sheet"  # and not the legend, which has more cells
    for severity, word in (
        ("warning", "'old' is hidden"),
        ("warning", "1 row hidden"),
        ("note", "1 column hidden"),
        ("note", "not 'Legend'"),
    ):
        assert ((told["severity"] == severity) & told["rule"].str.contains(word)).sum() == 1, word


def test_the_first_sheet_that_is_not_hidden_is_read_if_none_is_named(book, tmp_path):
    fill(book.active, [["secret"], ["x"]])
    fill(book.create_sheet("shown"), [["id"], ["p1"]])
    book.active.sheet_state = "hidden"
    book.active = 1
    path = saved(book, tmp_path)
    assert list(read_sheet(path).cells) == ["id"]
    assert list(read_sheet(path, "Sheet").cells) == ["secret"]
    with pytest.raises(StudyError, match=r"no sheet 'show'; did you mean 'shown'"):
        read_sheet(path, "show")


def test_formulas_with_errors_or_without_a_result_are_told_by_row_and_column(book, tmp_path):
    fill(
        book.active,
        [["id", "age", "size", "n"], ["p1", "#REF!", 5, 1], ["p2", 40, 6, "=B3*2"], ["p3", 41, "#DIV/0!", 3]],
    )
    told = read_sheet(saved(book, tmp_path)).findings
    assert told[["severity", "row", "column", "value"]].to_numpy().tolist() == [
        ["error", 3, "n", "1 formula"],
        ["warning", 2, "age", "#REF!"],
        ["warning", 4, "size", "#DIV/0!"],
    ]


def test_merged_cells_below_the_header_hold_their_value_everywhere_and_are_told(book, tmp_path):
    page = book.active
    fill(page, [["id", "side", "size", "remark", "x"], ["p1", "left", 5, "a", 1], [None, "right", 7, "b", 2],
                ["Centre B"], ["p2", "left", 9, "c", 3]])  # fmt: skip
    page.merge_cells("A2:A3")
    page.merge_cells("A4:E4")
    read = read_sheet(saved(book, tmp_path))
    assert read.cells["id"].tolist() == ["p1", "p1", "Centre B", "p2"]
    assert read.cells["side"].isna().tolist() == [False, False, True, False]
    merges = read.findings[read.findings["rule"].str.contains("merged")]
    assert merges[["value", "row"]].to_numpy().tolist() == [["A2:A3", 2], ["A4:E4", 4]]
    assert (read.findings["rule"].str.startswith("one cell of the row") & (read.findings["row"] == 4)).sum() == 1


def test_numbers_longer_than_excel_keeps_and_dates_among_numbers_are_told(book, tmp_path):
    fill(book.active, [["id", "grade"], [320106197001010029, 1], [320106197001010030, datetime.datetime(2020, 1, 2)],
                       [3, 2], [4, 3]])  # fmt: skip
    told = read_sheet(saved(book, tmp_path)).findings
    assert told.loc[told["column"] == "grade", ["row", "value"]].to_numpy().tolist() == [[3, "2020-01-02"]]
    assert told["rule"].str.contains("2 numbers of the column have more than 15 digits").sum() == 1


def test_a_wrong_dimension_written_by_another_program_does_not_cut_the_sheet(book, tmp_path):
    fill(book.active, [["id", "age"], ["p1", 1], ["p2", 2]])
    path = saved(book, tmp_path)
    wrong = tmp_path / "wrong.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(wrong, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'<dimension ref="A1:B3"', b'<dimension ref="A1:A1"'))
    assert read_sheet(wrong).cells.shape == (2, 2)


def test_a_password_is_named(book, tmp_path):
    book.active.append(["id"])
    plain = io.BytesIO()
    book.save(plain)
    path = tmp_path / "locked.xlsx"
    with path.open("wb") as file:
        OOXMLFile(plain).encrypt("secret", file)
    with pytest.raises(StudyError, match=r"locked.xlsx: cannot be read: the workbook is protected by a password"):
        read_sheet(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda data: data[: len(data) // 2], "damaged"),
        (lambda data: b"", "the file is empty"),
        (lambda data: b"id,age\n1,2\n", "not a workbook, or a damaged one; if it is text, name it .csv"),
        (lambda data: b"\r\n<html><table>", "a web page"),
        (lambda data: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), r"Excel 97-2003 \(.xls\); save it as .xlsx"),
        (lambda data: data.replace(b"xl/workbook.xml", b"xl/workbork.xml"), "damaged or not one of Excel"),
        (lambda data: data[:900] + bytes(200) + data[1100:], "damaged"),
    ],
)
def test_damaged_workbooks_are_refused_with_the_file(book, tmp_path, make, message):
    fill(book.active, [["id", "age"], *[[f"p{i}", i] for i in range(200)]])
    path = saved(book, tmp_path)
    path.write_bytes(make(path.read_bytes()))
    for read in (read_sheet, sniff):
        with pytest.raises(StudyError, match=message) as error:
            read(path)
        assert "t.xlsx" in str(error.value)


def test_other_files_are_refused_by_their_name(tmp_path):
    (tmp_path / "t.ods").touch()
    with pytest.raises(StudyError, match=r"must be .csv, .xlsx or .parquet; save it as .xlsx"):
        read_sheet(tmp_path / "t.ods")
    with pytest.raises(StudyError, match=r"u.xlsx does not exist.* Tables in this folder: none"):
        read_sheet(tmp_path / "u.xlsx")


def test_settings_of_text_files_do_not_matter(book, tmp_path):
    fill(book.active, [["id", "size"], ["p1", "2,5"]])
    path = saved(book, tmp_path)
    assert read_sheet(path, None, Reading(encoding="gbk", delimiter=";", decimal=",")).cells["size"].tolist() == ["2.5"]
