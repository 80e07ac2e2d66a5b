"""Tests of who is external by centre, day or column, and of the day of each patient."""

import pandas as pd
import pytest

from her2study.cohort.placement import placements
from her2study.study import Centres, Source, Split
from her2study.types import StudyError

SOURCE = Source(kind="folder", table="patients.csv", date_column="examined")
RANDOM, LATEST = Split(internal_fraction=0.2), Split(internal_fraction=0.2, internal="latest")


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": ["p1", "p2", "p3", "p4"],
            "centre": ["A", "A", "B", "C"],
            "examined": ["2021-12-31", "2022-01-01", "2020-05-05 14:30:00", "2019-01-01"],
            "scanner": ["old", "new", "newest", "old"],
        },
        dtype="str",
    )


@pytest.mark.parametrize(
    ("centres", "external"),
    [
        ({"external": ["C"]}, ["p4"]),
        ({"external_by": "none"}, []),
        ({"external_by": "date", "external_from": "2022-01-01"}, ["p2"]),  # the day itself is external
        ({"external_by": "date", "external_from": "2022-01-01", "external": ["C"]}, ["p2", "p4"]),
        ({"external_by": "column", "external_column": "scanner", "external_values": ["new", "newest"]}, ["p2", "p3"]),
    ],
)
def test_a_centre_a_day_or_a_column_makes_a_patient_external(table, centres, external):
    placed = placements(table, SOURCE, Centres(development=["A", "B"], **centres), RANDOM)
    assert placed.loc[placed["external"], "patient_id"].tolist() == external


def test_dates_are_read_only_where_a_split_needs_them(table):
    table.loc[0, "examined"] = "no date"
    assert placements(table, SOURCE, Centres(development=["A", "B", "C"]), RANDOM)["date"].isna().all()
    with pytest.raises(StudyError, match=r"patient 'p1': examined is 'no date' \(1 such patients\)"):
        placements(table, SOURCE, Centres(development=["A", "B", "C"]), LATEST)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"examined": [None, "2022-01-01", None, "2019-01-01"]}, r"'p1': examined is empty \(2 such patients\)"),
        ({"scanner": ["old", None, "new", "old"]}, "'p2' has no value in 'scanner'"),
    ],
)
def test_nobody_is_placed_by_a_guess(table, change, message):
    by_date = Centres(development=["A", "B", "C"], external_by="date", external_from="2022-01-01")
    by_column = Centres(
        development=["A", "B", "C"], external_by="column", external_column="scanner", external_values=["new"]
    )
    with pytest.raises(StudyError, match=message):
        placements(table.assign(**change), SOURCE, by_date if "examined" in change else by_column, RANDOM)


def test_an_absent_column_is_named_with_the_nearest(table):
    centres = Centres(development=["A"], external_by="column", external_column="scaner", external_values=["new"])
    with pytest.raises(StudyError, match=r"'scaner'.*did you mean 'scanner'"):
        placements(table, SOURCE, centres, RANDOM)
