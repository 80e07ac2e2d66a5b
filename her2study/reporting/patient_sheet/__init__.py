"""One page for each new patient: the frozen model's answer, what drove it, where it looked and what to doubt.

``content`` says what stands on it, ``sheet`` draws the PDF, ``overlay`` the picture beside it.
"""

from her2study.reporting.patient_sheet.content import Content, content_of
from her2study.reporting.patient_sheet.overlay import write_overlay
from her2study.reporting.patient_sheet.sheet import write_sheet

__all__ = ["Content", "content_of", "write_overlay", "write_sheet"]
