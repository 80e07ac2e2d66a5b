"""Who is who: the column of the patients, of the centres, of the date, and which row stands for a patient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from her2study.cohort.proposals.proposal import Proposal
from her2study.study import nearest
from her2study.types import StudyError

MOST_CENTRES = 12
"""A column with more values than this names sites within the data sets, not centres that can each be judged."""


@dataclass(frozen=True)
class RowChoice:
    """Which row stands for a patient with several: as ``source.rows``, and how many patients it concerns."""

    keep: str = "only"
    by: str | None = None
    patients: int = 0
    why: str = "every patient has one row"


def choose_patient(columns: list[Proposal], cells: pd.DataFrame, images: Iterable[str] = ()) -> Proposal:
    """The column of the patients: whose values are the folders of the images, else the fullest with most values.

    Raises
    ------
    StudyError
        No column names patients.
    """
    folders = set(images)
    if folders:
        named = [c for c in columns if len(folders & set(cells[c.column].dropna())) >= 0.5 * len(folders)]
        if named:
            return max(named, key=lambda c: len(folders & set(cells[c.column].dropna()))).but(
                use="patient", why="its values are the names of the folders in images/"
            )
    named = [c for c in columns if c.use == "patient" and c.content.known]
    meant = [c for c in named if not _counts_rows(cells[c.column])]
    numbers = [c for c in columns if c.concept and c.concept.key == "hospital_number" and c.content.known]
    pool = meant or numbers or named
    if not pool:
        raise StudyError(
            f"{columns[0].file if columns else 'the table'}: no column names the patients; call the column with "
            "one name or number a patient 'patient_id'" + nearest("patient_id", [c.column for c in columns])
        )
    best = max(pool, key=lambda c: (round(c.share_known, 2), round(len(c.content.counts) / c.content.n, 2)))
    if best in numbers:
        return best.but(use="patient", why="no other column names the patients").doubted(
            "This looks like the hospital's own number: replace it by a pseudonym before you share anything."
        )
    return best.but(why="names one patient a row")


def _counts_rows(cells: pd.Series) -> bool:
    """Whether a column numbers the rows, and so the lesions of a table of lesions: 1, 2, 3 and so on."""
    numbers = pd.to_numeric(cells, errors="coerce")
    return len(numbers) > 1 and bool((numbers == np.arange(1, len(numbers) + 1)).all())


def choose_centre(columns: list[Proposal], named: str | None) -> Proposal | None:
    """The column of the centres: the one named by the user, else the fullest of a few values that looks like it.

    Raises
    ------
    StudyError
        The named column does not exist.
    """
    if named is not None:
        found = [c for c in columns if c.column == named]
        if not found:
            raise StudyError(
                f"--centre: the table has no column {named!r}{nearest(named, [c.column for c in columns])}"
            )
        return found[0].but(use="centre", why="named by --centre")
    pool = [c for c in columns if c.use == "centre" and 1 <= len(c.content.counts) <= MOST_CENTRES]
    if not pool:
        return None
    best = max(pool, key=lambda c: (round(c.share_known, 1), len(c.content.counts) > 1))
    others = [c.column for c in columns if c.use == "centre" and c.column != best.column]
    why = "tells where each patient comes from"
    return best.but(why=f"{why}, more fully than {', '.join(others)}" if others else why)


def choose_rows(columns: list[Proposal], cells: pd.DataFrame, patient: str) -> RowChoice:
    """Which row stands for a patient who has several: the first visit or the largest lesion, where the table tells so.

    Rows that disagree on the woman herself (name, age) are of two women with one number: no rule may choose then.
    """
    several = cells[cells[patient].duplicated(keep=False) & cells[patient].notna()]
    n = several[patient].nunique()
    if not n:
        return RowChoice()
    by_patient = several.groupby(patient)
    differs = {c: by_patient[c].nunique().gt(1) for c in cells if c != patient}
    if not any(column.any() for column in differs.values()):
        return RowChoice("first", None, n, "their rows are the same")
    herself = [c.column for c in columns if _of_herself(c) and differs[c.column].any()]
    size = next((c.column for c in columns if c.name == "largest_diameter_mm" and differs[c.column].any()), None)
    date = next((c.column for c in columns if c.use == "date" and differs[c.column].any()), None)
    if herself and not date:
        k = int(differs[herself[0]].sum())
        why = f"the rows of {k} of them disagree on {herself[0]}: are these two women with one number?"
        return RowChoice("only", None, n, why)
    lesions = any(c.use in ("lesion", "breast") and differs[c.column].any() for c in columns)
    if date and not (lesions and size):
        return RowChoice("first", date, n, "they were scanned more than once, and the first scan is before treatment")
    if size:
        return RowChoice("largest", size, n, "they have more than one lesion, and the largest stands for the patient")
    if lesions or any(c.use == "visit" and differs[c.column].any() for c in columns):
        return RowChoice("first", None, n, "the table has no size and no date to choose by; the first row is taken")
    return RowChoice("only", None, n, "nothing in the table says why, or which row counts")


def _of_herself(column: Proposal) -> bool:
    """Whether a column is of the woman and the same in all her rows."""
    key = column.concept.key if column.concept else ""
    return key in ("person_name", "birth_date", "sex", "menopause", "family_history") or column.name == "age_years"
