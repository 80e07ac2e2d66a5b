"""Tests of alarms: predictors that know the outcome."""

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from her2study.cohort.proposals.alarms import _auc, alarmed
from her2study.cohort.proposals.columns import propose_column
from tests.cohort.proposals.tables import text

RNG = np.random.default_rng(7)
LABELS = pd.Series((np.arange(80) % 4 == 0).astype("float64"))


def after(header, values):
    proposal = propose_column(header, "t.csv", text(values))
    (found,) = alarmed([proposal], pd.DataFrame({header: text(values)}), LABELS)
    return found


def test_the_area_is_that_of_scikit_learn():
    scores = RNG.normal(size=80).round(1) + LABELS  # rounded: ties
    expected = roc_auc_score(LABELS, scores)
    assert np.isclose(_auc(scores.astype("str"), LABELS, True), max(expected, 1 - expected))


def test_a_predictor_that_tells_everything_is_taken_back_and_asked_about():
    told = after(
        "Size (mm)", [str(30 + 20 * int(y) + int(n)) for y, n in zip(LABELS, RNG.integers(0, 9, 80), strict=True)]
    )
    assert not told.variable["candidate"]
    assert "AUC 1.00" in told.why
    honest = after("Size (mm)", [str(n) for n in RNG.integers(10, 60, 80)])
    assert honest.variable["candidate"]


def test_a_predictor_that_is_recorded_for_one_class_only_is_taken_back():
    some = after("Rim", [("yes" if i % 8 else "no") if y else None for i, y in enumerate(LABELS)])
    assert some.why == "is recorded for one class of the outcome only, and so tells it"
