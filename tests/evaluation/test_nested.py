"""Tests of the likelihood-ratio test against R, and of the refusal to compare nested models where they were fitted."""

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.special import expit
from scipy.stats import chi2

from her2study.evaluation.nested import added_value, likelihood_ratio_p, likelihood_ratio_test, refuse_nested
from her2study.types import StudyError
from tests.evaluation.discrimination_golden import GOLDEN, SETS, cohorts, scores_of
from tests.evaluation.golden import GOLDEN as EARLIER
from tests.evaluation.golden import columns


@pytest.mark.oracle("likelihood_ratio_test", by="anova(glm, glm, test = 'LRT') in R")
@pytest.mark.parametrize("models", ["null_a", "a_abc", "a_abd"])  # d repeats a: one degree of freedom, not two
@pytest.mark.parametrize("name", SETS)
def test_it_equals_anova_of_glm(name, models):
    smaller, larger = models.removeprefix("null").split("_")
    labels, small = scores_of(name, smaller)
    found = likelihood_ratio_test(labels, small, scores_of(name, larger)[1])
    theirs = [GOLDEN[name, f"lrt_{number}_{models}"] for number in ("chi", "df", "p")]
    np.testing.assert_allclose(found, theirs, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", SETS)
def test_added_value_equals_r(name):
    labels, a, b, _ = columns(name)
    assert added_value(labels, expit(a / 4), expit(b / 4)) == pytest.approx(EARLIER[name, "lrt_p"], abs=1e-8)


@settings(max_examples=30)
@given(cohorts(models=3))
def test_units_an_intercept_and_repeated_columns_change_nothing(cohort):
    labels, scores = cohort
    found = likelihood_ratio_test(labels, scores[:, 0], scores)
    assert found.chi_squared >= 0
    assert np.isnan(found.p) == (found.degrees_of_freedom == 0)
    other = np.column_stack([1e-9 * scores + 5, np.ones(len(labels)), scores[:, 0] - scores[:, 1]])
    again = likelihood_ratio_test(labels, 100 * scores[:, 0], np.column_stack([scores[:, 0], other]))
    assert again.degrees_of_freedom == found.degrees_of_freedom
    np.testing.assert_allclose(again.chi_squared, found.chi_squared, rtol=1e-4, atol=1e-4)


def test_nothing_new_has_no_p():
    labels, x = np.array([0, 0, 0, 1, 1, 1]), np.array([1, 2, 1, 2, 1, 2.0])
    assert likelihood_ratio_test(labels, x, np.column_stack([x, 3 * x]))[:2] == (0, 0)
    assert np.isnan(likelihood_ratio_p(labels, x, x))


def test_separated_classes_have_the_limit_of_their_likelihood():
    labels = np.array([0, 0, 0, 1, 1, 1])
    found = likelihood_ratio_test(labels, np.empty((6, 0)), labels)
    assert found.chi_squared == pytest.approx(12 * np.log(2), rel=1e-9)  # a perfect fit has log-likelihood 0
    assert found.p == pytest.approx(chi2.sf(12 * np.log(2), 1), rel=1e-9)


def test_models_that_are_not_nested_are_refused():
    labels, scores = scores_of("small")
    with pytest.raises(StudyError, match="not nested in the larger: it has predictors that the larger lacks"):
        likelihood_ratio_test(labels, scores[:, 0], scores[:, 1:])


def test_bad_input_is_named():
    with pytest.raises(StudyError, match="row 1, term 0: the value is nan"):
        likelihood_ratio_test([0, 1, 1], [1, np.nan, 2], [1, 2, 3])
    with pytest.raises(StudyError, match=r"shape \(2, 1\) and the labels \(3,\)"):
        likelihood_ratio_test([0, 1, 1], [1, 2], [1, 2, 3])
    with pytest.raises(StudyError, match="one class"):
        likelihood_ratio_test([1, 1, 1], [1, 2, 3], [1, 2, 3])


@pytest.mark.parametrize("pair", [("combined", "clinical"), ("clinical", "combined")])
def test_nested_models_on_development_patients_are_refused_with_the_reason(pair):
    with pytest.raises(StudyError, match=r"clinical is nested.*Demler 2012.*likelihood_ratio_test for what dscore"):
        refuse_nested(*pair, "development")
    refuse_nested(*pair, "external")
    refuse_nested("dscore", "clinical", "development")
