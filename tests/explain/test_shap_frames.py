"""Frames made of SHAP values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from her2study.explain import shap_frames

PATIENTS = [f"P{i}" for i in range(8)]
SPLITS = pd.DataFrame({"patient_id": PATIENTS, "centre": list("CCCCDDDD"), "label": [0, 1] * 4})
PROBABILITY = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]


def _long() -> pd.DataFrame:
    large, small = np.array([-3, -2, -1, 1, 1, 2, 3, 4.0]), np.array([0.1, -0.1] * 4)
    parts = [
        pd.DataFrame(
            {"model": "combined", "unit": "log-odds", "patient_id": PATIENTS, "feature": name, "label": name.title(),
             "value": value, "value_label": "x", "shap": values, "base_value": 0.5, "probability": PROBABILITY}
        )
        for name, value, values in (("small", np.nan, small), ("large", np.arange(8.0), large))
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_bar_ranks_with_intervals():
    bars = shap_frames.bar(_long(), resamples=500, confidence=0.95, seed=1)
    assert bars["feature"].tolist() == ["large", "small"]
    assert bars["mean_abs_shap"].tolist() == pytest.approx([17 / 8, 0.1])
    assert bars[["rank", "rank_low", "rank_high"]].to_numpy().tolist() == [[1, 1, 1], [2, 2, 2]]
    large = bars.iloc[0]
    error = np.std([3, 2, 1, 1, 1, 2, 3, 4]) / np.sqrt(8)
    assert large["mean_abs_shap_high"] - large["mean_abs_shap_low"] == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert bars.equals(shap_frames.bar(_long(), 500, 0.95, 1))
    assert shap_frames.ranking(bars)["rank"].tolist() == [1, 2]


def test_ranks_that_a_resample_changes_have_wide_intervals():
    even = _long()
    even.loc[even["feature"] == "small", "shap"] = [4, 3, 2, 1, 1, 1, 2, 3.5]
    bars = shap_frames.bar(even, 500, 0.95, 1)
    assert (bars["rank_low"] == 1).all()
    assert (bars["rank_high"] == 2).all()


def test_predictors_without_influence_share_their_places():
    idle = _long()
    idle["shap"] = 0.0
    bars = shap_frames.bar(idle, 50, 0.95, 1)
    assert bars[["rank", "rank_low", "rank_high"]].to_numpy().tolist() == [[1, 1, 2], [2, 1, 2]]


def test_summary_scales_values_and_keeps_missing_ones_missing():
    scaled = shap_frames.summary(_long()).set_index("feature")["value_scaled"]
    assert scaled["large"].tolist() == pytest.approx(np.arange(8) / 7)
    assert scaled["small"].isna().all()


def test_dependence_keeps_the_top_and_their_centres():
    bars = shap_frames.bar(_long(), 20, 0.95, 1)
    rows = shap_frames.dependence(_long(), bars, SPLITS, top=1)
    assert rows["feature"].unique().tolist() == ["large"]
    assert rows["centre"].tolist() == list("CCCCDDDD")
    assert shap_frames.dependence(_long(), bars, SPLITS, top=2)["feature"].unique().tolist() == ["large"]  # no values


def test_cases_are_the_median_patients_of_each_kind_of_call():
    rows = shap_frames.cases(_long(), SPLITS, threshold=0.5)
    found = rows.drop_duplicates("case").set_index("case")["patient_id"].to_dict()
    assert found == {"True positive": "P5", "True negative": "P0", "False positive": "P4", "False negative": "P1"}
    assert rows.groupby("case")["feature"].first().eq("large").all()  # larger contributions first
    assert (rows.loc[rows["case"] == "False negative", "label"] == 1).all()
    nobody = shap_frames.cases(_long(), SPLITS, threshold=0.95)
    assert set(nobody["case"]) == {"True negative", "False negative"}
