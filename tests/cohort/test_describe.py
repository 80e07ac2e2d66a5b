"""Tests of Table 1, protocol and missingness on eight patients counted by hand."""

import numpy as np
import pandas as pd
import pytest

from her2study.cohort.describe import baseline_table, missingness, mri_protocol, print_wide
from her2study.cohort.schema import typed_cohort
from her2study.study import Variable


@pytest.fixture
def cohort(raw, settings) -> pd.DataFrame:
    return typed_cohort(raw, settings.source, settings.outcome, settings.centres, settings.variables)


@pytest.fixture
def splits(cohort) -> pd.DataFrame:
    split = ["development", "development", "development", "internal", "development", "internal", "external", "external"]
    return cohort[["patient_id", "centre", "label"]].assign(split=split)


@pytest.fixture
def table(cohort, splits, settings) -> pd.DataFrame:
    return baseline_table(cohort, splits, settings.variables, settings.outcome, settings.centres)


def row(table: pd.DataFrame, **where) -> pd.Series:
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_numbers_are_described_over_the_recorded(table):
    age = row(table, by="all", variable="age_years")
    known = [60, 41.5, 50, 47, 66, 39, 58]
    assert (age["group_n"], age["n"], age["missing"]) == (8, 7, 1)
    assert (age["mean"], age["sd"]) == pytest.approx((np.mean(known), np.std(known, ddof=1)))
    assert age["text"] == "51.6 (10.0)"
    assert age["summary"] == "mean (SD)"


def test_a_variable_that_enters_as_logarithm_is_described_by_quartiles(table):
    node = row(table, by="all", variable="node_mm")
    assert (node["q1"], node["median"], node["q3"]) == pytest.approx((5.75, 7.75, 9.75))
    assert node["text"] == "7.8 (5.8–9.8)"


def test_levels_are_counted_and_their_percentages_are_of_the_recorded(table):
    shape = row(table, by="label", group="HER2-positive: yes", variable="shape", level="round")
    assert (shape["count"], shape["n"], shape["missing"]) == (2, 3, 1)
    assert shape["percent"] == pytest.approx(200 / 3)
    assert shape["text"] == "2 (66.7%)"


def test_groups_come_in_reading_order_with_the_outcome_among_the_variables(table):
    by_split = table[table["by"] == "split"]
    assert by_split["group"].unique().tolist() == ["development", "internal", "external"]
    assert row(by_split, variable="label", level="yes", group="external")["count"] == 1
    assert table.loc[table["by"] == "centre", "group"].unique().tolist() == ["Centre A", "Centre B", "C"]
    assert "label" not in table.loc[table["by"] == "label", "variable"].tolist()


def test_the_test_is_named_and_repeats_within_a_variable(table):
    shape = table[(table["by"] == "label") & (table["variable"] == "shape")]
    assert shape["test"].unique().tolist() == ["Fisher's exact"]
    assert shape["p"].tolist() == [shape["p"].iloc[0]] * 4
    assert table.loc[table["by"] == "all", "p"].isna().all()


def test_the_printed_table_has_one_column_a_group_and_says_each_variable_once(table):
    wide = print_wide(table[table["by"] == "label"], "group")
    assert list(wide) == ["characteristic", "level", "HER2-positive: yes (n = 4)", "HER2-positive: no (n = 4)",
                          "summary", "test", "p", "smd"]  # fmt: skip
    assert wide["characteristic"].tolist() == ["Age, years", "Shape", "", "Node, mm"]
    assert wide["p"].isna().tolist() == [False, False, True, False]


def test_protocol_counts_few_values_and_spans_many(cohort, settings):
    variables = {
        "field_t": Variable(type="continuous", label="Field", role="acquisition", unit="T", candidate=False),
        "spacing_mm": Variable(type="continuous", label="Spacing", role="acquisition", unit="mm", candidate=False),
        **settings.variables,
    }
    cohort = cohort.assign(
        field_t=[1.5, 1.5, 1.5, 3, 3, 3, 1.5, 1.5],
        spacing_mm=[0.6, 0.7, 0.8, 0.9, 1, 1, 0.5, 0.5],
        acquisition_times=pd.Series(
            ["[0, 90, 300]"] * 4 + ["[0, 60]", None, "[0, 70, 100]", "[0, 80, 110]"], dtype="str"
        ),
    )
    protocol = mri_protocol(cohort, variables, settings.centres)
    assert protocol["centre"].unique().tolist() == ["Centre A", "Centre B", "C"]
    assert row(protocol, centre="Centre A", variable="field_t", level="3")["text"] == "1 (25.0%)"
    assert row(protocol, centre="Centre A", variable="spacing_mm")["text"] == "0.75 (0.6–0.9)"
    assert row(protocol, centre="C", variable="spacing_mm")["text"] == "0.5"
    first = row(protocol, centre="C", variable="first_post_contrast_seconds")
    assert (first["median"], first["minimum"], first["maximum"]) == (75, 70, 80)
    assert row(protocol, centre="Centre B", variable="last_post_contrast_seconds")["missing"] == 1
    assert "age_years" not in protocol["variable"].tolist()


def test_missing_values_are_counted_by_centre(cohort, settings):
    missing = missingness(cohort, settings.variables)
    assert row(missing, variable="age_years", centre="A")[["n", "missing", "percent"]].tolist() == [4, 1, 25]
    assert missing["missing"].sum() == 2
