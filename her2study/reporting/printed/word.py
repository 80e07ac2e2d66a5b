"""Tables in Word documents: three lines, a head that repeats on every page, rows that do not break; all editable."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import pandas as pd

from her2study.reporting.printed.archive import settled
from her2study.reporting.printed.compose import compose
from her2study.reporting.printed.sheet import Cell, Head, Row, Sheet, paragraphs
from her2study.reporting.printed.widths import FONT_POINTS, fit, unbroken
from her2study.reporting.style import SIMULATED

if TYPE_CHECKING:
    from docx.document import Document

NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
TWIPS = 1440 / 25.4
FONT = "Arial"
CELL, NOTE, CAPTION = "Table Cell", "Table Note", "Table Caption"
MARGIN_MM = 15.0


def add_table(
    document: Document,
    name: str,
    frame: pd.DataFrame,
    simulated: bool,
    confidence: float = 0.95,
    label: str = "",
    parts: int | None = None,
) -> None:
    """Add a table with its title and footnotes at the end of a document.

    Parameters
    ----------
    document : Document
        Of python-docx; three paragraph styles are added to it where they are absent, its pages stay as they are.
    name, frame, simulated, confidence
        As in :func:`~her2study.reporting.printed.compose.compose`.
    label : str
        Stands before the title: ``Table 2``.
    parts : int or None
        How many of its sheets to add; None: all.
    """
    for place, sheet in enumerate(compose(name, frame, simulated, confidence)[:parts]):
        add_sheet(document, sheet, fit(sheet)[0], label if place == 0 else "")


def table_document(sheets: list[Sheet]) -> bytes:
    """A Word file of some sheets, each on pages of its own, turned where it is wide. Same sheets, same bytes."""
    from docx import Document

    document = Document()
    for place, sheet in enumerate(sheets):
        widths, turned = fit(sheet)
        section = document.add_section() if place else document.sections[0]
        _set_page(section, turned)
        if sheet.simulated and not place:
            _add_styles(document)
            section.header.paragraphs[0].text = SIMULATED
            section.header.paragraphs[0].style = document.styles[NOTE]
        add_sheet(document, sheet, widths)
    properties = document.core_properties
    properties.title, properties.author, properties.comments = sheets[0].caption, "her2study", ""
    for dated in ("created", "modified", "lastPrinted"):
        for element in properties._element.findall(f"{{*}}{dated}"):
            properties._element.remove(element)
    stream = BytesIO()
    document.save(stream)
    return settled(stream.getvalue())


def add_sheet(document: Document, sheet: Sheet, widths_mm: list[float], label: str = "") -> None:
    """Add one sheet: its caption, the table, its notes."""
    from docx.oxml import parse_xml

    _add_styles(document)
    caption = document.add_paragraph(style=CAPTION)
    if label:
        caption.add_run(f"{label}. ")
    caption.add_run(sheet.caption).bold = False
    body = document.element.body
    body.insert(_end(body), parse_xml(_table_xml(sheet, widths_mm)))
    for lines in paragraphs(sheet.notes):
        below = document.add_paragraph(style=NOTE)
        for note in lines:
            if note.mark:
                below.add_run(note.mark).font.superscript = True
            below.add_run(note.text if note is lines[-1] else f"{note.text} ")


def _end(body: Any) -> int:
    """Where the next block goes: before the properties of the last section."""
    last = len(body) - 1
    return last if last >= 0 and body[last].tag.endswith("}sectPr") else len(body)


def _set_page(section: Any, turned: bool) -> None:
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm

    section.orientation = WD_ORIENT.LANDSCAPE if turned else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (Mm(297), Mm(210)) if turned else (Mm(210), Mm(297))
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(MARGIN_MM)
    section.header_distance = section.footer_distance = Mm(MARGIN_MM / 2)


def _add_styles(document: Document) -> None:
    """Paragraph styles of cells, notes and captions, so that a journal's look is set in three places."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Pt

    known = {style.name for style in document.styles}
    looks = {CELL: (FONT_POINTS, 0, 0), NOTE: (FONT_POINTS - 0.5, 2, 0), CAPTION: (9.0, 6, 4)}
    for name, (points, before, after) in looks.items():
        if name in known:
            continue
        style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = document.styles["Normal"]
        style.font.name, style.font.size = FONT, Pt(points)
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
        style.paragraph_format.line_spacing = 1.0
        style.paragraph_format.keep_with_next = name == CAPTION
        style.font.bold = name == CAPTION


