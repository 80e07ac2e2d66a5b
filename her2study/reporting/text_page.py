"""A start page that was written as Markdown, as a page for a browser: offline, to read, sort and print.

It knows the Markdown that this package writes and no more: headings, paragraphs, bullets, tables, pictures, links,
bold words and code.
"""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

import her2study

HERE = Path(__file__).parent
ASSETS = HERE / "site" / "assets"

PICTURE = re.compile(r"!\[(?P<words>[^\]]*)\]\((?P<place>[^)\s]+)\)")
HEADING = re.compile(r"(?P<depth>#{1,4}) (?P<words>.+)")
INLINE = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<bold>[^*]+)\*\*|\[(?P<words>[^\]]+)\]\((?P<place>[^)\s]+)\)")
CELLS = re.compile(r"(?<!\\)\|")
NUMBER = re.compile(r"[−<>]?\s*[\d.,]+( \(.*\))?%?|–")


def text_page(markdown: str, simulated: bool = False) -> str:
    """The whole page as HTML; links to ``.md`` files lead to the ``.html`` beside them.

    Parameters
    ----------
    markdown : str
        Begins with a heading of the first order, the page's title.
    """
    blocks = [block for block in re.split(r"\n{2,}", markdown.strip()) if block]
    headings = [match["words"] for block in blocks if (match := HEADING.fullmatch(block)) and match["depth"] == "##"]
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("text_page.html").render(
        title=blocks[0].removeprefix("# "),
        simulated=simulated,
        contents=[(_id(heading), heading) for heading in headings],
        content=Markup("\n").join(_block(block) for block in blocks),
        version=her2study.__version__,
        style=_asset("report.css"),
        theme=_asset("theme.js"),
        script=_asset("report.js"),
    )


def _block(block: str) -> Markup:
    if match := HEADING.fullmatch(block):
        order = len(match["depth"])
        return Markup('<h{} id="{}">{}</h{}>').format(order, _id(match["words"]), _inline(match["words"]), order)
    if match := PICTURE.fullmatch(block):
        shape = '<figure class="figure"><div class="paper-card"><img src="{}" alt="{}" loading="lazy"></div></figure>'
        return Markup(shape).format(match["place"], match["words"])
    lines = block.split("\n")
    if all(line.startswith("- ") for line in lines):
        items = [Markup("<li>{}</li>").format(_inline(line.removeprefix("- "))) for line in lines]
        return Markup("<ul>\n{}\n</ul>").format(Markup("\n").join(items))
    if all(line.startswith("|") for line in lines) and len(lines) > 1:
        return _table(lines)
    return Markup("<p>{}</p>").format(_inline(" ".join(lines)))


def _table(lines: list[str]) -> Markup:
    """A Markdown table; its second line parts the head from the body."""
    rows = [[cell.strip().replace("\\|", "|") for cell in CELLS.split(line)[1:-1]] for line in lines]
    head = Markup("").join(Markup("<th scope='col'>{}</th>").format(_inline(cell)) for cell in rows[0])
    body = Markup("\n").join(
        Markup("<tr>{}</tr>").format(Markup("").join(_cell(cell) for cell in row)) for row in rows[2:]
    )
    shape = '<div class="scroll"><table><thead><tr>{}</tr></thead>\n<tbody>\n{}\n</tbody></table></div>'
    return Markup(shape).format(head, body)


def _cell(text: str) -> Markup:
    kind = Markup(' class="number"') if NUMBER.fullmatch(text) else Markup("")
    return Markup("<td{}>{}</td>").format(kind, _inline(text))


def _inline(text: str) -> Markup:
    """Code, bold words and links of a line; everything else is escaped."""
    found, place = Markup(""), 0
    for match in INLINE.finditer(text):
        found += escape(text[place : match.start()])
        if match["code"]:
            found += Markup("<code>{}</code>").format(match["code"])
        elif match["bold"]:
            found += Markup("<strong>{}</strong>").format(match["bold"])
        else:
            target = re.sub(r"\.md$", ".html", match["place"])
            found += Markup('<a href="{}">{}</a>').format(target, match["words"])
        place = match.end()
    return found + escape(text[place:])


def _id(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def _asset(name: str) -> Markup:
    """A file of the report's pages; style and scripts of this package, so safe to inline."""
    return Markup((ASSETS / name).read_text(encoding="utf-8"))
