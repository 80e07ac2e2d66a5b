"""Tests of precision and recall against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats
from sklearn.metrics import average_precision_score

from her2study.evaluation.bootstrap import resample, weighted_average_precision
from her2study.evaluation.precision import average_precision, average_precision_table, precision_recall_points
from her2study.types import StudyError
from tests.evaluation.discrimination_golden import SETS, cohorts, scores_of
from tests.evaluation.golden import make_predictions


@pytest.mark.oracle("average_precision", by="scikit-learn; interval by a loop over it")
@pytest.mark.parametrize("name", [*SETS, "edge"])
def test_average_precision_equals_scikit_learn(name):
    labels, scores = scores_of(name)
    for column in scores.T:
        interval = average_precision(labels, column, resamples=40, seed=6)
        assert interval.estimate == pytest.approx(average_precision_score(labels, column), abs=1e-12)
        rows = resample(lambda weights: weights, labels, 40, 6).astype(int)
        repeated = [np.repeat(np.arange(len(labels)), row) for row in rows]
        loop = [average_precision_score(labels[drawn], column[drawn]) for drawn in repeated]
        low, high = np.quantile(loop, [0.025, 0.975])
        expected = [min(low, interval.estimate), max(high, interval.estimate)]
        np.testing.assert_allclose(interval[1:], expected, rtol=0, atol=1e-12)


@pytest.mark.oracle("average_precision", by="scipy.stats.bootstrap")
def test_bca_interval_is_near_the_one_that_scipy_draws_itself():
    labels, scores = scores_of("continuous", "a")
    found = average_precision(labels, scores[:, 0], method="bca")

    def statistic(negatives, positives):
        known = np.repeat([0, 1], [len(negatives), len(positives)])
        return average_precision_score(known, np.r_[negatives, positives])

    samples = scores[labels == 0, 0], scores[labels == 1, 0]
    theirs = stats.bootstrap(samples, statistic, vectorized=False, n_resamples=300, rng=np.random.default_rng(1))
    np.testing.assert_allclose(found[1:], theirs.confidence_interval, atol=0.03)


def test_a_score_without_information_has_the_prevalence():
    assert average_precision([0, 0, 0, 1], np.ones(4)) == (0.25, 0.25, 0.25)
    assert average_precision([0, 0, 0, 1, 1], [1, 2, 3, 4, 5]) == (1, 1, 1)


@settings(max_examples=30)
@given(cohorts(models=1))
def test_monotone_transforms_change_nothing_and_the_interval_is_in_range(cohort):
    labels, scores = cohort
    interval = average_precision(labels, scores, resamples=30)
    assert interval == average_precision(labels, np.exp(scores), resamples=30)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1


def test_bad_input_is_named():
    with pytest.raises(StudyError, match="all 2 labels are 1"):
        average_precision([1, 1], [1, 2])
    with pytest.raises(StudyError, match="give one model's column at a time"):
        average_precision([0, 1], [[1, 2], [3, 4]])


def test_the_steps_enclose_the_average_precision_of_the_table():
    predictions = make_predictions({"dscore": 1.0, "clinical": 0.4})
    predictions["probability"] = predictions["probability"].round(1)
    table = average_precision_table(predictions, resamples=50).set_index(["split", "model"])
    points = precision_recall_points(predictions, resamples=50)
    assert len(table) == 6
    for key, curve in points.groupby(["split", "model"]):
        row = table.loc[key]
        assert curve["recall"].iloc[0] == 0
        assert curve["recall"].iloc[-1] == 1
        assert curve["recall"].is_monotonic_increasing
        area = (np.diff(curve["recall"]) * curve["precision"].iloc[1:]).sum()
        assert area == pytest.approx(row["average_precision"], abs=1e-12)
        for column in ("average_precision", "average_precision_low", "average_precision_high", "prevalence"):
            assert (curve[column] == row[column]).all()
        assert row["average_precision_low"] < row["average_precision"] < row["average_precision_high"]
        assert (row["n"], row["positives"], row["prevalence"]) == (60, 20, 20 / 60)


def test_all_models_share_their_resamples():
    labels, scores = scores_of("tied")
    predictions = make_predictions({"dscore": 1.0, "clinical": 0.4})
    table = average_precision_table(predictions, resamples=50)
    alone = average_precision_table(predictions[predictions["model"] == "dscore"], resamples=50)
    both = table[table["model"] == "dscore"].reset_index(drop=True)
    assert both.equals(alone)
    assert weighted_average_precision(labels, scores, np.ones((1, 200))).shape == (1, 3)
