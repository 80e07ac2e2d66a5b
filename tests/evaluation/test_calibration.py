"""Tests of calibration measures against glm, rms::val.prob, scikit-learn and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import brier_score_loss

from her2study.evaluation.calibration import (
    brier_scores,
    calibration_errors,
    calibration_figure,
    calibration_intercept,
    calibration_slope,
    calibration_table,
    hosmer_lemeshow,
    spiegelhalter,
)
from her2study.types import StudyError
from tests.evaluation import calibration_golden
from tests.evaluation.calibration_golden import golden, labels_and_probabilities
from tests.evaluation.golden import GOLDEN, SETS, columns, make_predictions

Z = norm.ppf(0.975)

pairs = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0, 1e-9, 0.05, 0.3, 0.5, 0.9, 1]) | st.floats(0, 1)),
    min_size=2, max_size=30,
).filter(lambda rows: len({label for label, _ in rows}) == 2)  # fmt: skip
"""Any labels of two classes with any probabilities."""


@pytest.mark.oracle("calibration_intercept", "calibration_slope", by="R glm")
@pytest.mark.parametrize("name", calibration_golden.SETS)
def test_intercept_and_slope_equal_glm(name):
    """To 1e-10: both sides iterate until nothing changes (glm with epsilon 1e-14)."""
    labels, p = labels_and_probabilities(name)
    for confidence, suffix in ((0.95, ""), (0.8, "_80")):
        for what, statistic in (("intercept", calibration_intercept), ("slope", calibration_slope)):
            expected = golden(name, what, f"{what}_low{suffix}", f"{what}_high{suffix}")
            np.testing.assert_allclose(statistic(labels, p, confidence), expected, atol=1e-10)


@pytest.mark.oracle("calibration_slope", "brier_scores", "spiegelhalter", by="rms::val.prob")
@pytest.mark.parametrize("name", calibration_golden.SETS)
def test_measures_equal_val_prob(name):
    """val.prob with its convergence criterion tightened to 1e-10; Brier and z have no iterations and hold to 1e-10."""
    labels, p = labels_and_probabilities(name)
    slope, brier, z, p_z = golden(name, "val.prob_Slope", "val.prob_Brier", "val.prob_S:z", "val.prob_S:p")
    assert calibration_slope(labels, p).estimate == pytest.approx(slope, abs=1e-10)
    scores = brier_scores(labels, p, resamples=5)
    assert scores["brier"].estimate == pytest.approx(brier, abs=1e-10)
    assert scores["scaled_brier"].estimate == pytest.approx(golden(name, "scaled_brier")[0], abs=1e-10)
    np.testing.assert_allclose(spiegelhalter(labels, p), [z, p_z], rtol=1e-10)


@pytest.mark.oracle("hosmer_lemeshow", by="base R, by definition")
@pytest.mark.parametrize("name", calibration_golden.SETS)
def test_hosmer_lemeshow_equals_its_definition(name):
    labels, p = labels_and_probabilities(name)
    expected = golden(name, "hosmer_lemeshow", "hosmer_lemeshow_p")
    np.testing.assert_allclose(hosmer_lemeshow(labels, p, groups=5), expected, rtol=1e-10)


@pytest.mark.oracle("brier_scores", by="scikit-learn")
@pytest.mark.oracle("calibration_intercept", "calibration_slope", by="statsmodels")
@given(st.integers(0, 2**32 - 1), st.integers(20, 200))
@settings(max_examples=25)
def test_measures_equal_libraries(seed, n):
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.02, 0.98, n)
    labels = (rng.random(n) < p).astype(int)
    labels[:4] = 0, 1, 0, 1
    p[:4] = 0.9, 0.1, 0.2, 0.8  # the classes overlap
    assert brier_scores(labels, p, resamples=2)["brier"].estimate == pytest.approx(brier_score_loss(labels, p))
    logits = np.log(p / (1 - p))
    line = sm.Logit(labels, sm.add_constant(logits)).fit(disp=0, tol=1e-12)
    np.testing.assert_allclose(calibration_slope(labels, p), [line.params[1], *line.conf_int()[1]], atol=1e-7)
    shift = sm.GLM(labels, np.ones(n), family=sm.families.Binomial(), offset=logits).fit(tol=1e-12)
    np.testing.assert_allclose(calibration_intercept(labels, p), [*shift.params, *shift.conf_int()[0]], atol=1e-7)


@pytest.mark.oracle("hosmer_lemeshow", "spiegelhalter", by="base R and rms::val.prob")
@pytest.mark.parametrize("name", SETS)
def test_measures_equal_r(name):
    """The data of the other statistics; glm's standard errors there are those before its last step (1e-6), val.prob
    is as shipped, whose slope has four digits."""
    labels, _, _, p = columns(name)
    numbers = GOLDEN[name]
    intercept, slope = calibration_intercept(labels, p), calibration_slope(labels, p)
    wald = [numbers["intercept"] - Z * numbers["intercept_se"], numbers["intercept"] + Z * numbers["intercept_se"]]
    np.testing.assert_allclose(intercept, [numbers["intercept"], *wald], atol=1e-6)
    wald = [numbers["slope_glm"] - Z * numbers["slope_se"], numbers["slope_glm"] + Z * numbers["slope_se"]]
    np.testing.assert_allclose(slope, [numbers["slope_glm"], *wald], atol=1e-6)
    assert slope.estimate == pytest.approx(numbers["slope"], abs=1e-4)
    np.testing.assert_allclose(spiegelhalter(labels, p), numbers[["spiegelhalter_z", "spiegelhalter_p"]], atol=1e-10)
    expected = numbers[["hosmer_lemeshow", "hosmer_lemeshow_p"]]
    np.testing.assert_allclose(hosmer_lemeshow(labels, p), expected, atol=1e-10)


def test_predictions_made_too_extreme_have_half_the_slope():
    labels, p = labels_and_probabilities("timid")
    odds = (p / (1 - p)) ** 2
    halved = calibration_slope(labels, p).estimate / 2
    assert calibration_slope(labels, odds / (1 + odds)).estimate == pytest.approx(halved, rel=1e-6)


def test_scaled_brier_is_0_for_the_prevalence_and_1_for_the_truth():
    labels = np.repeat([0, 1], [30, 10])
    assert brier_scores(labels, np.full(40, 0.25), resamples=20)["scaled_brier"].estimate == pytest.approx(0)
    assert brier_scores(labels, labels.astype(float), resamples=20)["scaled_brier"].estimate == 1


def test_what_cannot_be_estimated_is_missing():
    labels = np.array([0, 0, 1, 1])
    assert np.isnan(calibration_slope(labels, np.full(4, 0.5))).all()
    assert np.isnan(calibration_slope(labels, [0.5, 0.5, 0.5, 0.5 + 1e-12])).all()
    assert np.isnan(calibration_slope(labels, np.array([0.1, 0.2, 0.8, 0.9]))).all()
    assert np.isnan(calibration_slope(labels, np.array([0.1, 0.5, 0.5, 0.9]))).all()  # ties at the border
    assert np.isnan(calibration_slope(labels, np.array([0.9, 0.8, 0.2, 0.1]))).all()
    assert np.isnan(spiegelhalter(labels, labels.astype(float))).all()
    assert np.isnan(hosmer_lemeshow(labels, labels.astype(float))).all()
    assert np.isnan(hosmer_lemeshow(labels, np.array([5e-324, 5e-324, 0.5, 0.5]), groups=2)).all()


def test_one_patient_in_a_class_inside_the_other_has_a_slope():
    labels, p = np.array([0, 0, 1, 0]), np.array([0.1, 0.3, 0.5, 0.7])
    assert np.isfinite(calibration_slope(labels, p)).all()
    assert np.isnan(calibration_slope(labels, p[[0, 1, 3, 2]])).all()


@pytest.mark.parametrize(
    "statistic",
    [calibration_intercept, calibration_slope, brier_scores, spiegelhalter, hosmer_lemeshow, calibration_errors],
)
def test_what_is_no_probability_is_refused_with_its_row(statistic):
    with pytest.raises(StudyError, match=r"row 2.*1\.7.*from 0 to 1"):
        statistic([0, 1, 1], [0.2, 0.4, 1.7])
    with pytest.raises(StudyError, match=r"row 1.*nan"):
        statistic([0, 1, 1], [0.2, np.nan, 0.7])
    with pytest.raises(StudyError, match=r"row 0.*label is 2"):
        statistic([2, 1, 1], [0.2, 0.4, 0.7])


def test_hosmer_lemeshow_wants_two_groups():
    with pytest.raises(StudyError, match="groups is 1"):
        hosmer_lemeshow([0, 1], [0.2, 0.7], groups=1)


@given(pairs)
@settings(max_examples=50)
def test_any_probabilities_give_intervals_around_their_estimates_without_warnings(rows):
    labels, p = np.array(rows).T
    intervals = [calibration_intercept(labels, p), calibration_slope(labels, p)]
    scores = brier_scores(labels, p, resamples=20)
    intervals += [*scores.values(), *calibration_errors(labels, p, resamples=20)]
    for estimate, low, high in intervals:
        assert np.isnan(estimate) or low <= estimate <= high
    for interval in (scores["brier"], *calibration_errors(labels, p, resamples=20)):
        assert interval.low >= 0
        assert interval.high <= 1
    for z, p_value in (spiegelhalter(labels, p), hosmer_lemeshow(labels, p)):
        assert np.isnan(z) or 0 <= p_value <= 1


@settings(max_examples=25)
@given(st.lists(st.sampled_from([0, 0.05, 0.3, 0.5, 0.9, 1]), min_size=12, max_size=12))
def test_any_probabilities_give_a_row_without_warnings(probabilities):
    predictions = make_predictions({"m": 1.0}, n=12)
    predictions = predictions[predictions["split"] == "external"].assign(probability=probabilities)
    row = calibration_table(predictions, resamples=20).iloc[0]
    for name in ("intercept", "slope", "brier", "scaled_brier", "ici", "e50", "e90", "emax"):
        value, low, high = row[[name, f"{name}_low", f"{name}_high"]]
        assert np.isnan(value) or low <= value <= high
    assert row.index[-3:].tolist() == ["spiegelhalter_z", "p_spiegelhalter", "p_hosmer_lemeshow"]
    figure = calibration_figure(predictions, resamples=20)
    assert set(figure["kind"]) == {"curve", "bin"}
    assert figure[["observed", "low", "high"]].apply(lambda column: column.between(0, 1)).all(axis=None)


def test_the_same_seed_gives_the_same_table():
    predictions = make_predictions({"m": 1.0}, n=30)
    first, second = (calibration_table(predictions, resamples=50, seed=4) for _ in range(2))
    assert first.equals(second)
    assert not first.equals(calibration_table(predictions, resamples=50, seed=5))


def test_intercept_of_extreme_probabilities_solves_its_score():
    """Newton steps from 0 overshoot here; the root of the score is unique and has no such trouble."""
    p = np.array([0.0] * 7 + [0.3] + [0.5] * 4)
    labels = np.array([1, 1] + [0] * 9 + [1])
    shift = calibration_intercept(labels, p).estimate
    odds = np.clip(p, 1e-4, None) / (1 - np.clip(p, 1e-4, None)) * np.exp(shift)
    assert (odds / (1 + odds)).sum() == pytest.approx(3, abs=1e-9)
