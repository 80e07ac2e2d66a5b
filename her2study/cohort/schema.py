"""From a table of text to a typed cohort, or one message that says what is wrong with it.

The rules are those of :mod:`her2study.cohort.checks`; here their errors stop a run.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from her2study.cohort.checks.cells import Patients, patients_of
from her2study.cohort.checks.centres import empty_classes, unknown_centres
from her2study.cohort.checks.columns import missing_columns, wanted_columns
from her2study.cohort.checks.dates import TIMES, unread_times
from her2study.cohort.checks.outcome import labels_of, unread_outcomes
from her2study.cohort.checks.variables import as_numbers, value_problems
from her2study.cohort.findings import join
from her2study.study import Centres, Exclusion, Outcome, Source, Variable
from her2study.types import StudyError

SHOWN = 12
"""Findings that one message lists; ``her2study validate`` lists all."""


def check_table(
    table: pd.DataFrame,
    source: Source,
    outcome: Outcome,
    centres: Centres,
    variables: Mapping[str, Variable],
    exclusions: tuple[Exclusion, ...] = (),
) -> None:
    """Insist that every column the study names exists and every patient's centre is known.

    Raises
    ------
    StudyError
        All absent columns with the nearest existing name, and all unknown centres, in one message.
    """
    patients = patients_of(table, source)
    found = [missing_columns(patients, wanted_columns(source, outcome, centres, variables, exclusions))]
    if source.centre_column in table:
        found.append(unknown_centres(patients, centres, exclusions))
    refuse(join(found), source)


def typed_cohort(
    included: pd.DataFrame,
    source: Source,
    outcome: Outcome,
    centres: Centres,
    variables: Mapping[str, Variable],
) -> pd.DataFrame:
    """The cohort of the contract: ``patient_id, centre, label``, then every variable.

    Parameters
    ----------
    included : DataFrame
        Rows of ``sources.read_table`` that no exclusion removed.

    Returns
    -------
    DataFrame
        Sorted by patient. Continuous variables are float64, others text or missing; second readings are
        ``<variable>__reader2``; ``acquisition_times`` is kept as written if the table has it. ``label`` is 1 for
        outcome-positive.

    Raises
    ------
    StudyError
        A value outside the levels, text in a number's place, a number that cannot enter models as its
        logarithm, an outcome that is neither positive nor negative, an empty variable, or a centre
        without patients or with one class only. All findings stand in one message.
    """
    patients = patients_of(included, source)
    refuse(cohort_problems(patients, outcome, variables), source)
    label = labels_of(included[outcome.column], outcome)
    centre = included[source.centre_column]
    if centres.external_by in ("centre", "none"):  # others are checked where the parts are made
        outside = centre.isin(centres.external)
        refuse(empty_classes(patients, centre, label, outside, centres, outcome), source)
    columns: dict[str, pd.Series] = {"patient_id": included[source.patient_column], "centre": centre, "label": label}
    readings: dict[str, pd.Series] = {}
    for name, variable in variables.items():
        columns[name] = _typed(included[variable.column or name], variable)
        if variable.second_reader:
            readings[f"{name}__reader2"] = _typed(included[variable.second_reader], variable)
    columns |= readings
    if TIMES in included:
        columns[TIMES] = included[TIMES]
    cohort = pd.DataFrame(columns).astype({"label": "int64"})
    return cohort.sort_values("patient_id", ignore_index=True)


def cohort_problems(patients: Patients, outcome: Outcome, variables: Mapping[str, Variable]) -> pd.DataFrame:
    """Cells that keep a table from becoming a cohort, as findings; every column named must be there."""
    return join([unread_outcomes(patients, outcome), variable_problems(patients, variables)])


def variable_problems(patients: Patients, variables: Mapping[str, Variable]) -> pd.DataFrame:
    """The same of the variables alone."""
    found = []
    for name, variable in variables.items():
        for column in (variable.column or name, variable.second_reader):
            if column and column in patients.cells:
                found.append(value_problems(patients, name, variable, column))
    return join(found)


def check_times(included: pd.DataFrame, source: Source) -> None:
    """Insist on readable acquisition times, for a study without scans, where nobody leaves for them.

    Raises
    ------
    StudyError
        Times that are no list of seconds starting at 0 and growing. All findings stand in one message.
    """
    refuse(unread_times(patients_of(included, source)), source)


def refuse(found: pd.DataFrame, source: Source) -> None:
    """Raise one message for all errors among the findings, equal cells told once, with the first row that holds them.

    Raises
    ------
    StudyError
        There is an error.
    """
    errors = found[found["severity"] == "error"]
    if errors.empty:
        return
    alike = errors.groupby(["column", "value", "rule", "mend"], sort=False, dropna=False)
    first = errors.loc[~alike.cumcount().astype(bool)]
    told = [
        _sentence(finding, int(n) - 1)
        for finding, n in zip(first.itertuples(), alike["value"].transform("size")[first.index], strict=True)
    ]
    if len(told) == 1:
        raise StudyError(f"{source.table}: {told[0]}")
    more = f"\n  ... and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    raise StudyError(f"{source.table}: {len(told)} findings\n  - " + "\n  - ".join(told[:SHOWN]) + more)


def _sentence(finding: tuple, others: int) -> str:
    """One finding in one line: place, value, rule, mend."""
    if pd.isna(finding.row):
        where = f"the column {finding.column!r}: " if finding.column else ""
        return f"{where}{finding.value}; {finding.rule}: {finding.mend}"
    more = f" (and {others} more)" if others > 0 else ""
    shown = "empty" if finding.value == "empty" else repr(finding.value)
    return (
        f"row {finding.row}, patient {finding.patient!r}{more}: {finding.column} is {shown}; it {finding.rule}: "
        f"{finding.mend}"
    )


def _typed(raw: pd.Series, variable: Variable) -> pd.Series:
    return as_numbers(raw) if variable.type == "continuous" else raw
