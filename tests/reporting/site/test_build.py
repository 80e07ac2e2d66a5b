"""The folder of pages: whole, marked, the same every time, and readable whatever is missing."""

from __future__ import annotations

import hashlib
import json
import re
import shutil

import pandas as pd
import pytest

from her2study.reporting.site import Content, build_site
from her2study.reporting.site import pages as site_pages
from her2study.types import StudyError
from tests.reporting.site.contents import AUDIT, PERFORMANCE, SETTINGS, SVG, full_content
from tests.reporting.site.crawl import broken, loaded, pages


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A report to look at; no test changes it."""
    folder = tmp_path_factory.mktemp("made")
    build(full_content(folder / "results"), folder / "report")
    return folder / "report"


def build(content, out):
    out.mkdir(parents=True)
    return build_site(content, out)


def test_every_link_and_picture_of_every_page_is_there(made):
    assert broken(made) == []
    expected = {"index.html", "tables/performance.html", "figures/roc.html", "notebooks/09_evaluation.html",
                "claims.html", "audit.html", "numbers.html", "provenance.html", "search.html"}  # fmt: skip
    assert expected <= set(pages(made))


def test_no_page_loads_anything_from_elsewhere(made):
    for address, soup in pages(made).items():
        assert not [what for what in loaded(soup) if "//" in what], address
    for path in (made / "assets").iterdir():
        assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", path.read_text()), path.name


def test_simulated_patients_are_named_on_every_page_and_real_ones_on_none(tmp_path, made):
    for address, soup in pages(made).items():
        assert "SIMULATED PATIENTS" in soup.find("header").get_text(), address
        assert "SIMULATED PATIENTS" in soup.title.get_text(), address
        assert soup.find("style", string=re.compile("@top-center.*SIMULATED")), f"{address}: not in print"
    assert set(pd.read_csv(made / "figures" / "roc.csv")["patients"]) == {"SIMULATED PATIENTS"}
    build(full_content(tmp_path / "real", simulated=False), tmp_path / "pages")
    for address, soup in pages(tmp_path / "pages").items():
        assert "SIMULATED" not in soup.get_text(), address


def test_the_same_content_gives_the_same_bytes(tmp_path, made):
    def digests(folder):
        return {path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in folder.rglob("*") if path.is_file()}  # fmt: skip

    again = tmp_path / "again"
    build(full_content(tmp_path / "elsewhere"), again)
    assert digests(again) == digests(made)


def test_a_study_without_results_still_makes_pages_that_read(tmp_path):
    build(Content(SETTINGS, "full", simulated=False, versions={"her2study": "0"}), tmp_path / "report")
    assert broken(tmp_path / "report") == []
    read = pages(tmp_path / "report")
    assert set(read) == {"index.html", "provenance.html", "search.html"}
    assert "no results yet" in read["index.html"].get_text()


def test_a_figure_that_was_not_drawn_is_left_out_everywhere(tmp_path):
    content = full_content(tmp_path / "results")
    (content.figures_folder / "roc.svg").unlink()
    build(content, tmp_path / "report")
    assert broken(tmp_path / "report") == []
    assert not (tmp_path / "report" / "figures.html").exists()


def test_a_table_and_a_figure_that_nobody_foresaw_have_pages(tmp_path):
    content = full_content(
        tmp_path / "results",
        tables={"my_own": pd.DataFrame({"n": [1, 2]})},
        figures={"my_picture": pd.DataFrame({"x": [1.0]})},
    )
    (content.figures_folder / "my_picture.svg").write_text(SVG)
    build(content, tmp_path / "report")
    assert broken(tmp_path / "report") == []
    assert {"tables/my_own.html", "figures/my_picture.html"} <= set(pages(tmp_path / "report"))


def test_what_a_name_or_a_value_contains_is_text_and_no_markup(tmp_path):
    settings = {**SETTINGS, "title": "<script>alert(1)</script>"}
    table = pd.DataFrame({"label": ["</table><script>alert(2)</script>"], "n": [1]})
    tables = {"audit": AUDIT.assign(check="<script>alert(4)</script>"), "mine": table}
    numbers = {"odd": "</script><script>alert(3)"}
    content = full_content(tmp_path / "results", settings=settings, tables=tables, numbers=numbers)
    build(content, tmp_path / "report")
    for address, soup in pages(tmp_path / "report").items():
        assert not [tag for tag in soup.find_all("script") if "alert" in (tag.string or "")], address


@pytest.mark.parametrize(("mistake", "said"), [("{{ nobody }}", "nobody"), ("{% if %}", "Expected an expression")])
def test_a_mistake_in_a_template_is_said_with_its_file_and_line(tmp_path, monkeypatch, mistake, said):
    shutil.copytree(site_pages.HERE, tmp_path / "site")
    claims = tmp_path / "site" / "templates" / "claims.html"
    claims.write_text(claims.read_text().replace("<h1>", f"<h1>\n{mistake}\n"))
    monkeypatch.setattr(site_pages, "HERE", tmp_path / "site")
    with pytest.raises(StudyError, match=rf"claims\.html, line 4: .*{said}.*mend the template"):
        build(full_content(tmp_path / "results"), tmp_path / "report")


def test_each_figure_says_in_words_what_it_shows(made):
    figure = pages(made)["figures/roc.html"].find("figure")
    assert "0.81" in figure.img["alt"]
    assert figure.img["alt"] in figure.figcaption.get_text()


def test_tables_and_figures_stand_under_the_notebook_that_made_them(made):
    read = pages(made)
    assert "09 · How good?" in read["figures.html"].h2.get_text()
    assert read["figures/roc.html"].select_one(".source a")["href"] == "../notebooks/09_evaluation.html"
    assert read["notebooks/09_evaluation.html"].find("a", href="../tables/performance.html")


def test_downloads_are_offered_only_where_they_exist(made):
    read = pages(made)
    endings = {link["href"].rsplit(".", 1)[1] for link in read["tables/performance.html"].select(".downloads a")}
    assert endings == {"csv", "docx", "tex"}
    endings = {link["href"].rsplit(".", 1)[1] for link in read["figures/roc.html"].select(".downloads a")}
    assert endings == {"svg", "pdf", "png", "csv"}  # the TIFF stays with the results


def test_the_search_knows_every_page_and_its_words(made):
    text = (made / "assets" / "search-index.js").read_text()
    index = json.loads(text.removeprefix("window.reportIndex = ").rstrip(";\n"))
    found = {entry["url"].split("#")[0] for entry in index}
    assert {"tables/performance.html", "figures/roc.html", "notebooks/09_evaluation.html", "claims.html"} <= found
    assert any(entry["title"] == "auc_combined_external" and "0.81" in entry["text"] for entry in index)


def test_every_page_has_one_first_heading_and_unique_addresses(made):
    for address, soup in pages(made).items():
        assert len(soup.find_all("h1")) == 1, address
        names = [tag["id"] for tag in soup.find_all(id=True)]
        assert len(names) == len(set(names)), address
        assert soup.html["lang"] == "en"


def test_headline_numbers_have_a_row_for_each_model_and_a_column_for_each_split(made):
    rows = pages(made)["index.html"].select("table tbody tr")
    assert [row.th.get_text() for row in rows] == ["Clinical", "Combined"]
    assert [cell.get_text() for cell in rows[1].find_all("td")] == ["0.80 (0.70 to 0.90)", "0.81 (0.66 to 0.96)"]
    assert len(PERFORMANCE) == 4
