"""The clinical table of a study against its settings: all findings, and whom a run would include."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from her2study.cohort.assembly import assemble
from her2study.cohort.checks import centres as of_centres
from her2study.cohort.checks import codings, columns, dates, designs, distributions, identifiers, outcome, variables
from her2study.cohort.checks.cells import Patients, patients_of
from her2study.cohort.checks.outcome import unread_outcomes
from her2study.cohort.findings import findings, join, none
from her2study.cohort.flow import apply_exclusions
from her2study.cohort.mending import load_mending
from her2study.cohort.schema import variable_problems
from her2study.sections import HER2_CATEGORY
from her2study.study import Study, Variable
from her2study.types import StudyError

OF_CELLS = ("outcome", "dates", "variables", "table")
"""Areas of which one finding a cell is enough; what is said of an identifier are different things."""


@dataclass(frozen=True)
class TableChecked:
    """What the table says before any scan is looked at.

    ``included`` are rows of the table that no rule of the study removes, errors among them or not, and ``label`` is 1,
    0 or missing for each; ``excluded`` is that of :func:`her2study.cohort.flow.apply_exclusions`, and ``further`` are
    rows of patients of whom another is kept. ``told`` is none where the table could not be read, or lacks the
    outcome or the centre: then ``included`` is everybody.
    """

    findings: pd.DataFrame
    screened: int = 0
    columns: int = 0
    patients: tuple[str, ...] = ()
    told: Patients | None = None
    included: pd.DataFrame = field(default_factory=pd.DataFrame)
    excluded: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["patient_id", "centre", "reason"]))
    label: pd.Series = field(default_factory=lambda: pd.Series(dtype="float64"))
    further: pd.DataFrame | None = None


def check_study_table(study: Study, folder: Path, images: bool) -> TableChecked:
    """Read the table and hold it against the settings; nothing that is wrong with it is raised.

    Parameters
    ----------
    images : bool
        Whether the study has scans: identifiers are then names of files, and acquisition times are theirs.
    """
    her2 = study.outcome.her2
    table, further, read = assemble(
        folder, study.source, study.folder, her2, strict=False, outcome=study.outcome.column
    )
    if table is None or not _mending_loads(study):  # unmended cells would all be errors of their own
        return TableChecked(read)
    wanted = columns.wanted_columns(study.source, study.outcome, study.centres, study.variables, study.exclusions)
    everybody = patients_of(table, study.source)
    found = [
        read,
        columns.missing_columns(everybody, wanted),
        columns.unused_columns(everybody, {**wanted, dates.TIMES: "", **_made(study)}),
        identifiers.check_identifiers(everybody, images),
        identifiers.personal_columns(everybody),
        codings.check_codings(everybody, study.source, study.folder),
    ]
    if her2 and HER2_CATEGORY in table:
        found.append(outcome.her2_contradictions(everybody, her2, table[HER2_CATEGORY]))
    size = (len(table), table.shape[1], tuple(everybody.of(study.source.patient_column).dropna()))
    if {study.outcome.column, study.source.centre_column} - set(table):  # all else can be said
        unknown = pd.Series(float("nan"), table.index)
        found += _contents(study, everybody, unknown, images)
        return TableChecked(once(join(found)), *size, None, table, label=unknown)
    exclusions = tuple(rule for rule in study.exclusions if rule.column in table)
    included, excluded = apply_exclusions(table, exclusions, study.outcome, study.source)
    patients = patients_of(table, study.source, included.index)
    label = outcome.labels_of(table[study.outcome.column], study.outcome)
    found += _contents(study, patients, label, images)
    found += [
        of_centres.unknown_centres(patients, study.centres, exclusions),
        unread_outcomes(patients, study.outcome),
        outcome.missing_outcomes(patients, study.outcome, exclusions),
        outcome.classes(patients, study.outcome, label),
        designs.check_exclusions(patients, exclusions, excluded),
    ]
    return TableChecked(once(join(found)), *size, patients, included, excluded, label[included.index], further)


def once(found: pd.DataFrame) -> pd.DataFrame:
    """Without what else is said of a cell that an error makes worthless: one cell, one error, one mend.

    ``found`` is in the order of :func:`her2study.cohort.findings.join`, errors first.
    """
    cells = found[found["row"].notna() & (found["column"] != "") & found["area"].isin(OF_CELLS)]
    cells = cells.sort_values("area", key=lambda area: area.map(OF_CELLS.index), kind="stable")
    cells = cells.sort_values("severity", key=lambda severity: severity != "error", kind="stable")
    place = [cells["file"], cells["row"], cells["column"]]
    worst_first = (cells["severity"] == "error").groupby(place).transform("any")
    again = cells.duplicated(["file", "row", "column"])
    return found.drop(cells.index[again & worst_first]).reset_index(drop=True)


def _contents(study: Study, patients: Patients, label: pd.Series, images: bool) -> list[pd.DataFrame]:
    """Findings about what stands in the cells of variables and dates, outcome and centre apart."""
    centre = patients.of(study.source.centre_column)
    known = {n: v for n, v in study.variables.items() if (v.column or n) in patients.cells}
    candidates = {name: variable for name, variable in study.candidates.items() if name in known}
    found = [
        variable_problems(patients, known),
        outcome.outcome_as_predictor(patients, study.outcome, study.candidates),
        designs.unread_by_role(patients, study.variables, study.candidates),
        dates.check_dates(patients, study.centres, study.split),
        dates.unread_times(patients) if not images else none(),
        dates.odd_times(patients),
        dates.short_times(patients, study.imaging),
        designs.check_comparisons(patients, study.baselines.models, study.statistics.comparisons),
        distributions.repeated_variables(patients, candidates),
        identifiers.identical_patients(patients, *_rich(known)),
    ]
    for name, variable in known.items():
        column = variable.column or name
        found += [
            variables.doubtful_values(patients, name, variable, column),
            variables.doubtful_values(patients, name, variable, variable.second_reader or ""),
            distributions.centre_units(patients, name, variable, column, centre),
            distributions.missingness(patients, name, column, centre, label, name in candidates),
            distributions.levels_seen(patients, name, variable, centre, study.centres),
            distributions.second_reader(patients, name, variable),
        ]
        if name in candidates and column != study.outcome.column:
            found.append(distributions.gives_outcome_away(patients, name, variable, label))
    return found


def _mending_loads(study: Study) -> bool:
    try:
        return not study.source.mending or load_mending(study.folder / study.source.mending) is not None
    except StudyError:
        return False


def _made(study: Study) -> dict[str, str]:
    """Columns that reading adds and no setting has to name."""
    return {HER2_CATEGORY: "", "her2_reason": "", study.source.centre_column: "", study.source.rows.by or "": ""}


def _rich(known: Mapping[str, Variable]) -> tuple[list[str], list[str]]:
    """Columns of all variables, and of the continuous ones, that describe the patient and not the scanner."""
    own = {name: v for name, v in known.items() if v.role != "acquisition"}
    numbers = [v.column or name for name, v in own.items() if v.type == "continuous"]
    return [v.column or name for name, v in own.items()], numbers


def setting_findings(path: Path, error: StudyError, severity: str = "error") -> pd.DataFrame:
    """What keeps a file of settings from being loaded, one finding a line of the message."""
    text = str(error).removeprefix(f"{path}")
    lines = text.split("\n  - ")[1:] or [text.lstrip(": ").removeprefix("(profile full): ")]
    rows = []
    for line in lines:
        value, parted, mend = line.partition("; ")
        rows.append(
            {
                "severity": severity, "area": "settings", "file": str(path), "value": value,
                "rule": "settings must load before a patient is read",
                "mend": mend if parted else "correct the line; CONTRIBUTING.md and papers/hong2025/study.yml show how",
            }
        )  # fmt: skip
    return findings(rows)
