"""Tests of the tables that set models side by side."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from her2study.evaluation.compare import (
    CROWDED_NOTE,
    FEW_NOTE,
    LEARNT_TOGETHER,
    NESTED_NOTE,
    added_value,
    auc_table,
    best_baseline,
    compare_models,
    comparison_pairs,
    delong_table,
    focus_models,
    global_table,
    holm,
    roc_points,
)
from her2study.evaluation.roc import auc_interval, delong_global, delong_test
from her2study.types import StudyError
from tests.evaluation.discrimination_golden import GOLDEN
from tests.evaluation.golden import make_predictions

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


def test_auc_table_on_the_logit_scale(predictions):
    row = auc_table(predictions, 0.9, "logit").iloc[0]
    own = predictions[(predictions["split"] == row["split"]) & (predictions["model"] == row["model"])]
    expected = auc_interval(own["label"], own["probability"], 0.9, "logit")
    np.testing.assert_allclose(row[["auc", "auc_low", "auc_high"]].astype(float), expected, atol=1e-14)


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
    assert table.loc[("development", "dscore"), "note"] == LEARNT_TOGETHER
    assert table.loc[("external", "combined"), "note"] == FEW_NOTE
    assert np.isfinite(table.loc[("external", "combined"), "p"])
    assert len(table) == 6


def test_enough_patients_need_no_note():
    table = delong_table(make_predictions({"a": 1.0, "b": 0.5}, n=90), [("a", "b")]).set_index("split")
    assert table.loc["external", "note"] == ""


def test_holm_adjusts_within_each_split(predictions):
    pairs = [("dscore", "clinical"), ("svm", "knn"), ("svm", "clinical")]
    table = delong_table(predictions, pairs)
    for _, rows in table.groupby("split"):
        np.testing.assert_allclose(rows["p_holm"], holm(rows["p"]))
        assert rows["p_holm"].min() == pytest.approx(min(1, 3 * rows["p"].min()))


@pytest.mark.oracle("holm", by="p.adjust in R")
def test_holm_equals_r():
    raw = [0.001, 0.04, np.nan, 0.03, 0.2, 0.04, 0.9, 0]
    np.testing.assert_allclose(holm(raw), GOLDEN["holm"].to_numpy(), atol=1e-12)
    assert holm([]).tolist() == []
    assert np.isnan(holm([np.nan])).all()


def test_what_is_no_p_value_is_refused():
    with pytest.raises(StudyError, match=r"p value 2\.5 lies outside 0-1"):
        holm([0.5, 2.5])


def test_the_nested_pair_is_known_in_either_order(predictions):
    one, other = (
        delong_table(predictions, [pair]).iloc[0] for pair in (("combined", "dscore"), ("dscore", "combined"))
    )
    assert one["note"] == other["note"] == NESTED_NOTE
    assert one["p_likelihood_ratio"] == other["p_likelihood_ratio"]
    assert one["difference"] == -other["difference"]


def test_two_models_are_compared_outside_and_nested_ones_refused_in_development(predictions):
    external = predictions[predictions["split"] == "external"]
    score = {name: rows.sort_values("patient_id") for name, rows in external.groupby("model")}
    expected = delong_test(
        score["combined"]["label"], score["combined"]["probability"], score["clinical"]["probability"], 0.9
    )
    assert compare_models(predictions, "combined", "clinical", "external", 0.9) == expected
    assert np.isfinite(compare_models(predictions, "dscore", "clinical", "development").p)
    with pytest.raises(StudyError, match="likelihood_ratio_test"):
        compare_models(predictions, "combined", "clinical", "development")
    with pytest.raises(StudyError, match="no model 'xgboost' in the split 'external'; models there: clinical, c"):
        compare_models(predictions, "combined", "xgboost")
    with pytest.raises(StudyError, match="in the split 'internal'; models there: none"):
        compare_models(external, "combined", "clinical", "internal")


def test_global_table_tests_all_models_of_each_split(predictions):
    table = global_table(predictions).set_index("split")
    assert table["models"].tolist() == [5, 5, 5]
    assert table.loc["development", "note"] == NESTED_NOTE
    assert np.isnan(table.loc["development", "p"])
    external = predictions[predictions["split"] == "external"]
    wide = external.pivot_table(index=["patient_id", "label"], columns="model", values="probability")
    expected = delong_global(wide.index.get_level_values("label"), wide)
    found = table.loc["external", ["chi_squared", "degrees_of_freedom", "p"]].astype(float)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    some = global_table(predictions, ["svm", "knn"]).set_index("split")
    assert some["note"].tolist() == [LEARNT_TOGETHER, "", ""]
    assert table.loc["external", "note"] == CROWDED_NOTE
    test = compare_models(predictions, "svm", "knn", "development")
    assert some.loc["development", "p"] == pytest.approx(test.p)
    alone = global_table(predictions, ["svm"])
    assert alone.empty
    assert alone.columns.tolist() == global_table(predictions).columns.tolist()
    with pytest.raises(StudyError, match="no model 'xgboost'; models there: clinical, combined, dscore, knn, svm"):
        global_table(predictions, ["svm", "xgboost"])


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
