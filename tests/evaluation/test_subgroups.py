"""Tests of subgroups and their interaction test."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from her2study.evaluation.subgroups import NOT_RECORDED, TOO_FEW, interaction_p, subgroup_levels, subgroup_table
from her2study.study import Variable
from her2study.types import StudyError
from tests.evaluation.golden import GOLDEN, SETS, columns, make_predictions

VARIABLES = {
    "age_years": Variable(type="continuous", unit="years", label="Age", role="clinical"),
    "field_strength_t": Variable(type="continuous", unit="T", label="Field strength", role="acquisition"),
    "lesion_type": Variable(type="binary", levels=("mass", "non-mass"), label="Lesion type", role="mri_reading"),
}


@pytest.fixture(scope="module")
def predictions():
    return make_predictions({"m": 1.5})


@pytest.fixture(scope="module")
def cohort(predictions):
    n = len(predictions)
    rng = np.random.default_rng(0)
    lesion = pd.Series(np.where(np.arange(n) % 5 == 0, "non-mass", "mass")).mask(np.arange(n) % 30 == 1)
    return pd.DataFrame(
        {"patient_id": predictions["patient_id"], "centre": predictions["centre"], "age_years": rng.normal(50, 9, n),
         "field_strength_t": np.where(np.arange(n) % 2, 1.5, 3.0), "lesion_type": lesion}
    )  # fmt: skip


def test_continuous_variables_are_cut_at_the_development_median(predictions, cohort):
    level, texts = subgroup_levels("age_years", predictions, cohort, VARIABLES, {})
    development = predictions.loc[predictions["split"] == "development", "patient_id"]
    cut = cohort.set_index("patient_id").loc[development, "age_years"].median()
    assert list(texts) == ["below", "at_least", NOT_RECORDED]
    assert texts["below"] == f"below {cut:.3g} years"
    assert ((level == "below").to_numpy() == (cohort["age_years"] < cut).to_numpy()).all()


def test_few_values_are_levels_and_centres_have_their_names(predictions, cohort):
    _, texts = subgroup_levels("field_strength_t", predictions, cohort, VARIABLES, {})
    assert texts == {"1.5": "1.5 T", "3": "3 T", NOT_RECORDED: NOT_RECORDED}
    _, texts = subgroup_levels("centre", predictions, cohort, VARIABLES, {"A": "Aachen"})
    assert texts["A"] == "Aachen"
    assert texts["B"] == "B"


def test_nobody_is_dropped(predictions, cohort):
    table = subgroup_table(predictions, cohort, VARIABLES, ["lesion_type", "centre"], {})
    for _, rows in table.groupby(["subgroup", "split"]):
        assert rows["n"].sum() == 60
    few = table[table["note"] == TOO_FEW]
    assert NOT_RECORDED in set(few["level"])
    assert few[["auc", "auc_low", "auc_high"]].isna().all(axis=None)


def test_aucs_are_those_of_the_patients_of_the_level(predictions, cohort):
    table = subgroup_table(predictions, cohort, VARIABLES, ["field_strength_t"], {})
    row = table[(table["split"] == "external") & (table["level"] == "3")].iloc[0]
    own = predictions[predictions["split"] == "external"].merge(cohort, on="patient_id")
    own = own[own["field_strength_t"] == 3]
    assert row["auc"] == pytest.approx(roc_auc_score(own["label"], own["probability"]))
    assert (row["label"], row["subgroup"]) == ("3 T", "Field strength")


@pytest.mark.oracle("interaction_p", by="anova of two glm in R")
@pytest.mark.parametrize("name", SETS)
def test_interaction_equals_r(name):
    labels, _, _, p = columns(name)
    levels = np.arange(1, len(p) + 1) % 3
    assert interaction_p(labels, p, levels) == pytest.approx(GOLDEN[name, "interaction_p"], abs=1e-10)


def test_interaction_needs_two_levels_and_a_score_that_varies():
    labels, _, _, p = columns("continuous")
    assert np.isnan(interaction_p(labels, p, np.zeros(150)))
    assert np.isnan(interaction_p(labels, np.full(150, 0.3), np.arange(150) % 2))


@given(st.integers(0, 10**6))
@settings(max_examples=25)
def test_interaction_does_not_care_about_names_order_or_the_sign_of_the_outcome(seed):
    rng = np.random.default_rng(seed)
    labels, p, levels = np.arange(60) % 2, rng.uniform(0.05, 0.95, 60), rng.integers(0, 3, 60)
    found, order = interaction_p(labels, p, levels), rng.permutation(60)
    assert 0 <= found <= 1
    renamed = np.array(["z", "a", "m"])[levels]
    assert interaction_p(labels[order], p[order], renamed[order]) == pytest.approx(found, abs=1e-6)
    assert interaction_p(1 - labels, 1 - p, levels) == pytest.approx(found, abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "probabilities", "levels", "message"),
    [
        ([0, 1, 2], [0.1, 0.2, 0.3], "aab", "label is 2"),
        ([0, 1, 1], [0.1, 1.2, 0.3], "aab", "probability is 1.2"),
        ([0, 1, 1], [0.1, 0.2, 0.3], ["a", None, "b"], "1 of them missing"),
        ([0, 1, 1], [0.1, 0.2, 0.3], "ab", "levels: 2 for 3 patients"),
    ],
)
def test_interaction_refuses(labels, probabilities, levels, message):
    with pytest.raises(StudyError, match=message):
        interaction_p(labels, probabilities, list(levels))


def test_an_unknown_subgroup_is_named(predictions, cohort):
    with pytest.raises(StudyError, match="subgroup 'shape' is not a column"):
        subgroup_levels("shape", predictions, cohort, VARIABLES, {})
