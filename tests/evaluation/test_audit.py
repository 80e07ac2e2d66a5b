"""Tests of the audit."""

import numpy as np
import pandas as pd
import pytest

from her2study.evaluation.audit import (
    duplicates_finding,
    models_fitted,
    models_tried_finding,
    oracle_findings,
    provenance_finding,
    suspicious_finding,
)
from her2study.evaluation.compare import auc_table
from her2study.evaluation.findings import audit_table
from her2study.evaluation.roc import delong_test
from her2study.models.provenance import make_trained_on
from her2study.types import StudyError
from tests.evaluation.golden import make_predictions, splits_of


@pytest.fixture(scope="module")
def predictions():
    return make_predictions({"dscore": 1.0})


def test_provenance_is_passed_or_stops_the_study(predictions):
    splits = splits_of(predictions)
    trained_on = make_trained_on("dscore", splits)
    assert provenance_finding(predictions, trained_on, splits).verdict == "passed"
    leak = pd.DataFrame({"model": ["dscore"], "fold": [0], "patient_id": ["D000"]})
    with pytest.raises(StudyError, match="D000"):
        provenance_finding(predictions, pd.concat([trained_on, leak]), splits)


def test_a_patient_in_two_splits_is_found(predictions):
    splits = splits_of(predictions)
    assert duplicates_finding(splits).verdict == "passed"
    twice = duplicates_finding(pd.concat([splits, splits.head(1).assign(split="external")]))
    assert (twice.value, twice.verdict) == (1, "attention")
    assert "D000" in twice.detail


def test_results_above_the_fields_are_suspicious(predictions):
    assert suspicious_finding(auc_table(make_predictions({"m": 0.5}, n=300))).verdict == "passed"
    assert suspicious_finding(auc_table(predictions.assign(probability=predictions["label"]))).verdict == "attention"


def test_every_model_tried_counts():
    logs = [pd.DataFrame({"models_tried": [36, 36]}), pd.DataFrame({"predictors": ["a", "b", "c"]})]
    assert models_fitted(logs) == 75
    assert models_tried_finding(75, 3).value == 75


def test_distance_to_the_oracle_is_a_paired_difference(predictions):
    rng = np.random.default_rng(1)
    patients = predictions.drop_duplicates("patient_id")
    oracle = 1 / (1 + np.exp(-2 * patients["label"] - rng.normal(size=len(patients))))
    truth = pd.DataFrame({"patient_id": patients["patient_id"], "oracle_image": oracle})
    findings = oracle_findings(predictions, truth, oracles={"dscore": "oracle_image"})
    assert len(findings) == 6
    external = predictions["split"].eq("external").to_numpy()
    test = delong_test(predictions.loc[external, "label"], oracle[external], predictions.loc[external, "probability"])
    assert findings[5].check == "distance to the best possible AUC, dscore, external"
    assert findings[5][1:4] == pytest.approx(test[:3])
    with pytest.raises(StudyError, match="lacks patient 'D000'"):
        oracle_findings(predictions, truth[truth["patient_id"] != "D000"], oracles={"dscore": "oracle_image"})


def test_a_study_without_the_model_has_no_distance(predictions):
    truth = pd.DataFrame({"patient_id": predictions["patient_id"], "oracle_combined": 0.5})
    assert oracle_findings(predictions, truth, oracles={"combined": "oracle_combined"}) == []


def test_the_table_keeps_the_order(predictions):
    findings = [models_tried_finding(3, 1), suspicious_finding(auc_table(predictions))]
    table = audit_table(findings)
    assert table.columns.tolist() == ["check", "value", "low", "high", "verdict", "detail"]
    assert table["check"].tolist() == [finding.check for finding in findings]
