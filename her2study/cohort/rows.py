"""One row a patient: which of several rows (lesions, breasts, visits) stands for her, by the rule of the study."""

from __future__ import annotations

import pandas as pd

from her2study.cohort.findings import findings
from her2study.study import Rows, nearest
from her2study.types import StudyError

FURTHER = {
    "first": "Further row of a patient: the first is kept",
    "last": "Further row of a patient: the last is kept",
    "largest": "Further row of a patient: the largest is kept",
}
"""Reasons in the flow, by the rule."""

NAMED = 200
"""So many patients with several rows have a finding each."""


def one_row_a_patient(
    table: pd.DataFrame, rows: Rows, patient_column: str, name: str = "the table"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep one row of each patient.

    Without a number or date in ``rows.by`` a row stands behind those that have one; of equal rows the one that
    comes first in the file is kept (with ``last``, the one that comes last).

    Parameters
    ----------
    table : DataFrame
        Text, mended; the index is the row of the file less 2. Every row has a patient.
    rows : Rows
        ``source.rows`` of study.yml.
    patient_column : str
    name : str
        What to call the table in messages.

    Returns
    -------
    kept : DataFrame
        One row a patient, in the order of the file, index kept.
    left_out : DataFrame
        The other rows, index kept, with the column ``reason`` at the end.

    Raises
    ------
    StudyError
        A patient has several rows and the rule is ``only``; ``by`` is no column, or holds something else than
        numbers (largest) or ISO dates (first, last) for a patient with several rows.
    """
    wrong = row_findings(table, rows, patient_column, name)
    wrong = wrong[wrong["severity"] == "error"]
    if len(wrong):
        first = wrong.iloc[0]
        others = f" ({len(wrong) - 1} more patients likewise)" if len(wrong) > 1 and rows.keep == "only" else ""
        raise StudyError(f"{name}: {first['rule']}; {first['mend']}{others}")
    return chosen(table, rows, patient_column)


def chosen(table: pd.DataFrame, rows: Rows, patient_column: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """As :func:`one_row_a_patient`, of a table that may break the rule: ``only`` keeps the first row."""
    repeated = table[patient_column].duplicated(keep=False)
    if not repeated.any():
        return table, table.iloc[:0].assign(reason=pd.Series(dtype="str"))
    order = table[repeated]
    if rows.by is not None and rows.by in order:
        value = _value(order[rows.by], rows)
        order = order.iloc[
            value.reset_index(drop=True)
            .sort_values(kind="stable", ascending=rows.keep != "largest", na_position=_behind(rows))
            .index
        ]
    stays = order.drop_duplicates(patient_column, keep="last" if rows.keep == "last" else "first").index
    kept = ~repeated | table.index.isin(stays)
    reason = FURTHER.get(rows.keep, "Further row of a patient")
    return table[kept], table[~kept].assign(reason=pd.Series(reason, index=table.index[~kept], dtype="str"))


def outcome_findings(
    table: pd.DataFrame, rows: Rows, patient_column: str, outcome: str | None, name: str
) -> pd.DataFrame:
    """Patients whose rows differ in the outcome: the rule decides what they are, and a reader would ask."""
    if rows.keep == "only" or outcome is None or outcome not in table:
        return findings([])
    repeated = table[table[patient_column].duplicated(keep=False)]
    kinds = repeated[[patient_column, outcome]].dropna().drop_duplicates()
    differ = kinds[kinds[patient_column].duplicated(keep=False)]
    kept, _ = chosen(repeated, rows, patient_column)
    stays = kept.set_index(patient_column)[outcome]
    return findings(
        {
            "severity": "warning",
            "area": "outcome",
            "file": name,
            "patient": patient,
            "column": outcome,
            "value": " and ".join(same[outcome]),
            "rule": f"her rows differ in {outcome} ({', '.join(str(i + 2) for i in same.index)}); by the rule of "
            f"source.rows she is {stays[patient] if pd.notna(stays[patient]) else 'without an outcome'}",
            "mend": "look whether that is meant; otherwise exclude her or choose another rule",
        }
        for patient, same in list(differ.groupby(patient_column, sort=False))[:NAMED]
    )


def row_findings(table: pd.DataFrame, rows: Rows, patient_column: str, name: str = "the table") -> pd.DataFrame:
    """What contradicts the rule, patient by patient, and, as a note, how many rows it leaves out."""
    repeated = table[table[patient_column].duplicated(keep=False)]
    if repeated.empty:
        return findings([])
    common = {"area": "identifiers", "file": name, "column": patient_column}
    if rows.keep == "only":
        return findings(_repeated(repeated, patient_column, common))
    if rows.by is not None and rows.by not in table:
        return findings(
            [
                {
                    **common, "severity": "error", "area": "settings", "column": rows.by,
                    "rule": f"source.rows.by names the column {rows.by!r}, which the table does not have"
                    f"{nearest(rows.by, table.columns)}",
                    "mend": "correct source.rows in study.yml",
                }
            ]
        )  # fmt: skip
    found = [_unreadable(repeated, i, rows, patient_column, common) for i in _unreadable_rows(repeated, rows)]
    found += _undecided(repeated, rows, patient_column, common)
    left = len(repeated) - repeated[patient_column].nunique()
    found.append(
        {
            **common,
            "severity": "note",
            "value": f"{left} rows",
            "rule": f"{repeated[patient_column].nunique()} patients have several rows; {rows.keep}"
            f"{f' by {rows.by}' if rows.by else ''} is kept, {left} rows are left out and counted in the flow",
            "mend": "change source.rows in study.yml for another rule",
        }
    )
    return findings(found)


def _repeated(repeated: pd.DataFrame, patient_column: str, common: dict) -> list[dict]:
    """One finding a patient, with the columns in which her rows differ; the rest in one beyond :data:`NAMED`."""
    found = []
    patients = repeated[patient_column].unique()
    named = repeated[repeated[patient_column].isin(patients[:NAMED])]
    for patient, same in named.groupby(patient_column, sort=False):
        differ = [str(c) for c in same if len(same[c].drop_duplicates()) > 1]
        what = f"differ in {', '.join(differ[:4])}{' ...' if len(differ) > 4 else ''}" if differ else "are identical"
        places = ", ".join(str(i + 2) for i in same.index[:10])
        found.append(
            {
                **common,
                "severity": "error",
                "patient": patient,
                "row": int(same.index[0]) + 2,
                "value": patient,
                "rule": f"patient {patient!r} stands in rows {places}, which {what}",
                "mend": "one row a patient: remove or merge the others, or say in source.rows of study.yml which row "
                "is kept (first, last, largest)",
            }
        )
    if len(patients) > NAMED:
        found.append(
            {
                **common,
                "severity": "error",
                "value": f"{len(patients) - NAMED} patients",
                "rule": f"{len(patients) - NAMED} more patients stand in several rows",
                "mend": "as for the others",
            }
        )
    return found


def _value(cells: pd.Series, rows: Rows) -> pd.Series:
    """What rows are compared by: numbers, or ISO dates, which sort as text."""
    if rows.keep == "largest":
        return pd.to_numeric(cells, errors="coerce")
    return pd.to_datetime(cells, format="ISO8601", errors="coerce")


def _behind(rows: Rows) -> str:
    """Where sorting puts rows without a value so that they are not the one that is kept."""
    return "first" if rows.keep == "last" else "last"


def _unreadable_rows(repeated: pd.DataFrame, rows: Rows) -> list[int]:
    if rows.by is None:
        return []
    cells = repeated[rows.by]
    return list(repeated.index[cells.notna() & _value(cells, rows).isna()][:100])


def _undecided(repeated: pd.DataFrame, rows: Rows, patient_column: str, common: dict) -> list[dict]:
    """Rows without the number or date that decides."""
    if rows.by is None:
        return []
    empty = repeated.index[repeated[rows.by].isna()][:NAMED]
    return [
        {
            **common,
            "severity": "warning",
            "patient": repeated.loc[i, patient_column],
            "row": int(i) + 2,
            "column": rows.by,
            "rule": f"the patient has several rows, and {rows.by}, which decides between them, is missing in this one: "
            "it stands behind her others",
            "mend": "fill in the cell",
        }
        for i in empty
    ]


def _unreadable(repeated: pd.DataFrame, index: int, rows: Rows, patient_column: str, common: dict) -> dict:
    value, patient = repeated.loc[index, rows.by], repeated.loc[index, patient_column]
    wanted = "a number" if rows.keep == "largest" else "a date such as 2020-03-01"
    return {
        **common,
        "severity": "error",
        "patient": patient,
        "row": index + 2,
        "column": rows.by,
        "value": value,
        "rule": f"row {index + 2}, patient {patient!r}: {rows.by} is {value!r}, which is not {wanted}, and decides "
        "which of her rows is kept",
        "mend": "correct it, or mend the column in mending.yml (numbers, dates)",
    }
