"""Tests of the one row that stands for a patient."""

import pandas as pd
import pytest

from her2study.cohort.rows import FURTHER, one_row_a_patient, outcome_findings, row_findings
from her2study.study import Rows
from her2study.types import StudyError


@pytest.fixture
def lesions() -> pd.DataFrame:
    """p1 has three lesions, p2 two, p3 one; the index is the row of the file less 2."""
    return pd.DataFrame(
        {
            "id": ["p1", "p2", "p1", "p3", "p2", "p1"],
            "size": ["9", "15", "30", None, "15", "4.5"],
            "date": ["2020-05-01", None, "2020-01-02", "2020-01-01", "2021-01-01", "2020-05-01"],
            "her2": ["pos", "neg", "neg", "pos", "neg", "pos"],
        },
        index=[1, 2, 3, 4, 7, 8],
        dtype="str",
    )


@pytest.mark.parametrize(
    ("keep", "by", "kept"),
    [
        ("first", None, [1, 2, 4]),
        ("last", None, [4, 7, 8]),
        ("largest", "size", [2, 3, 4]),  # equal sizes: the first of the file
        ("first", "date", [3, 4, 7]),  # without a date behind those with one
        ("last", "date", [4, 7, 8]),  # equal dates: the last of the file
    ],
)
def test_the_rule_chooses_and_the_others_leave_with_its_name(lesions, keep, by, kept):
    stays, left = one_row_a_patient(lesions, Rows(keep=keep, by=by), "id")
    assert stays.index.tolist() == kept
    assert sorted([*left.index, *kept]) == lesions.index.tolist()
    assert set(left["reason"]) == {FURTHER[keep]}


def test_several_rows_are_an_error_with_their_places_and_differences(lesions):
    with pytest.raises(StudyError, match=r"'p1' stands in rows 3, 5, 10, which differ in size, date, her2; .*likewise"):
        one_row_a_patient(lesions, Rows(), "id")
    told = row_findings(pd.concat([lesions.loc[[4]], lesions.loc[[4]].set_axis([9])]), Rows(), "id")
    assert told["rule"].tolist() == ["patient 'p3' stands in rows 6, 11, which are identical"]


def test_one_row_each_is_left_alone(lesions):
    single = lesions.drop_duplicates("id")
    kept, left = one_row_a_patient(single, Rows(), "id")
    pd.testing.assert_frame_equal(kept, single)
    assert left.empty
    assert "reason" in left


@pytest.mark.parametrize(
    ("rows", "column", "value", "message"),
    [
        (
            Rows(keep="largest", by="size"),
            "size",
            "2 cm",
            r"row 5, patient 'p1': size is '2 cm', which is not a number",
        ),
        (Rows(keep="last", by="date"), "date", "1.2.20", r"row 5, .*not a date such as 2020-03-01"),
        (Rows(keep="largest", by="sise"), "size", "2", r"'sise', which the table does not have; did you mean 'size'"),
    ],
)
def test_what_decides_must_be_readable(lesions, rows, column, value, message):
    lesions.loc[3, column] = value
    with pytest.raises(StudyError, match=message):
        one_row_a_patient(lesions, rows, "id")


def test_rows_that_differ_in_the_outcome_are_told_with_what_the_rule_makes_of_them(lesions):
    told = outcome_findings(lesions, Rows(keep="largest", by="size"), "id", "her2", "t")
    assert told[["patient", "value"]].to_numpy().tolist() == [["p1", "pos and neg"]]
    assert "she is neg" in told["rule"][0]


def test_a_row_without_what_decides_is_told(lesions):
    told = row_findings(lesions, Rows(keep="last", by="date"), "id")
    assert told.loc[told["severity"] == "warning", ["patient", "row"]].to_numpy().tolist() == [["p2", 4]]


def test_many_patients_with_several_rows_are_told_in_seconds():
    n = 200_000
    table = pd.DataFrame({"id": [f"p{i // 2}" for i in range(n)], "x": "1"}, dtype="str")
    assert len(row_findings(table, Rows(), "id")) == 201
