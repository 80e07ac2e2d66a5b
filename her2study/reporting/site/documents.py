"""The calculator, the documents that journals ask for, and where everything came from."""

from __future__ import annotations

from her2study.reporting.checklists import CHECKLISTS as NAMES
from her2study.reporting.checklists import Evidence, checklist_html
from her2study.reporting.data_sheet import data_sheet
from her2study.reporting.model_card import model_card
from her2study.reporting.sheets import Sheet, sheet_html
from her2study.reporting.site import provenance
from her2study.reporting.site.calculator import calculator_html
from her2study.reporting.site.exhibits import text_of
from her2study.reporting.site.pages import Site, headings, safe, scrolling

CALCULATOR, CHECKLISTS, MODEL_CARD = "calculator.html", "checklists.html", "model-card.html"
DATA_SHEET, PROVENANCE = "data-sheet.html", "provenance.html"


def write_calculator(site: Site) -> None:
    """The frozen combined model, or the clinical one where there is no other, as a page that computes."""
    content = site.content
    if not content.frozen:
        return
    frozen = next(iter(content.frozen.values()))
    statistics = content.settings.get("statistics", {})
    targets = {what: statistics[f"target_{what}"] for what in ("sensitivity", "specificity")
               if f"target_{what}" in statistics}  # fmt: skip
    nomogram = content.figures.get("nomogram")
    fragment = calculator_html(
        frozen, nomogram, content.settings.get("variables", {}), content.simulated, content.confidence,
        content.outcome, targets,
    )  # fmt: skip
    site.page(CALCULATOR, "fragment.html", "Calculator", parts=[safe(fragment)], scripts=["calculator.js"], contents=[])
    site.find("page", "Calculator", CALCULATOR, text_of(fragment))


def write_checklists(site: Site, addresses: set[str]) -> None:
    """Each reporting checklist with a link to where an item is answered."""
    content = site.content
    if content.results is None:
        return
    evidence = Evidence(content.results, content.settings, content.study_folder)
    addresses = addresses | {DATA_SHEET} | ({MODEL_CARD, CALCULATOR} if content.frozen else set())
    parts = [checklist_html(name, evidence, addresses) for name in NAMES]
    _fragments(site, CHECKLISTS, "Reporting checklists", parts)


def write_model_card(site: Site) -> None:
    """What the final model is, is for, and is not for."""
    content = site.content
    if content.frozen:
        _sheet(site, MODEL_CARD, model_card(content.settings, content.tables, content.numbers, content.frozen))


def write_data_sheet(site: Site) -> None:
    """Who the patients are and how they came about; of real ones, what is known and what is open."""
    content = site.content
    if content.results is None:
        return
    evidence = Evidence(content.results, content.settings, content.study_folder)
    _sheet(site, DATA_SHEET, data_sheet(content.settings, content.tables, evidence.conditions["images"]))


def write_provenance(site: Site) -> None:
    """Steps, times, versions and settings."""
    site.page(PROVENANCE, "provenance.html", "Provenance", **provenance.gather(site.content))
    site.find("page", "Provenance", PROVENANCE, provenance.settings_text(site.content))


def _sheet(site: Site, url: str, sheet: Sheet) -> None:
    _fragments(site, url, sheet.title, [sheet_html(sheet, url.partition(".")[0])])


def _fragments(site: Site, url: str, title: str, parts: list[str]) -> None:
    """Pieces of pages that others made, with the tables in them free to scroll on a phone."""
    parts = [scrolling(part, title) for part in parts]
    heads = [head for part in parts for head in headings(part)]
    site.page(url, "fragment.html", title, parts=[safe(part) for part in parts], scripts=[], contents=heads)
    site.find("page", title, url, text_of(" ".join(parts)))
