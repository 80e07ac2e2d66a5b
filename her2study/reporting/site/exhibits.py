"""Tables, figures and notebooks: a list of each, a page for every one, and the files to download."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from re import sub

import pandas as pd

from her2study.reporting.printed import table_html, write_table
from her2study.reporting.site.catalogue import Item, grouped
from her2study.reporting.site.notebooks import render_notebook
from her2study.reporting.site.pages import Site, safe, scrolling
from her2study.reporting.style import SIMULATED

DRAWN = ("svg", "pdf", "png")
"""Files of a figure that a report carries; the TIFF for a printer stays with the results."""

PRINTED = ("csv", "docx", "tex")
"""Files of a table."""


def write_tables(site: Site, tables: list[Item], notebooks: list[Item]) -> None:
    """A page a table, with CSV, DOCX and LaTeX beside it."""
    if not tables:
        return
    folder = _folder(site, "tables")
    site.page("tables.html", "list.html", "Tables", groups=grouped(tables, notebooks), pictures=False)
    for place, item in enumerate(tables):
        told = (site.content.tables[item.name], site.content.simulated, site.content.confidence)
        html = table_html(item.name, *told)
        ready = _copied(item.name, site.content.tables_folder, folder)
        write_table(item.name, told[0], folder, *told[1:], formats=[end for end in PRINTED if end not in ready])
        site.page(
            item.url, "table.html", item.title, item=item, table=safe(scrolling(html, item.title)), rows=len(told[0]),
            files=[f"{item.name}.{end}" for end in PRINTED],
            maker=_maker(item, notebooks), around=_around(tables, place),
        )  # fmt: skip
        site.find("table", item.title, item.url, text_of(html))


def write_figures(site: Site, figures: list[Item], notebooks: list[Item]) -> None:
    """A page a figure, with its files and, where they make a table, the numbers behind it."""
    if not figures:
        return
    folder = _folder(site, "figures")
    site.page("figures.html", "list.html", "Figures", groups=grouped(figures, notebooks), pictures=True)
    for place, item in enumerate(figures):
        sources = [site.content.figures_folder / f"{item.name}.{ending}" for ending in DRAWN]
        files = [shutil.copyfile(path, folder / path.name).name for path in sources if path.is_file()]
        files += _write_numbers(folder, item.name, site.content.figures[item.name], site.content.simulated)
        site.page(
            item.url, "figure.html", item.title, item=item, files=files,
            maker=_maker(item, notebooks), around=_around(figures, place),
        )  # fmt: skip
        site.find("figure", item.title, item.url, f"{item.text} {item.alt}")


def write_notebooks(site: Site, notebooks: list[Item], made: list[Item]) -> None:
    """A page an executed notebook, its pictures beside it."""
    if not notebooks:
        return
    site.page("notebooks.html", "notebooks.html", "Notebooks", notebooks=notebooks)
    paths = {step.name: step.notebook for step in site.content.steps}
    figures = {item.name: item for item in made if item.kind == "figure"}
    for place, item in enumerate(notebooks):
        rendered = render_notebook(paths[item.name], figures)
        site.page(
            item.url, "notebook.html", item.title, item=item, body=safe(rendered.body),
            contents=[(head.anchor, head.title) for head in rendered.headings if head.level == 2],
            made=[one for one in made if one.maker == item.name], around=_around(notebooks, place),
        )  # fmt: skip
        for name, picture in rendered.pictures.items():
            (site.out / "notebooks" / name).write_bytes(picture)
        for head in rendered.headings:
            title = f"{item.title}: {head.title}" if head.anchor else item.title
            site.find("notebook", title, item.url + (f"#{head.anchor}" if head.anchor else ""), head.text)


def text_of(html: str) -> str:
    """The words of a piece of HTML."""
    return unescape(sub(r"<[^>]+>", " ", sub(r"(?s)<(style|script).*?</\1>", " ", html)))


def _copied(name: str, source: Path | None, folder: Path) -> list[str]:
    """Endings of the printed files of a table that existed already, and now lie in the report as well."""
    found = [end for end in PRINTED[1:] if source and (source / f"{name}.{end}").is_file()]
    for end in found:
        shutil.copyfile(source / f"{name}.{end}", folder / f"{name}.{end}")
    return found


def _write_numbers(folder: Path, name: str, frame: pd.DataFrame, simulated: bool) -> list[str]:
    """What a figure was drawn from as CSV; pictures are no table."""
    if any(hasattr(value, "__len__") and not isinstance(value, str) for value in frame.iloc[0]):
        return []
    marked = frame.assign(patients=SIMULATED if simulated else "real")
    marked.to_csv(folder / f"{name}.csv", index=False, float_format="%.10g", lineterminator="\n")
    return [f"{name}.csv"]


def _folder(site: Site, name: str) -> Path:
    folder = site.out / name
    folder.mkdir(parents=True)
    return folder


def _maker(item: Item, notebooks: Sequence[Item]) -> Item | None:
    return next((notebook for notebook in notebooks if notebook.name == item.maker), None)


def _around(items: Sequence[Item], place: int) -> tuple[Item | None, Item | None]:
    """The items before and after one."""
    return items[place - 1] if place else None, items[place + 1] if place + 1 < len(items) else None
