"""The legend that many workbooks carry on another sheet: what each column means, and its codes."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from her2study.cohort.proposals.headers import plain, read_codes

LEAST_NAMED = 0.4
"""Share of the table's columns that a sheet must name to be its legend."""


@dataclass(frozen=True)
class Entry:
    """What the legend says of one column."""

    description: str | None
    codes: dict[str, str]


def read_legend(cells: pd.DataFrame, columns: list[str]) -> dict[str, Entry]:
    """The legend's entry of each column of the table, if a sheet is the legend; else nothing.

    A legend has a column with the names of the table's columns; the text beside a name, and in the rows below it
    up to the next name, describes the column. ``0: no, 1: yes`` are codes.
    """
    names = {plain(column): column for column in columns}
    frame = cells.astype("object").where(cells.notna(), None)
    best, hits = None, 0
    for column in frame:
        found = {names[plain(str(v))] for v in frame[column] if v is not None and plain(str(v)) in names}
        if len(found) > hits:
            best, hits = column, len(found)
    if best is None or hits < max(3, LEAST_NAMED * len(columns)):
        return {}
    texts: dict[str, list[str]] = {}
    current = None
    for row in frame.to_dict("records"):
        if row[best] is not None:
            current = names.get(plain(str(row[best])))
        if current:
            texts.setdefault(current, []).extend(str(v) for k, v in row.items() if k != best and v is not None)
    entries = {}
    for column, parts in texts.items():
        codes: dict[str, str] = {}
        for part in parts:
            codes |= read_codes(part)
        if not codes:
            codes = read_codes("; ".join(parts))
        codes = {code: word for code, word in codes.items() if code.lstrip("-+").isdigit()}
        entries[column] = Entry(parts[0] if parts else None, codes)
    return entries
