"""Tests of what the centre alone explains."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from her2study.evaluation.centres import (
    centre_auc_findings,
    centre_only_findings,
    centre_only_scores,
    centre_only_table,
    leave_one_centre_out_findings,
    prevalence_findings,
)
from her2study.evaluation.pooling import centre_table
from her2study.evaluation.roc import delong_test
from tests.evaluation.golden import make_predictions, splits_of


def development(prevalences, per_centre=100):
    """Development patients whose share of positives is planned by centre."""
    parts = [
        pd.DataFrame({"centre": name, "label": (np.arange(per_centre) < share * per_centre).astype(int)})
        for name, share in prevalences.items()
    ]
    frame = pd.concat(parts, ignore_index=True)
    fold = np.random.default_rng(0).integers(0, 5, len(frame))
    return frame.assign(patient_id=[f"P{i:03d}" for i in range(len(frame))], split="development", fold=fold)


def test_a_centre_that_gives_the_outcome_away_is_found():
    baseline, canary = centre_only_findings(development({"A": 0.1, "B": 0.7}), permutations=50)
    assert baseline.verdict == "attention"
    assert baseline.low > 0.5
    assert canary.verdict == "passed"
    assert canary.low < 0.5 < canary.high


def test_centres_alike_are_no_reason_for_attention():
    baseline, canary = centre_only_findings(development({"A": 0.3, "B": 0.3, "C": 0.3}), permutations=60)
    assert baseline.verdict == "passed"
    assert canary.value == pytest.approx(0.5, abs=0.03)


def test_scores_come_from_the_other_folds():
    labels, centres, folds = np.array([1, 1, 0, 0, 1, 0]), np.array(list("AABBBA")), np.array([0, 1, 0, 1, 0, 1])
    scores = centre_only_scores(labels, centres, folds)
    # fold 0 is scored by fold 1: A has 1 of 2, B 0 of 1; fold 1 by fold 0: A has 1 of 1, B 1 of 2
    assert scores.tolist() == [2, 2, 1, 1, 1, 2]


def test_prevalence_by_centre_and_its_test():
    rows = prevalence_findings(development({"A": 0.1, "B": 0.7}))
    assert [row.value for row in rows[:2]] == [0.1, 0.7]
    assert rows[2].verdict == "attention"
    assert prevalence_findings(development({"A": 0.3, "B": 0.3}))[2].value == pytest.approx(1)
    assert len(prevalence_findings(development({"A": 0.3}))) == 1


def test_auc_by_centre_and_heterogeneity():
    predictions = make_predictions({"m": 1.5}, n=90)
    wrong = predictions["centre"].eq("C")
    predictions["probability"] = predictions["probability"].mask(wrong, 1 - predictions["probability"])
    findings = {finding.check: finding for finding in centre_auc_findings(predictions, ["m"])}
    own = predictions[wrong]
    assert findings["AUC by centre, m, centre C"].value == pytest.approx(
        roc_auc_score(own["label"], own["probability"])
    )
    assert findings["AUC differs between centres, m"].verdict == "attention"
    assert findings["AUC differs between centres, m"].value > 50


def test_one_class_centres_are_declared():
    predictions = make_predictions({"m": 1.5}, n=12)
    predictions = predictions[~(predictions["centre"].eq("D") & predictions["label"].eq(1))]
    tested = {finding.check: finding.verdict for finding in centre_auc_findings(predictions, ["m"])}
    assert tested["AUC by centre, m, centre D"] == "not tested"
    left_out = leave_one_centre_out_findings(predictions)
    assert [finding.verdict for finding in left_out if "centre D" in finding.check] == ["not tested"]


def test_leave_one_centre_out_reads_its_interval():
    predictions = make_predictions({"m": 2.5}, n=120)
    assert {finding.verdict for finding in leave_one_centre_out_findings(predictions)} == {"passed"}
    coin = predictions.assign(probability=0.5)
    assert {finding.verdict for finding in leave_one_centre_out_findings(coin)} == {"attention"}
    assert len(splits_of(predictions)) == 360


def test_models_are_set_beside_the_centre_alone():
    predictions = make_predictions({"m": 1.5, "worse": 0.0}, n=90)
    splits = splits_of(predictions)
    table = centre_only_table(predictions.sample(frac=1, random_state=0), splits)
    assert table["model"].tolist() == ["centre_only", "m", "worse"]
    own = splits[splits["split"] == "development"].sort_values("patient_id")
    alone = centre_only_scores(own["label"].to_numpy(), own["centre"].to_numpy(), own["fold"].to_numpy())
    assert table["auc"].iloc[0] == pytest.approx(roc_auc_score(own["label"], alone))
    assert np.isnan(table["difference"].iloc[0])
    scores = predictions[predictions["model"] == "m"].set_index("patient_id")["probability"].loc[own["patient_id"]]
    test = delong_test(own["label"], scores, alone)
    assert table.loc[1, ["difference", "difference_low", "difference_high", "p"]].tolist() == pytest.approx(
        [test.difference, test.low, test.high, test.p]
    )


def test_findings_are_the_numbers_of_the_table():
    predictions = make_predictions({"m": 1.5}, n=90)
    findings, table = centre_auc_findings(predictions, ["m"]), centre_table(predictions)
    centres = table[table["kind"] == "centre"]
    assert [finding.value for finding in findings[:-1]] == centres["auc"].tolist()
    assert findings[-1].value == pytest.approx(100 * table["i_squared"].max())
    left_out = leave_one_centre_out_findings(predictions)
    assert [finding.low for finding in left_out] == centres["auc_low"].tolist()
