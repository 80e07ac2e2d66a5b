"""The head of a manuscript, its references, and what of a table it shows."""

from __future__ import annotations

import pytest

from her2study.reporting.manuscript.citations import check_citations
from her2study.reporting.manuscript.exhibits import select
from her2study.reporting.manuscript.front import Shown, read_front
from her2study.types import StudyError
from tests.reporting.manuscript.maker import HEAD, PERFORMANCE, write_template


def test_the_text_keeps_its_line_numbers(tmp_path):
    front, source = read_front(write_template(tmp_path, "\nfirst line of text\n"))
    assert front.title == "A study of nobody"
    assert source.split("\n")[7] == "first line of text"


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("title: x\n", "line 1: the manuscript must begin with a head"),
        (HEAD.replace("keywords", "keyword"), "line 5: keyword is an unknown key; did you mean 'keywords'?"),
        (HEAD.replace("title: A study of nobody\n", "", 1), "the head lacks the key 'title'"),
        (HEAD.replace("keywords: [test]", "tables: {roc: {colums: [a]}}"), "colums is an unknown key; did you mean"),
        (HEAD.replace("keywords: [test]", "line_spacing: 9"), "line 5: line_spacing: "),
        (HEAD.replace("keywords: [test]", "keywords: [test"), "line 5: not valid YAML"),
    ],
)
def test_a_wrong_head(tmp_path, head, told):
    with pytest.raises(StudyError) as error:
        read_front(write_template(tmp_path, head=head))
    assert told in str(error.value)


def test_no_manuscript(tmp_path):
    with pytest.raises(StudyError, match=r"manuscript.md does not exist; write one"):
        read_front(tmp_path / "manuscript.md")


@pytest.mark.parametrize(
    ("text", "bibliography", "told"),
    [
        (
            "a\nb [@doe2021]",
            "@article{doe2020,\n}",
            "manuscript.md, line 2: 'doe2021' is not in references.bib; did you",
        ),
        ("a", "@article{doe2020,\n}", "references.bib, line 1: 'doe2020' is never cited"),
        ("[@a]", "@article{a,\n}\n@book{a,\n}", "references.bib, line 3: 'a' is there twice"),
    ],
)
def test_references_and_citations_belong_together(tmp_path, text, bibliography, told):
    (tmp_path / "references.bib").write_text(bibliography)
    with pytest.raises(StudyError) as error:
        check_citations(text, tmp_path / "manuscript.md", tmp_path / "references.bib")
    assert told in str(error.value)


def test_addresses_of_people_are_no_citations(tmp_path):
    (tmp_path / "references.bib").write_text("@article{a,\n}")
    check_citations("mail me@example.org [@a]", tmp_path / "manuscript.md", tmp_path / "references.bib")


def test_rows_and_columns_of_a_table():
    shown = select(PERFORMANCE, "performance", Shown(columns=("model", "auc"), where={"split": "external"}))
    assert shown.columns.tolist() == ["model", "auc", "auc_low", "auc_high"]
    assert shown["auc"].tolist() == [0.8149]


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (Shown(columns=("acu",)), "no column 'acu'; did you mean 'auc'?"),
        (Shown(where={"split": "outside"}), "leaves no row"),
    ],
)
def test_what_a_table_does_not_have(shown, told):
    with pytest.raises(StudyError, match=told):
        select(PERFORMANCE, "performance", shown)
