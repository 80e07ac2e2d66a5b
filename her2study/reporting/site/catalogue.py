"""Tables, figures and notebooks as the pages list them: titles, addresses, and which notebook made which."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from her2study.reporting.legends import alt_text, figure_legend, figure_order, figure_title, is_main, table_order
from her2study.reporting.printed import table_title
from her2study.reporting.site.content import Content
from her2study.types import StudyError
from her2study.words import spell


class Item(NamedTuple):
    """One table, figure or notebook; ``maker`` is the step that wrote it and ``main`` whether a paper leads with it."""

    kind: str
    name: str
    title: str
    url: str
    text: str = ""
    alt: str = ""
    maker: str = ""
    main: bool = False


class Group(NamedTuple):
    """What one notebook made."""

    title: str
    url: str
    items: list[Item]


def table_items(content: Content) -> list[Item]:
    """All tables in the order of a paper."""
    return [
        Item("table", name, table_title(name), f"tables/{name}.html", "", "",
             content.maker(f"tables/{name}.csv"), is_main(name, "table"))
        for name in table_order(content.tables)
    ]  # fmt: skip


def figure_items(content: Content) -> list[Item]:
    """All drawn figures in the order of a paper; one that was stored but not drawn has no page."""
    folder = content.figures_folder
    drawn = [name for name in content.figures if folder and (folder / f"{name}.svg").is_file()]
    return [
        Item(
            "figure", name, _titled(name), f"figures/{name}.html",
            _legend(name, content.confidence, "network" in content.figures),
            _alt(name, content.figures[name], content.simulated), content.maker(f"figure_data/{name}.parquet"),
            is_main(name),
        )
        for name in figure_order(drawn)
    ]  # fmt: skip


def notebook_items(content: Content) -> list[Item]:
    """All executed notebooks in the order of the chain."""
    return [
        Item("notebook", step.name, _notebook_title(step.notebook, step.label), f"notebooks/{step.name}.html")
        for step in content.steps
        if step.notebook
    ]


def grouped(items: Sequence[Item], notebooks: Sequence[Item]) -> list[Group]:
    """Items under the notebook that made them, in the order of the chain; others at the end."""
    groups = [
        Group(notebook.title, notebook.url, [item for item in items if item.maker == notebook.name])
        for notebook in notebooks
    ]
    placed = {item.name for group in groups for item in group.items}
    groups.append(Group("Others" if placed else "", "", [item for item in items if item.name not in placed]))
    return [group for group in groups if group.items]


def _notebook_title(path, label: str) -> str:
    """The first heading, without its number: ``04 · What does the network learn?``; of a fold with its number."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    found = next(filter(None, (re.search(r"^# (.+)$", text, re.MULTILINE) for text in texts)), None)
    fold = re.search(r"\[(\d+)\]$", label)
    return (found[1].strip() if found else spell(label)) + (f" (fold {fold[1]})" if fold else "")


def _titled(name: str) -> str:
    try:
        return figure_title(name)
    except StudyError:  # a figure that somebody added: the page still reads
        return spell(name)


def _legend(name: str, confidence: float, network: bool) -> str:
    try:
        return figure_legend(name, confidence, network)
    except StudyError:
        return ""


def _alt(name: str, frame: pd.DataFrame, simulated: bool) -> str:
    try:
        return alt_text(name, frame, simulated)
    except StudyError:
        return spell(name)
