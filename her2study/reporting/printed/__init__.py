"""Tables as a paper prints them: a title in words, grouped rows, footnotes; as DOCX, LaTeX and HTML."""

from her2study.reporting.printed.compose import compose
from her2study.reporting.printed.files import write_table
from her2study.reporting.printed.footnotes import table_notes
from her2study.reporting.printed.titles import table_title
from her2study.reporting.printed.web import table_html
from her2study.reporting.printed.word import add_table

__all__ = [
    "add_table",
    "compose",
    "table_html",
    "table_notes",
    "table_title",
    "write_table",
]
