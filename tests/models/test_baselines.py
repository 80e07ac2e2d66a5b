"""Baselines: cross-fitting, search and refit."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from her2study.models import baselines
from her2study.models.crossfit import labels_of
from her2study.models.harmonise import preparation_table
from her2study.models.provenance import check_out_of_fold
from her2study.types import StudyError
from tests.models.invented import QUICK, VARIABLES, invent, invent_radiomics

COHORT, SPLITS = invent()
FEATURES = baselines.feature_frame(COHORT, VARIABLES, invent_radiomics(COHORT))


@pytest.fixture(scope="module")
def result():
    return baselines.cross_fit(FEATURES, SPLITS, VARIABLES, QUICK, seed=1)


def test_every_patient_is_scored_once_by_a_model_that_never_saw_her(result):
    check_out_of_fold(result.predictions, result.trained_on, SPLITS)
    assert len(result.predictions) == len(QUICK.models) * len(COHORT)
    assert set(result.trained_on["model"]) == set(QUICK.models)


def test_search_is_counted(result):
    assert len(result.log) == len(QUICK.models) * 4
    assert (result.log["models_tried"] == 2).all()
    assert result.log["inner_auc"].between(0, 1).all()


def test_same_seed_same_numbers(result):
    again = baselines.cross_fit(FEATURES, SPLITS, VARIABLES, QUICK, seed=1)
    assert again.predictions.equals(result.predictions)
    assert again.log.equals(result.log)


def test_fold_is_blind_to_its_own_labels(result):
    turned = SPLITS.assign(label=SPLITS["label"].where(SPLITS["fold"] != 0, 1 - SPLITS["label"]))
    again = baselines.cross_fit(FEATURES, turned, VARIABLES, QUICK, seed=1)
    before, after = (r.predictions.query("fold == 0")["probability"].tolist() for r in (result, again))
    assert before == after


def test_refit_gives_back_the_stored_predictions(result):
    for model, fold in (("logistic_elastic_net", -1), ("knn", 1)):
        pipeline = baselines.refit(FEATURES, SPLITS, VARIABLES, result.log, model, seed=1, fold=fold)
        stored = result.predictions.query("model == @model and fold == @fold")
        rebuilt = pipeline.predict_proba(FEATURES.loc[stored["patient_id"]])[:, 1]
        assert rebuilt.tolist() == stored["probability"].tolist()


def test_tuples_survive_the_log():
    settings = QUICK.model_copy(update={"models": ("mlp",), "search_iterations": 1})
    log = baselines.cross_fit(FEATURES, SPLITS, VARIABLES, settings, seed=1).log
    pipeline = baselines.refit(FEATURES, SPLITS, VARIABLES, log, "mlp", seed=1)
    assert isinstance(pipeline[-1].hidden_layer_sizes, tuple)


def test_without_radiomics_the_readings_are_enough():
    readings = baselines.feature_frame(COHORT, VARIABLES, None)
    assert list(readings) == list(VARIABLES)
    left_out = baselines.leave_one_centre_out(readings, SPLITS, VARIABLES, QUICK, seed=1)
    assert left_out.groupby("model")["patient_id"].nunique().eq(len(COHORT)).all()
    turned = SPLITS.assign(label=SPLITS["label"].where(SPLITS["centre"] == "A", 1 - SPLITS["label"]))
    again = baselines.leave_one_centre_out(readings, turned, VARIABLES, QUICK, seed=1)
    in_b = left_out["centre"] == "B"
    assert left_out.loc[in_b, "probability"].tolist() == again.loc[in_b, "probability"].tolist()


def test_too_few_patients_of_a_class_are_refused():
    few = SPLITS.assign(label=0)
    few.loc[few.index[few["fold"] == 1][:3], "label"] = 1
    part = [patient for patient, fold in zip(few["patient_id"], few["fold"], strict=True) if fold >= 0]
    with pytest.raises(StudyError, match=r"3 training patients in the smaller class, 2 inner folds need at least 4"):
        baselines.search("knn", FEATURES.loc[part], labels_of(few, part), VARIABLES, QUICK, seed=1)


def _with_other_masks() -> pd.DataFrame:
    """Radiomics of thirty development patients under two other masks, which one feature does not survive."""
    rng = np.random.default_rng(3)
    names = [name for name in FEATURES if name.startswith("wash_in")]
    patients = SPLITS.loc[SPLITS["split"] == "development", "patient_id"].head(30)
    again = [FEATURES.loc[patients, names] + rng.normal(0, 0.05, (30, len(names))) for _ in range(2)]
    for other in again:
        other["wash_in_f05"] = rng.normal(size=30)
    return pd.concat([other.reset_index().assign(mask=str(n)) for n, other in enumerate(again)], ignore_index=True)


PREPARED = QUICK.model_copy(update={"models": ("logistic_elastic_net",), "harmonise": "combat"})


def test_unstable_radiomics_leave_in_fold_and_the_log_is_enough_to_fit_again():
    again = _with_other_masks()
    result = baselines.cross_fit(FEATURES, SPLITS, VARIABLES, PREPARED, 1, again)
    assert all("wash_in_f05" in json.loads(names) for names in result.log["unstable"])
    assert "wash_in_f05" not in set(result.selected["feature"])
    assert preparation_table(result.log)["fold"].tolist() == [-1, 0, 1, 2]
    for fold in (-1, 1):
        pipeline = baselines.refit(FEATURES, SPLITS, VARIABLES, result.log, "logistic_elastic_net", seed=1, fold=fold)
        stored = result.predictions.query("fold == @fold")
        rebuilt = pipeline.predict_proba(FEATURES.loc[stored["patient_id"]])[:, 1]
        assert rebuilt.tolist() == stored["probability"].tolist()


def test_no_fit_ever_looks_at_patients_it_does_not_train_on():
    external = SPLITS.loc[SPLITS["split"] == "external", "patient_id"]
    wild = FEATURES.copy()
    radiomics = [name for name in FEATURES if name.startswith("wash_in")]
    wild.loc[external, radiomics] = wild.loc[external, radiomics] * 50 + 7
    mixed = SPLITS.assign(centre=np.where(SPLITS["split"] == "external", "B", np.where(SPLITS.index % 2, "A", "A2")))
    before, after = (
        baselines.cross_fit(features, mixed, VARIABLES, PREPARED, 1, _with_other_masks()).predictions
        for features in (FEATURES, wild)
    )
    others = ~before["patient_id"].isin(external)
    assert before[others].equals(after[others])
    assert not before[~others].equals(after[~others])


def test_nothing_is_prepared_without_radiomics_or_where_the_settings_say_so():
    readings = baselines.feature_frame(COHORT, VARIABLES, None)
    assert baselines.prepare(readings, SPLITS, VARIABLES, PREPARED, _with_other_masks()) == []
    plain = QUICK.model_copy(update={"minimum_icc": 0})
    assert baselines.prepare(FEATURES, SPLITS, VARIABLES, plain, _with_other_masks()) == []
    both = baselines.prepare(FEATURES, SPLITS, VARIABLES, PREPARED, _with_other_masks())
    assert [name for name, _ in both] == ["stable", "harmonise"]


@pytest.mark.slow
def test_permuted_labels_leave_nothing_to_find():
    """Mean over repetitions is near 0.5: neither a leak (above) nor a bias of pooled folds (below)."""
    settings = QUICK.model_copy(update={"models": ("logistic_elastic_net", "svm")})
    aucs = []
    for seed in range(8):
        cohort, splits = invent(330, seed, effect=0.0)
        features = baselines.feature_frame(cohort, VARIABLES, invent_radiomics(cohort, seed, effect=0.0))
        scores = baselines.cross_fit(features, splits, VARIABLES, settings, seed).predictions
        scores = scores[scores["split"] == "development"]
        aucs += [roc_auc_score(s["label"], s["probability"]) for _, s in scores.groupby("model")]
    assert 0.45 < np.mean(aucs) < 0.55
    assert np.mean([0.40 <= value <= 0.60 for value in aucs]) >= 0.8
