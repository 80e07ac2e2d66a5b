"""Tests of thresholds and what they do, against pROC, scikit-learn and statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from statsmodels.stats.proportion import proportion_confint

from her2study.evaluation.thresholds import (
    choose_thresholds,
    confusion_counts,
    frozen_thresholds,
    rates,
    threshold_at_sensitivity,
    threshold_metrics,
    youden_threshold,
)
from her2study.types import StudyError
from tests.evaluation.golden import GOLDEN, SETS, columns, make_predictions

counts = st.integers(0, 30)


@pytest.mark.parametrize("name", SETS)
def test_youden_equals_proc(name):
    labels, a, _, _ = columns(name)
    assert youden_threshold(labels, a) == pytest.approx(GOLDEN[name, "youden"], abs=1e-10)


def test_of_equal_thresholds_the_most_sensitive_is_taken():
    assert youden_threshold([0, 1, 0, 1], [1, 2, 3, 4]) == 1.5


def test_a_constant_score_calls_everyone_positive():
    assert youden_threshold([0, 1], [0.3, 0.3]) == 0.3


def test_neighbouring_floats_are_separated():
    low = 0.5
    high = np.nextafter(low, 1)
    assert youden_threshold([0, 1], [low, high]) == high


def test_threshold_at_sensitivity_is_the_highest_that_reaches_it():
    labels, scores = np.array([0, 0, 1, 1, 1, 1]), np.array([0.1, 0.5, 0.2, 0.6, 0.7, 0.8])
    assert threshold_at_sensitivity(labels, scores, 0.75) == pytest.approx(0.55)
    assert threshold_at_sensitivity(labels, scores, 1) == pytest.approx(0.15)
    assert threshold_at_sensitivity([1, 0], [0.1, 0.5], 1) == 0.1


def test_thresholds_are_chosen_on_development_only():
    predictions = make_predictions({"m": 1.0})
    chosen = choose_thresholds(predictions)
    outside = predictions["split"] != "development"
    changed = predictions.assign(probability=predictions["probability"].mask(outside, 0.5))
    assert choose_thresholds(changed) == chosen
    with pytest.raises(StudyError, match="never on internal or external"):
        choose_thresholds(predictions[outside])


def test_frozen_thresholds_travel_with_the_model():
    assert frozen_thresholds({"clinical": {"thresholds": {"youden": 0.25}}, "combined": {}}) == {"clinical": 0.25}


def test_metrics_equal_scikit_learn():
    predictions = make_predictions({"m": 1.0})
    table = threshold_metrics(predictions, {"m": 0.4}, resamples=200)
    for row in table.to_dict("records"):
        own = predictions[predictions["split"] == row["split"]]
        labels, called = own["label"], own["probability"] >= 0.4
        tn, fp, fn, tp = metrics.confusion_matrix(labels, called).ravel()
        assert [row[c] for c in ("tp", "fp", "fn", "tn")] == [tp, fp, fn, tn]
        expected = {
            "sensitivity": metrics.recall_score(labels, called),
            "specificity": metrics.recall_score(labels, called, pos_label=0),
            "ppv": metrics.precision_score(labels, called),
            "npv": metrics.precision_score(labels, called, pos_label=0),
            "accuracy": metrics.accuracy_score(labels, called),
            "balanced_accuracy": metrics.balanced_accuracy_score(labels, called),
            "f1": metrics.f1_score(labels, called),
            "mcc": metrics.matthews_corrcoef(labels, called),
        }
        assert {name: row[name] for name in expected} == pytest.approx(expected)
        low, high = proportion_confint(tp, tp + fn, method="wilson")
        assert (row["sensitivity_low"], row["sensitivity_high"]) == pytest.approx((low, high))
    assert confusion_counts(table).columns.tolist() == ["split", "model", "threshold", "tp", "fp", "fn", "tn"]


@settings(max_examples=60, deadline=None)
@given(counts, counts, counts, counts)
def test_intervals_hold_their_estimate_for_any_counts(tp, fp, fn, tn):
    row = rates(tp, fp, fn, tn, resamples=50)
    for name in ("sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy", "f1", "mcc"):
        value, low, high = (row[name + end] for end in ("", "_low", "_high"))
        assert np.isnan(value) or -1 <= low <= value <= high <= 1


def test_an_empty_denominator_is_missing_and_one_sided_calls_have_no_correlation():
    row = rates(0, 0, 5, 5, resamples=20)
    assert np.isnan(row["ppv"])
    assert row["mcc"] == 0


def test_bootstrap_of_counts_equals_bootstrap_of_patients():
    labels, called = np.repeat([1, 0], [30, 60]), np.r_[np.ones(22), np.zeros(8), np.ones(15), np.zeros(45)]
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(4000):
        i = np.r_[rng.integers(0, 30, 30), rng.integers(30, 90, 60)]
        drawn.append(2 * (labels[i] * called[i]).sum() / (labels[i].sum() + called[i].sum()))
    row = rates(22, 15, 8, 45, resamples=20000)
    np.testing.assert_allclose([row["f1_low"], row["f1_high"]], np.quantile(drawn, [0.025, 0.975]), atol=0.015)


def test_a_model_without_threshold_is_named():
    with pytest.raises(StudyError, match=r"model 'm' has no threshold.*have: other"):
        threshold_metrics(make_predictions({"m": 1.0}), {"other": 0.5})
