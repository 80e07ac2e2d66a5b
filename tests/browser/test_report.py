"""The report as a reader meets it: opened from a file, without a network, with a mouse, keyboard or screen reader."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.reporting.site.crawl import broken

pytestmark = pytest.mark.slow

EVERY_KIND = (
    "index.html claims.html figures.html figures/roc.html tables.html tables/performance.html tables/baseline.html "
    "notebooks.html notebooks/11_claims.html calculator.html audit.html checklists.html model-card.html "
    "data-sheet.html numbers.html provenance.html search.html?q=auc"
).split()

IN_THE_DARK = "index.html claims.html figures/roc.html calculator.html audit.html search.html?q=auc".split()


@pytest.fixture(scope="module")
def report(finished, tmp_path_factory) -> Path:
    """The report of the finished run, zipped, unpacked elsewhere: nothing of it may depend on where it was made."""
    made = finished / "hong2025-smoke" / "report"
    folder = tmp_path_factory.mktemp("mail")
    packed = shutil.make_archive(str(folder / "report"), "zip", made)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder / "a folder with spaces & ümlauts")
    return folder / "a folder with spaces & ümlauts"


def opened(browser_page, report, page):
    name, _, query = page.partition("?")
    browser_page.goto((report / name).as_uri() + (f"?{query}" if query else ""))
    return browser_page


def test_every_kind_of_page_is_accessible(browser_page, report, axe):
    for page in EVERY_KIND:
        opened(browser_page, report, page)
        assert axe(browser_page) == [], page


def test_every_colour_can_be_read_in_the_dark(browser_page, report, axe):
    browser_page.emulate_media(color_scheme="dark")
    for page in IN_THE_DARK:
        opened(browser_page, report, page)
        assert axe(browser_page) == [], page


def test_every_page_opens_without_a_complaint_and_shows_its_pictures(browser_page, report):
    for path in sorted(report.rglob("*.html")):
        browser_page.goto(path.as_uri())
        missing = browser_page.evaluate(
            """async () => {
                const pictures = [...document.images];
                pictures.forEach((picture) => { picture.loading = "eager"; });
                await Promise.allSettled(pictures.map((picture) => picture.decode()));
                return pictures.filter((picture) => !picture.naturalWidth).map((picture) => picture.src);
            }"""
        )
        assert missing == [], path.name
        assert browser_page.locator("header").get_by_text("SIMULATED PATIENTS").is_visible(), path.name


def test_every_link_leads_somewhere(report):
    assert broken(report) == []


def test_no_page_is_wider_than_a_phone(browser_page, report):
    browser_page.set_viewport_size({"width": 360, "height": 740})
    for page in EVERY_KIND:
        opened(browser_page, report, page)
        assert browser_page.evaluate("document.documentElement.scrollWidth") <= 360, page
        browser_page.wait_for_load_state("networkidle")  # a picture that is left half-way counts as not loaded


def test_tables_sort_by_number_and_back_by_mouse_and_keyboard(browser_page, report):
    opened(browser_page, report, "index.html")
    table = browser_page.locator("table.printed").first
    head = table.locator("thead th").nth(3)

    def shown() -> list[float]:
        texts = table.locator("tbody tr td:last-child").all_inner_texts()
        return [float(text.split(" ")[0].replace("−", "-")) for text in texts]

    before = shown()
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert shown() == sorted(before)
    head.get_by_role("button").focus()
    browser_page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert shown() == sorted(before, reverse=True)


def test_levels_of_a_variable_stay_below_it_when_sorted(browser_page, report):
    opened(browser_page, report, "tables/baseline.html")
    table = browser_page.locator("table.printed").first

    def families() -> set[tuple[str, ...]]:
        found: list[list[str]] = []
        cells = table.locator("tbody tr td:first-child")
        levels = cells.evaluate_all("all => all.map((cell) => cell.dataset.sort.startsWith('\u2003'))")
        for text, level in zip(cells.all_text_contents(), levels, strict=True):
            if level:
                found[-1].append(text)
            else:
                found.append([text])
        return {tuple(family) for family in found}

    before = families()
    assert any(len(family) > 2 for family in before)
    table.locator("thead button").first.click()
    assert families() == before


def test_a_filter_leaves_the_rows_that_hold_every_word(browser_page, report):
    opened(browser_page, report, "numbers.html")
    browser_page.get_by_label("Show rows with").fill("auc combined")
    rows = browser_page.locator("table.printed tbody tr:visible")
    assert rows.count() > 2
    assert all("auc" in text.lower() and "combined" in text.lower() for text in rows.all_inner_texts())


def test_search_finds_from_any_page(browser_page, report):
    opened(browser_page, report, "figures/roc.html")
    browser_page.get_by_label("Search the report").fill("receiver operating characteristic")
    browser_page.keyboard.press("Enter")
    browser_page.wait_for_url(re.compile(r"search\.html\?q=receiver"))
    first = browser_page.locator("#results li a").first
    assert "Receiver operating characteristic" in first.inner_text()
    browser_page.get_by_label("Words to find").fill("rim enhancement")
    assert browser_page.locator("#results li").count() > 3
    assert browser_page.locator("#results mark").first.inner_text().lower().startswith("rim")
    browser_page.get_by_label("Words to find").fill("zzz qqq")
    assert "Nothing found" in browser_page.locator("#found").inner_text()
    browser_page.get_by_label("Words to find").fill("receiver operating characteristic")
    browser_page.locator("#results li a").first.click()
    assert browser_page.locator("h1").inner_text()


def test_a_figure_is_a_vector_that_can_be_looked_at_closely(browser_page, report):
    opened(browser_page, report, "figures/roc.html")
    picture = browser_page.locator("figure img")
    assert picture.get_attribute("src").endswith(".svg")
    assert re.search(r"0\.\d\d", picture.get_attribute("alt"))
    browser_page.locator("a.zoom").focus()
    browser_page.keyboard.press("Enter")
    assert browser_page.locator("dialog").get_by_text("SIMULATED PATIENTS").is_visible()
    large = browser_page.locator("dialog img")
    width = large.bounding_box()["width"]
    browser_page.keyboard.press("+")
    assert large.bounding_box()["width"] == pytest.approx(1.5 * width, rel=0.01)
    browser_page.keyboard.press("Escape")
    browser_page.locator("dialog").wait_for(state="detached")
    assert browser_page.evaluate("document.activeElement.className").endswith("zoom")


def test_code_of_a_notebook_unfolds(browser_page, report):
    opened(browser_page, report, "notebooks/09_evaluation.html")
    code = browser_page.locator("details.code pre").first
    assert not code.is_visible()
    browser_page.get_by_role("button", name="Show all code").click()
    assert code.is_visible()


def test_light_and_dark_are_the_reader_s_choice(browser_page, report):
    browser_page.emulate_media(color_scheme="light")
    opened(browser_page, report, "index.html")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = browser_page.evaluate(paper)
    browser_page.get_by_role("button", name="Switch between light and dark").click()
    dark = browser_page.evaluate(paper)
    assert dark != light
    opened(browser_page, report, "claims.html")
    assert browser_page.evaluate(paper) == dark  # kept from page to page


def test_without_javascript_every_page_still_reads(browser, report):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for name in EVERY_KIND:
        opened(page, report, name)
        assert len(page.locator("main").inner_text()) > 100, name
        assert page.locator(".needs-script:visible").count() == 0, name
    opened(page, report, "search.html")
    assert page.get_by_role("link", name="Receiver operating characteristic curves").first.is_visible()
    context.close()


def test_on_paper_every_sheet_says_simulated(browser_page, report, tmp_path):
    opened(browser_page, report, "tables/assumptions.html")
    paper = tmp_path / "page.pdf"
    browser_page.pdf(path=paper, prefer_css_page_size=True)
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext (poppler-utils) is not installed")
    text = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True).stdout
    sheets = text.split("\f")[:-1]
    assert len(sheets) > 1
    assert all("SIMULATED PATIENTS" in sheet for sheet in sheets)


def test_the_report_is_small_enough_to_send(report):
    assert sum(path.stat().st_size for path in report.rglob("*") if path.is_file()) < 60e6
