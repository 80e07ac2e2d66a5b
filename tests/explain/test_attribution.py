"""SHAP values against the shap package, and their sum against the model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shap

from her2study.explain import attribution
from her2study.models import baselines
from her2study.models.encoding import design_matrix
from her2study.models.frozen import frozen_terms
from her2study.models.logistic import fit_frozen
from her2study.models.pipelines import search_space
from her2study.types import StudyError
from tests.models.invented import QUICK, VARIABLES, development, invent, invent_radiomics

COHORT, SPLITS = invent()
FEATURES = baselines.feature_frame(COHORT, VARIABLES, invent_radiomics(COHORT))
FROZEN = fit_frozen(development(COHORT, SPLITS), VARIABLES, ["node_mm", "rim", "shape"], "clinical")
EXTERNAL = attribution.patients_to_explain(SPLITS)


def test_linear_values_are_those_of_shap_added_up_by_variable():
    terms = frozen_terms(FROZEN)
    imputation = {name: variable["imputation"] for name, variable in FROZEN["variables"].items()}
    rows = COHORT.set_index("patient_id")
    dev = SPLITS.loc[SPLITS["split"] == "development", "patient_id"]
    background, shown = (design_matrix(rows.loc[ids], terms, imputation) for ids in (dev, EXTERNAL))
    coefficients = np.array([term["coefficient"] for term in FROZEN["terms"]])
    masker = shap.maskers.Independent(background, max_samples=len(background))
    oracle = shap.LinearExplainer((coefficients, FROZEN["intercept"]), masker)(shown)
    by_term = np.asarray(oracle.values)
    explained = attribution.explain_linear(FROZEN, COHORT, SPLITS, EXTERNAL)
    assert explained["base_value"].iloc[0] == pytest.approx(oracle.base_values[0])
    wide = explained.pivot_table(index="patient_id", columns="feature", values="shap").loc[EXTERNAL]
    assert wide["node_mm"].to_numpy() == pytest.approx(by_term[:, 0])
    assert wide["rim"].to_numpy() == pytest.approx(by_term[:, 1])
    assert wide["shape"].to_numpy() == pytest.approx(by_term[:, 2:].sum(axis=1))


def test_linear_values_add_up_to_the_log_odds():
    explained = attribution.explain_linear(FROZEN, COHORT, SPLITS, EXTERNAL)
    total = explained.groupby("patient_id").agg(shap=("shap", "sum"), p=("probability", "first"))
    logit = np.log(total["p"] / (1 - total["p"]))
    assert (total["shap"] + explained["base_value"].iloc[0]).to_numpy() == pytest.approx(logit.to_numpy())


@pytest.mark.parametrize(
    "model",
    [
        "random_forest",
        "xgboost",
        "lightgbm",
        pytest.param("logistic_elastic_net", marks=pytest.mark.slow),  # numba compiles for 10 seconds
        pytest.param("svm", marks=pytest.mark.slow),
    ],
)
def test_values_of_every_kind_of_baseline_add_up_to_the_probability(model):
    dev = development(COHORT, SPLITS)
    settings = QUICK.model_copy(update={"selected_features": (5,)})
    defaults = {name: v[0] for name, v in search_space(model, settings, *FEATURES.shape).items()}
    x = FEATURES.loc[dev["patient_id"]]
    pipeline = baselines.fit(model, defaults, x, dev["label"].to_numpy(), VARIABLES, seed=1)
    background = attribution.background_patients(SPLITS, 16, seed=1)
    explained = attribution.explain_pipeline(pipeline, model, FEATURES, VARIABLES, EXTERNAL[:10], background, seed=1)
    total = explained.groupby("patient_id").agg(shap=("shap", "sum"), p=("probability", "first"))
    sums = total["shap"] + explained["base_value"].iloc[0]
    assert sums.to_numpy() == pytest.approx(total["p"].to_numpy(), abs=1e-6)
    assert explained["shap"].abs().max() > 0.01
    assert set(background) <= set(dev["patient_id"])


def test_correlated_features_are_added_up_and_named_together():
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    twin = rng.normal(size=120) + labels
    features = pd.DataFrame({"first": twin, "second": twin + 0.3 * rng.normal(size=120), "third": rng.normal(size=120)})
    features.index = [f"P{i:03d}" for i in range(120)]
    pipeline = baselines.fit("random_forest", {"select__k": 3}, features, labels, {}, seed=1)
    assert len(pipeline["select"].taken_) == 2  # 0.9 and closer are copies already for the selection
    pipeline = baselines.fit("random_forest", {"select__max_correlation": 1.0}, features, labels, {}, seed=1)
    ids = list(features.index)
    explained = attribution.explain_pipeline(pipeline, "random_forest", features, {}, ids[:5], ids, 1, {"first": "One"})
    names = explained.drop_duplicates("feature")["label"].tolist()
    assert sorted(names)[-1] == "third"
    assert len(names) == 2
    assert any(name.endswith(" (+1)") for name in names)


def test_patients_explained_are_external_if_there_are_any():
    assert sorted(SPLITS.loc[SPLITS["split"] == "external", "patient_id"]) == EXTERNAL
    inside = SPLITS[SPLITS["split"] != "external"]
    assert set(attribution.patients_to_explain(inside)) == set(inside.query("split == 'internal'")["patient_id"])
    with pytest.raises(StudyError, match="no patient"):
        attribution.patients_to_explain(SPLITS.iloc[:0])


def test_a_null_model_cannot_be_explained():
    null = fit_frozen(development(COHORT, SPLITS), VARIABLES, [], "clinical")
    with pytest.raises(StudyError, match="'clinical' has no predictors"):
        attribution.explain_linear(null, COHORT, SPLITS, EXTERNAL)
