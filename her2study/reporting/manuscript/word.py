"""The DOCX: pandoc's text, dressed as a journal wants a manuscript, with the tables and figures behind it."""

from __future__ import annotations

import datetime
import io
from collections.abc import Sequence
from typing import Any

from docx import Document
from docx.document import Document as DocumentType
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from her2study.reporting.manuscript.exhibits import MARGIN_MM, Figure, Table, label
from her2study.reporting.manuscript.front import Front
from her2study.reporting.printed.archive import settled
from her2study.reporting.printed.widths import fit
from her2study.reporting.printed.word import CAPTION, add_sheet

FONT = "Times New Roman"
INK, ALERT = RGBColor(0, 0, 0), RGBColor(0x8A, 0x1C, 0x1C)
NO_DATE = datetime.datetime(2000, 1, 1)
TEXT_WIDTH_MM = 160

SIZES = {"Title": 17, "Subtitle": 11, "Author": 11, "Heading 1": 13, "Heading 2": 12, "Heading 3": 12}


def docx_bytes(
    text: bytes,
    front: Front,
    tables: Sequence[Table],
    figures: Sequence[Figure],
    mark: str,
) -> bytes:
    """The finished document; the same input gives the same bytes.

    Parameters
    ----------
    text : bytes
        DOCX of the prose, as pandoc made it.
    mark : str
        What the header of every page says of simulated patients; empty for real ones.
    """
    document = Document(io.BytesIO(text))
    _set_styles(document, front.line_spacing)
    _set_page(document, front, mark)
    text_ends = len(document.paragraphs)
    for table in tables:
        _add_table(document, table)
    for figure in figures:
        _add_figure(document, figure)
    for paragraph in document.paragraphs[text_ends:]:
        _unnumbered(paragraph)
    _undate(document, front)
    written = io.BytesIO()
    document.save(written)
    return settled(written.getvalue())


def _set_styles(document: DocumentType, line_spacing: float) -> None:
    for style in document.styles:
        if getattr(style, "font", None) is None or (style.element.rPr is None and style.name not in SIZES):
            continue
        _set_font(style)
    for name in ("Normal", "Body Text", "First Paragraph", "Bibliography"):
        if name not in document.styles:
            continue
        style = document.styles[name]
        _set_font(style)
        style.font.size = Pt(12)
        style.paragraph_format.line_spacing = line_spacing
        style.paragraph_format.space_after = Pt(6)
        style.paragraph_format.space_before = Pt(0)
    for name, points in SIZES.items():
        if name in document.styles:
            style = document.styles[name]
            style.font.size, style.font.bold, style.font.color.rgb = Pt(points), name.startswith(("T", "H")), INK
            style.font.italic = name == "Heading 2"
            style.paragraph_format.keep_with_next = name.startswith("H")
            style.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.LEFT
    if "Subtitle" in document.styles:
        subtitle = document.styles["Subtitle"]
        subtitle.font.color.rgb, subtitle.font.bold = ALERT, True
        for spread in subtitle.element.rPr.findall(qn("w:spacing")):
            subtitle.element.rPr.remove(spread)
    if CAPTION in document.styles:  # pandoc's own, in the look that tables have elsewhere
        caption = document.styles[CAPTION]
        caption.font.size, caption.font.bold, caption.font.italic = Pt(10), True, False
        caption.paragraph_format.line_spacing = 1


def _set_font(style: Any) -> None:
    """One font for all scripts; pandoc's styles name theme fonts, which would win."""
    style.font.name = FONT
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for script in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{script}"), FONT)
        fonts.attrib.pop(qn(f"w:{script}Theme"), None)


