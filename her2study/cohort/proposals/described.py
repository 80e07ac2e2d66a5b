"""Columns in words: how much is known, what stands in them, in which rows; nothing of what names a patient."""

from __future__ import annotations

import pandas as pd

from her2study.cohort.proposals.content import dates_of, numbers_of
from her2study.cohort.proposals.proposal import Proposal
from her2study.words import number

PRIVATE = ("patient", "identifying", "text", "date")
"""Uses whose cells are never shown."""


def known(column: Proposal) -> str:
    """``1,484 of 1,506``."""
    missing = sum(column.content.counts.get(code, 0) for code in column.mends.missing)
    return f"{column.content.known - missing:,} of {column.content.n:,}"


def values(column: Proposal, most: int = 8) -> str:
    """Levels with their counts, or the range and the median of numbers; for private columns how many there are."""
    counts = column.content.counts
    if not counts:
        return "nothing"
    if column.use in PRIVATE or (column.use not in ("variable", "second_reader") and len(counts) > 20):
        kind = "dates" if column.use == "date" or dates_of(column.content, False) else "values"
        return f"{len(counts):,} different {kind}"
    read: dict[str, int] = {}
    for value, n in counts.items():
        word = column.mends.read(value)
        if word is not None:
            read[word] = read.get(word, 0) + n
    left = column.content.without(column.mends.missing)
    numeric = column.variable.get("type", "continuous") == "continuous" and len(read) > 2
    numbers = numbers_of(left) if numeric else None
    if numbers:
        rules = column.mends.numbers or {}
        factors = rules.get("units", {})
        sizes = [v * factors.get(numbers.unit_of.get(t, rules.get("unit")), 1) for t, v in numbers.by_text.items()]
        cells = pd.Series(sizes).repeat([counts[text] for text in numbers.by_text])
        low, middle, high = (_short(x) for x in (cells.min(), cells.median(), cells.max()))
        unit = column.variable.get("unit") or column.header.unit or ""
        return f"{low} to {high}, median {middle} {unit}".rstrip()
    levels = column.variable.get("levels", ())
    ordered = sorted(read, key=lambda word: (levels.index(word) if word in levels else len(levels), -read[word]))
    shown = ", ".join(f"{word[:40]} ({read[word]:,})" for word in ordered[:most])
    return shown + (f" and {len(read) - most} more" if len(read) > most else "")


def places(value: str, column: Proposal, cells: pd.DataFrame, rows: pd.Series, most: int = 5) -> str:
    """In which rows of the file a value stands, ``rows 4, 17``; its number where the file is a joined one."""
    if column.column not in cells:
        return f"{column.content.counts[value]:,} cells"
    found = rows[(cells[column.column] == value).to_numpy()]
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return f"row{'s' if len(found) > 1 else ''} {', '.join(str(row) for row in found[:most])}{more}"


def _short(value: float) -> str:
    if value == int(value):
        return f"{value:,.0f}"
    return number(value, 2 if abs(value) < 100 else 1).rstrip("0").rstrip(".") or "0"
