"""Executed notebooks as pages: converted by nbconvert, pictures beside them, code folded away."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from bs4 import BeautifulSoup, Tag
from nbconvert import HTMLExporter

from her2study.reporting.site.catalogue import Item

CELLS = Path(__file__).parent / "templates" / "cells.html"

OWN_STYLE = re.compile(r"<style.*?</style>|(?<=<t[hdr])(?: +(?:class|id|style)=\"[^\"]*\")+", re.DOTALL)
"""What pandas brings along to look the same everywhere; here the report decides how tables look."""

ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Heading(NamedTuple):
    """A section of a page: what the table of contents and the search know of it."""

    anchor: str
    title: str
    level: int
    text: str


class Rendered(NamedTuple):
    """The cells of a notebook as HTML, its sections, and its pictures by file name."""

    body: str
    headings: list[Heading]
    pictures: dict[str, bytes]


def render_notebook(path: Path, figures: Mapping[str, Item]) -> Rendered:
    """Convert an executed notebook; no time or machine of its execution is in the result.

    Parameters
    ----------
    path : Path
        The executed notebook.
    figures : mapping
        Figures of the report by name: a picture of one of them gets its words and leads to its page.
    """
    book = nbformat.read(path, as_version=4)
    cells = [cell for cell in book.cells if "".join(cell.source).strip()]
    if any("injected-parameters" in cell.metadata.get("tags", []) for cell in cells):
        cells = [cell for cell in cells if "parameters" not in cell.metadata.get("tags", [])]  # what was used counts
    pictures: dict[str, bytes] = {}
    for cell in cells:
        cell.metadata.pop("papermill", None)
        for output in cell.get("outputs", []):
            _take_out(output, path.stem, pictures)
    book.cells = cells
    exporter = HTMLExporter(raw_template=CELLS.read_text(encoding="utf-8"), exclude_anchor_links=True)
    body, _ = exporter.from_notebook_node(book)
    soup = BeautifulSoup(body, "lxml")
    _restyle(soup, figures)
    headings = _sections(soup)
    return Rendered(soup.body.decode_contents() if soup.body else "", headings, pictures)


def _take_out(output: Any, stem: str, pictures: dict[str, bytes]) -> None:
    """Move a picture out of the notebook into a file of its own, and drop a table's own style: pages stay small."""
    data = output.get("data", {})
    if "text/html" in data:
        data["text/html"] = OWN_STYLE.sub("", "".join(data["text/html"]))
    if "image/png" not in data:
        return
    name = f"{stem}_{len(pictures) + 1}.png"
    pictures[name] = base64.b64decode("".join(data["image/png"]))
    output.metadata.setdefault("filenames", {})["image/png"] = name


def _restyle(soup: BeautifulSoup, figures: Mapping[str, Item]) -> None:
    """Tables and pictures as on every other page, and no link that leads nowhere."""
    for number, table in enumerate(soup.find_all("table"), start=1):
        for attribute in ("border", "id"):
            table.attrs.pop(attribute, None)
        table["class"] = "printed"
        for head in table.select("thead th"):
            head["scope"] = "col"
        caption = table.caption.get_text(" ", strip=True) if table.caption else f"Table {number} of this notebook"
        frame = soup.new_tag("div", attrs={"class": "scroll", "tabindex": "0", "role": "region", "aria-label": caption})
        table.wrap(frame)
    for picture in soup.find_all("img"):
        named = re.match(r"Figure ([^:]+):", picture.get("alt") or "")
        item = figures.get(named[1].strip().replace(" ", "_")) if named else None
        picture["loading"] = "lazy"
        if item:
            picture["alt"] = item.alt
            link = soup.new_tag("a", attrs={"href": f"../{item.url}", "class": "picture"})
            picture.wrap(link)
        elif not picture.get("alt"):
            picture["alt"] = "Picture of this notebook, described in the text beside it"
    for link in soup.find_all("a"):
        if not re.match(r"(https?:|#|\.\./figures/)", link.get("href") or ""):
            link.unwrap()


def _sections(soup: BeautifulSoup) -> list[Heading]:
    """Give every heading an address and read the text below it; the page has its own first heading."""
    found, taken = [], set()
    for head in soup.find_all(["h1", "h2", "h3", "h4"]):
        if head.name == "h1" and not found and "title" not in taken:
            taken.add("title")
            found.append(Heading("", head.get_text(strip=True), 1, _text_after(head)))
            head.decompose()
            continue
        if head.name == "h1":
            head.name = "h2"
        title = head.get_text(strip=True)
        anchor = base = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
        while anchor in taken:
            anchor = f"{base}-{len(taken)}"
        taken.add(anchor)
        head["id"] = anchor
        found.append(Heading(anchor, title, int(head.name[1]), _text_after(head)))
    return found


def _text_after(head: Tag) -> str:
    """Prose and printed output between a heading and the next, without code."""
    words: list[str] = []
    for item in head.find_all_next(["h1", "h2", "h3", "h4", "p", "li", "pre", "caption", "td"]):
        if item.name in ("h1", "h2", "h3", "h4"):
            break
        if not item.find_parent("details"):
            words.append(ANSI.sub("", item.get_text(" ", strip=True)))
    return " ".join(words)