def _set_page(document: DocumentType, front: Front, mark: str) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(25)
    header = section.header.paragraphs[0]
    header.text = ""
    header.paragraph_format.tab_stops.add_tab_stop(Mm(TEXT_WIDTH_MM), alignment=2)
    _run(header, front.running_title, 9)
    if mark:
        run = _run(header, f"\t{mark}", 9)
        run.bold, run.font.color.rgb = True, ALERT
    footer = section.footer.paragraphs[0]
    footer.text = ""
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _field(footer, "PAGE")
    _run(footer, " / ", 9)
    _field(footer, "NUMPAGES")
    for paragraph in (header, footer, *_title_page(document)):
        _unnumbered(paragraph)
    if front.line_numbers:
        _number_lines(section)


def _title_page(document: DocumentType) -> list[Any]:
    """The paragraphs before the first heading."""
    found = []
    for paragraph in document.paragraphs:
        if paragraph.style.name.startswith("Heading"):
            break
        found.append(paragraph)
    return found


def _number_lines(section: Any, on: bool = True) -> None:
    properties = section._sectPr
    for old in properties.findall(qn("w:lnNumType")):
        properties.remove(old)
    if on:
        numbers = OxmlElement("w:lnNumType")
        numbers.set(qn("w:countBy"), "1")
        numbers.set(qn("w:restart"), "continuous")
        margins = properties.find(qn("w:pgMar"))
        margins.addnext(numbers)


def _unnumbered(paragraph: Any) -> None:
    """Leave a paragraph out of the count: some programs number the lines of all sections if one asks for it."""
    paragraph._p.get_or_add_pPr().append(OxmlElement("w:suppressLineNumbers"))


def _add_table(document: DocumentType, table: Table) -> None:
    """A table on pages of its own, on their side where it is wide."""
    for place, sheet in enumerate(table.sheets):
        widths, turned = fit(sheet)
        _turn(document, turned)
        add_sheet(document, sheet, widths, label("Table", table.number, place))


def _add_figure(document: DocumentType, figure: Figure) -> None:
    if figure.number == 1:
        _turn(document, turned=False)
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.keep_with_next = True
    paragraph.paragraph_format.line_spacing = 1
    paragraph.paragraph_format.page_break_before = figure.number > 1
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    size = (Mm(figure.width_mm), Mm(figure.height_mm))
    picture = paragraph.add_run().add_picture(str(figure.stem.with_suffix(".png")), *size)
    picture._inline.docPr.set("descr", figure.alt)
    picture._inline.docPr.set("name", f"Figure {figure.number}")
    legend = document.add_paragraph()
    legend.paragraph_format.line_spacing = 1.15
    legend.paragraph_format.space_before = Pt(6)
    _run(legend, f"{label('Figure', figure.number)}. ", 10).bold = True
    _run(legend, f"{figure.title}. {figure.legend}", 10)


def _turn(document: DocumentType, turned: bool) -> None:
    """Begin a page for a table or a figure, on its side if need be, as wide as the journal's two columns."""
    section = document.add_section(WD_SECTION.NEW_PAGE)
    width, height = (Mm(297), Mm(210)) if turned else (Mm(210), Mm(297))
    section.page_width, section.page_height = width, height
    section.orientation = WD_ORIENT.LANDSCAPE if turned else WD_ORIENT.PORTRAIT
    section.left_margin = section.right_margin = Mm(MARGIN_MM)
    _number_lines(section, on=False)


def _run(paragraph: Any, text: str, points: float) -> Any:
    run = paragraph.add_run(text)
    run.font.size, run.font.name = Pt(points), FONT
    return run


def _field(paragraph: Any, name: str) -> None:
    """A number that Word fills in."""
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), name)
    run = _run(paragraph, "1", 9)
    paragraph._p.remove(run._r)
    field.append(run._r)
    paragraph._p.append(field)


def _undate(document: DocumentType, front: Front) -> None:
    core = document.core_properties
    core.title, core.subject, core.author = front.title, "", ", ".join(front.authors)
    core.keywords, core.last_modified_by, core.revision = ", ".join(front.keywords), "", 1
    core.created = core.modified = NO_DATE
