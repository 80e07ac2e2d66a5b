"""Tests of decision curves against R and the definition."""

import numpy as np
import pytest

from her2study.evaluation.decision import decision_curve, net_benefit, threshold_grid, useful_range
from her2study.types import StudyError
from tests.evaluation.golden import GOLDEN, SETS, columns, make_predictions


@pytest.mark.parametrize("name", SETS)
def test_net_benefit_equals_r(name):
    labels, _, _, p = columns(name)
    golden = [GOLDEN[name, f"net_benefit_{t:g}"] for t in (0.1, 0.25, 0.5)]
    np.testing.assert_allclose(net_benefit(labels, p, [0.1, 0.25, 0.5])[:, 0], golden, atol=1e-12)


def test_treating_all_and_none_follow_their_formulas():
    predictions = make_predictions({"m": 1.0})
    grid = threshold_grid(0.05, 0.8)
    curve = decision_curve(predictions, grid, resamples=50)
    for _, split in curve.groupby("split"):
        treat_all = split[split["model"] == "treat_all"]
        np.testing.assert_allclose(treat_all["net_benefit"], 1 / 3 - 2 / 3 * grid / (1 - grid))
        assert (split.loc[split["model"] == "treat_none", ["net_benefit", "low", "high"]] == 0).all(axis=None)
    assert (curve["low"] <= curve["net_benefit"]).all()
    assert (curve["net_benefit"] <= curve["high"]).all()


def test_band_agrees_with_a_loop():
    labels, _, _, p = columns("continuous")
    frame = make_predictions({"m": 1.0}, n=150)
    frame = frame[frame["split"] == "external"].assign(label=labels, probability=p)
    curve = decision_curve(frame, [0.3], resamples=4000)
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 150, (4000, 150))
    loop = [net_benefit(labels[row], p[row], 0.3)[0, 0] for row in rows[:800]]
    own = curve[curve["model"] == "m"].iloc[0]
    np.testing.assert_allclose([own["low"], own["high"]], np.quantile(loop, [0.025, 0.975]), atol=0.015)


def test_the_perfect_model_is_useful_everywhere():
    predictions = make_predictions({"m": 1.0})
    predictions["probability"] = predictions["label"].astype(float)
    curve = decision_curve(predictions, threshold_grid(0.1, 0.3, 0.1), resamples=20)
    assert useful_range(curve, "external", "m").tolist() == [0.1, 0.2, 0.3]
    np.testing.assert_allclose(curve.loc[curve["model"] == "m", "net_benefit"], 1 / 3)


def test_grid_holds_both_ends():
    grid = threshold_grid(0.05, 0.8)
    assert (grid[0], grid[-1], len(grid)) == (0.05, 0.8, 76)


@pytest.mark.parametrize("threshold", [0, 1, np.nan])
def test_thresholds_outside_0_and_1_are_refused(threshold):
    with pytest.raises(StudyError, match="must lie strictly between 0 and 1"):
        net_benefit([0, 1], [0.2, 0.8], [0.5, threshold])
