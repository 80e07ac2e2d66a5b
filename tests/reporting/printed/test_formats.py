"""Word, LaTeX, HTML and CSV files read back by programs that did not write them."""

import re
import zipfile
from html.parser import HTMLParser
from io import BytesIO, StringIO

import docx
import pandas as pd
import pypandoc
import pytest

from her2study.reporting.printed import add_table, compose, table_html, write_table
from her2study.reporting.printed.latex import escape, latex
from her2study.reporting.printed.widths import LANDSCAPE_MM, PORTRAIT_MM, fit
from tests.reporting.printed.frames import BASELINE, DELONG, ODD, PERFORMANCE

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
FRAMES = {"performance": PERFORMANCE, "delong": DELONG, "baseline": BASELINE, "odd": ODD}


def without_marks(sheet):
    """Texts of all cells, the letters of their footnotes behind them as every format has them."""
    return [[cell.text + cell.mark for cell in row.cells] for row in sheet.rows]


@pytest.mark.parametrize("name", FRAMES)
def test_word_has_every_cell_and_note(name, tmp_path):
    (path,) = write_table(name, FRAMES[name], tmp_path, simulated=True, formats=["docx"])
    document = docx.Document(path)
    sheets = compose(name, FRAMES[name], simulated=True)
    assert len(document.tables) == len(sheets)
    for table, sheet in zip(document.tables, sheets, strict=True):
        assert [cell.text.replace("\u00a0", " ") for cell in table.rows[0].cells] == [
            h.text + h.mark for h in sheet.heads
        ]
        found = [[cell.text for cell in row.cells] for row in table.rows[1:]]
        wanted = without_marks(sheet)
        assert [row[: len(cells)] for row, cells in zip(found, wanted, strict=True)] == wanted
        assert len(table.columns) == len(sheet.heads)
    said = "\n".join(paragraph.text for paragraph in document.paragraphs)
    for sheet in sheets:
        assert sheet.caption in said
        assert "SIMULATED PATIENTS" in sheet.caption
        assert all(note.mark + note.text in said for note in sheet.notes)


def test_word_tables_have_three_lines_a_repeated_head_and_rows_that_hold_together(tmp_path):
    (path,) = write_table("delong", DELONG, tmp_path, simulated=False, formats=["docx"])
    (table,) = docx.Document(path).tables
    assert [line.tag for line in table._tbl.tblPr.find(f"{W}tblBorders")] == [f"{W}top", f"{W}bottom"]
    rows = list(table._tbl.iter(f"{W}tr"))
    assert [row.find(f".//{W}tblHeader") is not None for row in rows] == [True] + [False] * (len(rows) - 1)
    assert all(row.find(f".//{W}cantSplit") is not None for row in rows)
    assert all(cell.find(f".//{W}tcBorders/{W}bottom") is not None for cell in rows[0].iter(f"{W}tc"))
    assert rows[1].find(f".//{W}gridSpan").get(f"{W}val") == str(len(table.columns))
    assert rows[1].find(f".//{W}keepNext") is not None


def test_word_pages_are_turned_for_wide_tables_and_hold_them(tmp_path):
    wide = DELONG.assign(**{f"measure_{k}": "twenty letters and more" for k in range(6)})
    for frame, turned in ((DELONG, False), (wide, True)):
        (path,) = write_table("delong", frame, tmp_path, simulated=False, formats=["docx"])
        document = docx.Document(path)
        section = document.sections[0]
        assert (section.page_width > section.page_height) is turned
        room = section.page_width - section.left_margin - section.right_margin
        assert sum(column.width for column in document.tables[0].columns) <= room * 1.001


def test_real_patients_carry_no_mark(tmp_path):
    paths = write_table("delong", DELONG, tmp_path, simulated=False)
    for path in paths:
        content = path.read_bytes()
        if path.suffix == ".docx":
            archive = zipfile.ZipFile(BytesIO(content))
            content = b"".join(archive.read(name) for name in archive.namelist())
        assert b"SIMULATED" not in content, path.name
    assert b"real" in paths[0].read_bytes()


def test_a_table_joins_a_document_that_has_its_own_pages():
    document = docx.Document()
    document.add_paragraph("Before")
    add_table(document, "performance", PERFORMANCE, simulated=True, label="Table 2", parts=1)
    document.add_paragraph("After")
    kinds = [block.tag.removeprefix(W) for block in document.element.body]
    assert kinds[:3] == ["p", "p", "tbl"]
    assert kinds[-1] == "sectPr"
    assert document.paragraphs[1].text == "Table 2. Performance of all models [SIMULATED PATIENTS]"
    assert (len(document.tables), len(document.sections), document.paragraphs[-1].text) == (1, 1, "After")


@pytest.mark.parametrize("name", FRAMES)
def test_same_table_same_bytes(name, tmp_path):
    made = []
    for folder in ("one", "two"):
        paths = write_table(name, FRAMES[name].copy(), tmp_path / folder, simulated=True)
        made.append({path.name: path.read_bytes() for path in paths})
    assert made[0] == made[1]
    assert sorted(made[0]) == sorted(f"{name}.{kind}" for kind in ("csv", "docx", "tex"))


