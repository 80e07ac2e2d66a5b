"""Names of columns from one or two header rows, as they stand, made unique."""

from __future__ import annotations

from collections.abc import Sequence

from her2study.cohort.tables.cells import joined_spaces
from her2study.cohort.tables.sheet import Merge, letter


def header_cells(rows: Sequence[Sequence[object]], first_row: int, merged: Sequence[Merge]) -> list[tuple[str, ...]]:
    """The cells of each column's header, upper first, those above groups carried to the right.

    An upper cell belongs to all columns over which it is merged. Where nothing is merged it belongs to the columns
    behind it whose upper cell is blank, as long as a name stands below each of them and below itself.

    Parameters
    ----------
    rows : sequence of sequences
        One or two header rows, equally wide.
    first_row : int
        Row of the file of the upper one, counted from 1.
    """
    texts = [[joined_spaces(cell) for cell in row] for row in rows]
    if len(texts) == 1:
        return [(cell,) for cell in texts[0]]
    upper, lower = texts
    across = [m for m in merged if m.first_row <= first_row <= m.last_row and m.last_column > m.first_column]
    named = list(upper)
    for merge in across:
        for column in range(merge.first_column, min(merge.last_column + 1, len(named))):
            named[column] = upper[merge.first_column]
    group = ""
    for column, (above, below) in enumerate(zip(upper, lower, strict=True)):
        if above or not below:
            group = above if below else ""
        elif not across and not named[column]:
            named[column] = group
    return list(zip(named, lower, strict=True))


def unique_names(headers: Sequence[tuple[str, ...]]) -> tuple[list[str], list[str]]:
    """Names of the columns (``upper / lower``; ``column C`` where nothing stands) and those that came twice."""
    names: list[str] = []
    twice: list[str] = []
    for column, cells in enumerate(headers):
        parts = list(dict.fromkeys(cell for cell in cells if cell))
        name = plain = " / ".join(parts) or f"column {letter(column)}"
        count = 1
        while name in names:
            count += 1
            name = f"{plain} ({count})"
        if count > 1 and plain not in twice:
            twice.append(plain)
        names.append(name)
    return names, twice
