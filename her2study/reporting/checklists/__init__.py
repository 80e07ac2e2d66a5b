"""Reporting checklists, filled from what a run leaves behind; ``*.yml`` hold the items and where each is answered.

An item that artefacts answer turns open when one of them is absent; an item that only people can answer stays open
whatever exists. Nothing is ever ticked because the program thinks well of it.
"""

from her2study.reporting.checklists.evidence import Evidence
from her2study.reporting.checklists.files import write_checklists
from her2study.reporting.checklists.filled import CHECKLISTS, Answer, fill
from her2study.reporting.checklists.pages import checklist_frame, checklist_html, checklist_markdown

__all__ = [
    "CHECKLISTS",
    "Answer",
    "Evidence",
    "checklist_frame",
    "checklist_html",
    "checklist_markdown",
    "fill",
    "write_checklists",
]
