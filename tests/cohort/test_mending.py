"""Tests of mending: maps, corrections, derivations and their mistakes."""

from pathlib import Path

import pandas as pd
import pytest

from her2study.cohort.mending import Mending, load_mending, mend, mending_findings
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
        (
            {"numbers": {"menopause": {}}},
            r"row 2, patient 'p1': menopause is 'Pre .*', which is not a number; .*1 more",
        ),
        ({"dates": {"width_mm": {"order": "dmy"}}}, "width_mm is '3', which is not a date"),
        ({"missing": {"phase": ["3"]}}, r"missing names the column 'phase'.*did you mean 'phases'"),
    ],
)
def test_rules_that_do_not_fit_the_table_are_named(table, rules, message):
    with pytest.raises(StudyError, match=message):
        mend(table, Mending(**rules), "patient_id")


def test_numbers_with_units_dates_and_codes_of_missing_in_their_order():
    raw = pd.DataFrame(
        {
            "id": ["p1", "p2", "p3", "p4", "p5"],
            "size": ["2,3 cm", "23", "NP", "> 50", "1.1CM"],
            "day": ["1.3.2020", "43891", "2020-03-01", "999", "2020年3月1日"],
        },
        dtype="str",
    )
    rules = Mending(
        columns={"size": {"> 50": "50 mm"}},
        missing={"size": ["np"], "day": ["999"]},
        numbers={"size": {"unit": "mm", "units": {"cm": 10}, "decimal": ","}},
        dates={"day": {"order": "dmy", "excel_days": True}},
        derived={"double": {"largest_of": ["size"]}},
    )
    mended = mend(raw, rules, "id")
    assert mended["size"].fillna("none").tolist() == ["23", "23", "none", "50", "11"]
    assert mended["day"].fillna("none").tolist() == [*["2020-03-01"] * 3, "none", "2020-03-01"]
    assert mended["double"].fillna("none").tolist() == ["23", "23", "none", "50", "11"]
    assert mending_findings(raw, rules, "id").empty


def test_all_mistakes_are_listed_each_with_its_first_row_and_patient(table):
    table = pd.concat([table, table.assign(patient_id=["p4", "p5", "p6"])], ignore_index=True)
    rules = Mending(
        corrections={"p9": {"phases": "1"}},
        columns={"menopaus": {"a": "b"}},
        numbers={"menopause": {}, "width_mm": {"decimal": ","}},
        dates={"depth_mm": {}},
    )
    told = mending_findings(table, rules, "patient_id", "t.csv").fillna({"row": 0})
    assert told[["area", "patient", "row", "column", "value"]].to_numpy().tolist() == [
        ["settings", "p9", 0, "", ""],
        ["settings", "", 0, "menopaus", ""],
        ["variables", "p1", 2, "menopause", "Pre  (< 6 months)"],
        ["variables", "p2", 3, "menopause", "post"],
        ["dates", "p1", 2, "depth_mm", "9"],
        ["dates", "p2", 3, "depth_mm", "4"],
        ["dates", "p3", 4, "depth_mm", "7"],
    ]
    assert told["rule"][3] == "is not a number (1 more cells likewise)"


def test_what_may_be_meant_otherwise_is_told_and_goes_on():
    raw = pd.DataFrame({"id": ["a", "b"], "v": ["1.250", "2.500"], "d": ["1.3.20", "2.3.49"]}, dtype="str")
    rules = Mending(numbers={"v": {"decimal": ","}}, dates={"d": {"order": "dmy"}})
    assert mend(raw, rules, "id")[["v", "d"]].to_numpy().tolist() == [["1.25", "2020-03-01"], ["2.5", "2049-03-02"]]
    told = mending_findings(raw, rules, "id")
    assert told["severity"].tolist() == ["warning", "warning"]
    assert told["column"].tolist() == ["v", "d"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dates: {a: {order: ydm}}", "dates.a.order is 'ydm'"),
        ("missing: {a: [no]}", "write them in quotes"),
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
