"""Where the names of the columns stand, from the first rows of a table."""

from __future__ import annotations

import re
from collections.abc import Sequence

from her2study.cohort.tables.sheet import Merge

_NUMBER = re.compile(r"[<>≤≥~]?\s*[+-]?\d+([.,]\d+)?\s*(%|mm|cm|ml)?")
_DATE = re.compile(r"\d{1,4}[-/.年]\d{1,2}([-/.月]\d{1,4}日?)?( \d\d:\d\d.*)?")
_UNIT = re.compile(
    r"[(\[]?\s*(mm|cm|m|mm2|mm²|mm3|mm³|ml|mL|cc|kg|g|cm3|cm³|years?|yrs?|y|岁|年|months?|days?|d|%|T|tesla|s|sec|"
    r"seconds?|ms|min|ng/ml|u/ml|[\w ]*\d\s*[=:/].*|dd[./-]mm[./-]yyyy|yyyy-mm-dd|mm/dd/yyyy|text|n|-)\s*[)\]]?"
)
Rows = Sequence[Sequence[str | None]]


def find_header(top: Rows, merged: Sequence[Merge]) -> tuple[int, int]:
    """Row of the (upper) header, counted from 1, and the number of header rows.

    The header is the first row that fills more than half of the table's width without being mostly numbers. A sparser
    row of groups right above it, names right below its blank or merged cells, or a row of units make it two.

    Parameters
    ----------
    top : sequence of sequences
        The first rows, equally wide, ``None`` where nothing stands.
    """
    counts = [sum(cell is not None and str(cell).strip() != "" for cell in row) for row in top]
    if not counts or max(counts) < 2:
        return 1, 1
    usual = sorted(c for c in counts if c)[len([c for c in counts if c]) // 2]
    row = next((i for i, c in enumerate(counts) if c > max(1, 0.5 * usual) and not _data(top[i])), 0)
    if row and _groups_above(top, row, counts, merged):
        return row, 2
    if row + 2 < len(top) and counts[row + 1] and (_names_below(top, row, merged) or _units(top[row + 1], counts, row)):
        return row + 1, 2
    return row + 1, 1


def _data(row: Sequence[str | None]) -> bool:
    cells = [str(cell).strip() for cell in row if cell]
    return sum(map(_valued, cells)) > 0.5 * len(cells)


def _valued(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))


def _groups_above(top: Rows, row: int, counts: list[int], merged: Sequence[Merge]) -> bool:
    """Whether the row above names groups: cells merged over some columns, or several cells with blanks behind."""
    above, width = top[row - 1], len(top[row])
    if not counts[row - 1] or any(_valued(str(cell).strip()) for cell in above if cell):
        return False
    spans = [
        m.last_column - m.first_column + 1 for m in merged if m.first_row == m.last_row == row
    ]  # rows of merges count from 1: this is the row above
    if spans:
        return max(spans) < 0.9 * width and counts[row - 1] >= 1
    return counts[row - 1] >= 2 and not any(str(cell).strip().endswith((":", "：")) for cell in above if cell)


def _names_below(top: Rows, row: int, merged: Sequence[Merge]) -> bool:
    """Whether the next row holds names below merged or blank cells of this one, and the row after that is data."""
    upper, lower = top[row], top[row + 1]
    if any(_valued(str(cell).strip()) for cell in lower if cell):
        return False
    if any(m.first_row == row + 1 and m.last_row == row + 2 for m in merged):
        return True
    across = any(m.first_row == m.last_row == row + 1 and m.last_column > m.first_column for m in merged)
    blank_above = any(not above and below for above, below in zip(upper, lower, strict=True))
    below = [cells for cells in top[row + 2 :] if any(cells)]
    numbers = sum(any(_valued(str(c[j]).strip()) for c in below[:5] if c[j]) for j in range(len(upper)))
    return (across or blank_above) and numbers > 0


def _units(row: Sequence[str | None], counts: list[int], header: int) -> bool:
    cells = [str(cell).strip() for cell in row if cell and str(cell).strip()]
    return len(cells) >= 2 and len(cells) < counts[header] and all(_UNIT.fullmatch(cell) for cell in cells)
