"""Tests of recalibration against glm, and of who it is estimated on."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from her2study.evaluation.calibration import calibration_intercept, calibration_slope
from her2study.evaluation.recalibration import recalibrate, recalibrated, recalibration_table
from her2study.models.provenance import check_out_of_fold, make_trained_on
from her2study.types import PREDICTION_COLUMNS, StudyError
from tests.evaluation.calibration_golden import SETS, golden, golden_at, labels_and_probabilities
from tests.evaluation.golden import make_predictions, splits_of


@pytest.mark.oracle("recalibrate", by="R glm and rms::val.prob")
@pytest.mark.parametrize("name", SETS)
def test_updates_equal_glm(name):
    """Coefficients, Wald intervals and what the update makes of probabilities, to 1e-10."""
    labels, p = labels_and_probabilities(name)
    shift, line = recalibrate(labels, p, "intercept"), recalibrate(labels, p, "slope")
    expected = golden(name, "intercept", "intercept_low", "intercept_high")
    np.testing.assert_allclose(shift.intercept, expected, atol=1e-10)
    assert shift.slope.estimate == 1
    assert np.isnan(shift.slope[1:]).all()
    expected = golden(name, "line_intercept", "line_intercept_low", "line_intercept_high")
    np.testing.assert_allclose(line.intercept, expected, atol=1e-10)
    np.testing.assert_allclose(line.slope, golden(name, "slope", "slope_low", "slope_high"), atol=1e-10)
    both = [line.intercept.estimate, line.slope.estimate]
    np.testing.assert_allclose(both, golden(name, "val.prob_Intercept", "val.prob_Slope"), atol=1e-10)
    for update, what in ((shift, "updated_intercept"), (line, "updated_slope")):
        before, after = golden_at(name, what)
        np.testing.assert_allclose(update.apply(before), after, atol=1e-10)


@pytest.mark.oracle("recalibrate", by="closed form: a constant prediction becomes the prevalence")
def test_a_constant_prediction_becomes_the_prevalence():
    update = recalibrate([0, 0, 0, 1], np.full(4, 0.7))
    np.testing.assert_allclose(update.apply([0.7]), [0.25], atol=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(10, 80), st.floats(-2, 2), st.floats(0.3, 2))
@settings(max_examples=50)
def test_recalibrated_probabilities_are_calibrated_where_the_update_was_estimated(seed, n, shift, stretch):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    labels = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(int)
    labels[:4], x[:4] = (0, 1, 0, 1), (1, -1, -1.5, 1.5)
    p = 1 / (1 + np.exp(-shift - stretch * x))
    updated = recalibrate(labels, p).apply(p)
    assume(updated.min() > 1e-4)
    assume(updated.max() < 1 - 1e-4)  # beyond, log odds are cut
    assert calibration_intercept(labels, updated).estimate == pytest.approx(0, abs=1e-6)
    assume(calibration_slope(labels, p).estimate > 0.01)
    updated = recalibrate(labels, p, "slope").apply(p)
    assume(updated.min() > 1e-4)
    assume(updated.max() < 1 - 1e-4)
    assert calibration_intercept(labels, updated).estimate == pytest.approx(0, abs=1e-6)
    assert calibration_slope(labels, updated).estimate == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(np.argsort(updated, kind="stable"), np.argsort(p, kind="stable"))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
@settings(max_examples=25)
def test_any_probability_can_be_updated(probabilities):
    labels = np.arange(len(probabilities)) % 2
    updated = recalibrate(labels, probabilities).apply(probabilities)
    assert ((updated >= 0) & (updated <= 1)).all()


def test_what_has_no_update_is_refused():
    labels = [0, 0, 1, 1]
    for p in ([0.3] * 4, [0.1, 0.2, 0.3, 0.4]):
        with pytest.raises(StudyError, match="no finite value; update the intercept only"):
            recalibrate(labels, p, "slope")
    with pytest.raises(StudyError, match=r"slope is -.*turn the ranking of patients round"):
        recalibrate([0, 1, 0, 1, 0, 1], [0.5, 0.4, 0.8, 0.3, 0.2, 0.25], "slope")
    with pytest.raises(StudyError, match="'isotonic' is not known; it must be one of intercept, slope"):
        recalibrate(labels, [0.1, 0.3, 0.2, 0.4], "isotonic")
    with pytest.raises(StudyError, match="row 1: the probability to recalibrate is 3"):
        recalibrate(labels, [0.1, 0.3, 0.2, 0.4]).apply([0.5, 3])


@pytest.mark.parametrize("how", ["intercept", "slope"])
def test_development_is_cross_fitted_and_other_splits_get_the_development_update(how):
    predictions = make_predictions({"m": 1.5, "other": 0.5}).sort_values(["model", "patient_id"])
    updated = recalibrated(predictions, ["m"], how)
    assert updated.columns.tolist() == list(PREDICTION_COLUMNS)
    assert set(updated["model"]) == {f"m_{how}_updated"}
    before = predictions[predictions["model"] == "m"].reset_index(drop=True)
    development = before[before["split"] == "development"]
    whole = recalibrate(development["label"], development["probability"], how)
    for (split, fold), rows in before.groupby(["split", "fold"]):
        rest = development[development["fold"] != fold]
        own = recalibrate(rest["label"], rest["probability"], how) if split == "development" else whole
        np.testing.assert_allclose(updated.loc[rows.index, "probability"], own.apply(rows["probability"]), rtol=1e-12)
    assert updated["patient_id"].tolist() == before["patient_id"].tolist()


@pytest.mark.parametrize("how", ["intercept", "slope"])
def test_labels_outside_development_and_of_the_own_fold_change_nothing(how):
    predictions = make_predictions({"m": 1.5})
    turned = predictions.assign(label=predictions["label"].where(predictions["split"] == "development",
                                                                 1 - predictions["label"]))  # fmt: skip
    same = recalibrated(turned, ["m"], how)["probability"]
    pd.testing.assert_series_equal(recalibrated(predictions, ["m"], how)["probability"], same)
    held_out = predictions["fold"] == 2
    turned = predictions.assign(label=predictions["label"].where(~held_out, 1 - predictions["label"]))
    first, second = (recalibrated(frame, ["m"], how).query("fold == 2")["probability"] for frame in
                     (predictions, turned))  # fmt: skip
    pd.testing.assert_series_equal(first, second)


def test_updated_models_have_the_provenance_of_an_ordinary_cross_fit():
    predictions = make_predictions({"m": 1.5})
    updated, splits = recalibrated(predictions, ["m"], "slope"), splits_of(predictions)
    check_out_of_fold(updated, make_trained_on("m_slope_updated", splits), splits)


def test_table_says_what_is_updated_and_what_cannot_be():
    predictions = make_predictions({"good": 2.0, "null": 1.0})
    null = predictions["model"] == "null"
    predictions["probability"] = predictions["probability"].mask(null, 0.4)
    table = recalibration_table(predictions, ["good", "null"]).set_index(["model", "how"])
    assert table["updated_model"].tolist() == [
        "good_intercept_updated", "good_slope_updated", "null_intercept_updated", "null_slope_updated",
    ]  # fmt: skip
    assert set(table["n"]) == {60}
    assert set(table["positives"]) == {20}
    row = table.loc[("good", "slope")]
    development = predictions.query("split == 'development' and model == 'good'")
    expected = calibration_slope(development["label"], development["probability"])
    np.testing.assert_allclose(row[["slope", "slope_low", "slope_high"]].to_numpy(float), expected)
    assert np.isnan(table.loc[("null", "slope"), "intercept"])
    assert "update the intercept only" in table.loc[("null", "slope"), "note"]
    assert (table["note"] == "").tolist() == [True, True, True, False]
    assert set(recalibrated(predictions, ["good", "null"], "slope")["model"]) == {"good_slope_updated"}
    assert recalibrated(predictions, ["null"], "slope").empty


def test_only_out_of_fold_development_scores_will_do():
    predictions = make_predictions({"m": 1.0})
    for frame in (predictions.query("split == 'external'"), predictions.assign(fold=-1)):
        with pytest.raises(StudyError, match="out-of-fold development scores of two folds or more"):
            recalibrated(frame, ["m"])
    with pytest.raises(StudyError, match="no model 'n'"):
        recalibration_table(predictions, ["n"])
