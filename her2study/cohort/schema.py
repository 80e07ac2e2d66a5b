"""From a table of text to a typed cohort, or one message that says what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from her2study.cohort.sources import parse_times
from her2study.study import Centres, Exclusion, Outcome, Source, Variable, nearest
from her2study.types import StudyError

TIMES = "acquisition_times"


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
    wanted = {source.centre_column: "source.centre_column", outcome.column: "outcome.column"}
    for name, variable in variables.items():
        wanted[variable.column or name] = f"variables.{name}"
        if variable.second_reader:
            wanted[variable.second_reader] = f"variables.{name}.second_reader"
    for rule in exclusions:
        wanted.setdefault(rule.column, f"the exclusion {rule.reason!r}")
    problems = [
        f"the column {column!r} ({where} of study.yml) is missing{nearest(column, table.columns)}"
        for column, where in wanted.items()
        if column not in table
    ]
    if source.centre_column in table:
        known = (*centres.development, *centres.external)
        found = table[source.centre_column]
        for i in table.index[~found.isin(known)]:
            problems.append(
                f"{_place(table, i, source)}: {source.centre_column} is {_shown(found[i])}, not one of "
                f"{', '.join(known)}; correct the table or name the centre in study.yml (centres)"
            )
    _raise(problems, source)


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
    problems: list[str] = []
    columns: dict[str, pd.Series] = {
        "patient_id": included[source.patient_column],
        "centre": included[source.centre_column],
        "label": _labels(included, source, outcome, problems),
    }
    readings: dict[str, pd.Series] = {}
    for name, variable in variables.items():
        columns[name] = _typed(included, variable.column or name, name, variable, source, problems)
        if variable.second_reader:
            readings[f"{name}__reader2"] = _typed(included, variable.second_reader, name, variable, source, problems)
    columns |= readings
    if TIMES in included:
        columns[TIMES] = included[TIMES]
    if not problems:
        problems += _class_problems(columns["centre"], columns["label"], centres, outcome)
    _raise(problems, source)
    cohort = pd.DataFrame(columns).astype({"label": "int64"})
    return cohort.sort_values("patient_id", ignore_index=True)


def check_times(included: pd.DataFrame, source: Source) -> None:
    """Insist on readable acquisition times, for a study without scans, where nobody leaves for them.

    Raises
    ------
    StudyError
        Times that are no list of seconds starting at 0 and growing. All findings stand in one message.
    """
    problems = []
    for i, text in included[TIMES].dropna().items() if TIMES in included else ():
        try:
            parse_times(text)
        except ValueError as error:
            problems.append(f"{_place(included, i, source)}: {TIMES} {error}; correct the table")
    _raise(problems, source)


def _labels(table: pd.DataFrame, source: Source, outcome: Outcome, problems: list[str]) -> pd.Series:
    positive, negative = {str(v) for v in outcome.positive}, {str(v) for v in outcome.negative}
    values = table[outcome.column]
    unknown = table.index[~values.isin(positive | negative)]
    problems += _first(
        table, unknown, values, outcome.column, source,
        f"is neither positive ({', '.join(sorted(positive))}) nor negative ({', '.join(sorted(negative))})",
        "add it to outcome.positive, outcome.negative or an exclusion in study.yml, or map it in mending.yml",
    )  # fmt: skip
    return values.isin(positive).astype("int64")


def _typed(
    table: pd.DataFrame, column: str, name: str, variable: Variable, source: Source, problems: list[str]
) -> pd.Series:
    """One variable as float64 or text; what does not fit is added to ``problems``."""
    raw = table[column]
    if raw.isna().all():
        problems.append(
            f"the column {column!r} is empty for every included patient; fill it or remove "
            f"variables.{name} from study.yml"
        )
        return raw
    if variable.type != "continuous":
        unmapped = table.index[raw.notna() & ~raw.isin(variable.levels)]
        problems += _first(
            table,
            unmapped,
            raw,
            column,
            source,
            f"is not one of the levels {', '.join(variable.levels)}",
            f"add it to mending.yml or to levels of variables.{name}",
        )
        return raw
    number = pd.to_numeric(raw, errors="coerce").astype("float64")
    broken = table.index[raw.notna() & ~np.isfinite(number)]
    problems += _first(
        table,
        broken,
        raw,
        column,
        source,
        "is not a number (decimal point, no unit)",
        "correct it, or map it to null in mending.yml",
    )
    if variable.log:
        small = table.index[number <= 0]
        problems += _first(
            table,
            small,
            raw,
            column,
            source,
            "has no logarithm (must be above 0)",
            f"correct it, or set log: false for variables.{name}",
        )
    return number


def _class_problems(centre: pd.Series, label: pd.Series, centres: Centres, outcome: Outcome) -> list[str]:
    problems = []
    for name in (*centres.development, *centres.external):
        here = label[centre == name]
        if here.empty:
            problems.append(
                f"centre {name!r} has no included patient; remove it from centres in study.yml or check the exclusions"
            )
        elif here.min() == here.max():
            problems.append(
                f"centre {name!r}: all {len(here)} included patients are "
                f"{'' if here.iloc[0] else 'not '}{outcome.label}; a centre needs both classes to be "
                "judged: check outcome.positive and the exclusions, or remove the centre"
            )
    return problems


def _first(
    table: pd.DataFrame, rows: pd.Index, values: pd.Series, column: str, source: Source, rule: str, mend: str
) -> list[str]:
    """One finding per distinct value, with the first row that holds it."""
    findings = []
    for value, same in values.loc[rows].groupby(values.loc[rows], dropna=False, sort=False):
        others = f" (and {len(same) - 1} more)" if len(same) > 1 else ""
        findings.append(
            f"{_place(table, same.index[0], source)}{others}: {column} is {_shown(value)}, which {rule}; {mend}"
        )
    return findings


def _place(table: pd.DataFrame, index: int, source: Source) -> str:
    return f"row {index + 2}, patient {table.loc[index, source.patient_column]!r}"


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else "empty"


def _raise(problems: list[str], source: Source) -> None:
    if not problems:
        return
    if len(problems) == 1:
        raise StudyError(f"{source.table}: {problems[0]}")
    more = f"\n  ... and {len(problems) - 12} more" if len(problems) > 12 else ""
    raise StudyError(f"{source.table}: {len(problems)} findings\n  - " + "\n  - ".join(problems[:12]) + more)
