"""Whether dates are dates of the past, and whether acquisition times can be read."""

from __future__ import annotations

import datetime

import pandas as pd

from her2study.cohort.checks.cells import Patients, about, cell_findings, share
from her2study.cohort.findings import join, none
from her2study.cohort.sources import parse_times
from her2study.study import Centres, Imaging, Split

TIMES = "acquisition_times"

EARLIEST = "1985-01-01"
"""Before contrast-enhanced MRI of the breast."""

LATE_BY_SECONDS = 120.0
SHORTEST_SECONDS, LONGEST_SECONDS = 30.0, 3600.0


def as_dates(raw: pd.Series) -> pd.Series:
    """ISO text as dates; missing where it is no date."""
    return pd.to_datetime(raw, format="%Y-%m-%d", errors="coerce")


def check_dates(patients: Patients, centres: Centres, split: Split, today: datetime.date | None = None) -> pd.DataFrame:
    """The date of each patient, where the settings name its column.

    Errors if the split needs the date, warnings else.
    """
    column = patients.source.date_column
    if not column or column not in patients.cells:
        return none()
    needed = centres.external_by == "date" or (split.internal == "latest" and split.internal_fraction > 0)
    raw = patients.of(column)
    moment = as_dates(raw)
    degree = "error" if needed else "warning"
    mend = f"correct it, or write dates: {{{column}: {{order: dmy}}}} (or mdy, ymd; excel_days: true) in mending.yml"
    found = [
        cell_findings(patients, raw.notna() & moment.isna(), column, "dates", "must be a day written YYYY-MM-DD", mend,
                      degree)
    ]  # fmt: skip
    if needed:
        rule = "the split goes by date, so every included patient needs one"
        found.append(cell_findings(patients, raw.isna(), column, "dates", rule, "enter it, or exclude the patient"))
    now = pd.Timestamp(today or datetime.date.today())
    rule, mend = "lies in the future", "see the record; were day and month exchanged?"
    found.append(cell_findings(patients, moment > now, column, "dates", rule, mend, "warning"))
    rule = f"lies before {EARLIEST}, when there was no breast MRI"
    found.append(cell_findings(patients, moment < pd.Timestamp(EARLIEST), column, "dates", rule, mend, "warning"))
    return join(found)


def unread_times(patients: Patients) -> pd.DataFrame:
    """Errors: acquisition times that are no list of seconds starting at 0 and growing."""
    broken = [text for text in patients.of(TIMES).dropna().unique() if _last(text) is None]
    rule = "must be a list of seconds such as [0, 97, 194]: it must start at 0 and grow, one number a phase"
    return cell_findings(patients, patients.of(TIMES).isin(broken), TIMES, "phases", rule, "correct the table")


def odd_times(patients: Patients) -> pd.DataFrame:
    """Warnings: times that look like minutes, or go on for hours."""
    raw = patients.of(TIMES)
    ends = raw.map({text: _last(text) for text in raw.dropna().unique()}).astype("float64")
    limits = f"is to be in seconds, and dynamic scans take {SHORTEST_SECONDS:g} s to {LONGEST_SECONDS:g} s"
    mend = "write seconds after the pre-contrast phase"
    return join(
        [
            cell_findings(patients, ends < SHORTEST_SECONDS, TIMES, "phases", f"{limits}: minutes?", mend, "warning"),
            cell_findings(patients, ends > LONGEST_SECONDS, TIMES, "phases", f"{limits}: clock time?", mend, "warning"),
        ]
    )


def short_times(patients: Patients, imaging: Imaging) -> pd.DataFrame:
    """A warning if most acquisitions end long before the late phase is to be measured; a note if some do."""
    raw = patients.of(TIMES)[patients.included].dropna()
    wanted = imaging.late_seconds + imaging.injection_seconds
    ends = raw.map({text: _last(text) for text in raw.unique()}).astype("float64")
    short = int((ends < wanted - LATE_BY_SECONDS).sum())
    if not short:
        return none()
    value = f"{share(short, len(raw))} end more than {LATE_BY_SECONDS:.0f} s before {wanted:.0f} s"
    rule = f"wash-out is measured at imaging.late_seconds, {imaging.late_seconds:g} s after injection"
    mend = "lower imaging.late_seconds if the protocols are shorter; until then their last phase is taken"
    return about(patients, "phases", "warning" if short > len(raw) / 2 else "note", value, rule, mend, column=TIMES)


def _last(text: str) -> float | None:
    try:
        return parse_times(text)[-1]
    except ValueError:
        return None
