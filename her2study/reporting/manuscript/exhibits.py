"""The tables and figures that a text mentions, with their numbers, titles and notes, as Markdown and for Typst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from her2study.reporting.legends import alt_text, figure_legend, figure_title
from her2study.reporting.manuscript.front import Shown
from her2study.reporting.manuscript.material import Material, check_column
from her2study.reporting.manuscript.numbering import Numbering
from her2study.reporting.printed import compose
from her2study.reporting.printed.sheet import Cell, Head, Note, Sheet
from her2study.reporting.printed.widths import PORTRAIT_MM
from her2study.types import StudyError

PAGE_MM = (174, 195)
"""Room for a figure above its legend: the double column of the journal, and most of an A4 page's height."""

MARGIN_MM = (210 - PORTRAIT_MM) / 2
"""Of pages with a table or figure: what the widths of tables leave of A4."""


@dataclass(frozen=True)
class Table:
    """A numbered table: the rows that are shown, and the sheets they print as."""

    number: int
    name: str
    frame: pd.DataFrame
    sheets: list[Sheet]


@dataclass(frozen=True)
class Figure:
    """A numbered figure: its file without ending, its words, and what it shows for those who cannot see it."""

    number: int
    name: str
    title: str
    legend: str
    alt: str
    stem: Path
    width_mm: float
    height_mm: float


def gather_tables(material: Material, numbering: Numbering, shown: Mapping[str, Shown]) -> list[Table]:
    """The mentioned tables in order of mention.

    Raises
    ------
    StudyError
        The head of the manuscript asks for a column or row that a table does not have, or for a table never mentioned.
    """
    mentioned = numbering.mentioned["table"]
    for name in shown:
        if name not in mentioned and name in material.tables:
            raise StudyError(
                f"tables.{name}: the text never mentions it; write {{{{ tab({name!r}) }}}} where it belongs"
            )
    tables = []
    for number, name in enumerate(mentioned, start=1):
        frame = select(material.tables[name], name, shown.get(name, Shown()))
        sheets = compose(name, frame, material.simulated, material.confidence)
        tables.append(Table(number, name, frame, worth_printing(sheets)))
    return tables


def gather_figures(material: Material, numbering: Numbering) -> list[Figure]:
    """The mentioned figures in order of mention.

    Raises
    ------
    StudyError
        A figure's file is missing.
    """
    figures = []
    for number, name in enumerate(numbering.mentioned["figure"], start=1):
        stem = material.figures / name
        for ending in (".png", ".pdf"):
            if not stem.with_suffix(ending).is_file():
                raise StudyError(f"{stem.with_suffix(ending)} is missing; draw the figures again: make figures")
        alt = alt_text(name, material.figure_data[name], material.simulated)
        legend = figure_legend(name, material.confidence, "network" in material.figure_data)
        size = _fitted(stem.with_suffix(".png"))
        figures.append(Figure(number, name, figure_title(name), legend, alt, stem, *size))
    return figures


def _fitted(path: Path) -> tuple[float, float]:
    """Width and height in mm: as drawn, for the journal's columns, less if a page with the legend were too short."""
    from PIL import Image

    with Image.open(path) as picture:
        dots = picture.info.get("dpi", (300, 300))[0]
        width, height = (25.4 * pixels / dots for pixels in picture.size)
    shrunk = min(1.0, PAGE_MM[0] / width, PAGE_MM[1] / height)
    return round(width * shrunk, 2), round(height * shrunk, 2)


def worth_printing(sheets: Sequence[Sheet]) -> list[Sheet]:
    """The sheets without those that repeat the columns of the first and have none of their own."""
    first = {head.text for head in sheets[0].heads}
    return [sheets[0], *(sheet for sheet in sheets[1:] if {head.text for head in sheet.heads} - first)]


def select(frame: pd.DataFrame, name: str, shown: Shown) -> pd.DataFrame:
    """The rows and columns of a table that a manuscript shows; bounds of intervals follow their estimates."""
    for column, levels in shown.where.items():
        check_column(frame, name, column)
        wanted = [levels] if isinstance(levels, str) else list(levels)
        frame = frame[frame[column].astype(str).isin(wanted)]
    if frame.empty:
        raise StudyError(f"tables.{name}.where leaves no row of the table")
    if shown.columns:
        for column in shown.columns:
            check_column(frame, name, column)
        kept = [c for column in shown.columns for c in (column, f"{column}_low", f"{column}_high") if c in frame]
        frame = frame[kept]
    return frame.reset_index(drop=True)


def exhibits_markdown(tables: list[Table], figures: list[Figure], folder: Path) -> str:
    """Tables and figures at the end of ``manuscript.md``, pictures by their path from ``folder``."""
    parts = ["# Tables\n"] if tables else []
    for table in tables:
        for place, sheet in enumerate(table.sheets):
            parts.append(f"**{label('Table', table.number, place)}.** {sheet.caption}\n\n{_pipes(sheet)}")
            parts += [f"{note_text(note)}\n" for note in sheet.notes]
    parts += ["# Figures\n"] if figures else []
    for figure in figures:
        path = Path("..") / figure.stem.with_suffix(".png").relative_to(folder)
        parts.append(f"![{figure.alt}]({path.as_posix()})\n")
        parts.append(f"**{label('Figure', figure.number)}.** {figure.title}. {figure.legend}\n")
    return "\n".join(parts)


def label(kind: str, number: int, sheet: int = 0) -> str:
    """``Table 2``, and ``Table 2, continued`` for further sheets."""
    return f"{kind}\u00a0{number}{', continued' if sheet else ''}"


def _pipes(sheet: Sheet) -> str:
    width = len(sheet.heads)
    rows = [[_marked(head) for head in sheet.heads], ["---"] * width]
    for row in sheet.rows:
        cells = [f"**{row.cells[0].text}**"] if row.group else [_marked(cell) for cell in row.cells]
        rows.append(cells + [""] * (width - len(cells)))
    return "".join("| " + " | ".join(cell.replace("|", "\\|") or " " for cell in row) + " |\n" for row in rows)


def _marked(cell: Cell | Head | Note) -> str:
    return f"{cell.text}^{cell.mark}^" if cell.mark else cell.text


def note_text(note: Note) -> str:
    """A footnote with its letter, as Markdown."""
    return f"^{note.mark}^ {note.text}" if note.mark else note.text
