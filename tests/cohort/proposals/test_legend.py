"""Tests of the legend on another sheet."""

import pandas as pd

from her2study.cohort.proposals.legend import Entry, read_legend

COLUMNS = ["patient_id", "her2", "menopause", "size_mm"]


def test_a_legend_says_what_columns_mean_and_their_codes():
    cells = pd.DataFrame(
        {
            "a": ["Field", "Patient ID", "her2", "menopause", None, "size mm"],
            "b": ["Description", "pseudonym", "HER2 status", "at first scan", None, "largest"],
            "c": ["Options", None, "0: negative, 1: positive, empty: unknown", "1 = pre", "2 = post", "mm"],
        },
        dtype="str",
    )
    assert read_legend(cells, COLUMNS) == {
        "patient_id": Entry("pseudonym", {}),
        "her2": Entry("HER2 status", {"0": "negative", "1": "positive"}),
        "menopause": Entry("at first scan", {"1": "pre", "2": "post"}),
        "size_mm": Entry("largest", {}),
    }


def test_a_sheet_that_names_few_columns_is_no_legend():
    cells = pd.DataFrame({"a": ["her2", "x", "y"], "b": ["1", "2", "3"]}, dtype="str")
    assert read_legend(cells, COLUMNS) == {}
