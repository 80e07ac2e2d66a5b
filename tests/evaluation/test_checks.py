"""Tests of what every statistic refuses, each by its message."""

import numpy as np
import pandas as pd
import pytest

from her2study.evaluation.checks import PROBABILITY_FLOOR, check_probabilities, check_scores, safe_logit
from her2study.types import StudyError


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1, 1], [0.1, 0.2], r"labels have shape \(3,\) and scores \(2, 1\)"),
        ([], [], "no patients: an ROC curve needs"),
        ([0, 1, 2, 3], [1, 2, 3, 4], r"row 2: the label is 2; it must be 0 or 1.* \(2 such rows: 2, 3\)$"),
        (
            [0, 1, np.nan],
            [1, 2, 3],
            "row 2: the label is nan; it must be 0 or 1, and patients without a label left out$",
        ),
        ([0, 1, "yes"], [1, 2, 3], "row 2: the label is yes"),
        ([1, 1, 1], [1, 2, 3], "all 3 labels are 1"),
        ([0, 1, 1], [1, np.nan, 3], "row 1, model 0: the score is nan; every score must be finite"),
        ([0, 1, 1], [[1, 2], [3, np.inf], [5, 6]], "row 1, model 1: the score is inf"),
        ([0, 1, 1], [0.1, "high", 0.3], "row 1, model 0: the score is 'high'; every score must be a number$"),
        ([0, 1, 1], pd.array([0.1, None, 0.3], dtype="Float64"), "row 1, model 0: the score is nan"),
    ],
)
def test_bad_labels_and_scores_are_named_by_row(labels, scores, message):
    with pytest.raises(StudyError, match=message):
        check_scores(labels, scores)


def test_many_bad_rows_are_counted_and_the_first_few_named():
    with pytest.raises(StudyError, match=r"\(20 such rows: 0, 1, 2, 3, 4, \.\.\.\)"):
        check_scores([0, 1] * 10, [np.nan] * 20)


@pytest.mark.parametrize("value", [-0.001, 1.001, 35])
def test_a_value_that_is_no_probability_is_named(value):
    with pytest.raises(StudyError, match=f"row 1, model 0: the probability is {value:g}; it must lie from 0 to 1"):
        check_probabilities([0, 1, 1], [0.2, value, 0.4])


@pytest.mark.parametrize("labels", [[0, 1, 1], [False, True, True], ["0", "1", "1"], [0.0, 1.0, 1.0]])
def test_good_input_becomes_arrays(labels):
    found, matrix = check_probabilities(labels, [0.0, 1.0, 0.5])
    assert found.tolist() == [0, 1, 1]
    assert found.dtype == np.int64
    assert matrix.tolist() == [[0.0], [1.0], [0.5]]


def test_log_odds_stay_finite_at_0_and_1():
    assert safe_logit([0, 1]).tolist() == pytest.approx(
        [np.log(PROBABILITY_FLOOR / (1 - PROBABILITY_FLOOR)), np.log((1 - PROBABILITY_FLOOR) / PROBABILITY_FLOOR)]
    )
