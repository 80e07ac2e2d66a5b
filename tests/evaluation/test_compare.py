"""Tests of the tables that set models side by side."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit
from scipy.stats import chi2
from sklearn.metrics import roc_auc_score

from her2study.evaluation.compare import (
    NESTED_NOTE,
    added_value,
    auc_table,
    best_baseline,
    comparison_pairs,
    delong_table,
    focus_models,
    holm,
    likelihood_ratio_p,
    roc_points,
)
from her2study.evaluation.roc import delong_test
from tests.evaluation.golden import GOLDEN, SETS, columns, make_predictions

MODELS = {"dscore": 1.0, "clinical": 0.5, "combined": 1.5, "svm": 0.8, "knn": 0.1}


@pytest.fixture(scope="module")
def predictions():
    return make_predictions(MODELS)


def test_auc_table_has_a_row_for_each_split_and_model(predictions):
    table = auc_table(predictions)
    assert len(table) == 15
    assert table["split"].drop_duplicates().tolist() == ["development", "internal", "external"]
    for row in table.itertuples():
        own = predictions[(predictions["split"] == row.split) & (predictions["model"] == row.model)]
        assert row.auc == pytest.approx(roc_auc_score(own["label"], own["probability"]))
        assert (row.n, row.positives) == (60, 20)


def test_nested_pairs_are_not_tested_in_development(predictions):
    pairs = [("combined", "clinical"), ("dscore", "clinical"), ("absent", "clinical")]
    table = delong_table(predictions, pairs).set_index(["split", "model_a"])
    nested = table.loc[("development", "combined")]
    assert nested[["difference_low", "difference_high", "z", "p", "p_holm"]].isna().all()
    assert nested["note"] == NESTED_NOTE
    wide = predictions[predictions["split"] == "development"].pivot_table(
        index=["patient_id", "label"], columns="model", values="probability"
    )
    labels = wide.index.get_level_values("label")
    assert nested["p_likelihood_ratio"] == pytest.approx(added_value(labels, wide["clinical"], wide["dscore"]))
    assert table.loc[("development", "dscore"), "p"] == delong_test(labels, wide["dscore"], wide["clinical"]).p
    assert table.loc[("external", "combined"), "note"] == ""
    assert np.isfinite(table.loc[("external", "combined"), "p"])
    assert len(table) == 6


def test_holm_adjusts_within_each_split(predictions):
    pairs = [("dscore", "clinical"), ("svm", "knn"), ("svm", "clinical")]
    table = delong_table(predictions, pairs)
    for _, rows in table.groupby("split"):
        np.testing.assert_allclose(rows["p_holm"], holm(rows["p"]))
        assert rows["p_holm"].min() == pytest.approx(min(1, 3 * rows["p"].min()))


def test_holm_equals_r():
    golden = GOLDEN["holm"]
    raw = [0.001, 0.04, 0.03, 0.2, 0.04, 0.9]
    np.testing.assert_allclose(holm(raw), golden.to_numpy(), atol=1e-12)


@pytest.mark.parametrize("name", SETS)
def test_likelihood_ratio_equals_r(name):
    labels, a, b, _ = columns(name)
    assert added_value(labels, expit(a / 4), expit(b / 4)) == pytest.approx(GOLDEN[name, "lrt_p"], abs=1e-8)


def test_likelihood_ratio_of_nothing_new_is_missing_and_of_separation_finite():
    labels = np.array([0, 0, 0, 1, 1, 1])
    base = np.column_stack([np.ones(6), [1, 2, 1, 2, 1, 2.0]])
    assert np.isnan(likelihood_ratio_p(labels, base, np.column_stack([base, base[:, 1]])))
    null = sm.GLM(labels, base, family=sm.families.Binomial()).fit().deviance
    separated = likelihood_ratio_p(labels, base, np.column_stack([base, labels]))
    assert separated == pytest.approx(chi2.sf(null, 1), rel=1e-3)  # the deviance of a perfect fit is 0


def test_focus_is_the_papers_models_and_the_best_baseline_of_development(predictions):
    aucs = auc_table(predictions[predictions["split"] == "development"]).set_index("model")["auc"]
    best = aucs[["svm", "knn"]].idxmax()
    assert best_baseline(predictions) == best
    assert focus_models(predictions) == ["dscore", "clinical", "combined", best]
    assert comparison_pairs(predictions, [("combined", "clinical"), ("a", "b")]) == [
        ("combined", "clinical"), ("combined", best)
    ]  # fmt: skip


def test_the_best_baseline_is_not_chosen_on_external_patients(predictions):
    external = predictions["split"] == "external"
    flipped = predictions.assign(
        probability=predictions["probability"].where(~external, 1 - predictions["probability"])
    )
    assert best_baseline(flipped) == best_baseline(predictions)


def test_without_baselines_or_own_models():
    only = make_predictions({"clinical": 0.5})
    assert best_baseline(only) is None
    assert comparison_pairs(only, [("combined", "clinical")]) == []
    assert delong_table(only, []).empty


def test_roc_points_run_from_corner_to_corner(predictions):
    points = roc_points(predictions)
    for _, curve in points.groupby(["split", "model"]):
        assert curve.iloc[0][["fpr", "tpr"]].tolist() == [0, 0]
        assert curve.iloc[-1][["fpr", "tpr"]].tolist() == [1, 1]
        assert np.trapezoid(curve["tpr"], curve["fpr"]) == pytest.approx(curve["auc"].iloc[0])
