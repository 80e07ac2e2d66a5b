"""What a workbook says of a sheet beside its values: merged cells, hidden rows and columns, formulas never computed."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import iterparse

from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries

from her2study.cohort.tables.sheet import Merge, counted, letter


class Structure(NamedTuple):
    """Merged cells; cells with a formula and no result (row from 1, column from 0); findings without file and area."""

    merged: tuple[Merge, ...]
    uncomputed: tuple[tuple[int, int], ...]
    findings: list[dict]


def read_structure(path: Path, page: Any) -> Structure:
    """One pass over the XML of a sheet, which is the same in every edition of the format.

    Parameters
    ----------
    path : Path
        The workbook.
    page : openpyxl ReadOnlyWorksheet
        The sheet, for the name of its part.
    """
    merged: list[Merge] = []
    hidden_rows: list[int] = []
    hidden_columns: list[str] = []
    uncomputed: list[tuple[int, int]] = []
    with zipfile.ZipFile(path) as parts, parts.open(page._worksheet_path) as xml:
        for _, element in iterparse(xml):
            tag = element.tag.rpartition("}")[2]
            if tag == "c" and _without_value(element):
                row, column = coordinate_to_tuple(element.get("r", "A1"))
                uncomputed.append((row, column - 1))
            elif tag == "row":
                if element.get("hidden") in ("1", "true"):
                    hidden_rows.append(int(element.get("r", 0)))
                element.clear()
            elif tag == "col" and element.get("hidden") in ("1", "true"):
                first, last = int(element.get("min", 1)), int(element.get("max", 1))
                hidden_columns += [letter(i - 1) for i in range(first, min(last, first + 200) + 1)]
            elif tag == "mergeCell":
                left, top, right, bottom = range_boundaries(element.get("ref"))
                merged.append(Merge(top, bottom, left - 1, right - 1))
    return Structure(tuple(merged), tuple(uncomputed), _findings(hidden_rows, hidden_columns))


def _without_value(cell: Any) -> bool:
    """Whether a cell has a formula and no result, as programs leave it that write formulas and compute none."""
    formula = value = False
    for child in cell:
        tag = child.tag.rpartition("}")[2]
        formula |= tag == "f"
        value |= tag in ("v", "is") and (child.text is not None or len(child) > 0 or cell.get("t") == "str")
    return formula and not value


def _findings(hidden_rows: list[int], hidden_columns: list[str]) -> list[dict]:
    found: list[dict] = []
    if hidden_rows:
        found.append(
            {
                "severity": "warning",
                "row": hidden_rows[0],
                "value": counted(len(hidden_rows), "row"),
                "rule": f"{counted(len(hidden_rows), 'row')} hidden or filtered away, the first is {hidden_rows[0]}; "
                "they are read all the same",
                "mend": "show all rows and delete those that do not belong to the study",
            }
        )
    if hidden_columns:
        found.append(
            {
                "severity": "note",
                "value": ", ".join(hidden_columns[:8]) + (" ..." if len(hidden_columns) > 8 else ""),
                "rule": f"{counted(len(hidden_columns), 'column')} hidden; read like the others",
                "mend": "show all columns, and remove those with names or addresses before sharing the file",
            }
        )
    return found
