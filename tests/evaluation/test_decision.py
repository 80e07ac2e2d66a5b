"""Tests of decision curves and their bands, against a loop and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings

from her2study.evaluation.decision import (
    decision_curve,
    decision_differences,
    decision_measures,
    threshold_grid,
    useful_range,
)
from her2study.evaluation.usefulness import interventions_avoided, net_benefit, standardised_net_benefit
from her2study.types import StudyError
from tests.evaluation.decisions_golden import columns, frame, patients
from tests.evaluation.golden import make_predictions

MEASURES = (net_benefit, standardised_net_benefit, interventions_avoided)


def test_treating_all_and_none_follow_their_formulas():
    predictions = make_predictions({"m": 1.0})
    grid = threshold_grid(0.05, 0.8)
    curve = decision_curve(predictions, grid, resamples=50)
    assert curve.columns.tolist() == ["split", "model", "threshold", "net_benefit", "low", "high"]
    for _, split in curve.groupby("split"):
        treat_all = split[split["model"] == "treat_all"]
        np.testing.assert_allclose(treat_all["net_benefit"], 1 / 3 - 2 / 3 * grid / (1 - grid))
        assert (split.loc[split["model"] == "treat_none", ["net_benefit", "low", "high"]] == 0).all(axis=None)


def test_bands_agree_with_a_loop():
    labels, a, b = columns("continuous")
    predictions, pairs = frame(labels, {"a": a, "b": b}), [("a", "b"), ("b", "treat_all")]
    measures = decision_measures(predictions, [0.3], resamples=4000).set_index("model").loc["a"]
    differences = decision_differences(predictions, pairs, [0.3], resamples=4000).set_index("model_a")
    rng = np.random.default_rng(0)
    rows = [rng.integers(0, len(labels), len(labels)) for _ in range(1500)]
    both = np.column_stack([a, b, np.ones(len(a))])
    for measure in MEASURES:
        loop = np.array([measure(labels[row], both[row], 0.3)[0] for row in rows])
        name, width = measure.__name__, np.ptp(np.quantile(loop[:, 0], [0.025, 0.975]))
        own = measures[[f"{name}_low", f"{name}_high"]].tolist()
        np.testing.assert_allclose(own, np.quantile(loop[:, 0], [0.025, 0.975]), atol=0.07 * width)
        if measure is net_benefit:
            for model, values in (("a", loop[:, 0] - loop[:, 1]), ("b", loop[:, 1] - loop[:, 2])):
                ends = np.quantile(values, [0.025, 0.975])
                own = differences.loc[model, ["low", "high"]].tolist()
                np.testing.assert_allclose(own, ends, atol=0.07 * np.ptp(ends))


@settings(max_examples=25)
@given(patients(models=2))
def test_bands_of_any_patients_hold_their_estimates_and_differences_turn_sign(drawn):
    labels, a, b = drawn
    grid, predictions = [0.2, 0.5], frame(labels, {"a": a, "b": b})
    table = decision_measures(predictions, grid, resamples=30).set_index("model")
    for measure in MEASURES:
        name = measure.__name__
        value, low, high = (table[name + end] for end in ("", "_low", "_high"))
        assert ((low <= value) & (value <= high)).all()
        np.testing.assert_array_equal(value.loc["a"], measure(labels, a, grid)[:, 0])
    assert (table["standardised_net_benefit_high"] <= 1 + 1e-12).all()
    assert (table["net_benefit_high"] <= 1).all()
    one = decision_differences(predictions, [("a", "b")], grid, resamples=30)
    other = decision_differences(predictions, [("b", "a")], grid, resamples=30)
    np.testing.assert_allclose(one["difference"], -other["difference"], atol=1e-12)
    np.testing.assert_allclose(one[["low", "high"]], -other[["high", "low"]], atol=1e-12)


def test_equal_models_do_not_differ_and_absent_ones_are_left_out():
    predictions = make_predictions({"m": 1.0})
    same = predictions.assign(model="same")
    both = type(predictions)(np.concatenate([predictions, same]), columns=predictions.columns).infer_objects()
    table = decision_differences(both, [("m", "same"), ("m", "absent")], [0.3], resamples=20)
    assert table.columns.tolist() == ["split", "model_a", "model_b", "threshold", "difference", "low", "high"]
    assert len(table) == 3
    assert (table[["difference", "low", "high"]] == 0).all(axis=None)
    assert decision_differences(predictions, [], [0.3]).columns.tolist() == table.columns.tolist()


def test_the_perfect_model_is_useful_everywhere():
    predictions = make_predictions({"m": 1.0})
    predictions["probability"] = predictions["label"].astype(float)
    curve = decision_curve(predictions, threshold_grid(0.1, 0.3, 0.1), resamples=20)
    assert useful_range(curve, "external", "m").tolist() == [0.1, 0.2, 0.3]
    np.testing.assert_allclose(curve.loc[curve["model"] == "m", "net_benefit"], 1 / 3)


def test_same_seed_same_bands():
    predictions = make_predictions({"m": 1.0})
    one, two, other = (decision_curve(predictions, [0.3], resamples=40, seed=seed) for seed in (1, 1, 2))
    assert one.equals(two)
    assert not one.equals(other)


def test_grid_holds_both_ends():
    grid = threshold_grid(0.05, 0.8)
    assert (grid[0], grid[-1], len(grid)) == (0.05, 0.8, 76)


def test_thresholds_outside_0_and_1_are_refused():
    with pytest.raises(StudyError, match=r"decision threshold 1\.0 must lie strictly between 0 and 1"):
        decision_curve(make_predictions({"m": 1.0}), [0.5, 1])
