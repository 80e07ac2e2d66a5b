"""Tests of mending: maps, corrections, derivations and their mistakes."""

from pathlib import Path

import pandas as pd
import pytest

from her2study.cohort.mending import Mending, load_mending, mend
from her2study.types import StudyError


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": ["p1", "p2", "p3"],
            "menopause": ["Pre  (< 6 months)", "post", None],
            "width_mm": ["3", "12.5", None],
            "depth_mm": ["9", "4", "7"],
            "spacing": ["[0.7, 0.8]", "[0.5, 0.5]", None],
            "phases": ["6", "3", "4"],
        },
        dtype="str",
    )


def test_values_are_mapped_without_regard_to_case_and_spaces_and_others_stay(table):
    rules = Mending(columns={"menopause": {"pre (< 6 months)": "premenopausal"}})
    assert mend(table, rules, "patient_id")["menopause"].tolist()[:2] == ["premenopausal", "post"]
    assert mend(table, rules, "patient_id")["menopause"].isna().tolist() == [False, False, True]
    assert table["menopause"][0] == "Pre  (< 6 months)"  # the input is not changed


def test_case_matters_if_the_file_says_so(table):
    rules = Mending(ignore_case=False, columns={"menopause": {"POST": "x"}})
    assert mend(table, rules, "patient_id")["menopause"][1] == "post"


def test_derived_columns(table):
    rules = Mending(
        derived={
            "largest": {"largest_of": ["width_mm", "depth_mm"]},
            "column_mm": {"item_of": "spacing", "item": 1},
            "post": {"difference_of": "phases", "minus": 1},
        }
    )
    mended = mend(table, rules, "patient_id")
    assert mended["largest"].tolist()[:2] == ["9", "12.5"]
    assert pd.isna(mended["largest"][2])  # one side unknown: the largest is unknown
    assert mended["column_mm"].tolist()[:2] == ["0.8", "0.5"]
    assert mended["post"].tolist() == ["5", "2", "3"]


def test_a_single_cell_is_corrected_before_it_is_mapped(table):
    rules = Mending(corrections={"p2": {"menopause": "pre", "phases": None}}, columns={"menopause": {"pre": "x"}})
    mended = mend(table, rules, "patient_id")
    assert mended["menopause"][1] == "x"
    assert pd.isna(mended["phases"][1])


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"columns": {"menopaus": {"a": "b"}}}, r"column 'menopaus'.*did you mean 'menopause'"),
        ({"corrections": {"p9": {"phases": "1"}}}, "'p9', who is not in the table"),
        ({"derived": {"x": {"largest_of": ["width_mm", "menopause"]}}}, "patient 'p1'.*not numeric"),
    ],
)
def test_rules_that_do_not_fit_the_table_are_named(table, rules, message):
    with pytest.raises(StudyError, match=message):
        mend(table, Mending(**rules), "patient_id")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("columns: {a: {x: yes}}", "write them in quotes"),
        ("colums: {a: {x: y}}", "colums"),
        ("derived: {a: {largest_of: [x], item_of: y}}", "exactly one"),
        ("- a list", "not a mending file"),
    ],
)
def test_a_file_that_is_no_mending_file_says_where(tmp_path: Path, text, message):
    path = tmp_path / "mending.yml"
    path.write_text(text)
    with pytest.raises(StudyError, match=message) as error:
        load_mending(path)
    assert str(path) in str(error.value)


def test_an_absent_file_is_an_error(tmp_path: Path):
    with pytest.raises(StudyError, match="does not exist"):
        load_mending(tmp_path / "mending.yml")
