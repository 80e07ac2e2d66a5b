"""Executed notebooks as pages."""

from __future__ import annotations

import nbformat
from bs4 import BeautifulSoup

from her2study.reporting.site.catalogue import Item
from her2study.reporting.site.notebooks import render_notebook
from tests.reporting.site.contents import PIXEL, notebook, output

STYLED = (
    '<style type="text/css">#T_1 { color: red }</style><table id="T_1"><caption>Who</caption><thead><tr>'
    '<th id="T_1_level0" class="col_heading">n</th></tr></thead>'
    '<tbody><tr><td class="data row0">5</td></tr></tbody></table>'
)


def render(tmp_path, *cells, figures=None):
    return render_notebook(notebook(tmp_path / "09_evaluation.ipynb", *cells), figures or {})


def test_pictures_move_into_files_and_say_what_they_show(tmp_path):
    item = Item("figure", "roc", "ROC", "figures/roc.html", "", "The AUC is 0.81.")
    cell = output({"image/png": PIXEL, "text/plain": "<Figure>"}, **{"image/png": {"alt": "Figure roc: one curve."}})
    other = output({"image/png": PIXEL})
    rendered = render(tmp_path, cell, other, figures={"roc": item})
    pictures = BeautifulSoup(rendered.body, "lxml").find_all("img")
    assert [picture["src"] for picture in pictures] == list(rendered.pictures) == [
        "09_evaluation_1.png", "09_evaluation_2.png"]  # fmt: skip
    assert pictures[0]["alt"] == "The AUC is 0.81."
    assert pictures[0].parent["href"] == "../figures/roc.html"
    assert pictures[1]["alt"]
    assert all(content.startswith(b"\x89PNG") for content in rendered.pictures.values())


def test_tables_lose_their_own_style_and_can_be_scrolled_by_keyboard(tmp_path):
    soup = BeautifulSoup(render(tmp_path, output({"text/html": STYLED})).body, "lxml")
    assert not soup.find("style")
    assert soup.table.parent["tabindex"] == "0"
    assert soup.table.parent["aria-label"] == "Who"
    assert soup.th.attrs == {"scope": "col"}
    assert soup.td.attrs == {}


def test_code_is_folded_and_only_the_parameters_that_were_used_are_shown(tmp_path):
    soup = BeautifulSoup(render(tmp_path).body, "lxml")
    code = [item.get_text() for item in soup.select("details.code pre")]
    assert len(code) == 1
    assert "smoke" in code[0]
    assert soup.summary.get_text() == "Code"


def test_no_time_of_the_run_and_no_script_is_on_the_page(tmp_path):
    rendered = render(tmp_path, output({"text/plain": "5"}))
    assert "2031" not in rendered.body
    assert "<script" not in rendered.body


def test_sections_have_addresses_and_text_without_code(tmp_path):
    text = nbformat.v4.new_markdown_cell("## For whom?\n\nFor *all*.")
    again = nbformat.v4.new_markdown_cell("## For whom?\n\nFor none. [A file](../docs/x.md), [a site](https://x.org).")
    rendered = render(tmp_path, text, again)
    assert [(head.title, head.level) for head in rendered.headings] == [
        ("09 · How good?", 1), ("For whom?", 2), ("For whom?", 2)]  # fmt: skip
    assert len({head.anchor for head in rendered.headings}) == 3
    assert "prose" in rendered.headings[0].text
    assert "smoke" not in rendered.headings[0].text
    soup = BeautifulSoup(rendered.body, "lxml")
    assert not soup.find("h1")  # the page has its own
    assert [link["href"] for link in soup.find_all("a")] == ["https://x.org"]


def test_a_notebook_without_a_cell_is_an_empty_page(tmp_path):
    book = nbformat.v4.new_notebook()
    nbformat.write(book, tmp_path / "empty.ipynb")
    assert render_notebook(tmp_path / "empty.ipynb", {}) == ("", [], {})
