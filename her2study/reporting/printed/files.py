"""The files of a table: CSV for programs, Word and LaTeX for readers and typesetters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from her2study.reporting.printed.compose import compose
from her2study.reporting.printed.latex import latex
from her2study.reporting.printed.sheet import Sheet
from her2study.reporting.printed.word import table_document
from her2study.store import write_atomically

PRINTED: Mapping[str, Callable[[list[Sheet]], bytes]] = {
    "docx": table_document,
    "tex": lambda sheets: latex(sheets).encode(),
}


def write_table(
    name: str,
    frame: pd.DataFrame,
    folder: Path,
    simulated: bool,
    confidence: float = 0.95,
    formats: Sequence[str] = ("csv", "docx", "tex"),
) -> list[Path]:
    """Write a table as ``<name>.<format>`` for each format and return the paths; same table, same bytes.

    The CSV is the frame itself, as the study stores it; the others are printed, with title and footnotes.
    """
    sheets = compose(name, frame, simulated, confidence)
    paths = []
    for kind in formats:
        content = _csv(frame, simulated) if kind == "csv" else PRINTED[kind](sheets)
        paths.append(folder / f"{name}.{kind}")
        write_atomically(paths[-1], lambda part, content=content: part.write_bytes(content))
    return paths


def _csv(frame: pd.DataFrame, simulated: bool) -> bytes:
    """As :meth:`her2study.store.Run.save_table` writes it: ten significant digits, marked."""
    marked = frame.assign(patients="SIMULATED" if simulated else "real")
    return marked.to_csv(index=False, float_format="%.10g").encode()
