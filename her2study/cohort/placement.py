"""What the table says of each patient's place in the study: her day, and whether it makes her external."""

from __future__ import annotations

import pandas as pd

from her2study.study import Centres, Source, Split, nearest
from her2study.types import StudyError


def placements(included: pd.DataFrame, source: Source, centres: Centres, split: Split) -> pd.DataFrame:
    """What the table says of each patient's place: the day, and whether a date or a column makes her external.

    Parameters
    ----------
    included : DataFrame
        Rows of ``sources.read_table`` that no exclusion removed; dates are ISO text (``2021-03-05``).

    Returns
    -------
    DataFrame
        ``patient_id, date`` (missing where no split needs it), ``external``.

    Raises
    ------
    StudyError
        A column that the design needs is absent; a patient without a date, with a date that is none, or without a
        value in ``centres.external_column``.
    """
    placed = pd.DataFrame({"patient_id": included[source.patient_column], "date": pd.NaT, "external": False})
    placed["external"] = included[source.centre_column].isin(centres.external)
    if by_time(centres, split):
        placed["date"] = _dates(included, source)
    if centres.external_by == "date":
        placed["external"] |= placed["date"] >= pd.Timestamp(centres.external_from)
    if centres.external_by == "column":
        column = str(centres.external_column)
        told = _column(included, column, "centres.external_column")
        if told.isna().any():
            patient = included.loc[told.isna(), source.patient_column].iloc[0]
            raise StudyError(
                f"{source.table}: patient {patient!r} has no value in {column!r}, which says who is external "
                f"({int(told.isna().sum())} such patients); fill it in, mend it, or exclude those without it"
            )
        placed["external"] |= told.isin(centres.external_values)
    return placed.reset_index(drop=True)


def by_time(centres: Centres, split: Split) -> bool:
    """Whether any split needs the date of each patient."""
    return centres.external_by == "date" or (split.internal == "latest" and split.internal_fraction > 0)


def _column(table: pd.DataFrame, column: str, setting: str) -> pd.Series:
    if column not in table:
        raise StudyError(
            f"the column {column!r} ({setting} of study.yml) is missing{nearest(column, table.columns)} Correct it."
        )
    return table[column]


def _dates(included: pd.DataFrame, source: Source) -> pd.Series:
    """Each patient's day; everyone needs one."""
    raw = _column(included, str(source.date_column), "source.date_column")
    dates = pd.to_datetime(raw, format="ISO8601", errors="coerce")
    if dates.isna().any():
        row = included[dates.isna()].iloc[0]
        found = "empty" if pd.isna(row[source.date_column]) else repr(row[source.date_column])
        raise StudyError(
            f"{source.table}: patient {row[source.patient_column]!r}: {source.date_column} is {found} "
            f"({int(dates.isna().sum())} such patients), and a split by date needs a day such as 2021-03-05 of "
            "everybody; fill it in, mend it under 'dates' in mending.yml, or exclude those without it"
        )
    return dates.dt.tz_localize(None)
