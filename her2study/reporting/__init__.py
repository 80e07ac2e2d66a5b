"""What a reader sees: tables, figures, values and claims."""

from her2study.reporting.figures import draw, show_figure
from her2study.reporting.tables import show_table

__all__ = ["draw", "show_figure", "show_table"]
