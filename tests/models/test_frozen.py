"""Frozen models: JSON in, probabilities out."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from her2study.models.frozen import equation, frozen_terms, linear_predictor, predict_frozen
from her2study.models.logistic import fit_frozen
from her2study.types import StudyError
from tests.models.invented import VARIABLES, oracle_patients

FROZEN = fit_frozen(oracle_patients(), VARIABLES, ["node_mm", "rim", "curve"], "clinical")


def test_survives_json_to_the_last_digit():
    again = json.loads(json.dumps(FROZEN))
    patients = oracle_patients()
    assert predict_frozen(again, patients).tolist() == predict_frozen(FROZEN, patients).tolist()
    assert frozen_terms(again) == frozen_terms(FROZEN)


def test_missing_values_take_the_training_patients_value():
    empty = pd.DataFrame({"patient_id": ["X"], "node_mm": [float("nan")], "rim": [None], "curve": [None]})
    imputed = {name: [variable["imputation"]] for name, variable in FROZEN["variables"].items()}
    assert predict_frozen(FROZEN, empty) == predict_frozen(FROZEN, pd.DataFrame({"patient_id": ["X"], **imputed}))


def test_equation_prints_every_term():
    small = FROZEN | {"intercept": -1.5, "terms": [FROZEN["terms"][0] | {"coefficient": -0.25}]}
    assert equation(small, decimals=2) == "logit(P) = −1.50 − 0.25 × [Node diameter (log mm)]"
    assert linear_predictor(small, pd.DataFrame({"node_mm": [1.0], "rim": ["no"], "curve": ["plateau"]})) == [-1.5]


def test_an_absent_column_is_named():
    with pytest.raises(StudyError, match="'clinical' needs the column 'rim'"):
        predict_frozen(FROZEN, oracle_patients().drop(columns="rim"))


def test_fingerprint_knows_the_labels():
    patients = oracle_patients()
    shuffled = fit_frozen(patients.sample(frac=1, random_state=1), VARIABLES, ["rim"], "clinical")
    turned = fit_frozen(patients.assign(label=1 - patients["label"]), VARIABLES, ["rim"], "clinical")
    assert shuffled["training"]["fingerprint"] == FROZEN["training"]["fingerprint"]
    assert turned["training"]["fingerprint"] != FROZEN["training"]["fingerprint"]
