"""Tables as hospitals write them (.xlsx, .csv, .parquet) as clean text, with everything odd about them named.

:func:`read_sheet` reads as it is told and refuses what cannot be read; :func:`sniff` finds out how to tell it.
"""

from her2study.cohort.tables.reading import read_sheet
from her2study.cohort.tables.sheet import Sheet
from her2study.cohort.tables.sniffing import sniff

__all__ = ["Sheet", "read_sheet", "sniff"]
