"""Tests of sample sizes against the authors' own software, published examples and simulation.

The numbers of pmsampsize and pmvalsampsize were printed by their Python packages (PyPI, versions 0.1.0 and 0.2.1, by
Whittle, Ensor and Riley's group); the first row is also the worked example of the R package's manual.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from her2study.evaluation.intervals import z_value
from her2study.evaluation.roc import auc_interval
from her2study.evaluation.sample_size import (
    auc_interval_width,
    cox_snell_from_auc,
    patients_for_width,
    riley_sample_size,
)
from her2study.models.logistic import fit_logit
from her2study.types import StudyError


@pytest.mark.oracle("riley_sample_size", by="pmsampsize")
@pytest.mark.parametrize(
    ("parameters", "prevalence", "r_squared", "shrinkage", "expected"),
    [
        (24, 0.174, 0.288, 0.9, (623, 662, 221)),
        (12, 0.3, 0.1, 0.9, (1019, 317, 323)),
        (30, 0.05, 0.05, 0.9, (5249, 1770, 73)),
        (8, 0.6, 0.2, 0.95, (677, 190, 369)),
    ],
)
def test_riley_criteria_are_those_of_the_authors(parameters, prevalence, r_squared, shrinkage, expected):
    found = riley_sample_size(parameters, prevalence, r_squared, shrinkage=shrinkage)
    assert found[:3] == expected
    assert found.required == max(found[:4])


@pytest.mark.oracle("riley_sample_size", by="closed form of van Smeden et al. 2019")
def test_the_absolute_error_criterion_in_closed_form():
    found = riley_sample_size(30, 0.05, 0.05)
    assert found.absolute_error == np.ceil((30**0.504 * 0.05**0.259 / (np.exp(0.508) * 0.05)) ** (1 / 0.544)) == 544
    assert riley_sample_size(30, 0.95, 0.05).absolute_error == 544  # the rarer class counts


@pytest.mark.oracle("riley_sample_size", by="pmsampsize: logistic regression on a million simulated patients")
@pytest.mark.parametrize(
    ("auc", "prevalence", "simulated"),
    [(0.75, 0.31, 0.1624), (0.89, 0.174, 0.2909), (0.65, 0.1, 0.0259), (0.78, 0.2, 0.1584)],
)
def test_r_squared_of_an_auc_is_what_simulation_tends_to(auc, prevalence, simulated):
    # mean of three seeds: the simulation's own error is near 0.0005
    assert riley_sample_size(10, prevalence, auc=auc).r_squared_cs == pytest.approx(simulated, abs=0.0015)


@pytest.mark.parametrize(("auc", "prevalence"), [(0.75, 0.31), (0.6, 0.1), (0.9, 0.5)])
def test_r_squared_of_an_auc_is_that_of_a_logistic_fit_to_ideal_quantiles(auc, prevalence):
    positives, negatives = (norm.ppf((np.arange(n) + 0.5) / n) for n in (round(40000 * prevalence), 40000))
    negatives = negatives[: 40000 - len(positives)]
    negatives = norm.ppf((np.arange(len(negatives)) + 0.5) / len(negatives))
    scores = np.concatenate([positives + np.sqrt(2) * norm.ppf(auc), negatives])
    labels = np.repeat([1, 0], [len(positives), len(negatives)])
    fit, null = (
        fit_logit(scores[:, None], labels),
        len(labels) * (prevalence * np.log(prevalence) + (1 - prevalence) * np.log(1 - prevalence)),
    )
    expected = 1 - np.exp(2 * (null - fit.log_likelihood) / len(labels))
    assert cox_snell_from_auc(auc, prevalence) == pytest.approx(expected, abs=2e-4)


@given(st.floats(0.51, 0.97), st.floats(0.02, 0.98))
@settings(max_examples=25)
def test_r_squared_is_symmetric_in_the_classes_and_possible(auc, prevalence):
    found = cox_snell_from_auc(auc, prevalence)
    assert found == pytest.approx(cox_snell_from_auc(auc, 1 - prevalence), abs=1e-9)
    assert 0 < found < 1


@pytest.mark.oracle("auc_interval_width", by="pmvalsampsize")
@pytest.mark.parametrize(
    ("auc", "prevalence", "width", "patients", "error"),
    [
        (0.8, 0.018, 0.1, 4252, 0.02550829593912359),
        (0.75, 0.33, 0.1, 411, 0.025501820150000798),
        (0.7, 0.1, 0.15, 514, 0.03823045174249422),
    ],
)
def test_expected_widths_are_those_of_the_authors(auc, prevalence, width, patients, error):
    assert auc_interval_width(auc, patients, prevalence) == pytest.approx(2 * z_value(0.95) * error, rel=1e-12)
    assert patients_for_width(auc, width, prevalence) == patients
    assert auc_interval_width(auc, patients - 1, prevalence) > width


@pytest.mark.oracle("auc_interval_width", by="the mean width of DeLong's interval in simulated studies")
def test_expected_width_is_delongs_on_average():
    rng, labels = np.random.default_rng(3), np.repeat([1, 0], [46, 94])
    shift = np.sqrt(2) * norm.ppf(0.75)
    found = [auc_interval(labels, rng.normal(shift * labels)) for _ in range(300)]
    # 300 studies leave an error of the mean width of half a percent; the formula is an approximation
    assert np.mean([i.high - i.low for i in found]) == pytest.approx(auc_interval_width(0.75, 140, 46 / 140), rel=0.03)


@given(st.floats(0.55, 0.95), st.floats(0.05, 0.95), st.integers(20, 5000))
@settings(max_examples=30)
def test_more_patients_or_less_confidence_narrow_the_interval(auc, prevalence, n):
    width = auc_interval_width(auc, n, prevalence)
    assert auc_interval_width(auc, n + 1, prevalence) < width
    assert auc_interval_width(auc, n, prevalence, 0.9) < width
    assert abs(patients_for_width(auc, width * (1 + 1e-12), prevalence) - n) <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"r_squared_cs": 0.1, "auc": 0.7}, "either r_squared_cs or"),
        ({}, "either r_squared_cs or"),
        ({"auc": 0.5}, "anticipated AUC is 0.5"),
        ({"r_squared_cs": 0.8}, "R² of 0.8 is not between"),
        ({"auc": 0.7, "parameters": 0}, "parameters 0"),
        ({"auc": 0.7, "prevalence": 1.0}, "prevalence 1.0"),
    ],
)
def test_impossible_plans_are_refused(arguments, message):
    with pytest.raises(StudyError, match=message):
        riley_sample_size(**({"parameters": 10, "prevalence": 0.3} | arguments))


@pytest.mark.parametrize("arguments", [(1.0, 100, 0.3), (0.7, 1, 0.3), (0.7, 100, 0.0)])
def test_impossible_widths_are_refused(arguments):
    with pytest.raises(StudyError, match="interval width"):
        auc_interval_width(*arguments)
