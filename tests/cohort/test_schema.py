"""Tests of the typed cohort and of each mistake a table can hold."""

import numpy as np
import pandas as pd
import pytest

from her2study.cohort.schema import check_table, check_times, typed_cohort
from her2study.types import StudyError


def build(raw, s):
    return typed_cohort(raw, s.source, s.outcome, s.centres, s.variables)


def check(raw, s):
    check_table(raw, s.source, s.outcome, s.centres, s.variables, s.exclusions)


def test_the_cohort_has_the_columns_types_and_order_of_the_contract(raw, settings):
    cohort = build(raw, settings)
    assert list(cohort) == ["patient_id", "centre", "label", "age_years", "shape", "node_mm", "shape__reader2"]
    assert cohort["patient_id"].tolist() == [f"p{i}" for i in range(1, 9)]
    assert cohort["label"].tolist() == [1, 0, 0, 1, 1, 0, 0, 1]
    assert cohort["label"].dtype == "int64"
    assert cohort["age_years"].dtype == "float64"
    assert np.isnan(cohort["age_years"][1])
    assert cohort["shape"].isna().tolist() == [False, False, False, True] + [False] * 4


def test_times_are_kept_as_written_where_the_table_has_them(raw, settings):
    raw["acquisition_times"] = pd.Series(["[0, 90]"] * 7 + [None], dtype="str")
    assert build(raw, settings)["acquisition_times"].isna().sum() == 1
    check_times(raw, settings.source)
    check_times(raw.drop(columns="acquisition_times"), settings.source)
    raw.loc[0, "acquisition_times"] = "[0, 90, 80]"
    with pytest.raises(StudyError, match=r"row 2, patient 'p8'.*must start at 0 and grow"):
        check_times(raw, settings.source)
    assert build(raw, settings)["acquisition_times"].tolist()[-1] == "[0, 90, 80]"  # the check of the scans tells it


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("shape", "oblong", r"row 3, patient 'p1': shape is 'oblong'.*levels oval, round.*add it to levels"),
        ("shape2", "oblong", r"shape2 is 'oblong'"),
        ("age", "41,5", r"row 3, patient 'p1': age is '41,5'; it must be a number.*decimal: \",\""),
        ("age", "inf", r"age is 'inf'; it must be a number"),
        ("node_mm", "0", r"node_mm is '0'.*logarithm.*log: false"),
        ("her2", "2+", r"row 3, patient 'p1': her2 is '2\+'; it must be positive \(positive\) or negative"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_row_rule_and_mend(raw, settings, column, value, message):
    raw.loc[1, column] = value
    with pytest.raises(StudyError, match=message):
        build(raw, settings)


def test_all_findings_come_at_once_and_equal_values_once(raw, settings):
    raw.loc[[1, 2], "shape"] = "oblong"
    raw.loc[3, "age"] = "old"
    with pytest.raises(StudyError, match=r"(?s)2 findings.*\(and 1 more\): shape is 'oblong'.*age is 'old'"):
        build(raw, settings)


def test_an_empty_variable_is_an_error(raw, settings):
    raw["age"] = pd.Series([None] * 8, dtype="str")
    with pytest.raises(StudyError, match="'age': empty for every included patient"):
        build(raw, settings)


def test_a_centre_with_one_class_only_is_an_error(raw, settings):
    raw.loc[raw["centre"] == "C", "her2"] = "negative"
    with pytest.raises(StudyError, match="centre 'C': all 2 included patients are not HER2-positive"):
        build(raw, settings)


def test_a_centre_without_patients_is_an_error(raw, settings):
    with pytest.raises(StudyError, match="centre 'C' has no included patient"):
        build(raw[raw["centre"] != "C"], settings)


def test_a_sound_table_passes(raw, settings):
    check(raw, settings)


@pytest.mark.parametrize(
    ("old", "message"),
    [
        ("her2", r"column 'her2': missing; outcome.column of study.yml.*did you mean 'her2_'"),
        ("age", r"column 'age': missing; variables.age_years"),
        ("shape2", r"variables.shape.second_reader"),
        ("treated", r"the exclusion 'Treated before'"),
        ("centre", r"source.centre_column"),
    ],
)
def test_a_missing_column_is_named_with_its_setting_and_the_nearest_name(raw, settings, old, message):
    with pytest.raises(StudyError, match=message):
        check(raw.rename(columns={old: f"{old}_"}), settings)


@pytest.mark.parametrize(("value", "shown"), [("D", "'D'"), (None, "empty")])
def test_an_unknown_centre_is_named_with_its_row(raw, settings, value, shown):
    raw.loc[4, "centre"] = value
    with pytest.raises(StudyError, match=rf"row 6, patient 'p4': centre is {shown}; it must be one of A, B, C"):
        check(raw, settings)
