"""The user's own numbers beside the clinical table: measured features and scores, one row a patient.

``source.features`` names tables of radiomics or deep features; every column but the patient's is a number.
``source.scores`` names a table of D-scores that were made elsewhere: ``patient_id, probability, fold``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from her2study.cohort.tables import read_sheet
from her2study.study import Source
from her2study.types import NO_FOLD, StudyError

SCORE_COLUMNS = ("probability", "fold")
IN_SAMPLE = (
    "a score of a patient on whom the model was trained is too good, so each score must say who made it: the fold "
    "(0, 1, ...) that held the patient out in your own cross-fitting, or -1 for a model that never saw any of these "
    "patients"
)


class OwnFeatures(NamedTuple):
    """``table``: ``patient_id`` and one float64 column a feature; ``without``: included patients who have no row."""

    table: pd.DataFrame
    without: list[str]


def feature_files(folder: Path, source: Source) -> list[Path]:
    """Every table of ``source.features``."""
    return [folder / name for name in source.features]


def beside(radiomics: pd.DataFrame | None, features: pd.DataFrame) -> pd.DataFrame:
    """Radiomics, if there are any, and own features as one table, a row a patient."""
    if radiomics is None:
        return features
    return radiomics.merge(features, how="outer", on="patient_id", validate="one_to_one")


def read_features(folder: Path, source: Source, patients: Iterable[str], taken: Iterable[str] = ()) -> OwnFeatures:
    """All tables of ``source.features`` side by side, for the patients of the study.

    A patient whom a table lacks has its features missing; models fill them in as they do any missing number.

    Parameters
    ----------
    patients : iterable of str
        Included patients.
    taken : iterable of str
        Names that features must not have: the study's variables.

    Raises
    ------
    StudyError
        A file or its patient column is absent, a patient stands twice, a cell is no finite number, a name is used
        twice, or none of the patients has a row.
    """
    wanted = sorted(patients)
    together, used = pd.DataFrame({"patient_id": wanted}), dict.fromkeys(taken, "variables of study.yml")
    found: set[str] = set()
    for name in source.features:
        rows = _one_a_patient(folder / name, source)
        columns = [column for column in rows if column != "patient_id"]
        if not columns:
            raise StudyError(f"{folder / name}: no column beside the patient's; a feature is a column of numbers")
        twice = [column for column in columns if column in used]
        if twice:
            raise StudyError(f"{folder / name}: the column {twice[0]!r} is also in {used[twice[0]]}; rename one")
        used |= dict.fromkeys(columns, name)
        numbers = pd.DataFrame(
            {"patient_id": rows["patient_id"], **{column: _numbers(rows, column, folder / name) for column in columns}}
        )
        found |= set(rows["patient_id"])
        together = together.merge(numbers, how="left", on="patient_id", validate="one_to_one")
    without = sorted(set(wanted) - found)
    if len(without) == len(wanted):
        raise StudyError(
            f"{', '.join(source.features)}: none of the {len(wanted)} included patients has a row (the first is "
            f"{wanted[0]!r}); patients must have the names that they have in {source.table}"
        )
    empty = [column for column in together if together[column].isna().all()]
    if empty:
        raise StudyError(f"{used[empty[0]]}: the feature {empty[0]!r} is empty for every included patient; remove it")
    return OwnFeatures(together, without)


def read_scores(folder: Path, source: Source) -> pd.DataFrame:
    """The user's own D-scores: ``patient_id, probability, fold``, sorted by patient.

    Raises
    ------
    StudyError
        A column is absent (without ``fold`` nobody can tell a score from one of the model's own training), a patient
        stands twice, a probability is missing or not from 0 to 1, a fold is no whole number from -1 on.
    """
    path = folder / str(source.scores)
    rows = _one_a_patient(path, source)
    for column in SCORE_COLUMNS:
        if column not in rows:
            more = f": {IN_SAMPLE}" if column == "fold" else "; it needs patient_id, probability and fold"
            raise StudyError(f"{path}: the column {column!r} is missing{more}")
    scores = pd.DataFrame(
        {"patient_id": rows["patient_id"], **{column: _numbers(rows, column, path) for column in SCORE_COLUMNS}}
    )
    _refuse(scores, ~scores["probability"].between(0, 1), "probability", path, "is not a probability from 0 to 1", "")
    whole = scores["fold"].notna() & (scores["fold"] % 1 == 0) & (scores["fold"] >= NO_FOLD)
    _refuse(scores, ~whole, "fold", path, "is not a fold", f": {IN_SAMPLE}")
    return scores.astype({"fold": "int64"}).sort_values("patient_id", ignore_index=True)


def own_folds(scores: pd.DataFrame) -> pd.Series | None:
    """The fold of each patient (index) in the user's own cross-fitting; none if all scores were trained elsewhere."""
    folds = scores.set_index("patient_id")["fold"]
    return folds if (folds != NO_FOLD).any() else None


def features_sentence(own: OwnFeatures, names: Iterable[str]) -> str:
    """What was read, and of whom there is none, in words."""
    text = f"{len(own.table.columns) - 1} features of {len(own.table)} patients from {', '.join(names)}"
    if own.without:
        text += (
            f"; {len(own.without)} included patients have no row ({own.without[0]} is the first): their features are "
            "missing and filled in by each model"
        )
    return f"{text}."


def _one_a_patient(path: Path, source: Source) -> pd.DataFrame:
    """A table as text whose patient column is called ``patient_id``; each patient stands once."""
    cells = read_sheet(path).cells
    column = next((name for name in ("patient_id", source.patient_column) if name in cells), None)
    if column is None:
        raise StudyError(f"{path}: no column is called patient_id or {source.patient_column}; name the patients in one")
    rows = cells.rename(columns={column: "patient_id"})
    if rows["patient_id"].isna().any():
        raise StudyError(f"{path}: {int(rows['patient_id'].isna().sum())} rows have no {column}; a row is one patient")
    twice = rows.loc[rows["patient_id"].duplicated(), "patient_id"]
    if len(twice):
        raise StudyError(f"{path}: patient {twice.iloc[0]!r} stands in more than one row; one row a patient")
    return rows


def _numbers(rows: pd.DataFrame, column: str, path: Path) -> pd.Series:
    """A column of text as float64; an empty cell is missing, anything else must be a finite number."""
    number = pd.to_numeric(rows[column], errors="coerce").astype("float64")
    _refuse(rows, rows[column].notna() & ~np.isfinite(number), column, path, "is not a number", "")
    return number


def _refuse(rows: pd.DataFrame, wrong: pd.Series, column: str, path: Path, rule: str, mend: str) -> None:
    """Raise for the first wrong cell, if any."""
    if wrong.any():
        row: Mapping = rows[wrong].iloc[0].to_dict()
        found = "empty" if pd.isna(row[column]) else repr(row[column])
        more = f" (and {int(wrong.sum()) - 1} more)" if wrong.sum() > 1 else ""
        raise StudyError(f"{path}: patient {row['patient_id']!r}{more}: {column} is {found}, which {rule}{mend}")
