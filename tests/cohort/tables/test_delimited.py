"""Tests of delimited text: encodings, delimiters, quotation marks and rows of the wrong width."""

from pathlib import Path

import pytest

from her2study.cohort.tables import read_sheet, sniff
from her2study.study import Reading
from her2study.types import StudyError

CHINESE = "编号,姓名,年龄\nP1,王春梅,45\nP2,欧阳娜娜,51\n"
FRENCH = "patient,nom,ville\nP1,Andrée Müller,Besançon\nP2,Zoë Nuñez,Orléans\n"


def write(folder: Path, data: bytes | str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(
    ("text", "written", "found"),
    [
        (CHINESE, "gbk", "gb18030"),
        (CHINESE, "utf-8", "utf-8-sig"),
        (CHINESE, "utf-8-sig", "utf-8-sig"),
        (CHINESE, "utf-16", "utf-16"),
        (CHINESE, "utf-16-le", "utf-16-le"),
        (FRENCH, "cp1252", "cp1252"),
        (FRENCH, "utf-8", "utf-8-sig"),
        (FRENCH + "P3,caf\x81,x\n", "latin-1", "latin-1"),
    ],
)
def test_the_encoding_is_found_and_the_words_are_the_writers(tmp_path, text, written, found):
    path = write(tmp_path, text.encode(written))
    sheet, reading, told = sniff(path)
    assert (sheet, reading.encoding) == (None, found)
    rows = [line.split(",") for line in text.splitlines()]
    cells = read_sheet(path, None, reading).cells
    assert list(cells) == rows[0]
    assert cells.astype(object).to_numpy().tolist()[:2] == rows[1:3]
    foreign = next(cell for row in rows for cell in row if not cell.isascii())
    assert told["rule"].str.contains(f"'{foreign}'").any() == (found != "utf-8-sig")


@pytest.mark.parametrize(("text", "written", "named"), [(CHINESE, "gbk", "gb18030"), (FRENCH, "cp1252", "cp1252")])
def test_a_wrong_encoding_names_byte_row_and_the_right_one(tmp_path, text, written, named):
    data = text.encode(written)
    path = write(tmp_path, data)
    byte = next(i for i, b in enumerate(data) if b > 127)
    row = data[:byte].count(b"\n") + 1
    with pytest.raises(StudyError) as error:
        read_sheet(path)
    for words in (f"row {row} ", f"0x{data[byte]:02x}", f"byte {byte + 1} ", f"encoding: {named}"):
        assert words in str(error.value)


def test_text_that_reads_with_another_encoding_is_told_with_both_words(tmp_path):
    told = read_sheet(write(tmp_path, FRENCH), None, Reading(encoding="cp1252")).findings
    assert told["severity"].tolist() == ["warning"]
    assert "'AndrÃ©e MÃ¼ller'" in told["value"][0]
    assert "'Andrée Müller'" in told["rule"][0]


def test_an_unknown_encoding_is_an_error_that_names_the_likely_one(tmp_path):
    with pytest.raises(StudyError, match=r"'ansi', which is no encoding; .* is probably utf-8-sig"):
        read_sheet(write(tmp_path, CHINESE), None, Reading(encoding="ansi"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_beside_decimal_commas_and_quoted_ones(tmp_path, delimiter):
    text = 'id;size;remark\n1;2,5;"a;b"\n2;3,5;x\n3;12,0;y\n'.replace("a;b", "\0").replace(";", delimiter)
    if delimiter == ",":
        text = text.replace("2,5", '"2,5"').replace("3,5", '"3,5"').replace("12,0", '"12,0"')
    path = write(tmp_path, text.replace("\0", f"a{delimiter}b"))
    _, reading, _ = sniff(path)
    assert reading.delimiter == delimiter
    cells = read_sheet(path, None, reading).cells
    assert cells["remark"][0] == ("a b" if delimiter == "\t" else f"a{delimiter}b")  # a tab is a space
    assert cells["size"].tolist() == (["2,5", "3,5", "12,0"] if delimiter == "," else ["2.5", "3.5", "12"])
    if delimiter != ",":
        with pytest.raises(StudyError, match="cannot be read") as error:
            read_sheet(path)
        assert "delimiter" in str(error.value)


def test_rows_are_those_of_the_file_with_line_breaks_in_cells_and_empty_rows(tmp_path):
    path = write(tmp_path, 'title,\nid,remark\n1,"two\nlines"\n\n2,x\r\n,\n3,y\n')
    sheet = read_sheet(path, None, Reading(header_row=2))
    assert sheet.rows.tolist() == [3, 5, 7]
    assert sheet.cells["remark"].tolist() == ["two lines", "x", "y"]
    assert sheet.findings["rule"].tolist() == ["2 empty rows between others skipped"]
    assert sheet.findings["row"].tolist() == [4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,age\n1,2\n2,3,4\n5,6,7\n", r"row 3 has 3 cells, the header \(row 1\) has 2 \(1 more rows likewise\)"),
        ('id,age\n1,2\n2,"3\n4,5\n', r"row 3 has a quotation mark \(\"\) that is never closed"),
        ("", "the file is empty"),
        ("id,age\n", "no row with a cell below the header"),
        ("id;age\n1;2\n", r'separated by a semicolon; set source.reading.delimiter: ";"'),
        (b"PK\x03\x04rest", "it is an Excel workbook; name it .xlsx"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "not text but a picture"),
        (b"id,age\n" + bytes(range(256)), "not text but a binary file"),
        ("<HTML><table><tr><td>id", "it is a web page"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_row(tmp_path, text, message):
    with pytest.raises(StudyError, match=message):
        read_sheet(write(tmp_path, text))


def test_a_header_row_beyond_the_end_is_refused(tmp_path):
    with pytest.raises(StudyError, match="header_row is 9, but there are only 2 rows"):
        read_sheet(write(tmp_path, "a,b\n1,2\n"), None, Reading(header_row=9))


def test_cells_beyond_the_header_may_be_empty_and_a_short_row_is_told(tmp_path):
    sheet = read_sheet(write(tmp_path, "id,age,size\n1,2,3,\n2,4\n3,5,6,,\n"))
    assert sheet.cells["size"].isna().tolist() == [False, True, False]
    assert sheet.findings[["severity", "row"]].to_numpy().tolist() == [["warning", 3]]


def test_spaces_whole_numbers_and_codes_of_missing(tmp_path):
    path = write(tmp_path, "id , a\u3000 b ,c\n\u00a01, 41.0 ,NP\n2\u200b,x\u00a0\u00a0y,NA\n")
    cells = read_sheet(path, None, Reading(missing=("NP",))).cells
    assert list(cells) == ["id", "a b", "c"]
    assert cells["id"].tolist() == ["1", "2"]
    assert cells["a b"].tolist() == ["41", "x y"]
    assert cells["c"].isna().all()


@pytest.mark.slow
def test_a_million_rows_are_read_in_seconds(tmp_path):
    import time

    path = tmp_path / "big.csv"
    with path.open("w") as file:
        file.write("id,centre,age,size,shape,margin,kinetics,a,b,c,d,e\n")
        file.writelines(f"P{i},A,{i % 60},{i % 977}.5,oval,x  y,{i},NA,,1.0,2,z\n" for i in range(1_000_000))
    start = time.process_time()
    sheet = read_sheet(path)
    assert time.process_time() - start < 25
    assert sheet.cells.shape == (1_000_000, 12)
    assert sheet.cells.iloc[-1, :6].tolist() == ["P999999", "A", str(999_999 % 60), f"{999_999 % 977}.5", "oval", "x y"]
