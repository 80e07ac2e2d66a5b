"""A tidy table as the sheets that are printed: rows grouped and sorted, footnotes lettered."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd
from pandas.api.types import is_numeric_dtype

from her2study import words
from her2study.reporting.printed.explained import column_note
from her2study.reporting.printed.layouts import NAMED_BELOW, Layout, Part, in_part, layout_of
from her2study.reporting.printed.notes import closing_notes
from her2study.reporting.printed.sheet import Cell, Head, Note, Row, Sheet, letters
from her2study.reporting.printed.titles import table_title
from her2study.reporting.printed.views import View, named_levels, views
from her2study.reporting.style import model_order, split_order
from her2study.reporting.tables import column_label, print_column, printed_heads

EMPTY = ("", words.ABSENT)
NUMBER = re.compile(rf"[<>] |−?\d|{words.ABSENT}$")
LONGEST_NUMBER = 34
"""Letters of the longest estimate with its interval."""


def compose(
    name: str, frame: pd.DataFrame, simulated: bool, confidence: float = 0.95, grouped: bool = True
) -> list[Sheet]:
    """The sheets of a table, in reading order; the first is the one to show where there is room for one.

    Parameters
    ----------
    name : str
        Decides title, layout and footnotes; a name unknown here gets none of its own.
    frame : DataFrame
        Tidy, as stored; it is not changed.
    simulated : bool
        Says so in every caption.
    grouped : bool
        Rows that name a group, and repeated names printed once; if not, every row says all, as sorting needs.
    """
    sheets = []
    layout = layout_of(name)
    for view in views(name, frame.drop(columns="patients", errors="ignore")):
        parts = [part for part in layout.parts if not part.columns or set(part.columns) & set(view.frame)]
        for part in parts or [Part()]:
            title = table_title(name) + (f", {view.title}" if view.title else "")
            title += f", continued: {part.title}" if part.title else ""
            sheets.append(_Composer(name, layout, part, view, confidence, grouped).sheet(title, simulated))
    return sheets


class _Composer:
    """The steps from a frame to one sheet; each leaves fewer columns to print."""

    def __init__(self, name: str, layout: Layout, part: Part, view: View, confidence: float, grouped: bool) -> None:
        self.name, self.layout, self.view = name, layout, view
        frame = _sorted(view.frame, layout.sort)
        kept = [column for column in frame if in_part(part, column) or column in layout.group]
        self.frame = frame[kept].reset_index(drop=True)
        heads = printed_heads(self.frame, confidence) | {c: t for c, t in layout.heads.items() if c in self.frame}
        first = [*layout.once, *(column for column in heads if column not in part.columns), *part.columns]
        heads = {column: heads[column] for column in dict.fromkeys(first) if column in heads}
        hidden = [column for column in (*layout.hidden, "order") if column in heads]
        self.heads = {column: head for column, head in heads.items() if column not in hidden}
        self.text = {column: print_column(self.frame, column) for column in self.heads}
        if not grouped and "characteristic" in self.text:
            self.text["characteristic"] = named_levels(self.text["characteristic"])
        self.below = [*view.notes, *layout.notes]
        grouped = grouped and not set(self.heads) <= {*layout.group, *layout.folded, *layout.noted}
        self.group = [column for column in layout.group if column in self.heads] if grouped else []
        self.once = [column for column in layout.once if column in self.heads] if grouped else []

    def sheet(self, title: str, simulated: bool) -> Sheet:
        """Everything put together."""
        marks = self._take_row_notes()
        self._take_empty()
        self._take_constant()
        folded = self._take_folded()
        for column in self.group:
            del self.heads[column]
        notes: list[Note] = []
        heads = []
        for column, head in self.heads.items():
            text = column_note(self.name, column)
            numeric = bool(heads) and _is_numeric(self.text[column])
            heads.append(Head(head.strip(), _lettered(text, notes), numeric))
        rows = self._rows(marks, folded, notes)
        sheet = Sheet(self.name, title, tuple(heads), tuple(rows), (), simulated)
        general = [Note(text) for text in dict.fromkeys(self.below)]
        return sheet._replace(notes=(*general, *notes, *closing_notes(sheet, general + notes)))

    def _take_row_notes(self) -> dict[str, list[str]]:
        """Columns whose texts become footnotes, by the column that will carry their letters."""
        found: dict[str, list[str]] = {}
        for column, target in self.layout.noted.items():
            others = [c for c in self.heads if c not in (*self.group, column)]
            if column not in self.heads or not others:
                continue
            texts = [text if text not in EMPTY else "" for text in self.text[column]]
            distinct = {text for text in texts if text}
            if len(texts) > 1 and len(distinct) == 1 and all(texts):
                self.below.append(_sentence(texts[0]))
            elif len(distinct) > 8:
                continue  # a column of its own reads better than a page of footnotes
            else:
                found[target if target in others else others[0]] = texts
            del self.heads[column]
        return found

    def _take_empty(self) -> None:
        """Columns without a single value are named below."""
        empty = [c for c in list(self.heads)[1:] if all(text in EMPTY for text in self.text[c])]
        for column in empty:
            del self.heads[column]
        said = [column_label(column) for column in empty if column not in NAMED_BELOW]
        if said:
            self.below.append(f"Left out, because no row has a value: {words.listing(said)}.")

    def _take_constant(self) -> None:
        """Names that all rows share are said once, below."""
        for column in [c for c in NAMED_BELOW if c in self.heads and c not in self.group]:
            told = {text for text in self.text[column] if text not in EMPTY}
            if len(told) == 1 and len(self.frame) > 1 and len(self.heads) > 1:
                label = "Compared with" if column == "model_b" else self.heads[column].strip()
                self.below.append(f"{label}: {told.pop()}.")
                del self.heads[column]

    def _take_folded(self) -> list[str]:
        """Columns told on the row that names a group."""
        if not self.group:
            return []
        keys = [self.frame[column] for column in self.group]
        folded = []
        for column in self.layout.folded:
            if column in self.heads and column not in self.group:
                values = pd.Series(self.text[column]).where(lambda text: ~text.isin(EMPTY))
                if values.groupby(keys).nunique().eq(1).all():
                    folded.append(column)
        for column in folded:
            del self.heads[column]
        return folded

    def _rows(self, marks: dict[str, list[str]], folded: Sequence[str], notes: list[Note]) -> list[Row]:
        """All rows, those that name a group before the first of its own."""
        rows: list[Row] = []
        before: tuple[str, ...] | None = None
        last: dict[str, str] = {}
        first = next(iter(self.heads))
        raws = {c: self.frame[c if c in self.frame else f"{c}_low"].tolist() for c in self.heads}
        for place in range(len(self.frame)):
            group = tuple(self.text[column][place] for column in self.group)
            if self.group and group != before:
                rows.append(Row((Cell(self._group_text(group, folded)),), group=True))
                before, last = group, {}
            cells, repeated = [], True
            for column in self.heads:
                text = self.text[column][place]
                noted = marks.get(column) or (marks.get("") if column == first else None)
                repeated = repeated and column in self.once and last.get(column) == text
                last[column] = text
                mark = _lettered(_sentence(noted[place]), notes) if noted and noted[place] else ""
                cells.append(Cell("" if repeated else text, mark, raws[column][place]))
            rows.append(Row(tuple(cells)))
        return rows

    def _group_text(self, group: tuple[str, ...], folded: Sequence[str]) -> str:
        """``External validation, n = 140, 47 with the outcome``."""
        here = [
            place
            for place in range(len(self.frame))
            if tuple(self.text[column][place] for column in self.group) == group
        ]
        said = []
        for column in folded:
            value = next(self.text[column][place] for place in here if self.text[column][place] not in EMPTY)
            said.append(_told(column, value))
        names = [
            text if column in ("model", "split") else words.spell(text)
            for column, text in zip(self.group, group, strict=True)
        ]
        return ", ".join([": ".join(names), *said])


def _told(column: str, value: str) -> str:
    """A folded column in a few words."""
    if column == "positives":
        return f"{value} with the outcome"
    if column == "unit":
        return f"on the scale of the {value}"
    label = column_label(column)
    percent = label.endswith(" (%)")
    label = label.removesuffix(" (%)")
    label = label[0].lower() + label[1:] if label[1:2].islower() else label
    relation = " " if value[0] in "<>" else " = "
    return f"{label}{relation}{value}{'%' if percent else ''}"


def _sorted(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Rows in the order of these columns: models and splits as in a paper, numbers by size, others as they come."""
    keys = {}
    for column in [c for c in columns if c in frame]:
        values = frame[column]
        if column == "model":
            order = model_order(values.dropna())
        elif column == "split":
            order = split_order(values.dropna())
        else:
            order = sorted(values.dropna().unique()) if is_numeric_dtype(values) else list(values.dropna().unique())
        keys[column] = values.map({value: place for place, value in enumerate(order)})
    if not keys:
        return frame
    return frame.loc[pd.DataFrame(keys).sort_values(list(keys), kind="stable").index]


def _lettered(text: str, notes: list[Note]) -> str:
    """The letter of a footnote, added if it is new; none for no text."""
    if not text:
        return ""
    known = {note.text: note.mark for note in notes}
    if text not in known:
        notes.append(Note(text, letters(len(notes))))
    return known.get(text, notes[-1].mark)


def _sentence(text: str) -> str:
    """With a capital and a full stop, unless its first word has letters of its own (``p``, ``chi-squared``)."""
    text = text.strip()
    start = text if text[:2] in ("p ", "n ") else text[:1].upper() + text[1:]
    return start if not start or start.endswith((".", "!", "?")) else f"{start}."


def _is_numeric(texts: Sequence[str]) -> bool:
    """Whether a column is one of numbers, by what is printed: short, and nearly every cell starts like a number."""
    shown = [text for text in texts if text]
    starts = sum(bool(NUMBER.match(text)) for text in shown)
    return starts > 0.8 * len(shown) and max(map(len, shown), default=0) <= LONGEST_NUMBER
