"""Tests of the whole evaluation: every table and figure for models that nobody has heard of."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from her2study.evaluation import suite
from her2study.evaluation.scope import Settings, make_plan
from her2study.evaluation.suite import FIGURES, TABLES, compute, evaluate_figures, evaluate_tables
from tests.evaluation.golden import make_predictions

SETTINGS = Settings(resamples=30, prevalences=(0.1,), nested=(("net v2", "net"),))


@pytest.fixture(scope="module")
def predictions():
    return make_predictions({"net v2": 1.5, "net": 1.0, "Ärztin": 0.5}, n=45)


@pytest.fixture(scope="module")
def tables(predictions):
    return evaluate_tables(predictions, SETTINGS)


def test_every_table_and_figure_is_there(predictions, tables):
    assert list(tables) == list(TABLES)
    assert list(evaluate_figures(predictions, SETTINGS)) == list(FIGURES)


def test_performance_agrees_with_scikit_learn(predictions, tables):
    found = tables["performance"].set_index(["split", "model"])
    for key, rows in predictions.groupby(["split", "model"]):
        labels, probabilities = rows["label"], rows["probability"]
        assert found.loc[key, "auc"] == pytest.approx(roc_auc_score(labels, probabilities), abs=1e-12)
        expected = average_precision_score(labels, probabilities)
        assert found.loc[key, "average_precision"] == pytest.approx(expected, abs=1e-12)
        assert found.loc[key, "brier"] == pytest.approx(brier_score_loss(labels, probabilities), abs=1e-12)
        called = probabilities >= found.loc[key, "threshold"]
        assert found.loc[key, "sensitivity"] == pytest.approx(called[labels == 1].mean())


def test_estimates_lie_in_their_intervals(tables):
    for name, table in tables.items():
        for column in table.columns:
            if {f"{column}_low", f"{column}_high"} <= set(table.columns):
                low, value, high = (table[f"{column}{end}"].astype(float) for end in ("_low", "", "_high"))
                wrong = (low > value + 1e-12) | (value > high + 1e-12)
                assert not wrong.any(), f"{name}: {column}"


def test_same_seed_same_tables_and_another_seed_other_bands(predictions, tables):
    again = evaluate_tables(predictions.sample(frac=1, random_state=1), SETTINGS)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(again[name], table)
    plan, _ = make_plan(predictions, Settings(resamples=30, seed=1))
    other = compute("decision", predictions, plan, TABLES).frame
    assert not np.allclose(other["net_benefit_low"], tables["decision"]["net_benefit_low"])


def test_a_nested_pair_in_development_gets_the_likelihood_ratio_and_no_delong(tables):
    pairs = tables["delong"].set_index(["split", "model_a", "model_b"])
    nested = pairs.loc[("development", "net v2", "net")]
    assert np.isnan(nested["p"])
    assert 0 <= nested["p_likelihood_ratio"] <= 1
    assert pairs.loc[("external", "net v2", "net"), "p"] >= 0
    assert "development" not in set(tables["delong_global"]["split"])


def test_what_the_patients_do_not_allow_is_left_out_with_its_reason(predictions):
    external = predictions[(predictions["split"] == "external") & (predictions["model"] == "net")].assign(centre="A")
    plan, _ = make_plan(external, Settings(resamples=30))
    reasons = {name: compute(name, external, plan, TABLES).reason for name in TABLES}
    for name, words in {
        "delong": "one model only",
        "operating_points": "no development rows",
        "mcnemar": "one model only",
        "predictive_values": "--prevalence",
        "recalibration": "no development rows",
        "centres": "all patients are of one centre",
    }.items():
        assert words in reasons[name]
    assert {name for name, reason in reasons.items() if not reason} == {"performance", "calibration", "decision"}
    assert "never chosen on internal or external" in compute("confusion", external, plan, FIGURES).reason
    assert set(evaluate_tables(external, Settings(resamples=30))) == {"performance", "calibration", "decision"}


def test_thresholds_from_elsewhere_serve_the_models_that_have_one(predictions):
    external = predictions[predictions["split"] == "external"]
    plan, _ = make_plan(external, Settings(resamples=30, thresholds={"net": 0.3, "net v2": 0.4}))
    performance = compute("performance", external, plan, TABLES).frame.set_index("model")
    assert performance.loc["net", "threshold"] == 0.3
    assert np.isnan(performance.loc["Ärztin", "threshold"])
    assert len(compute("mcnemar", external, plan, TABLES).frame) == 3
    assert set(compute("confusion", external, plan, FIGURES).frame["model"]) == {"net", "net v2"}


def test_a_mistake_in_the_code_is_no_reason_to_leave_a_table_out(predictions, monkeypatch):
    plan, _ = make_plan(predictions, SETTINGS)
    monkeypatch.setitem(suite.TABLES, "delong", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        compute("delong", predictions, plan, TABLES)
