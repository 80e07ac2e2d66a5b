"""Tests of thresholds chosen in development and what they do, against scikit-learn and statsmodels."""

import numpy as np
import pytest
from sklearn import metrics
from statsmodels.stats.proportion import proportion_confint

from her2study.evaluation.thresholds import (
    choose_thresholds,
    confusion_counts,
    frozen_thresholds,
    operating_points,
    threshold_metrics,
)
from her2study.types import StudyError
from tests.evaluation.golden import make_predictions

TARGETS = {"sensitivity": 0.9, "specificity": 0.8}


@pytest.mark.parametrize(("rule", "target"), [("youden", None), *TARGETS.items()])
def test_thresholds_are_chosen_on_development_only(rule, target):
    predictions = make_predictions({"m": 1.0})
    chosen = choose_thresholds(predictions, rule, target)
    outside = predictions["split"] != "development"
    changed = predictions.assign(probability=predictions["probability"].mask(outside, 0.5))
    assert choose_thresholds(changed, rule, target) == chosen


def test_a_threshold_asked_for_on_external_data_is_refused_and_says_what_was_offered():
    predictions = make_predictions({"m": 1.0}, n=30)
    with pytest.raises(StudyError, match=r"only 30 internal and 30 external rows.*never on internal or external"):
        choose_thresholds(predictions[predictions["split"] != "development"])
    with pytest.raises(StudyError, match="only 30 external rows"):
        operating_points(predictions[predictions["split"] == "external"], TARGETS)


@pytest.mark.parametrize(("rule", "target"), [("youden", 0.9), ("sensitivity", None), ("accuracy", 0.9)])
def test_rules_that_do_not_exist_or_fit_their_target_are_refused(rule, target):
    with pytest.raises(StudyError, match=f"threshold rule '{rule}' with target {target}"):
        choose_thresholds(make_predictions({"m": 1.0}), rule, target)


def test_frozen_thresholds_travel_with_the_model():
    frozen = {"clinical": {"thresholds": {"youden": 0.25, "sensitivity": 0.1}}, "combined": {}}
    assert frozen_thresholds(frozen) == {"clinical": 0.25}
    assert frozen_thresholds(frozen, "sensitivity") == {"clinical": 0.1}
    assert frozen_thresholds(frozen, "specificity") == {}


def test_operating_points_reach_their_targets_in_development_and_keep_them():
    predictions = make_predictions({"a": 1.0, "b": 2.0})
    table = operating_points(predictions, TARGETS, resamples=20)
    assert table.columns[:5].tolist() == ["rule", "target", "split", "model", "n"]
    assert len(table) == 3 * 3 * 2
    assert (table.groupby(["rule", "model"])["threshold"].nunique() == 1).all()
    development = table[table["split"] == "development"].set_index(["rule", "model"])
    assert (development.loc["sensitivity", "sensitivity"] >= 0.9).all()
    assert (development.loc["specificity", "specificity"] >= 0.8).all()
    assert table["target"].isna().eq(table["rule"] == "youden").all()


def test_a_frozen_model_needs_no_development_rows():
    predictions = make_predictions({"m": 1.0})
    frozen = {"m": {"thresholds": {"youden": 0.5, "sensitivity": 0.2, "specificity": 0.7}}}
    external = predictions[predictions["split"] == "external"]
    table = operating_points(external, TARGETS, resamples=20, frozen=frozen)
    assert table["threshold"].tolist() == [0.5, 0.2, 0.7]


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


def test_same_seed_same_table():
    predictions = make_predictions({"m": 1.0})
    one, two = (threshold_metrics(predictions, {"m": 0.4}, resamples=50, seed=3) for _ in range(2))
    assert one.equals(two)
    assert not np.array_equal(one["f1_low"], threshold_metrics(predictions, {"m": 0.4}, resamples=50, seed=4)["f1_low"])


def test_a_model_without_threshold_is_named():
    with pytest.raises(StudyError, match=r"model 'm' has no threshold.*have: other"):
        threshold_metrics(make_predictions({"m": 1.0}), {"other": 0.5})
