"""Outcomes that contradict themselves, and predictors that are the outcome."""

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from her2study.cohort.checks.cells import patients_of
from her2study.cohort.checks.distributions import _auc, gives_outcome_away, missingness
from her2study.cohort.checks.outcome import classes, her2_contradictions, labels_of, outcome_as_predictor
from her2study.cohort.her2 import her2_category
from her2study.study import Her2, Outcome, Source, Variable

SOURCE = Source(kind="folder", table="clinical.csv")
HER2 = Her2(ihc="ihc", ish="fish", ratio="ratio", copies="copies", status="status")
OUTCOME = Outcome(column="her2", positive=("positive",), negative=("negative",), label="HER2-positive")


def contradictions(**cells):
    row = {"patient_id": "p1", "ihc": None, "fish": None, "ratio": None, "copies": None, "status": None, **cells}
    table = pd.DataFrame([row]).astype("str").mask(pd.DataFrame([row]).isna())
    found = her2_contradictions(patients_of(table, SOURCE), HER2, her2_category(table, HER2)["her2_category"])
    return list(zip(found["column"], found["severity"], strict=True))


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"ihc": "3+", "fish": "negative"}, "fish"),
        ({"ihc": "0", "fish": "positive"}, "fish"),
        ({"ihc": "2+", "fish": "negative", "ratio": "3.6"}, "ratio"),
        ({"ihc": "2+", "fish": "positive", "ratio": "1.1", "copies": "2.0"}, "ratio"),
        ({"ihc": "3+", "ratio": "1.2", "copies": "2.1"}, "ratio"),
        ({"ihc": "1+", "status": "positive"}, "status"),
        ({"ihc": "2+", "ratio": "420", "copies": "9"}, "ratio"),
    ],
)
def test_what_does_not_go_together_is_a_warning(cells, column):
    assert contradictions(**cells) == [(column, "warning")]


@pytest.mark.parametrize(
    "cells",
    [
        {"ihc": "3+", "fish": "positive", "ratio": "5.1", "copies": "12", "status": "positive"},
        {"ihc": "2+", "fish": "negative", "ratio": "1.2", "copies": "2.5", "status": "negative"},
        {"ihc": "2+", "fish": "positive", "ratio": "1.6", "copies": "6.4"},  # group 3
        {"ihc": "1+", "status": "negative"},
        {"ihc": "0"},
        {},
    ],
)
def test_what_goes_together_is_no_finding(cells):
    assert contradictions(**cells) == []


def table(labels, **columns):
    names = [f"p{i}" for i in range(len(labels))]
    return patients_of(pd.DataFrame({"patient_id": names, "her2": labels, **columns}, dtype="str"), SOURCE)


def test_a_cohort_without_events_says_what_the_column_holds():
    patients = table(["negative"] * 4 + ["pos"])
    found = classes(patients, OUTCOME, labels_of(patients.of("her2"), OUTCOME))
    assert found["severity"].tolist() == ["error"]
    assert found["value"][0] == "no included patient of 4 is HER2-positive"
    assert "the column holds negative, pos" in found["mend"][0]


def test_the_outcome_among_the_candidates_is_an_error():
    again = Variable(type="binary", levels=("negative", "positive"), label="HER2", role="clinical", column="her2")
    assert outcome_as_predictor(table(["positive"]), OUTCOME, {"status": again})["severity"].tolist() == ["error"]


def test_a_column_that_gives_the_outcome_away_is_asked_about():
    labels = ["positive"] * 30 + ["negative"] * 70
    drug = Variable(type="binary", levels=("no", "yes"), label="Trastuzumab", role="clinical")
    given = ["yes"] * 29 + ["no"] * 71
    told = table(labels, drug=given)
    label = labels_of(told.of("her2"), OUTCOME)
    assert gives_outcome_away(told, "drug", drug, label)["value"].tolist() == [
        "tells the outcome by itself (AUC 0.983)"
    ]
    mixed = table(labels, drug=given[::-1])
    assert gives_outcome_away(mixed, "drug", drug, label).empty


def test_missing_by_outcome_and_by_centre_are_told_apart():
    labels = ["positive"] * 40 + ["negative"] * 60
    centre = pd.Series((["A"] * 8 + ["B"] * 2) * 10)
    by_outcome = table(labels, x=["1"] * 40 + [None] * 30 + ["1"] * 30)
    label = labels_of(by_outcome.of("her2"), OUTCOME)
    found = missingness(by_outcome, "x", "x", centre, label, candidate=True)
    assert found["value"].tolist() == ["missing in 0% of positive and 50% of negative patients"]
    by_centre = table(labels, x=[None if c == "B" else "1" for c in centre])
    found = missingness(by_centre, "x", "x", centre, label, candidate=True)
    assert found["value"].tolist() == ["missing in all 20 patients of centre B"]


def test_the_area_is_scikit_learn_s():
    labels, scores = [0, 0, 1, 1, 0, 1, 1], [0.1, 0.4, 0.4, 0.9, 0.2, 0.35, 0.9]
    assert _auc(pd.Series(labels).to_numpy() == 1, pd.Series(scores).to_numpy()) == roc_auc_score(labels, scores)
