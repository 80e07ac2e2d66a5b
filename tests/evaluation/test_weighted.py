"""Tests of the metrics of weighted patients against the same metric of repeated rows."""

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.metrics import average_precision_score, roc_auc_score

from her2study.evaluation.bootstrap import resample
from her2study.evaluation.weighted import weighted_auc, weighted_average_precision, weighted_logistic, weighted_mean
from tests.evaluation.discrimination_golden import SETS, scores_of


def draws(strata, resamples=5):
    """The weights that a metric gets."""
    return resample(lambda weights: weights, strata, resamples, seed=3)


@pytest.mark.parametrize(
    ("metric", "plain"), [(weighted_auc, roc_auc_score), (weighted_average_precision, average_precision_score)]
)
@pytest.mark.parametrize("name", SETS)
def test_weights_equal_repeated_rows_in_scikit_learn(name, metric, plain):
    labels, scores = scores_of(name)
    weights = draws(labels)
    for row, values in zip(weights.astype(int), metric(labels, scores, weights), strict=True):
        repeated = np.repeat(np.arange(len(labels)), row)
        expected = [plain(labels[repeated], column) for column in scores[repeated].T]
        np.testing.assert_allclose(values, expected, atol=1e-12)


@pytest.mark.parametrize("metric", [weighted_auc, weighted_average_precision])
def test_a_resample_without_positives_has_no_value(metric):
    labels, scores = np.array([0, 1, 0]), np.array([[1.0], [2], [3]])
    values = metric(labels, scores, np.array([[1.0, 0, 2], [1, 1, 1]]))
    assert np.isnan(values[0, 0])
    assert values[1, 0] == 0.5


def test_mean_is_missing_where_nobody_was_drawn():
    means = weighted_mean(np.array([1.0, 2.0]), np.array([[1.0, 3.0], [0.0, 0.0]]))
    assert means[0] == 1.75
    assert np.isnan(means[1])


def test_logistic_fits_equal_statsmodels_with_frequency_weights():
    labels, scores = scores_of("continuous", "ab")
    a, b = scores.T
    design = np.column_stack([np.ones(len(a)), a, a + 0.01 * b])  # nearly collinear, as splines are
    weights = draws(labels)
    for row, ours in zip(weights, weighted_logistic(design, labels, weights), strict=True):
        fit = sm.GLM(labels, design, family=sm.families.Binomial(), freq_weights=row).fit(tol=1e-13)
        np.testing.assert_allclose(ours, fit.params, rtol=1e-6)


def test_separated_classes_end_at_fitted_values_of_0_and_1():
    labels = np.array([0, 0, 0, 1, 1, 1])
    design = np.column_stack([np.ones(6), [1, 2, 3, 4, 5, 6.0]])
    fitted = 1 / (1 + np.exp(-weighted_logistic(design, labels, np.ones((1, 6)))[0] @ design.T))
    np.testing.assert_allclose(fitted, labels, atol=1e-4)
