"""Whether identifiers name one patient each, can name files, and keep people private."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from her2study.cohort.checks.cells import Patients, about, cell_findings, share
from her2study.cohort.findings import join, none

AREA = "identifiers"

UNSAFE = r"""[/\\:*?"<>|\x00-\x1f]|^\.|[. ]$"""
"""What a file name on some system cannot hold; a slash would even lead out of the folder."""

DAMAGED = r"^\d(?:\.\d+)?E\+?\d+$|^\d{1,2}[-/][A-Z][a-z]{2}(?:[-/]\d{2,4})?$|^[A-Z][a-z]{2}-\d{2}$|^#"
"""Identifiers that a spreadsheet turned into numbers with an exponent, dates or errors."""

PERSONAL_COLUMN = re.compile(
    r"(^|[^a-z])(name|surname|first ?name|last ?name|nombre|apellido|nachname|vorname|nom|prenom|prénom|"
    r"birth ?date|date ?of ?birth|birthday|dob|geburtsdatum|mrn|medical ?record|hospital ?(no|number|id)|"
    r"phone|telephone|mobile|e ?mail|address|street|ssn|nhs ?(no|number)|passport)([^a-z]|$)"
    r"|姓名|名字|出生日期|生日|身份证|住院号|病历号|电话|手机|地址|氏名|生年月日",
    re.IGNORECASE,
)
OF_THINGS = re.compile(
    r"\b(file|series|scanner|model|protocol|sequence|drug|agent|site|centre|center|hospital|institution|manufacturer|"
    r"variable|study|trial|regimen|antibody|test)s? ?name\b",
    re.IGNORECASE,
)
"""Names of things, not of persons."""

PERSONAL_VALUE = r"^(?:\d{17}[\dXx]|1[3-9]\d{9}|[^@\s]+@[^@\s]+\.[a-z]{2,}|\d{3}-\d{2}-\d{4})$"
"""Chinese identity cards and mobile numbers, e-mail addresses, American social security numbers."""

NAME_LIKE = r"^[^\W\d_]{2,}(?:[ ,'’-]+[^\W\d_]+)+$|^[\u4e00-\u9fff]{2,4}$"
"""Two words of letters, or two to four Chinese characters."""


BY_CHANCE = 0.2
"""Share of the identical pairs that chance may explain before none of them is told."""

FEW_ALIKE, MOST_ALIKE = 10, 0.05
"""If more rows and more of all than this share what should be their own, the column is no mark of a person."""


def check_identifiers(patients: Patients, images: bool) -> pd.DataFrame:
    """Everything about the patient column; without duplicates and blanks, which the reading of the table tells.

    Parameters
    ----------
    images : bool
        Whether identifiers name files.
    """
    column = patients.source.patient_column
    raw = patients.of(column).fillna("")
    key = "write a plain study number (letters, digits, - and _) and keep the key to it elsewhere"
    found = [
        cell_findings(
            patients, raw.str.contains(UNSAFE, regex=True), column, AREA,
            "an identifier names files and folders, so it holds no / \\ : * ? \" < > | and starts with no dot", key,
            "error" if images else "warning",
        ),
        cell_findings(
            patients, raw.str.contains(DAMAGED, regex=True), column, AREA,
            "a spreadsheet seems to have turned the identifier into a number, a date or an error",
            "format the column as text before typing, and enter the identifier again", "warning",
        ),
        cell_findings(
            patients, raw.str.contains(NAME_LIKE, regex=True), column, AREA,
            "looks like a person's name, which would stand in every table, figure and file name", key, "warning",
        ),
        near_twins(patients),
        unlike_others(patients),
    ]  # fmt: skip
    return join(found)


def unlike_others(patients: Patients) -> pd.DataFrame:
    """Identifiers of another pattern than nearly all: a hyphen, a letter or a zero that was lost."""
    column = patients.source.patient_column
    shape = patients.of(column).str.replace(r"\d", "9", regex=True).str.replace(r"[^\W\d_]", "A", regex=True)
    counts = shape.value_counts()
    few = counts.index[counts <= max(1, 0.02 * len(shape))]
    if counts.empty or counts.iloc[0] < 0.75 * len(shape) or not len(few):
        return none()
    usual = patients.of(column)[shape == counts.index[0]].iloc[0]
    return cell_findings(
        patients, shape.isin(few), column, AREA, f"looks unlike the others, which are written as {usual}",
        "see whether a letter, a hyphen or a leading zero was lost (format the column as text)", "warning",
    )  # fmt: skip


def near_twins(patients: Patients) -> pd.DataFrame:
    """Identifiers that differ only in capitals, spaces, hyphens, full-width letters or leading zeros."""
    column = patients.source.patient_column
    raw = patients.of(column)
    folded = raw.str.normalize("NFKC").str.lower()
    folded = folded.str.replace(r"[\s_\-./]+", "", regex=True).str.replace(r"(?<!\d)0+(?=\d)", "", regex=True)
    many = folded.duplicated(keep=False) & raw.notna() & (folded != "")
    return cell_findings(
        patients, many, column, AREA, "may be one patient under several spellings",
        "if so, write one spelling and keep one row; if not, tell them apart by more than spelling", "warning",
        _together(patients, many, folded),
    )  # fmt: skip


def personal_columns(patients: Patients) -> pd.DataFrame:
    """Columns of the table that say who a patient is."""
    mend = "remove the column before the folder is shared; a study never needs it"
    rule = "seems to identify persons; nothing of it leaves this machine, but tables travel"
    found = []
    for column in patients.cells:
        if column == patients.source.patient_column:
            continue
        if PERSONAL_COLUMN.search(OF_THINGS.sub(" ", column.replace("_", " "))):
            found.append(about(patients, AREA, "warning", "by its name", rule, mend, column=column))
            found.append(_same_person(patients, column))
            continue
        few = patients.cells[column].dropna().head(1000)
        personal = few.str.contains(PERSONAL_VALUE, regex=True)
        if personal.any():  # the value itself is not repeated in a report
            value = f"by its values: {share(int(personal.sum()), len(few))}"
            found.append(about(patients, AREA, "warning", value, rule, mend, column=column))
    return join(found)


def _same_person(patients: Patients, column: str) -> pd.DataFrame:
    """Patients who share a name, a number or an address; what it is is not repeated."""
    own = patients.of(column)
    many = own.duplicated(keep=False) & own.notna()
    if many.sum() > max(FEW_ALIKE, MOST_ALIKE * len(many)):
        return none()
    return cell_findings(
        patients, many, patients.source.patient_column, AREA,
        f"may be one person under several identifiers: {column!r} is the same of all of them",
        "if so, keep one of them, or give both rows one identifier and choose by source.rows", "warning",
        _together(patients, many, own),
    )  # fmt: skip


def identical_patients(patients: Patients, columns: list[str], numbers: list[str]) -> pd.DataFrame:
    """Different identifiers with the same value of every variable: perhaps one woman, entered twice.

    Told only where at least three ``numbers`` are known and chance is no explanation: variables were independent,
    so many pairs would be alike by chance as patients have pairs, times the chance of each variable to agree.
    """
    columns = [column for column in dict.fromkeys(columns) if column in patients.cells]
    numbers = [column for column in dict.fromkeys(numbers) if column in columns]
    if len(numbers) < 3 or len(columns) < 5:
        return none()
    cells = patients.cells[columns]
    marks = pd.util.hash_pandas_object(cells, index=False)
    many = marks.duplicated(keep=False) & (cells[numbers].notna().sum(axis=1) >= 3)
    agree = [float((cells[column].value_counts(normalize=True, dropna=False) ** 2).sum()) for column in columns]
    expected = len(cells) * (len(cells) - 1) / 2 * np.prod(agree)
    if many.sum() > max(FEW_ALIKE, MOST_ALIKE * len(many)) or expected > BY_CHANCE * many.sum() / 2:
        return none()
    return cell_findings(
        patients, many, patients.source.patient_column, AREA,
        f"may be one woman: the same value of all {len(columns)} variables",
        "if so, keep one of them: in two parts of the split she would be learnt and judged at once", "warning",
        _together(patients, many, marks),
    )  # fmt: skip


def _together(patients: Patients, many: pd.Series, mark: pd.Series) -> pd.Series:
    """Identifiers that share a mark, all in one cell, for each of them."""
    names = patients.of(patients.source.patient_column)[many].astype("str")
    groups = names.groupby(mark[many]).agg(lambda same: ", ".join(dict.fromkeys(same)))
    return mark[many].map(groups)
