"""What is printed: sheets of text cells, without a thought for the format of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from her2study.reporting.style import SIMULATED


class Note(NamedTuple):
    """A line below a table; ``mark`` is the letter by which a head or a cell refers to it."""

    text: str
    mark: str = ""


class Cell(NamedTuple):
    """A printed cell, the letters of its footnotes and the value behind it."""

    text: str
    mark: str = ""
    raw: Any = None


class Head(NamedTuple):
    """The head of a column; ``numeric`` columns are not broken into lines if that can be helped."""

    text: str
    mark: str = ""
    numeric: bool = False


class Row(NamedTuple):
    """Cells side by side, or one cell over the whole width that names the rows below it."""

    cells: tuple[Cell, ...]
    group: bool = False


class Sheet(NamedTuple):
    """One printed table. A table of a study has one or more."""

    name: str
    title: str
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    notes: tuple[Note, ...]
    simulated: bool

    @property
    def caption(self) -> str:
        """The title with the mark of simulated patients."""
        return f"{self.title} [{SIMULATED}]" if self.simulated else self.title

    def columns(self) -> Iterator[tuple[Head, list[str]]]:
        """Each head with the texts below it, rows that name a group left out."""
        body = [row.cells for row in self.rows if not row.group]
        for place, head in enumerate(self.heads):
            yield head, [cells[place].text for cells in body]


def letters(place: int) -> str:
    """The mark of a footnote by its place: a to z, then aa, bb."""
    return chr(ord("a") + place % 26) * (1 + place // 26)


def paragraphs(notes: Iterable[Note]) -> list[list[Note]]:
    """Notes as they are set: each on a line of its own, but those with letters one behind the other."""
    found: list[list[Note]] = []
    for note in notes:
        if note.mark and found and found[-1][0].mark:
            found[-1].append(note)
        else:
            found.append([note])
    return found
