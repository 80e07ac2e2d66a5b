"""Printed tables against rows written by hand."""

import numpy as np
import pandas as pd
import pytest

from her2study.reporting import show_table
from her2study.reporting.tables import column_label, print_table

PERFORMANCE = pd.DataFrame(
    {
        "split": ["external", "development"],
        "model": ["combined", "svm"],
        "n": [140, 248],
        "auc": [0.8149, np.nan],
        "auc_low": [0.7302, np.nan],
        "auc_high": [0.8905, np.nan],
        "sensitivity": [0.8123, 0.5],
        "sensitivity_low": [0.7, np.nan],
        "sensitivity_high": [0.9, np.nan],
        "p_holm": [0.00004, 0.0496],
        "volume_ml": [12.345, 8.0],
        "positives": [47.0, np.nan],
        "chosen": [True, False],
    }
)


def test_every_kind_of_column():
    printed = print_table(PERFORMANCE)
    assert list(printed.columns) == [
        "Split", "Model", "n", "AUC (95% CI)", "Sensitivity, % (95% CI)", "p (Holm)", "Volume (ml)", "Positive",
        "Chosen",
    ]  # fmt: skip
    assert printed.iloc[0].tolist() == [
        "External validation", "Combined", "140", "0.81 (0.73 to 0.89)", "81.2 (70.0 to 90.0)", "< 0.001", "12.3", "47",
        "yes",
    ]  # fmt: skip
    assert printed.iloc[1].tolist() == [
        "Development (out-of-fold)", "Support vector machine", "248", "–", "50.0 (–)", "0.050", "8.0", "–", "no",
    ]  # fmt: skip


def test_interval_follows_the_confidence():
    assert "AUC (90% CI)" in print_table(PERFORMANCE, confidence=0.9).columns
    assert "AUC (97.5% CI)" in show_table(PERFORMANCE, "", simulated=False, confidence=0.975).to_html()


def test_text_with_a_stray_number_is_rounded():
    mixed = pd.DataFrame({"detail": ["mass", 0.123456, None, True]}, dtype=object)
    assert print_table(mixed)["Detail"].tolist() == ["mass", "0.12", "", "yes"]


def test_columns_that_share_a_print_name_both_stay():
    assert print_table(pd.DataFrame({"x_y": [1], "x y": [2]})).shape == (1, 2)


def test_value_low_high_and_whole_numbers_with_intervals():
    frame = pd.DataFrame(
        {"value": [0.5], "low": [0.25], "high": [0.75], "rank": [1], "rank_low": [1], "rank_high": [3]}
    )
    assert print_table(frame).to_dict("records") == [
        {"Value (95% CI)": "0.50 (0.25 to 0.75)", "Rank (95% CI)": "1 (1 to 3)"}
    ]


def test_exact_numbers_beside_estimates():
    frame = pd.DataFrame({"value": [1060.0, 0.123], "low": [np.nan, 0.1], "high": [np.nan, 0.2]})
    assert print_table(frame)["Value (95% CI)"].tolist() == ["1,060", "0.12 (0.10 to 0.20)"]


def test_low_and_high_bound_the_column_before_them():
    frame = pd.DataFrame({"threshold": [0.2], "difference": [0.0123], "low": [-0.01], "high": [0.034]})
    assert print_table(frame).to_dict("records") == [
        {"Threshold": "0.200", "Difference (95% CI)": "0.012 (−0.010 to 0.034)"}
    ]


def test_an_interval_without_its_estimate_is_one_column():
    frame = pd.DataFrame({
        "odds_ratio": [1.5, 2.0], "odds_ratio_low": [1.0, np.nan], "odds_ratio_high": [2.25, np.nan],
        "odds_ratio_profile_low": [1.01, np.nan], "odds_ratio_profile_high": [2.3, np.nan],
        "agreement_limit_low": [-1.25, 3], "agreement_limit_high": [2.5, 4],
    })  # fmt: skip
    assert print_table(frame).to_dict("list") == {
        "Odds ratio (95% CI)": ["1.50 (1.00 to 2.25)", "2.00 (–)"],
        "Odds ratio, profile (95% CI)": ["1.01 to 2.30", "–"],
        "95% limits of agreement": ["−1.25 to 2.50", "3.00 to 4.00"],  # of readings, with no confidence about it
    }


