"""Tests of sentences: each must follow from its interval."""

import json

import numpy as np
import pandas as pd
import pytest

from her2study.evaluation.calibration import calibration_table
from her2study.evaluation.compare import auc_table, delong_table
from her2study.evaluation.conclusion import conclusion
from her2study.evaluation.decision import decision_curve
from her2study.evaluation.intervals import Interval
from her2study.evaluation.thresholds import choose_thresholds, threshold_metrics
from her2study.evaluation.verdicts import (
    calibration_sentences,
    difference_sentences,
    discrimination_sentences,
    discrimination_words,
    evaluation_values,
    usefulness_sentences,
)
from tests.evaluation.golden import make_predictions


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval(0.8, 0.7, 0.9), "the score tells HER2-positive from other tumours better than chance"),
        (Interval(0.6, 0.55, 0.65), "better than chance, but poorly"),
        (Interval(0.6, 0.48, 0.72), "there is no evidence that the score .* values up to 0.72 remain possible"),
        (Interval(0.5, 0.42, 0.58), "there is no evidence that the score .* nothing above 0.58 is compatible"),
        (Interval(0.3, 0.2, 0.4), "points the wrong way"),
        (Interval(0.7, np.nan, np.nan), "too few patients"),
        (Interval(1, 1, 1), "no interval can be estimated"),
        (Interval(0.5, 0.5, 0.5), "gives everyone the same rank"),
    ],
)
def test_discrimination_follows_from_the_interval(interval, words):
    text = discrimination_words("the score", "HER2-positive", interval)
    assert pd.Series([text]).str.contains(words).all(), text


def test_numbers_stand_in_the_sentence():
    table = pd.DataFrame([{"split": "external", "model": "dscore", "n": 90, "positives": 30,
                           "auc": 0.7512, "auc_low": 0.651, "auc_high": 0.8449}])  # fmt: skip
    assert discrimination_sentences(table, "HER2-positive") == [
        "In external patients, the D-score tells HER2-positive from other tumours better than chance "
        "(AUC 0.75 (0.65 to 0.84), 90 patients, 30 positives)."
    ]


def difference(low, high, p, p_holm):
    row = {"split": "external", "model_a": "combined", "model_b": "clinical", "difference": (low + high) / 2,
           "difference_low": low, "difference_high": high, "p": p, "p_holm": p_holm}  # fmt: skip
    return pd.DataFrame([row])


def test_a_difference_is_claimed_only_if_its_interval_excludes_0():
    assert (
        "discriminates better than the clinical model (" in difference_sentences(difference(0.02, 0.1, 0.01, 0.03))[0]
    )
    assert "though not after adjustment" in difference_sentences(difference(0.01, 0.1, 0.03, 0.09))[0]
    assert "discriminates worse" in difference_sentences(difference(-0.2, -0.1, 0.0001, 0.0003))[0]
    assert "p < 0.001" in difference_sentences(difference(-0.2, -0.1, 0.0001, 0.0003))[0]
    same = difference_sentences(difference(-0.05, 0.049, 0.9, 1))[0]
    assert "no evidence that the combined model and the clinical model differ" in same
    assert "0.00 (−0.05 to 0.05)" in same
    assert difference_sentences(difference(np.nan, np.nan, np.nan, np.nan)) == []


@pytest.mark.parametrize(
    ("intercept", "slope", "words"),
    [
        ((-0.2, 0.2), (0.8, 1.3), "shows no miscalibration that these patients could reveal"),
        ((0.1, 0.5), (0.4, 0.9), "predicts too low on average and predicts too extremely"),
        ((-0.5, -0.1), (1.2, 2), "predicts too high on average and predicts too timidly"),
        ((-0.2, 0.2), (np.nan, np.nan), "a slope cannot be estimated"),
    ],
)
def test_calibration_follows_from_both_intervals(intercept, slope, words):
    row = {"split": "external", "model": "clinical", "intercept": np.mean(intercept), "slope": np.mean(slope)}
    row |= {
        "intercept_low": intercept[0],
        "intercept_high": intercept[1],
        "slope_low": slope[0],
        "slope_high": slope[1],
    }
    assert words in calibration_sentences(pd.DataFrame([row]))[0]


def test_usefulness_is_told_for_each_model():
    predictions = make_predictions({"clinical": 0.0})
    predictions["probability"] = 1 - predictions["label"] * 1.0
    curve = decision_curve(predictions, [0.2, 0.3], resamples=10)
    sentences = usefulness_sentences(curve[curve["split"] == "external"], ["clinical"])
    assert sentences == ["In external patients, the clinical model is nowhere better than treating everyone or nobody."]
    perfect = decision_curve(predictions.assign(probability=predictions["label"]), [0.2, 0.3], resamples=10)
    assert "at 2 of 2 thresholds, from 20% to 30%" in usefulness_sentences(perfect, ["clinical"])[0]


def test_a_study_without_images_says_so_and_concludes_honestly():
    predictions = make_predictions({"clinical": 0.0, "svm": 0.0}, n=150, seed=3)
    predictions.loc[predictions["split"] == "external", "probability"] = 0.5
    aucs = auc_table(predictions)
    text = conclusion(aucs, delong_table(predictions, [("svm", "clinical")]), "HER2-positive")
    assert text[0] == "Not part of this study: the D-score and the combined model, for which images are needed."
    assert text[1].startswith("No model tells HER2-positive from other tumours better than chance in external patients")
    inside = aucs[aucs["split"] != "external"]
    assert "no external patients" in conclusion(inside, delong_table(predictions, []), "HER2-positive")[1]


def test_a_study_with_signal_counts_the_models_that_show_it():
    predictions = make_predictions({"dscore": 2.0, "combined": 2.5, "clinical": 0.0}, n=150)
    text = conclusion(auc_table(predictions), delong_table(predictions, [("combined", "clinical")]), "HER2-positive")
    assert text[0] == "In external patients 2 of 3 models have an AUC interval above 0.5."
    assert "the combined model discriminates better than the clinical model" in text[-1]


def test_values_are_named_and_can_be_stored():
    predictions = make_predictions({"dscore": 1.0, "combined": 1.5, "clinical": 0.5}, n=30)
    aucs, pairs = auc_table(predictions), delong_table(predictions, [("combined", "clinical")])
    metrics = threshold_metrics(predictions, choose_thresholds(predictions), resamples=20)
    values = evaluation_values(aucs, pairs, metrics, calibration_table(predictions, resamples=20))
    external = aucs[(aucs["model"] == "dscore") & (aucs["split"] == "external")].iloc[0]
    assert values["auc_dscore_external"] == {
        "value": external["auc"], "low": external["auc_low"], "high": external["auc_high"], "unit": "", "format": ".3f"
    }  # fmt: skip
    assert values["difference_combined_clinical_development"]["low"] is None
    for name in ("threshold_combined", "slope_combined_external", "sensitivity_clinical_internal",
                 "p_holm_combined_clinical_external"):  # fmt: skip
        assert name in values
    json.dumps(values, allow_nan=False)
