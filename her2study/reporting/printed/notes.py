"""The last lines below tables: what a dash means, and what abbreviations stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from her2study import words
from her2study.reporting.printed.explained import ABBREVIATIONS
from her2study.reporting.printed.sheet import Note, Sheet

WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*")


def closing_notes(sheet: Sheet, notes: Sequence[Note]) -> list[Note]:
    """What a dash stands for, if there is one, and every abbreviation used."""
    cells = [cell.text for row in sheet.rows for cell in row.cells]
    found = []
    if any(text == words.ABSENT or f"({words.ABSENT})" in text for text in cells):
        found.append(Note(f"{words.ABSENT}: not applicable, or could not be estimated."))
    used = abbreviations([sheet.title, *(head.text for head in sheet.heads), *cells, *(note.text for note in notes)])
    if used:
        listed = "; ".join(f"{short}, {long}" for short, long in used.items())
        found.append(Note(f"Abbreviations: {listed}."))
    return found


def abbreviations(texts: Iterable[str]) -> dict[str, str]:
    """The abbreviations in some texts with what they stand for, by alphabet."""
    found = {word for text in texts for word in _words(text)}
    return {short: ABBREVIATIONS[short] for short in sorted(found & set(ABBREVIATIONS), key=str.lower)}


def _words(text: str) -> set[str]:
    """Words of a text, joined ones (``D-score``, ``HER2-positive``) whole and in parts; ``AUCs`` is AUC."""
    whole = set(WORD.findall(text))
    parts = whole | {part for word in whole for part in word.split("-")}
    return parts | {part.removesuffix("s") for part in parts if part[:-1].isupper()}