def _table_xml(sheet: Sheet, widths_mm: list[float]) -> str:
    widths = [round(width * TWIPS) for width in widths_mm]
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    grouped = any(row.group for row in sheet.rows)
    rows = [_head_xml(sheet.heads, widths)]
    rows += [
        _group_xml(row, widths) if row.group else _row_xml(row, sheet.heads, widths, grouped) for row in sheet.rows
    ]
    line = '<w:{} w:val="single" w:sz="{}" w:space="0" w:color="000000"/>'.format
    return (
        f'<w:tbl {NAMESPACE}><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/>'
        f"<w:tblBorders>{line('top', 8)}{line('bottom', 8)}</w:tblBorders>"
        '<w:tblLayout w:type="fixed"/><w:tblCellMar><w:top w:w="18" w:type="dxa"/><w:left w:w="60" w:type="dxa"/>'
        '<w:bottom w:w="18" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar>'
        '<w:tblLook w:val="0020" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="1" '
        f'w:noVBand="1"/><w:tblCaption w:val="{_attribute(sheet.caption)}"/></w:tblPr>'
        f"<w:tblGrid>{columns}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )


def _head_xml(heads: tuple[Head, ...], widths: list[int]) -> str:
    line = '<w:tcBorders><w:bottom w:val="single" w:sz="4" w:space="0" w:color="000000"/></w:tcBorders>'
    cells = "".join(
        _cell_xml(
            Cell(unbroken(head.text), head.mark), width, line + '<w:vAlign w:val="bottom"/>', _look(head), "<w:b/>"
        )
        for head, width in zip(heads, widths, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{cells}</w:tr>"


def _row_xml(row: Row, heads: tuple[Head, ...], widths: list[int], grouped: bool) -> str:
    cells = "".join(
        _cell_xml(cell, width, "", _look(head, indented=grouped and place == 0))
        for place, (cell, head, width) in enumerate(zip(row.cells, heads, widths, strict=True))
    )
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{cells}</w:tr>"


def _group_xml(row: Row, widths: list[int]) -> str:
    span = f'<w:gridSpan w:val="{len(widths)}"/>'
    cell = _cell_xml(row.cells[0], sum(widths), span, "<w:keepNext/>", "<w:b/><w:i/>")
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{cell}</w:tr>"


def _look(head: Head, indented: bool = False) -> str:
    """Of a cell's paragraph: numbers in the middle, text at the left, rows of a group a little inwards."""
    return ('<w:ind w:left="110"/>' if indented else "") + ('<w:jc w:val="center"/>' if head.numeric else "")


def _cell_xml(cell: Cell, width: int, box: str, paragraph: str, run: str = "") -> str:
    text = f'<w:r><w:rPr>{run}</w:rPr><w:t xml:space="preserve">{escape(cell.text)}</w:t></w:r>' if cell.text else ""
    if cell.mark:
        text += f'<w:r><w:rPr>{run}<w:vertAlign w:val="superscript"/></w:rPr><w:t>{cell.mark}</w:t></w:r>'
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{box}</w:tcPr>'
        f'<w:p><w:pPr><w:pStyle w:val="{CELL.replace(" ", "")}"/>{paragraph}</w:pPr>{text}</w:p></w:tc>'
    )


def _attribute(text: str) -> str:
    return escape(text, {'"': "&quot;"})