def test_whole_numbers_among_others_have_no_decimals():
    frame = pd.DataFrame({"degrees_of_freedom": [3.0, 121.73, np.nan], "required": [387.0, 9.65, 10.0]})
    assert print_table(frame).to_dict("list") == {
        "Degrees of freedom": ["3", "121.7", "–"],
        "Required": ["387", "9.7", "10"],
    }


def test_models_from_anywhere_and_names_of_measures():
    frame = pd.DataFrame({
        "model_a": ["nnU-Net_v2", "svm"], "updated_model": ["svm_slope_updated", "combined_intercept_updated"],
        "measure": ["auc", "of 3 named predictors"], "rule": ["youden", "a sentence, as it is"], "split": ["all", "x"],
    })  # fmt: skip
    assert print_table(frame).to_dict("list") == {
        "Model": ["nnU-Net v2", "Support vector machine"],
        "Updated model": ["Support vector machine, intercept and slope updated", "Combined, intercept updated"],
        "Measure": ["AUC", "of 3 named predictors"],
        "Rule": ["Youden", "a sentence, as it is"],
        "Split": ["All patients", "X"],
    }


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("ppv", "PPV (%)"),
        ("p", "p"),
        ("p_holm", "p (Holm)"),
        ("p_hosmer_lemeshow", "p (Hosmer-Lemeshow)"),
        ("slice_thickness_mm", "Slice thickness (mm)"),
        ("inner_auc", "Inner AUC"),
        ("average_precision", "Average precision"),
        ("chi_squared", "χ²"),
        ("tau_squared", "τ²"),
        ("i_squared", "I² (%)"),
        ("degrees_of_freedom", "Degrees of freedom"),
        ("p_spiegelhalter", "p (Spiegelhalter)"),
        ("p_heterogeneity", "p for heterogeneity"),
        ("p_trend", "p (trend)"),
        ("identical_percent", "Identical readings (%)"),
        ("inclusion_percent", "Inclusion (%)"),
        ("frequency", "Frequency (%)"),
        ("positives", "Positive"),
    ],
)
def test_column_labels(name, label):
    assert column_label(name) == label


def test_a_lone_low_column_is_printed_as_it_is():
    assert list(print_table(pd.DataFrame({"low": [0.5], "auc_low": [2.0]})).columns) == ["Low", "AUC low"]


def test_caption_says_simulated_only_if_it_is():
    assert "SIMULATED PATIENTS" in show_table(PERFORMANCE, "Performance", simulated=True).to_html()
    assert "SIMULATED" not in show_table(PERFORMANCE, "Performance", simulated=False).to_html()


def test_html_has_no_index_no_raw_float_and_is_escaped():
    html = show_table(PERFORMANCE.assign(model="<b>"), "Performance", simulated=False).to_html()
    assert "0.8149" not in html
    assert "row_heading" not in html
    assert "&lt;b&gt;" in html
    assert html == show_table(PERFORMANCE.assign(model="<b>"), "Performance", simulated=False).to_html()


def test_an_empty_table_keeps_its_head():
    assert list(print_table(PERFORMANCE.head(0)).columns)[:2] == ["Split", "Model"]


def test_small_and_infinite_numbers():
    frame = pd.DataFrame({"smd": [0.5, np.inf, np.nan], "threshold": [0.5, 0.00002, 0.0]})
    printed = print_table(frame)
    assert printed.iloc[:, 0].tolist() == ["0.50", "–", "–"]
    assert printed["Threshold"].tolist() == ["0.500", "< 0.001", "0.000"]
