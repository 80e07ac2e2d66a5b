"""Tests of net benefit and its relatives, against dcurves, R and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings

from her2study.evaluation.usefulness import (
    interventions_avoided,
    net_benefit,
    standardised_net_benefit,
    weighted_net_benefit,
)
from her2study.types import StudyError
from tests.evaluation import golden
from tests.evaluation.decisions_golden import DCURVES, columns, patients

SETS = DCURVES.index.unique("set")
GRID = np.array([0.05, 0.2, 0.5, 0.99])


def probabilities(name: str, model: str) -> np.ndarray:
    """Probabilities of a dcurves model; its "all" and "none" are probabilities of 1 and 0."""
    labels, a, b = columns(name)
    return {"a": a, "b": b, "all": np.ones(len(labels)), "none": np.zeros(len(labels))}[model]


@pytest.mark.oracle("net_benefit", "standardised_net_benefit", "interventions_avoided", by="dcurves")
@pytest.mark.parametrize("model", ["a", "b", "all", "none"])
@pytest.mark.parametrize("name", SETS)
def test_measures_equal_dcurves(name, model):
    golden_rows, labels = DCURVES.loc[(name, model)], columns(name)[0]
    arguments = labels, probabilities(name, model), golden_rows["threshold"]
    expected = golden_rows["net_benefit"].to_numpy()
    np.testing.assert_allclose(net_benefit(*arguments)[:, 0], expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        standardised_net_benefit(*arguments)[:, 0], expected / labels.mean(), rtol=1e-12, atol=1e-12
    )
    avoided = golden_rows["net_intervention_avoided"].to_numpy()
    np.testing.assert_allclose(interventions_avoided(*arguments)[:, 0], avoided, rtol=1e-12, atol=1e-12)


@pytest.mark.oracle("net_benefit", by="its definition in R")
@pytest.mark.parametrize("name", golden.SETS)
def test_net_benefit_equals_r(name):
    labels, _, _, p = golden.columns(name)
    expected = [golden.GOLDEN[name, f"net_benefit_{t:g}"] for t in (0.1, 0.25, 0.5)]
    np.testing.assert_allclose(net_benefit(labels, p, [0.1, 0.25, 0.5])[:, 0], expected, rtol=0, atol=1e-12)


def test_weights_count_patients():
    labels, a, b = columns("tied")
    both, rng = np.column_stack([a, b]), np.random.default_rng(0)
    rows = rng.integers(0, len(labels), (20, len(labels)))
    weights = np.array([np.bincount(row, minlength=len(labels)) for row in rows], float)
    own = weighted_net_benefit(labels, both, GRID, weights)
    np.testing.assert_array_equal(own, [net_benefit(labels[row], both[row], GRID).T for row in rows])


def test_a_probability_at_the_threshold_is_treated():
    assert net_benefit([0, 1], [0.1, 0.5], 0.5)[0, 0] == 0.5
    assert net_benefit([0, 1], [0.1, np.nextafter(0.5, 0)], 0.5)[0, 0] == 0


@pytest.mark.oracle("net_benefit", "standardised_net_benefit", "interventions_avoided", by="closed form")
@settings(max_examples=50)
@given(patients(models=2))
def test_closed_forms_and_bounds_hold_for_any_patients(drawn):
    labels, *scores = drawn
    matrix, prevalence, odds = np.column_stack(scores), labels.mean(), GRID / (1 - GRID)
    ones, zeros = np.ones(len(labels)), np.zeros(len(labels))
    assert (net_benefit(labels, zeros, GRID) == 0).all()
    np.testing.assert_allclose(net_benefit(labels, ones, GRID)[:, 0], prevalence - (1 - prevalence) * odds, rtol=1e-13)
    assert (interventions_avoided(labels, ones, GRID) == 0).all()
    assert (standardised_net_benefit(labels, labels, GRID) == 1).all()
    assert (standardised_net_benefit(labels, matrix, GRID) <= 1).all()
    assert (interventions_avoided(labels, matrix, GRID) <= 100 * (1 - prevalence) * (1 + 1e-12) + 1e-9).all()
    treated = matrix[None] >= GRID[:, None, None]
    spared = (~treated & (labels[:, None] == 0)).mean(axis=1) - (~treated & (labels[:, None] == 1)).mean(axis=1) / odds[
        :, None
    ]
    np.testing.assert_allclose(interventions_avoided(labels, matrix, GRID), 100 * spared, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("threshold", [0, 1, np.nan])
def test_thresholds_outside_0_and_1_are_refused(threshold):
    with pytest.raises(StudyError, match="must lie strictly between 0 and 1"):
        net_benefit([0, 1], [0.2, 0.8], [0.5, threshold])


@pytest.mark.parametrize("function", [net_benefit, standardised_net_benefit, interventions_avoided])
def test_log_odds_are_refused(function):
    with pytest.raises(StudyError, match=r"row 1.*the probability is 1.4; it must lie from 0 to 1"):
        function([0, 1], [0.2, 1.4], 0.5)
