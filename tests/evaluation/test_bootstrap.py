"""Tests of the vectorised bootstrap against scipy and plain loops."""

from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import accuracy_score, roc_auc_score

from her2study.evaluation.bootstrap import (
    bootstrap,
    bootstrap_auc,
    plain_metric,
    resample,
    weighted_auc,
    weighted_average_precision,
)
from her2study.types import StudyError
from tests.evaluation.discrimination_golden import SETS, cohorts, scores_of


def draws(labels, strata, resamples=30, seed=3):
    """The weights that a metric gets."""
    return resample(lambda weights: weights, strata, resamples, seed)


def test_stratified_draws_keep_the_size_of_each_class():
    labels, _ = scores_of("tied")
    weights = draws(labels, labels)
    assert weights.shape == (30, 200)
    assert (weights[:, labels == 1].sum(axis=1) == labels.sum()).all()
    assert (weights[:, labels == 0].sum(axis=1) == (1 - labels).sum()).all()


def test_ordinary_draws_let_the_prevalence_vary():
    labels, _ = scores_of("tied")
    weights = draws(labels, np.zeros(200))
    assert (weights.sum(axis=1) == 200).all()
    assert np.ptp(weights @ labels) > 0


def test_draws_are_uniform():
    weights = draws(None, np.zeros(5), resamples=4000)
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.06)
    np.testing.assert_allclose(weights.var(axis=0), 0.8, atol=0.08)  # binomial(5, 1/5)


def test_same_seed_same_draws():
    labels, _ = scores_of("small")
    once = draws(labels, labels)
    np.testing.assert_array_equal(once, draws(labels, labels))
    assert not np.array_equal(once, draws(labels, labels, seed=4))


def test_chunks_do_not_lose_any_resample_or_patient(monkeypatch):
    module = import_module("her2study.evaluation.bootstrap")  # the front door has a function of this name
    labels, scores = scores_of("small", "a")
    monkeypatch.setattr(module, "CHUNK_VALUES", 7 * len(labels))
    sizes = []

    def metric(labels, scores, weights):
        sizes.append(len(weights))
        return weighted_auc(labels, scores, weights)

    bootstrap(metric, labels, scores, 30, method="bca")
    assert max(sizes) == 7
    assert sum(sizes) == 1 + 30 + len(labels)


def by_scipy(labels, score, replicates, method, confidence, statistic):
    """The interval that scipy makes of the same replicates, one sample for each class."""
    given_replicates = SimpleNamespace(bootstrap_distribution=replicates)
    found = stats.bootstrap(
        (score[labels == 0], score[labels == 1]), statistic, vectorized=False, n_resamples=0, method=method,
        bootstrap_result=given_replicates, confidence_level=confidence,
    )  # fmt: skip
    return found.confidence_interval


def area(negatives, positives):
    """AUC of two samples, by the pairs."""
    wins = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    return wins.mean()


@pytest.mark.oracle("bootstrap", by="scipy.stats.bootstrap of the same replicates")
@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize(("ours", "theirs"), [("percentile", "percentile"), ("bca", "BCa")])
@pytest.mark.parametrize("name", SETS)
def test_intervals_equal_scipy(name, ours, theirs, confidence):
    labels, scores = scores_of(name)
    replicates = resample(lambda weights: weighted_auc(labels, scores, weights), labels, 500, 2)
    intervals = bootstrap(weighted_auc, labels, scores, 500, 2, confidence, ours)
    for interval, column, values in zip(intervals, scores.T, replicates.T, strict=True):
        expected = by_scipy(labels, column, values, theirs, confidence, area)
        np.testing.assert_allclose(interval[1:], expected, rtol=0, atol=1e-12)
        assert interval.estimate == pytest.approx(roc_auc_score(labels, column), abs=1e-12)


@pytest.mark.oracle("bootstrap", by="scipy.stats.bootstrap of the same replicates")
def test_unstratified_bca_equals_scipys_paired_one():
    labels, scores = scores_of("continuous", "a")
    replicates = resample(lambda weights: weighted_auc(labels, scores, weights), np.zeros(150), 500, 2)
    found = bootstrap(weighted_auc, labels, scores, 500, 2, method="bca", stratified=False)[0]
    expected = stats.bootstrap(
        (labels, scores[:, 0]), lambda y, x: area(x[y == 0], x[y == 1]), vectorized=False, paired=True, n_resamples=0,
        method="BCa", bootstrap_result=SimpleNamespace(bootstrap_distribution=replicates[:, 0]),
    ).confidence_interval  # fmt: skip
    np.testing.assert_allclose(found[1:], expected, rtol=0, atol=1e-12)


def test_interval_agrees_with_a_loop():
    labels, scores = scores_of("continuous", "a")
    interval, a = bootstrap_auc(labels, scores, resamples=2000, seed=1)[0], scores[:, 0]
    rng = np.random.default_rng(0)
    positives, negatives = np.flatnonzero(labels), np.flatnonzero(1 - labels)
    loop = [
        area(a[rng.choice(negatives, len(negatives))], a[rng.choice(positives, len(positives))]) for _ in range(1000)
    ]
    np.testing.assert_allclose(interval[1:], np.quantile(loop, [0.025, 0.975]), atol=0.02)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_a_plain_function_gives_what_the_vectorised_metric_gives(method):
    labels, scores = scores_of("small")
    fast = bootstrap(weighted_auc, labels, scores, 50, 4, method=method)
    slow = bootstrap(plain_metric(roc_auc_score), labels, scores, 50, 4, method=method)
    np.testing.assert_allclose(fast, slow, atol=1e-12)


def test_any_metric_has_an_interval():
    labels = np.arange(100) % 2
    calls = np.where(np.arange(100) < 80, labels, 1 - labels)
    interval = bootstrap(plain_metric(accuracy_score), labels, calls, 400)[0]
    np.testing.assert_allclose(interval, [0.8, 0.8 - 1.96 * 0.04, 0.8 + 1.96 * 0.04], atol=0.02)


@settings(max_examples=30)
@given(cohorts(), st.sampled_from(["percentile", "bca"]), st.booleans(), st.floats(0.05, 0.99))
def test_intervals_hold_their_estimate_inside_0_and_1(cohort, method, stratified, confidence):
    for metric in (weighted_auc, weighted_average_precision):
        for interval in bootstrap(metric, *cohort, 40, 1, confidence, method, stratified):
            assert 0 <= interval.low <= interval.estimate <= interval.high <= 1


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_replicates_that_agree_make_an_interval_without_width(method):
    labels = np.array([0, 0, 0, 1, 1, 1])
    perfect, constant = bootstrap(weighted_auc, labels, np.column_stack([labels, np.ones(6)]), 50, method=method)
    assert perfect == (1, 1, 1)
    assert constant == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("stratified", [True, False])
@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_the_only_positive_is_no_obstacle(method, stratified):
    labels, scores = np.array([0, 0, 0, 0, 1]), np.array([1, 2, 4, 5, 3])
    for metric in (weighted_auc, plain_metric(roc_auc_score)):
        interval = bootstrap(metric, labels, scores, 100, method=method, stratified=stratified)[0]
        assert 0 <= interval.low < 0.5 < interval.high <= 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "basic"}, "bootstrap method 'basic'; it must be 'percentile' or 'bca'"),
        ({"resamples": 0}, "0 bootstrap resamples; there must be at least 1"),
        ({"confidence": 95}, "confidence is 95"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(StudyError, match=message):
        bootstrap(weighted_auc, [0, 1], [1, 2], **settings)
