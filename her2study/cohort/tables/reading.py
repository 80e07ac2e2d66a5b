"""Read a table as it is told to be read; what cannot be read is refused, what is odd is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from her2study.cohort.findings import join
from her2study.cohort.tables.cells import clean
from her2study.cohort.tables.columnar import read_columns
from her2study.cohort.tables.delimited import read_delimited
from her2study.cohort.tables.headers import header_cells, unique_names
from her2study.cohort.tables.oddities import (
    no_patients,
    odd_cells,
    odd_columns,
    odd_merges,
    odd_points,
    odd_rows,
    uncomputed,
)
from her2study.cohort.tables.sheet import FORMATS, Grid, Merge, Sheet
from her2study.cohort.tables.workbook import Book
from her2study.study import Reading, nearest
from her2study.types import StudyError

WIDEST_FILL = 0.5
"""A cell merged over more of the table's width than this is a title between rows and is not filled in."""


def read_sheet(path: Path, sheet: str | None = None, reading: Reading | None = None) -> Sheet:
    """A table of an .xlsx, .csv or .parquet file as text.

    Parameters
    ----------
    path : Path
        The file.
    sheet : str, optional
        Of a workbook; the first visible one if none is named.
    reading : Reading, optional
        ``source.reading`` of study.yml. A Parquet file needs none of it but ``missing`` and ``decimal``.

    Returns
    -------
    Sheet
        Rows and unnamed columns without any cell are left out, and rows that repeat the header or sum up others
        (see ``no_patients`` and the findings). Cells that are merged below the header hold the
        value of the merged cell in all of its rows and columns.

    Raises
    ------
    StudyError
        The file or sheet is absent, not of its format, damaged or protected; text of another encoding; a row
        longer than the header; a header row beyond the end; no row below the header.
    """
    path, reading = Path(path), reading or Reading()
    kind = check_file(path)
    if kind == "parquet":
        names, cells = read_columns(path)
        headers: list[tuple[str, ...]] = header_cells([names], 1, ())
        cells.index = np.arange(2, len(cells) + 2)  # as if the names stood in row 1
        grid, body = Grid(cells), cells
    else:
        grid = _grid(path, sheet, reading, kind)
        headers, body = _below_header(grid, reading, path)
    names, twice = unique_names(headers)
    table = pd.DataFrame(
        {name: clean(body.iloc[:, j], reading.missing, reading.decimal) for j, name in enumerate(names)},
        index=body.index,
    )
    filled = table.notna().any(axis=1).to_numpy()
    table = table.loc[filled]
    if table.empty:
        raise StudyError(f"{path}: there is no row with a cell below the header (row {reading.header_row})")
    named = dict(zip(names, headers, strict=True))
    strange = no_patients(table, path.name, named)
    table = table.drop(index=strange["row"].astype("int64").to_list())
    table = table[[name for name, cells in named.items() if any(cells) or table[name].notna().any()]]
    nameless = {name for name in table if not any(named[name])}
    found = [
        grid.findings,
        strange,
        odd_columns(table, nameless, twice, path.name),
        odd_rows(table, path.name, filled, body.index),
        odd_merges(grid.merged, body, path.name),
        odd_cells(table, path.name, {names[j]: days for j, days in grid.dated.items() if names[j] in table}),
        uncomputed(table.index, {names[j]: at for j, at in grid.uncomputed.items() if j < len(names)}, path.name),
    ]
    if reading.decimal == ",":
        found.append(odd_points(body, names, path.name))
    return Sheet(
        path=path,
        name=grid.sheet,
        reading=reading,
        cells=table.reset_index(drop=True),
        rows=table.index.to_numpy(),
        headers={name: named[name] for name in table},
        findings=join(found),
        no_patients=strange["row"].to_numpy(dtype="int64"),
    )


def check_file(path: Path) -> str:
    """``workbook``, ``text`` or ``parquet``, by the ending of an existing file's name.

    Raises
    ------
    StudyError
        There is no such file, or its name has another ending.
    """
    if not path.is_file():
        folder = path.parent
        beside = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in FORMATS) if folder.is_dir() else []
        raise StudyError(
            f"{path} does not exist{nearest(path.name, beside)} Tables in this folder: {', '.join(beside) or 'none'}."
        )
    ending = path.suffix.lower()
    if ending not in FORMATS:
        hint = "save it as .xlsx in Excel" if ending in (".xls", ".xlsb", ".ods") else "convert it"
        raise StudyError(f"{path}: a table must be .csv, .xlsx or .parquet; {hint}")
    return {".xlsx": "workbook", ".xlsm": "workbook", ".parquet": "parquet"}.get(ending, "text")


def _grid(path: Path, sheet: str | None, reading: Reading, kind: str) -> Grid:
    if kind == "text":
        return read_delimited(path, reading)
    with Book(path) as book:
        return book.grid(sheet)


def _below_header(grid: Grid, reading: Reading, path: Path) -> tuple[list[tuple[str, ...]], pd.DataFrame]:
    last = reading.header_row + reading.header_rows - 1
    if len(grid.cells) < last:
        raise StudyError(
            f"{path}: source.reading.header_row is {reading.header_row}, but there are only {len(grid.cells)} rows"
        )
    top = grid.cells.loc[reading.header_row : last]
    headers = header_cells(top.to_numpy(dtype=object).tolist(), reading.header_row, grid.merged)
    return headers, _filled_merges(grid.cells.loc[last + 1 :], grid.merged)


def _filled_merges(body: pd.DataFrame, merged: tuple[Merge, ...]) -> pd.DataFrame:
    """What a person sees: a cell merged over several rows or columns holds its value in all of them."""
    below = [m for m in merged if len(body) and m.first_row >= body.index[0] and m.first_column < body.shape[1]]
    below = [m for m in below if m.last_column - m.first_column + 1 <= max(1, WIDEST_FILL * body.shape[1])]
    filled = body.copy() if below else body
    for merge in below:
        if merge.first_row in body.index:
            value = body.loc[merge.first_row].iloc[merge.first_column]
            filled.loc[merge.first_row : merge.last_row, merge.first_column : merge.last_column] = value
    return filled
