"""Write the report: one page after another, each from what exists."""

from __future__ import annotations

from pathlib import Path

from her2study.reporting.site import abstract
from her2study.reporting.site.catalogue import Item, figure_items, notebook_items, table_items
from her2study.reporting.site.content import Content
from her2study.reporting.site.documents import (
    CALCULATOR,
    CHECKLISTS,
    DATA_SHEET,
    MODEL_CARD,
    PROVENANCE,
    write_calculator,
    write_checklists,
    write_data_sheet,
    write_model_card,
    write_provenance,
)
from her2study.reporting.site.exhibits import write_figures, write_notebooks, write_tables
from her2study.reporting.site.judged import AUDIT, CLAIMS, NUMBERS, write_audit, write_claims, write_numbers
from her2study.reporting.site.pages import Link, Site


def build_site(content: Content, out: Path) -> Path:
    """Write the report of a study into the empty folder ``out`` and return its first page.

    The same content gives the same bytes. Pages of what does not exist are absent, and nothing links to them.
    """
    tables, figures, notebooks = table_items(content), figure_items(content), notebook_items(content)
    site = Site(content, out, navigation(content, tables, figures, notebooks))
    _overview(site, tables, figures)
    write_claims(site)
    write_figures(site, figures, notebooks)
    write_tables(site, tables, notebooks)
    write_notebooks(site, notebooks, [*tables, *figures])
    write_calculator(site)
    write_audit(site)
    write_checklists(site, {item.url for item in (*tables, *figures, *notebooks)})
    write_model_card(site)
    write_data_sheet(site)
    write_numbers(site)
    write_provenance(site)
    lists = [("Tables", tables), ("Figures", figures), ("Notebooks", notebooks)]
    site.page("search.html", "search.html", "Search", lists=[(name, items) for name, items in lists if items])
    site.assets()
    return out / "index.html"


def navigation(content: Content, tables: list[Item], figures: list[Item], notebooks: list[Item]) -> list[Link]:
    """The pages that exist, in the order in which one reads them."""
    links = [
        (True, Link("Overview", "index.html")),
        ("claims" in content.tables, Link("Claims", CLAIMS, "each claim of the paper, and whether it holds here")),
        (figures, Link("Figures", "figures.html", f"{len(figures)} figures as vectors, with their legends")),
        (tables, Link("Tables", "tables.html", f"{len(tables)} tables to sort, filter and download")),
        (notebooks, Link("Notebooks", "notebooks.html", "every executed notebook, with its code")),
        (
            content.frozen,
            Link("Calculator", CALCULATOR, "the frozen model in the browser; research use only"),
        ),
        ("audit" in content.tables, Link("Audit", AUDIT, "leakage, centres, scanners: what was checked, and how")),
        (content.results, Link("Checklists", CHECKLISTS, "TRIPOD+AI and CLAIM, with where each item is answered")),
        (content.frozen, Link("Model card", MODEL_CARD, "what the final model is for, and what it is not for")),
        (content.results, Link("Data sheet", DATA_SHEET, "who the patients are, and how they came about")),
        (content.numbers, Link("Numbers", NUMBERS, "every number that a sentence may use, by name")),
        (True, Link("Provenance", PROVENANCE, "code, data, settings, versions and times")),
    ]
    return [link for exists, link in links if exists]


def _overview(site: Site, tables: list[Item], figures: list[Item]) -> None:
    parts = abstract.abstract(site.content)
    site.page(
        "index.html", "index.html", site.content.settings.get("title", "Report"), parts=parts,
        tiles=abstract.tiles(site.content), headline=abstract.headline(site.content),
        figures=[item for item in figures if item.main], tables=[item for item in tables if item.main],
    )  # fmt: skip
    for part in parts:
        site.find("page", f"Abstract: {part.heading}", "index.html#abstract", part.sentences)
