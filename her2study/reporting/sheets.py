"""A short document of titled parts (a model card, a data sheet), as markdown and as a piece of a web page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, NamedTuple

import pandas as pd

from her2study.reporting.style import SIMULATED
from her2study.reporting.tables import print_table

OPEN = "Open, for the authors: "
"""Starts what only people can say."""


class Grid(NamedTuple):
    """A table of a sheet: tidy rows, printed as every table is."""

    caption: str
    frame: pd.DataFrame
    confidence: float = 0.95


Block = str | list[str] | Grid
"""A paragraph, a list of points or a table."""


@dataclass
class Sheet:
    """A titled document; parts without a block are left out."""

    title: str
    simulated: bool
    parts: dict[str, list[Block]] = field(default_factory=dict)

    def add(self, part: str, *blocks: Block | None) -> None:
        """Append to a part; empty blocks are left out."""
        self.parts.setdefault(part, []).extend(block for block in blocks if _said(block))


def sheet_markdown(sheet: Sheet) -> str:
    """The sheet as GitHub-flavoured markdown."""
    lines = [f"# {sheet.title}", ""] + ([f"**{SIMULATED}**", ""] if sheet.simulated else [])
    for part, blocks in _parts(sheet):
        lines += [f"## {part}", ""]
        for block in blocks:
            lines += [*_markdown(block), ""]
    return "\n".join(lines)


def sheet_html(sheet: Sheet, name: str) -> str:
    """The sheet as a section of a page; ids of its headings start with ``name``."""
    parts = []
    for place, (part, blocks) in enumerate(_parts(sheet), start=1):
        parts.append(f"<h2 id='{name}-{place}'>{escape(part)}</h2>")
        parts += [_html(block, sheet.simulated) for block in blocks]
    return f"<div class='sheet'>{''.join(parts)}</div>"


def _parts(sheet: Sheet) -> Iterator[tuple[str, list[Block]]]:
    return ((part, blocks) for part, blocks in sheet.parts.items() if blocks)


def _said(block: Block | None) -> bool:
    return block is not None and (len(block.frame) > 0 if isinstance(block, Grid) else any(block))


def _printed(grid: Grid) -> pd.DataFrame:
    return print_table(grid.frame.reset_index(drop=True), grid.confidence)


def _markdown(block: Block) -> list[str]:
    if isinstance(block, str):
        return [block]
    if isinstance(block, list):
        return [f"- {point}" for point in block]
    printed = _printed(block)
    rows = [list(printed.columns), ["---"] * printed.shape[1], *printed.to_numpy().tolist()]
    table = ["| " + " | ".join(str(cell).strip().replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [f"*{block.caption}*", "", *table]


def _html(block: Block, simulated: bool) -> str:
    if isinstance(block, str):
        return f"<p>{_marked(block)}</p>"
    if isinstance(block, list):
        return f"<ul>{''.join(f'<li>{_marked(point)}</li>' for point in block)}</ul>"
    printed = _printed(block)
    heads = "".join(f"<th scope='col'>{escape(str(head))}</th>" for head in printed.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in printed.to_numpy().tolist()
    )
    mark = f" [{SIMULATED}]" if simulated else ""
    return (
        f"<div class='table-wrap'><table><caption>{escape(block.caption)}{mark}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _marked(text: str) -> str:
    """Text with what is open for the authors set apart."""
    if text.startswith(OPEN):
        return f"<strong>{escape(OPEN.strip())}</strong> {escape(text.removeprefix(OPEN))}"
    return escape(text)


def told(values: Mapping[str, Any], name: str) -> str:
    """A stored value as text, empty if there is none."""
    value = values.get(name, "")
    if not isinstance(value, Mapping):
        return str(value)
    plain = value.get("value", "")
    return plain if isinstance(plain, str) else str(value.get("text", plain))
