"""Tests of predictive values at another prevalence, against the formulas of Mercaldo et al. in R."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2study.evaluation.confusion import rates
from her2study.evaluation.prevalence import predictive_values, prevalence_table
from her2study.evaluation.thresholds import operating_points, threshold_metrics
from her2study.types import StudyError
from tests.evaluation.decisions_golden import GOLDEN
from tests.evaluation.golden import make_predictions

CASES = sorted({what.rsplit(" ", 1)[0] for name, what in GOLDEN.index if name == "predictive"})
counts = st.integers(0, 30)


@pytest.mark.oracle("predictive_values", by="Mercaldo 2007, in R")
@pytest.mark.parametrize("case", CASES)
def test_predictive_values_equal_the_papers_formulas(case):
    cells, prevalence, confidence = case.split()
    values = predictive_values(*(int(c) for c in cells.split("/")), float(prevalence), float(confidence))
    for name, interval in zip(("ppv", "npv"), values, strict=True):
        estimate, low, high = (GOLDEN["predictive", f"{case} {name}{end}"] for end in ("", "_low", "_high"))
        if np.isnan(estimate):
            assert np.isnan(interval).all()
        else:  # the adjusted interval need not hold the plain estimate; ours is widened to
            expected = estimate, min(low, estimate), max(high, estimate)
            np.testing.assert_allclose(interval, expected, rtol=0, atol=1e-12)


@pytest.mark.oracle("predictive_values", by="closed form")
def test_at_the_studys_prevalence_they_are_the_studys_own():
    row = rates(22, 15, 8, 45, resamples=20)
    ppv, npv = predictive_values(22, 15, 8, 45, 30 / 90)
    assert (ppv.estimate, npv.estimate) == pytest.approx((row["ppv"], row["npv"]), abs=1e-15)


@settings(max_examples=50)
@given(counts, counts, counts, counts, st.floats(1e-6, 1 - 1e-6))
def test_intervals_hold_their_estimate_for_any_counts(tp, fp, fn, tn, prevalence):
    for value, low, high in predictive_values(tp, fp, fn, tn, prevalence):
        assert np.isnan([value, low, high]).all() or 0 <= low <= value <= high <= 1


def test_nobody_called_or_an_empty_class_is_missing():
    assert np.isnan(predictive_values(0, 0, 5, 5, 0.2)[0]).all()
    assert predictive_values(0, 0, 5, 5, 0.2)[1].estimate == pytest.approx(0.8)
    assert np.isnan(predictive_values(0, 3, 0, 5, 0.2)).all()


def test_table_restates_every_row_at_every_prevalence():
    predictions = make_predictions({"a": 1.0, "b": 2.0})
    metrics = threshold_metrics(predictions, {"a": 0.4, "b": 0.4}, resamples=20)
    table = prevalence_table(metrics, (0.1, 1 / 3))
    assert len(table) == 2 * len(metrics)
    own = table[table["prevalence"] == 1 / 3]
    np.testing.assert_allclose(own[["ppv", "npv"]], metrics[["ppv", "npv"]])
    assert (table.groupby(["split", "model"])["ppv"].diff().dropna() > 0).all()
    assert prevalence_table(operating_points(predictions, {}, resamples=20), [0.1]).columns[0] == "rule"


@pytest.mark.parametrize("prevalence", [0, 1, -0.2, np.nan])
def test_prevalences_outside_0_and_1_are_refused(prevalence):
    with pytest.raises(StudyError, match=f"prevalence is {prevalence}"):
        predictive_values(1, 1, 1, 1, prevalence)
