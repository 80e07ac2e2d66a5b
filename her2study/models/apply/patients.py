"""New patients as typed values; what cannot be used is said, cell by cell, and treated as missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from her2study.cohort.findings import findings, join
from her2study.cohort.schema import TIMES
from her2study.models.apply.tables import DSCORE, PATIENT, Named, find_table, name_columns, needed_variables
from her2study.models.bundle import Bundle
from her2study.study import Variable
from her2study.types import StudyError

NEW = "new"
"""Centre of patients of whom no table says where they come from."""

OWN_SCORE = Variable(type="continuous", label="D-score", role="mri_reading")
"""A D-score that was made elsewhere and stands in the table."""


class NewPatients(NamedTuple):
    """Patients to whom a bundle's models are to be applied.

    ``table``: one row a patient, sorted: ``patient_id, centre``, with ``outcome=True`` ``label`` (Int64; missing where
    it is not known), ``excluded`` (why the study would have left her out; empty), the predictors (numbers, or levels
    as text; missing where there is none), with ``outcome=True`` all other variables of the study that are there,
    ``acquisition_times`` if recorded. ``findings``: what could not be used.
    ``source``: the folder with ``images/`` and ``segmentations/``, None without scans.
    """

    table: pd.DataFrame
    findings: pd.DataFrame
    source: Path | None


def read_new_patients(
    bundle: Bundle, data: Path, table: str | None = None, outcome: bool = False, centres: Sequence[str] = ()
) -> NewPatients:
    """Read the patients of a folder, or of a table alone.

    Parameters
    ----------
    bundle : Bundle
    data : Path
        Folder with the table and, if there are, scans in MAMA-MIA's layout; or the table itself.
    table : str, optional
        Which table, if there are several.
    outcome : bool
        Whether outcomes are needed.
    centres : sequence of str
        Only patients of these centres; all if none is named.

    Raises
    ------
    StudyError
        No table, a predictor without a column, a patient without a name or with two rows, an unknown centre, and,
        with ``outcome``, no column of outcomes.
    """
    data = Path(data)
    place = find_table(bundle, data, table)
    folder = data if data.is_dir() else data.parent
    if place is None:
        return _of_scans_alone(bundle, folder, outcome)
    named = name_columns(bundle, place, data, outcome)
    return typed(bundle, named, folder, outcome, centres)


def typed(
    bundle: Bundle, named: Named, source: Path | None, outcome: bool = False, centres: Sequence[str] = ()
) -> NewPatients:
    """The patients of a table whose columns are known."""
    cells = named.cells
    if centres:
        cells = cells[_of_centres(named, centres)]
    patients = cells[named.patient].astype("str")
    columns: dict[str, Any] = {PATIENT: patients, "centre": _centre(named, cells)}
    told = [named.findings]
    if outcome:
        columns["label"], found = _labels(bundle, named, cells)
        told.append(findings(found))
    columns["excluded"] = _excluded(bundle, cells, outcome)
    needed = needed_variables(bundle)
    others = [name for name in bundle.variables if outcome and name in named.columns and name not in needed]
    for name in [*needed, *others]:
        columns[name], found = _values(_variable(bundle, name), cells[named.columns[name]])
        if name in needed:
            place = {"patient": patients[found.index], "file": named.file, "row": found.index + 2}
            told.append(findings(found.assign(**place, column=named.columns[name])))
    if TIMES in cells:
        columns[TIMES] = cells[TIMES]
    frame = pd.DataFrame(columns).sort_values(PATIENT, ignore_index=True)
    return NewPatients(frame, join(told), source)


def _of_scans_alone(bundle: Bundle, folder: Path, outcome: bool) -> NewPatients:
    """Patients of whom there are scans and no table: the network alone can score them."""
    names = sorted(path.name for path in (folder / "images").iterdir() if path.is_dir())
    if not names:
        raise StudyError(
            f"{folder / 'images'} holds no patient; scans belong into images/<patient>/<patient>_0000.nii.gz (before "
            "contrast), _0001 and so on"
        )
    if outcome:
        raise StudyError(f"{folder}: no table says who is {bundle.outcome.label}; add one with the outcome")
    table = pd.DataFrame({PATIENT: pd.Series(names, dtype="str"), "centre": NEW, "excluded": ""})
    told = {
        "severity": "warning", "area": "table", "file": str(folder), "value": "no table",
        "rule": "clinical predictors stand in a table", "mend": "add one to apply the models that need predictors",
    }  # fmt: skip
    return NewPatients(table, findings([told] if bundle.logistic else []), folder)


def _of_centres(named: Named, centres: Sequence[str]) -> pd.Series:
    if named.centre is None:
        raise StudyError(f"{named.file}: no column says which centre a patient is of, so {centres[0]!r} cannot be "
                         "chosen; add the column 'centre', or leave --centres out")  # fmt: skip
    values = named.cells[named.centre]
    known = sorted(values.dropna().unique())
    unknown = [centre for centre in centres if centre not in known]
    if unknown:
        raise StudyError(f"{named.file}: no patient is of centre {unknown[0]!r}; centres there: {', '.join(known)}")
    return values.isin(list(centres))


def _centre(named: Named, cells: pd.DataFrame) -> pd.Series:
    if named.centre is None:
        return pd.Series(NEW, index=cells.index, dtype="str")
    return cells[named.centre].fillna(NEW).astype("str")


def _labels(bundle: Bundle, named: Named, cells: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """1, 0, or missing for whoever is neither, who is no negative."""
    outcome = bundle.outcome
    if named.outcome is None:
        raise StudyError(
            f"{named.file}: no column {outcome.column!r}, which says who is {outcome.label} "
            f"({', '.join(map(str, outcome.positive))}) and who is not ({', '.join(map(str, outcome.negative))}); add "
            "it, or use `her2study predict`, which needs no outcomes"
        )
    values = cells[named.outcome]
    positive, negative = ([str(v) for v in side] for side in (outcome.positive, outcome.negative))
    label = pd.Series(pd.NA, index=values.index, dtype="Int64")
    label[values.isin(positive)], label[values.isin(negative)] = 1, 0
    unclear = label.isna()
    told = pd.DataFrame({"value": values[unclear].fillna("empty")}).assign(
        severity="warning", area="outcome", patient=cells.loc[unclear, named.patient], file=named.file,
        row=values.index[unclear] + 2, column=named.outcome,
        rule=f"must be one of {', '.join([*positive, *negative])}: not judged, and never a negative",
        mend="complete the outcome, or leave the patient out",
    )  # fmt: skip
    return label, told


def _excluded(bundle: Bundle, cells: pd.DataFrame, outcome: bool) -> pd.Series:
    """The first reason for which the study would have left a patient out, as far as its columns are there."""
    reason = pd.Series("", index=cells.index, dtype="str")
    for rule in bundle.exclusions:
        if rule.column not in cells or (rule.column == bundle.outcome.column and not outcome):
            continue
        values = cells[rule.column]
        named = [str(value) for value in rule.values]  # noqa: PD011 (a setting, not a frame)
        leaves = (values.isin(named) | (values.isna() & rule.missing)) & (reason == "")
        reason[leaves] = rule.reason
    return reason


def _variable(bundle: Bundle, name: str) -> Variable:
    return OWN_SCORE if name == DSCORE and bundle.network is None else bundle.variables[name]


def _values(variable: Variable, raw: pd.Series) -> tuple[pd.Series, pd.DataFrame]:
    """A predictor as numbers or known levels, and findings about cells that are neither."""
    if variable.type != "continuous":
        bad = raw.notna() & ~raw.isin(variable.levels)
        rule = f"training knew {', '.join(variable.levels)}"
        values = raw.where(~bad).astype("str")
    else:
        values = pd.to_numeric(raw, errors="coerce").astype("float64")
        bad = raw.notna() & ~np.isfinite(values)
        rule = "must be a number (decimal point, no unit)"
        if variable.log:
            bad |= values <= 0
            rule = "must be a number above 0, for its logarithm is taken"
        if variable is OWN_SCORE:
            bad |= ~values.between(0, 1) & raw.notna()
            rule = "must be a probability from 0 to 1"
        values = values.where(~bad)
    told = pd.DataFrame({"value": raw[bad].astype("str")}).assign(
        severity="warning", area="variables", rule=rule,
        mend=f"treated as missing; correct it if it can be known ({variable.label})",
    )  # fmt: skip
    return values, told