def test_word_files_hold_no_date_and_no_stranger(tmp_path):
    (path,) = write_table("delong", DELONG, tmp_path, simulated=True, formats=["docx"])
    archive = zipfile.ZipFile(path)
    assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    properties = docx.Document(path).core_properties
    assert (properties.author, properties.comments) == ("her2study", "")
    assert b"dcterms" not in archive.read("docProps/core.xml").replace(b"xmlns:dcterms", b"")


def test_latex_escapes_every_letter_that_means_something():
    left = escape(ODD["variable"].str.cat())
    for command in re.findall(r"\\[a-zA-Z]+(?:\{\}|\{\\?[a-z0-9|-]+\})", left):
        left = left.replace(command, "")
    for letter in ("\\%", "\\#", "\\&", "\\_", "\\{", "\\}", "\\$", "{[}", "{]}", "{*}"):
        left = left.replace(letter, "")
    assert not set(left) & set("\\{}%#&_$^~<>|[]*")
    assert left.isascii()


@pytest.mark.parametrize("name", FRAMES)
def test_latex_is_balanced_and_says_what_it_needs(name, tmp_path):
    (path,) = write_table(name, FRAMES[name], tmp_path, simulated=True, formats=["tex"])
    text = path.read_text()
    bare = re.sub(r"\\[{}\\%&#$_]", "", text)
    assert bare.count("{") == bare.count("}")
    for pair in ("longtable", "landscape"):
        assert text.count(f"\\begin{{{pair}}}") == text.count(f"\\end{{{pair}}}")
    assert "% \\usepackage{array,booktabs,longtable,pdflscape}" in text
    for line in re.findall(r"(?s)\\endhead\n(.*?)\\bottomrule", text)[0].splitlines():
        cells = len(re.findall(r"(?<!\\)&", line)) + 1
        assert (
            line == "\\nopagebreak"
            or "\\multicolumn" in line
            or cells == len(compose(name, FRAMES[name], True)[0].heads)
        )


@pytest.mark.parametrize("name", FRAMES)
def test_pandoc_reads_from_latex_what_was_written(name):
    sheets = compose(name, FRAMES[name], simulated=True)
    # Pandoc puts what stands in >{} before each cell, which hides a \multicolumn from it; LaTeX does not.
    source = re.sub(r">\{\\\w+\\arraybackslash\{\}\}", "", latex(sheets))
    html = pypandoc.convert_text(source, "html", format="latex")
    tables = pd.read_html(StringIO(html), keep_default_na=False)
    for table, sheet in zip(tables, sheets, strict=True):
        rows = [[plain(str(cell)) for cell in row] for row in table.to_numpy()][-len(sheet.rows) :]
        wanted = [[plain(text) for text in row] for row in without_marks(sheet)]
        assert [row[: len(cells)] for row, cells in zip(rows, wanted, strict=True)] == wanted


def plain(text):
    """Without spaces, and with the signs that HTML readers and pandoc see differently as one."""
    return re.sub(r"\s+", "", text).replace("−", "-").replace("–", "-").replace("²", "2").replace("'", "’")


class Reader(HTMLParser):
    """Tags of a page, and what stands in its cells."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.sorts, self.open = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.open.append(tag)
        if tag == "td":
            self.sorts.append(dict(attributes)["data-sort"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_names_columns_and_carries_the_values_behind_cells():
    reader = Reader(table_html("performance", PERFORMANCE, simulated=True))
    assert not reader.open
    assert [tag for tag, _ in reader.tags].count("caption") == 3
    assert all(attributes["scope"] == "col" for tag, attributes in reader.tags if tag == "th")
    assert {"0.8149", "0.0002", "40"} <= set(reader.sorts)
    identities = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(identities) == len(set(identities))


def test_html_escapes_and_marks():
    html = table_html("odd", ODD, simulated=True)
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    assert "[SIMULATED PATIENTS]" in html
    assert "SIMULATED" not in table_html("odd", ODD, simulated=False)


def test_csv_is_what_the_study_stores(tmp_path):
    (path,) = write_table("delong", DELONG, tmp_path, simulated=True, formats=["csv"])
    stored = pd.read_csv(path)
    assert list(stored.columns) == [*DELONG.columns, "patients"]
    assert set(stored["patients"]) == {"SIMULATED"}


@pytest.mark.parametrize(("letters", "turned"), [(10, False), (60, True)])
def test_columns_fit_the_page(letters, turned):
    frame = pd.DataFrame({f"word_{k}": ["m" * letters] for k in range(4)})
    widths, landscape = fit(compose("x", frame, simulated=False)[0])
    assert landscape is turned
    assert sum(widths) <= (LANDSCAPE_MM if turned else PORTRAIT_MM) + 1e-9
