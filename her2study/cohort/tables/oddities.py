"""What is odd about a table of text before anybody knows what its columns mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from her2study.cohort.findings import findings, join, none
from her2study.cohort.tables.cells import FORMULA_ERRORS
from her2study.cohort.tables.quantities import AMBIGUOUS
from her2study.cohort.tables.sheet import Merge, counted

MOST = 100
"""So many merged cells have a finding each."""

LAST_ROWS = 10
"""Summaries are looked for in so many rows at the end."""

_SUMMARY = re.compile(
    r"(grand |sub ?)?(totals?|sum|means?|averages?|avg|median|sd|std|stdev|count|min(imum)?|max(imum)?|n(?=\s*[:=])|"
    r"summe|gesamt|mittelwert|anzahl|durchschnitt|moyenne|somme|total général|media|promedio|suma|totale|"
    r"合计|总计|总数|小计|平均|平均值|均值|中位数|标准差|人数)(\s*[:=：.]\s*[\d.,]*|\s+[\d.,]+|(?<=[\u4e00-\u9fff])[\d.,]+)?",
    re.IGNORECASE,
)


def odd_columns(table: pd.DataFrame, nameless: set[str], twice: Sequence[str], file: str) -> pd.DataFrame:
    """Columns without a name, with a name that came twice, and without any cell."""
    found = [
        {
            "severity": "warning",
            "column": name,
            "value": str(table[name].dropna().iloc[0]),
            "rule": f"the column has no name and {counted(table[name].notna().sum(), 'cell')}",
            "mend": "write a name above it, or delete the column",
        }
        for name in sorted(nameless)
    ]
    found += [
        {
            "severity": "warning",
            "column": name,
            "rule": f"the name {name!r} stands above more than one column; further ones are called {name + ' (2)'!r} "
            "and so on",
            "mend": "give each column a name of its own",
        }
        for name in twice
    ]
    found += [
        {
            "severity": "note",
            "column": str(name),
            "rule": "the column is empty",
            "mend": "fill it, or delete the column",
        }
        for name in table
        if table[name].isna().all()
    ]
    return findings({"area": "table", "file": file, **f} for f in found)


def no_patients(table: pd.DataFrame, file: str, headers: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """One finding for each row that repeats the header, and for each at the end that sums up others.

    Parameters
    ----------
    table : DataFrame
        The index is the row of the file.
    headers : mapping
        Column to the cells of its header.
    """
    return findings(
        {"severity": "error", "area": "table", "file": file, **f}
        for f in (*_repeated_headers(table, headers), *_summaries(table))
    )


def odd_rows(table: pd.DataFrame, file: str, filled: np.ndarray, file_rows: pd.Index) -> pd.DataFrame:
    """Empty rows between others, and rows with one cell only.

    Parameters
    ----------
    table : DataFrame
        Rows with a cell; the index is the row of the file.
    filled : ndarray of bool
        Which of all rows below the header have a cell.
    file_rows : Index
        Row of the file of each.
    """
    found: list[dict] = []
    last = int(np.flatnonzero(filled).max(initial=-1))
    empty = np.flatnonzero(~filled[: last + 1])
    if len(empty):
        found.append(
            {
                "severity": "note",
                "row": int(file_rows[empty[0]]),
                "rule": f"{counted(len(empty), 'empty row')} between others skipped",
                "mend": "delete them if they stand for nobody",
            }
        )
    if table.shape[1] >= 4:
        alone = table.index[table.notna().sum(axis=1) == 1]
        if len(alone) <= max(3, 0.05 * len(table)):
            found += [_alone(table, int(row)) for row in alone[:50]]
    return findings({"area": "table", "file": file, **f} for f in found)


def odd_merges(merged: Sequence[Merge], body: pd.DataFrame, file: str) -> pd.DataFrame:
    """Cells merged below the header, one finding each: Excel keeps one value of those that stood there."""
    below = [m for m in merged if len(body) and m.first_row >= body.index[0]]
    return findings(
        {
            "severity": "warning",
            "area": "table",
            "file": file,
            "row": merge.first_row,
            "value": merge.name,
            "rule": f"the cells {merge.name} are merged: their one value is taken for all of them, and what stood in "
            "the others before is lost",
            "mend": "unmerge the cells and write each patient's own value",
        }
        for merge in below[:MOST]
    )


def odd_cells(table: pd.DataFrame, file: str, dated: Mapping[str, list[int]]) -> pd.DataFrame:
    """Formula errors, characters lost in an earlier conversion, dates among other values."""
    found = []
    for name, cells in table.items():
        values = pd.Series(cells.dropna().unique(), dtype="str")
        errors = values[values.isin(FORMULA_ERRORS)]
        if len(errors):
            here = table.index[cells.isin(errors)]
            found.append(_cell(
                "warning", str(name), here, str(cells[here[0]]),
                f"{_cells(here)} a formula's error instead of a value",
                "mend the formula and save the workbook; until then the cell is no value and stops a run that uses it",
            ))  # fmt: skip
        lost = values[values.str.contains("\ufffd", regex=False)]
        if len(lost):
            here = table.index[cells.isin(lost)]
            found.append(_cell(
                "warning", str(name), here, str(cells[here[0]]),
                f"{_cells(here)} characters that an earlier conversion has lost (shown as \ufffd)",
                "export the table again from its origin, as UTF-8",
            ))  # fmt: skip
        days = [row for row in dated.get(str(name), []) if row in cells.index]
        if days and len(days) < 0.5 * cells.notna().sum():
            found.append(_cell(
                "warning", str(name), pd.Index(days), str(cells[days[0]]),
                f"{_cells(pd.Index(days))} a date among other values; Excel turns entries such as 3-4 into dates",
                "type the value again in a cell formatted as text",
            ))  # fmt: skip
    return join([findings({"area": "table", "file": file, **f} for f in found)]) if found else none()


def _repeated_headers(table: pd.DataFrame, headers: Mapping[str, tuple[str, ...]]) -> list[dict]:
    """Rows in which most cells say what their header says."""
    same = np.zeros(len(table), dtype=int)
    for name, cells in headers.items():
        same += table[name].isin({name, *cells} - {""}).to_numpy()
    return [
        {
            "row": int(table.index[i]),
            "column": str(table.columns[0]),
            "value": str(table.iloc[i].dropna().iloc[0]),
            "rule": "the row repeats the header and would count as a patient",
            "mend": "delete the row",
        }
        for i in np.flatnonzero(same >= max(2, 0.5 * table.shape[1]))
    ]


def odd_points(body: pd.DataFrame, names: Sequence[str], file: str) -> pd.DataFrame:
    """Where the comma is the decimal sign: points that may divide thousands, in columns that do not show what they do.

    Parameters
    ----------
    body : DataFrame
        Cells as they stand in the file, columns in the order of ``names``, the index being the row of the file.
    """
    found = []
    for name, (_, cells) in zip(names, body.items(), strict=True):
        values = pd.Series(cells.dropna().unique(), dtype="str").str.strip()
        pointed = values[values.str.fullmatch(r"-?\d+\.\d+")]
        if len(pointed) and pointed.str.fullmatch(AMBIGUOUS.pattern).all():
            here = cells.index[cells.str.strip().isin(pointed)]
            first = str(cells[here[0]]).strip()
            found.append(_cell(
                "warning", name, here, first,
                f"{_cells(here)} a number that may be {first} or {first.replace('.', '')}; it is read with a decimal "
                "point",
                "write thousands without a separator",
            ))  # fmt: skip
    return findings({"area": "table", "file": file, **f} for f in found)


def uncomputed(rows: pd.Index, formulas: Mapping[str, list[int]], file: str) -> pd.DataFrame:
    """Formulas that were never computed, as programs leave them that write formulas: their cells read as missing."""
    here = {name: [row for row in at if row in rows] for name, at in formulas.items()}
    return findings(
        {
            "severity": "error",
            "area": "table",
            "file": file,
            "row": at[0],
            "column": name,
            "value": counted(len(at), "formula"),
            "rule": f"{_cells(pd.Index(at))} a formula that was never computed, and would read as missing",
            "mend": "open the workbook in Excel or LibreOffice, let it compute, and save it",
        }
        for name, at in here.items()
        if at
    )


def _summaries(table: pd.DataFrame) -> list[dict]:
    """Rows at the end whose first cell says that they sum up the others."""
    tail = table.tail(LAST_ROWS)
    found = []
    for row in tail.index:
        cells = tail.loc[row].dropna()
        name, text = str(cells.index[0]), str(cells.iloc[0])
        if _SUMMARY.fullmatch(text) and not table[name].iloc[: -len(tail)].astype(object).isin([text]).any():
            found.append(
                {
                    "row": int(row),
                    "column": name,
                    "value": text,
                    "rule": "the row sums up others and would count as a patient",
                    "mend": "delete the row, or move it to another sheet",
                }
            )
    return found


def _alone(table: pd.DataFrame, row: int) -> dict:
    cells = table.loc[row].dropna()
    return {
        "severity": "warning",
        "row": row,
        "column": str(cells.index[0]),
        "value": str(cells.iloc[0])[:80],
        "rule": "one cell of the row is filled: a title, a remark, or a patient of whom nothing is known",
        "mend": "delete the row if it is no patient",
    }


def _cell(severity: str, column: str, rows: pd.Index, value: str, rule: str, mend: str) -> dict:
    return {"severity": severity, "column": column, "row": int(rows[0]), "value": value, "rule": rule, "mend": mend}


def _cells(rows: pd.Index) -> str:
    return "the cell holds" if len(rows) == 1 else f"{len(rows)} cells (the first in row {rows[0]}) hold"
