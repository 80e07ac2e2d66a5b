"""The folder being written: renders templates into it and remembers what the search must know."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Iterable, Sequence
from html import escape, unescape
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from markupsafe import Markup

from her2study.reporting.site.content import Content
from her2study.types import StudyError

HERE = Path(__file__).parent

SCRIPTS = ("theme.js", "report.js", "search.js", "calculator.js")
STYLES = ("report.css",)

LONGEST_TEXT = 6000
"""Characters of one entry that the search reads; long tables repeat themselves."""


class Entry(NamedTuple):
    """Something the search can find."""

    kind: str
    title: str
    url: str
    text: str


class Link(NamedTuple):
    """One item of the navigation."""

    label: str
    url: str
    about: str = ""


class Site:
    """Pages of one report on their way to a folder."""

    def __init__(self, content: Content, out: Path, navigation: Sequence[Link]) -> None:
        self.content, self.out = content, out
        self.entries: list[Entry] = []
        self.environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals |= {"content": content, "navigation": navigation, "section": section}

    def page(self, url: str, template: str, title: str, **context: Any) -> None:
        """Render a template to ``url``; links inside are relative, so that the folder can be moved.

        Raises
        ------
        StudyError
            The template has a mistake: its file and line.
        """
        known = {"title": title, "url": url, "root": "../" * url.count("/"), **context}
        try:
            self.write(url, self.environment.get_template(template).render(known))
        except TemplateError as error:
            raise StudyError(f"{_place(error, template)}: {error}; mend the template, then: make report") from error

    def write(self, url: str, text: str) -> None:
        """Write a text file of the report."""
        path = self.out / url
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")

    def find(self, kind: str, title: str, url: str, text: str | Iterable[str] = "") -> None:
        """Let the search know of a page or a part of one."""
        words = text if isinstance(text, str) else " ".join(text)
        self.entries.append(Entry(kind, title, url, " ".join(words.split())[:LONGEST_TEXT]))

    def assets(self) -> None:
        """Style, scripts and the index of the search, which is a script because a file may not fetch another."""
        for name in (*SCRIPTS, *STYLES):
            if (source := HERE / "assets" / name).is_file():
                self.write(f"assets/{name}", source.read_text(encoding="utf-8"))
        index = json.dumps([entry._asdict() for entry in self.entries], ensure_ascii=False, indent=0)
        self.write("assets/search-index.js", f"window.reportIndex = {index};\n")


def section(url: str) -> str:
    """The item of the navigation that a page belongs to: ``tables.html`` for ``tables/roc.html``."""
    folder, _, page = url.rpartition("/")
    return f"{folder}.html" if folder else page


def _place(error: TemplateError, template: str) -> str:
    """File and line of a mistake in a template."""
    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename}, line {error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".html")]
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else template


def safe(html: str) -> Markup:
    """HTML that this package made."""
    return Markup(html)


def scrolling(html: str, name: str) -> str:
    """HTML whose wide tables scroll by themselves, by keyboard too, and look as all tables do."""
    html = re.sub(r"<div class=['\"]table-wrap['\"]>(.*?)</div>", r"\1", html, flags=re.DOTALL)
    html = html.replace("<table>", '<table class="printed">')

    def region(table: re.Match[str]) -> str:
        caption = re.search(r"<caption>(.*?)</caption>", table[0], re.DOTALL)
        label = unescape(re.sub(r"<[^>]+>", "", caption[1])).strip() if caption else name
        return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">{table[0]}</div>'

    return re.sub(r'<table class="printed".*?</table>', region, html, flags=re.DOTALL)


def headings(html: str) -> list[tuple[str, str]]:
    """Address and words of each second-level heading, for the list of a page's parts."""
    found = re.findall(r"<h2[^>]*\bid=['\"]([^'\"]+)['\"][^>]*>(.*?)</h2>", html, re.DOTALL)
    return [(anchor, unescape(re.sub(r"<[^>]+>", "", words)).strip()) for anchor, words in found]
