"""All lines below a table as sentences, for those who print it themselves."""

from __future__ import annotations

import re

import pandas as pd

from her2study import words
from her2study.reporting.printed.compose import compose


def table_notes(name: str, frame: pd.DataFrame, confidence: float = 0.95) -> list[str]:
    """Footnotes of a table as sentences: those of a column say whose they are, abbreviations come last."""
    general: list[str] = []
    own: list[str] = []
    last: dict[str, None] = {}
    for sheet in compose(name, frame, simulated=False, confidence=confidence):
        heads = {}
        for head in sheet.heads:
            heads.setdefault(head.mark, []).append(re.sub(r" \([\d.]+% CI\)$", "", head.text))
        for note in sheet.notes:
            if note.mark in heads and note.mark:
                own.append(f"{words.listing(heads[note.mark])}: {note.text}")
            elif note.text.startswith("Abbreviations: "):
                last |= dict.fromkeys(note.text.removeprefix("Abbreviations: ").removesuffix(".").split("; "))
            else:
                general.append(note.text)
    spelt = [f"Abbreviations: {'; '.join(sorted(last, key=str.lower))}."] if last else []
    return [*dict.fromkeys([*general, *own]), *spelt]
