"""The PDF: pandoc turns the text into Typst, the tables and figures are added, Typst sets the pages."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from her2study.reporting.manuscript.exhibits import MARGIN_MM, Figure, Table, label
from her2study.reporting.printed.sheet import Cell, Head, Note, Sheet
from her2study.reporting.printed.widths import fit
from her2study.types import StudyError


def pdf_bytes(typst_text: str, figures: Sequence[Figure]) -> bytes:
    """The pages of a Typst document, with fonts embedded and without a date.

    Raises
    ------
    StudyError
        Typst cannot set the text; its message names the place.
    """
    import typst

    with tempfile.TemporaryDirectory() as folder:
        for figure in figures:
            shutil.copyfile(figure.stem.with_suffix(".pdf"), Path(folder) / f"figure-{figure.number}.pdf")
        source = Path(folder) / "manuscript.typ"
        source.write_text(typst_text, encoding="utf-8")
        try:
            return typst.compile(
                str(source), format="pdf", font_paths=[font_folder()], ignore_system_fonts=True, timestamp=0
            )
        except typst.TypstError as error:
            raise StudyError(f"the PDF cannot be set: {str(error).strip()}") from None


def font_folder() -> str:
    """Fonts that come with matplotlib: the same on every machine."""
    import matplotlib

    return os.path.join(matplotlib.get_data_path(), "fonts", "ttf")


def exhibits_typst(tables: Sequence[Table], figures: Sequence[Figure]) -> str:
    """Each table and each figure on a page of its own; wide tables on their side."""
    pages = ["#set par.line(numbering: none)\n"]
    for table in tables:
        for place, sheet in enumerate(table.sheets):
            head = f"#exhibit([{escape(label('Table', table.number, place) + '.')}], [{escape(sheet.caption)}])"
            notes = "".join(f"#notes[{_marked(note, first=True)}]\n" for note in sheet.notes)
            widths, turned = fit(sheet)
            page = f"#page(flipped: {str(turned).lower()}, margin: (x: {MARGIN_MM:g}mm))"
            pages.append(f"{page}[\n{head}\n{_sheet(sheet, widths)}\n{notes}]\n")
    for figure in figures:
        alt = figure.alt.replace("\\", "\\\\").replace('"', '\\"')
        head, words = f"{label('Figure', figure.number)}.", f"{figure.title}. {figure.legend}"
        legend = f"#legend([{escape(head)}], [{escape(words)}])"
        picture = f'#image("figure-{figure.number}.pdf", width: {figure.width_mm}mm, alt: "{alt}")'
        pages.append(f"#page(margin: (x: {MARGIN_MM:g}mm))[\n#align(center)[{picture}]\n{legend}\n]\n")
    return "".join(pages)


def escape(text: str) -> str:
    """Plain text as Typst markup."""
    marks = "\\*_`$#[]<>@=-+/~\"'"
    return "".join(f"\\{letter}" if letter in marks else letter for letter in text).replace("\n", " ")


def _sheet(sheet: Sheet, widths_mm: Sequence[float]) -> str:
    widths = ", ".join(f"{width:.2f}mm" for width in widths_mm)
    aligns = ", ".join("center" if head.numeric else "left" for head in sheet.heads)
    heads = ", ".join(f"[{_marked(head)}]" for head in sheet.heads).replace("n \\= ", "n~\\=~")
    grouped = any(row.group for row in sheet.rows)
    rows = []
    for row in sheet.rows:
        if row.group:
            rows.append(f"table.cell(colspan: {len(sheet.heads)})[#strong[{_marked(row.cells[0])}]]")
        else:
            cells = [f"[{_marked(cell)}]" for cell in row.cells]
            rows.append(", ".join([f"pad(left: 2mm){cells[0]}" if grouped else cells[0], *cells[1:]]))
    body = ",\n".join(rows)
    return f"#sheet(({widths},), ({aligns},), ({heads},),\n{body})"


def _marked(cell: Cell | Head | Note, first: bool = False) -> str:
    """Text with the letter of its footnote behind it, or before it in the footnote itself."""
    mark = f"#super[{escape(cell.mark)}]" if cell.mark else ""
    text = escape(cell.text)
    return f"{mark}{' ' if mark else ''}{text}" if first else f"{text}{mark}"
