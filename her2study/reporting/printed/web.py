"""Tables for the report: every row says all it has to, so that any column can be sorted by the values behind it."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import pandas as pd

from her2study.reporting.printed.compose import compose
from her2study.reporting.printed.sheet import Sheet
from her2study.reporting.style import SIMULATED


def table_html(name: str, frame: pd.DataFrame, simulated: bool, confidence: float = 0.95) -> str:
    """A table as HTML: a ``figure`` for each of its sheets, with the table and its footnotes.

    Each ``td`` carries in ``data-sort`` the value behind its text: a number at full precision, or the text.
    """
    sheets = compose(name, frame, simulated, confidence, grouped=False)
    return "\n".join(_figure(sheet, f"table-{name}-{place + 1}") for place, sheet in enumerate(sheets))


def _figure(sheet: Sheet, identity: str) -> str:
    heads = "".join(
        f'<th scope="col"{_class(head.numeric)}>{escape(head.text)}{_mark(head.mark)}</th>' for head in sheet.heads
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td{_class(head.numeric)} data-sort="{escape(_raw(cell.raw, cell.text))}">'
            f"{escape(cell.text)}{_mark(cell.mark)}</td>"
            for head, cell in zip(sheet.heads, row.cells, strict=True)
        )
        + "</tr>\n"
        for row in sheet.rows
    )
    whose = f' <strong class="simulated">[{SIMULATED}]</strong>' if sheet.simulated else ""
    notes = "".join(f"<p>{_mark(note.mark)} {escape(note.text)}</p>\n" for note in sheet.notes)
    described = f' aria-describedby="{identity}-notes"' if notes else ""
    below = f'<div class="table-notes" id="{identity}-notes">\n{notes}</div>\n' if notes else ""
    return (
        f'<figure class="printed-table">\n<table class="printed" id="{identity}"{described}>\n'
        f"<caption>{escape(sheet.title)}{whose}</caption>\n<thead><tr>{heads}</tr></thead>\n"
        f"<tbody>\n{rows}</tbody>\n</table>\n{below}</figure>\n"
    )


def _raw(value: Any, text: str) -> str:
    """The value behind a cell; nothing for a missing one."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return "" if value is not None else text
    if isinstance(value, bool):
        return str(int(value))
    return repr(float(value)) if isinstance(value, float) else str(value)


def _class(numeric: bool) -> str:
    return ' class="number"' if numeric else ""


def _mark(letter: str) -> str:
    return f"<sup>{letter}</sup>" if letter else ""
