"""Tests of the vectorised bootstrap against plain loops and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.metrics import roc_auc_score

from her2study.evaluation import bootstrap
from her2study.evaluation.bootstrap import bootstrap_auc, resample, weighted_auc, weighted_logistic, weighted_mean
from tests.evaluation.golden import SETS, columns


def draws(labels, strata, resamples=30, seed=3):
    """The weights that a metric gets."""
    return resample(lambda weights: weights, strata, resamples, seed)


def test_stratified_draws_keep_the_size_of_each_class():
    labels = columns("tied")[0]
    weights = draws(labels, labels)
    assert weights.shape == (30, 200)
    assert (weights[:, labels == 1].sum(axis=1) == labels.sum()).all()
    assert (weights[:, labels == 0].sum(axis=1) == (1 - labels).sum()).all()


def test_ordinary_draws_let_the_prevalence_vary():
    labels = columns("tied")[0]
    weights = draws(labels, np.zeros(200))
    assert (weights.sum(axis=1) == 200).all()
    assert np.ptp(weights @ labels) > 0


def test_draws_are_uniform():
    weights = draws(None, np.zeros(5), resamples=4000)
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.06)
    np.testing.assert_allclose(weights.var(axis=0), 0.8, atol=0.08)  # binomial(5, 1/5)


def test_same_seed_same_draws_and_chunks_do_not_lose_any(monkeypatch):
    labels = columns("small")[0]
    once = draws(labels, labels)
    np.testing.assert_array_equal(once, draws(labels, labels))
    assert not np.array_equal(once, draws(labels, labels, seed=4))
    monkeypatch.setattr(bootstrap, "CHUNK_VALUES", 7 * len(labels))
    assert draws(labels, labels).shape == once.shape


@pytest.mark.parametrize("name", SETS)
def test_weighted_auc_equals_the_auc_of_repeated_rows(name):
    labels, a, b, _ = columns(name)
    scores = np.column_stack([a, b])
    weights = draws(labels, labels, resamples=5)
    for row, areas in zip(weights.astype(int), weighted_auc(labels, scores, weights), strict=True):
        repeated = np.repeat(np.arange(len(labels)), row)
        expected = [roc_auc_score(labels[repeated], scores[repeated, k]) for k in (0, 1)]
        np.testing.assert_allclose(areas, expected, atol=1e-12)


def test_bootstrap_interval_agrees_with_a_loop():
    labels, a, _, _ = columns("continuous")
    interval = bootstrap_auc(labels, a, resamples=2000, seed=1)[0]
    rng = np.random.default_rng(0)
    positives, negatives = np.flatnonzero(labels), np.flatnonzero(1 - labels)
    loop = []
    for _ in range(1000):
        up, down = a[rng.choice(positives, len(positives))], a[rng.choice(negatives, len(negatives))]
        loop.append((up[:, None] > down).mean())
    np.testing.assert_allclose(interval[1:], np.quantile(loop, [0.025, 0.975]), atol=0.02)
    assert interval.estimate == roc_auc_score(labels, a)


def test_weighted_mean_is_missing_where_nobody_was_drawn():
    means = weighted_mean(np.array([1.0, 2.0]), np.array([[1.0, 3.0], [0.0, 0.0]]))
    assert means[0] == 1.75
    assert np.isnan(means[1])


def test_logistic_fits_equal_statsmodels_with_frequency_weights():
    labels, a, b, _ = columns("continuous")
    design = np.column_stack([np.ones(len(a)), a, a + 0.01 * b])  # nearly collinear, as splines are
    weights = draws(labels, labels, resamples=4)
    for row, ours in zip(weights, weighted_logistic(design, labels, weights), strict=True):
        fit = sm.GLM(labels, design, family=sm.families.Binomial(), freq_weights=row).fit(tol=1e-13)
        np.testing.assert_allclose(ours, fit.params, rtol=1e-6)


def test_separated_classes_end_at_fitted_values_of_0_and_1():
    labels = np.array([0, 0, 0, 1, 1, 1])
    design = np.column_stack([np.ones(6), [1, 2, 3, 4, 5, 6.0]])
    fitted = 1 / (1 + np.exp(-weighted_logistic(design, labels, np.ones((1, 6)))[0] @ design.T))
    np.testing.assert_allclose(fitted, labels, atol=1e-4)
