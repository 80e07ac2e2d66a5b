"""Whether every column that the settings name is in the table, and which columns nobody uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from her2study.cohort.checks.cells import Patients, about, suggest
from her2study.cohort.findings import join, none
from her2study.study import Centres, Exclusion, Outcome, Source, Variable
from her2study.words import listing

SHOWN = 12
"""Unused columns that are named; of more, how many."""


def wanted_columns(
    source: Source,
    outcome: Outcome,
    centres: Centres,
    variables: Mapping[str, Variable],
    exclusions: Sequence[Exclusion] = (),
) -> dict[str, tuple[str, str]]:
    """Columns that must be there: ``{column: (setting that names it, area of a finding about it)}``."""
    wanted: dict[str, tuple[str, str]] = {source.patient_column: ("source.patient_column", "identifiers")}
    if source.only_centre is None:
        wanted[source.centre_column] = ("source.centre_column", "centres")
    if source.date_column:
        wanted[source.date_column] = ("source.date_column", "dates")
    if centres.external_by == "column" and centres.external_column:
        wanted[centres.external_column] = ("centres.external_column", "centres")
    if outcome.her2:
        for key in ("ihc", "ish", "ratio", "copies", "status"):
            if column := getattr(outcome.her2, key):
                wanted[column] = (f"outcome.her2.{key}", "outcome")
    else:
        wanted[outcome.column] = ("outcome.column", "outcome")
    for name, variable in variables.items():
        wanted[variable.column or name] = (f"variables.{name}", "variables")
        if variable.second_reader:
            wanted[variable.second_reader] = (f"variables.{name}.second_reader", "variables")
    for rule in exclusions:
        if not (outcome.her2 and rule.column == outcome.column):
            wanted.setdefault(rule.column, (f"the exclusion {rule.reason!r}", "table"))
    return wanted


def missing_columns(patients: Patients, wanted: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """An error for each column that is not there, with the nearest name that is."""
    return join(
        about(
            patients, area, "error", "missing", f"{where} of study.yml names it, so the table must have it",
            f"{suggest(column, patients.cells.columns)}correct the table or study.yml", column=column,
        )
        for column, (where, area) in wanted.items()
        if column not in patients.cells
    )  # fmt: skip


def unused_columns(patients: Patients, used: Mapping[str, object]) -> pd.DataFrame:
    """One note that names the columns which no setting reads."""
    unused = [column for column in patients.cells if column not in used]
    if not unused:
        return none()
    shown = listing([*unused[:SHOWN], *([f"{len(unused) - SHOWN} more"] if len(unused) > SHOWN else [])])
    value = f"{len(unused)} {'column is' if len(unused) == 1 else 'columns are'} not used: {shown}"
    mend = "nothing to do; to use one, add it to variables in study.yml"
    return about(patients, "table", "note", value, "a study reads only the columns that study.yml names", mend)
