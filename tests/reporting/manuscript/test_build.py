"""The whole manuscript, from a small made-up study to Markdown, DOCX and PDF."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from dataclasses import replace

import pytest
from docx import Document

from her2study.reporting.manuscript import build_manuscript
from her2study.types import StudyError
from tests.reporting.manuscript.maker import BODY, HEAD, make_material, write_template


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("study")


def build(place, simulated=True, body=BODY, head=HEAD, **values):
    path = write_template(place / "papers", body, head)
    material = make_material(place / "results" / "figures", simulated, **values)
    return build_manuscript(path, path.with_name("references.bib"), material, place / "results" / "manuscript")


@pytest.fixture(scope="module")
def made(place):
    return build(place)


def pages(pdf: bytes) -> list[str]:
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext (poppler-utils) is not installed")
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode().split("\f")[:-1]


def test_the_text_with_numbers_references_and_exhibits(made):
    text = made["manuscript.md"].decode().replace("\u00a0", " ")
    assert "The AUC was 0.815 (0.731 to 0.892) in 4 of 10 (40.0%)." in text
    assert "See Figure 1 and Table 1. We agree with others (1)." in text
    assert "Doe J, Roe R, Poe E, et al. A paper on MRI. *Journal of Tests* 2020;3:1–9." in text
    assert "![" in text
    assert "](../figures/roc.png)" in text
    assert "**Table 1.** Performance of all models" in text


def test_simulated_is_said_in_title_abstract_and_header_of_every_page(made):
    printed = pages(made["manuscript.pdf"])
    assert len(printed) >= 3
    assert all("SIMULATED PATIENTS" in page.strip().split("\n")[0] for page in printed)
    document = Document(io.BytesIO(made["manuscript.docx"]))
    assert all("SIMULATED PATIENTS" in section.header.paragraphs[0].text for section in document.sections)
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert texts[1].startswith("SIMULATED PATIENTS")
    assert texts[texts.index("Abstract") + 1].startswith("SIMULATED PATIENTS.")


def test_real_patients_carry_no_mark(place):
    made = build(place, simulated=False)
    assert "SIMULATED" not in made["manuscript.md"].decode()
    assert "SIMULATED" not in "".join(pages(made["manuscript.pdf"]))
    with zipfile.ZipFile(io.BytesIO(made["manuscript.docx"])) as parts:
        assert not any(b"SIMULATED" in parts.read(name) for name in parts.namelist() if name.endswith(".xml"))


def test_the_docx_has_its_table_figure_and_alternative_text(made):
    document = Document(io.BytesIO(made["manuscript.docx"]))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert any("0.81 (0.73 to 0.89)" in cell for cell in cells)
    [picture] = document.inline_shapes
    assert picture.width.mm == pytest.approx(174, abs=0.5)  # the journal's double column
    assert picture._inline.docPr.get("descr")
    captions = [paragraph.text.replace("\u00a0", " ") for paragraph in document.paragraphs]
    assert any(text.startswith("Table 1. Performance of all models") for text in captions)
    assert any(text.startswith("Figure 1. Receiver operating characteristic curves") for text in captions)
    assert "lnNumType" in document.element.xml


def test_fonts_of_the_pdf_are_embedded(made, tmp_path):
    if not shutil.which("pdffonts"):
        pytest.skip("pdffonts (poppler-utils) is not installed")
    (tmp_path / "m.pdf").write_bytes(made["manuscript.pdf"])
    told = subprocess.run(["pdffonts", tmp_path / "m.pdf"], capture_output=True, check=True, text=True).stdout
    fonts = told.strip().split("\n")[2:]
    assert fonts
    assert all(line.split()[-5] == "yes" for line in fonts)


def test_the_same_study_gives_the_same_bytes(place, made):
    assert build(place) == made


def test_a_changed_value_changes_all_three_files(place, made):
    other = build(place, positives=5)
    assert "5 of 10 (50.0%)" in other["manuscript.md"].decode()
    assert all(other[name] != made[name] for name in made)


def test_a_template_error_names_file_and_line(place):
    with pytest.raises(StudyError, match=r"papers/manuscript.md, line 10: value 'auc_combined_externl' is not in"):
        build(place, body=BODY.replace("v.auc_combined_external", "v.auc_combined_externl"))


def test_a_typed_number_stops_the_build(place):
    with pytest.raises(StudyError, match=r"manuscript.md, line 14: '0.81' is typed by hand"):
        build(place, body=BODY.replace("We agree", "We found 0.81 and agree"))


def test_a_simulated_study_must_have_an_abstract(place):
    with pytest.raises(StudyError, match="no heading '# Abstract'"):
        build(place, body=BODY.replace("# Abstract", "# Summary"))


def test_a_table_that_the_text_never_mentions(place):
    head = HEAD.replace("keywords: [test]", "tables: {cohort_flow: {columns: [label, n]}}")
    with pytest.raises(StudyError, match=r"tables.cohort_flow: the text never mentions it"):
        build(place, head=head)


def test_a_missing_figure_is_named_with_its_mend(place):
    path = write_template(place / "papers")
    material = make_material(place / "other")
    (place / "other" / "roc.pdf").unlink()
    with pytest.raises(StudyError, match=r"roc.pdf is missing; draw the figures again: make figures"):
        build_manuscript(path, path.with_name("references.bib"), material, place / "manuscript")


def test_numbers_that_contradict_each_other_stop_the_build(place):
    path = write_template(place / "papers")
    material = make_material(place / "results" / "figures")
    wrong = material.tables["performance"].assign(auc=[0.99, 0.8149])
    with pytest.raises(StudyError, match="numbers that contradict each other"):
        build_manuscript(
            path,
            path.with_name("references.bib"),
            replace(material, tables={**material.tables, "performance": wrong}),
            place / "manuscript",
        )


def test_an_unknown_reference_style(place):
    with pytest.raises(
        StudyError, match=r"unknown reference style 'acta-radiologca'; did you mean 'acta-radiologica'\?"
    ):
        build(place, head=HEAD.replace("keywords: [test]", "csl: acta-radiologca"))
