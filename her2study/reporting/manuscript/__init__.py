"""The manuscript: a text filled from values, with numbered tables and figures, as Markdown, DOCX and PDF."""

from her2study.reporting.manuscript.build import build_manuscript
from her2study.reporting.manuscript.material import Material

__all__ = ["Material", "build_manuscript"]
