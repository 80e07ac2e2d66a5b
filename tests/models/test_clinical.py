"""The clinical model from screen to frozen model, cross-fitted."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from her2study.models import clinical
from her2study.models.frozen import predict_frozen
from her2study.models.provenance import check_out_of_fold
from her2study.study import Clinical
from tests.models.invented import VARIABLES, development, invent, oracle_patients

SETTINGS = Clinical(screen_p=0.1, keep_p=0.05)


def test_table_and_frozen_model_tell_the_same():
    table, frozen = clinical.analyse(oracle_patients(), VARIABLES, SETTINGS)
    final = table[table["analysis"] == "multivariable"].set_index("term")
    assert list(final.index) == ["log(node_mm)", "rim=yes"]
    coefficients = {term["name"]: term["coefficient"] for term in frozen["terms"]}
    assert np.log(final["odds_ratio"]).to_dict() == pytest.approx(coefficients)
    assert (final["odds_ratio_low"] < final["odds_ratio"]).all()
    assert (final["odds_ratio"] < final["odds_ratio_high"]).all()
    assert (final["odds_ratio_profile_low"] < final["odds_ratio"]).all()
    assert (final["odds_ratio"] < final["odds_ratio_profile_high"]).all()
    assert set(final["method"]) == {frozen["method"]} == {"maximum likelihood"}
    univariable = table[table["analysis"] == "univariable"].set_index("variable")
    assert univariable.index[univariable["selected"]].tolist() == ["node_mm", "rim"]
    assert univariable.loc["age_years", "note"] == "did not pass the screen"
    assert frozen["training"]["patients"] == 220
    drawn = clinical.forest(table)
    assert drawn["odds_ratio"].notna().all()
    assert set(drawn["analysis"]) == {"univariable", "multivariable"}


def test_separation_is_firths_and_said_in_table_and_frozen_model():
    patients = oracle_patients()
    patients["rim"] = np.where((patients["label"] == 1) & (patients["rim"] == "yes"), "yes", "no")
    table, frozen = clinical.analyse(patients, VARIABLES, SETTINGS)
    rows = table[table["variable"] == "rim"].set_index("analysis")
    assert rows["method"].tolist() == ["Firth", "Firth"]
    assert rows["note"].str.contains("because of separation").all()
    assert frozen["method"] == "Firth"
    assert np.isfinite(clinical.forest(table)[["odds_ratio_low", "odds_ratio_high"]]).all(axis=None)
    one = table[(table["analysis"] == "univariable") & (table["variable"] == "age_years")].iloc[0]
    assert (one["method"], one["note"]) == ("maximum likelihood", "did not pass the screen")


def test_a_null_model_has_a_table_without_multivariable_rows():
    table, frozen = clinical.analyse(oracle_patients(), VARIABLES, Clinical(screen_p=1e-9))
    assert frozen["null_model"]
    assert set(table["analysis"]) == {"univariable"}


def test_cross_fitting_never_scores_a_patient_it_saw():
    cohort, splits = invent()
    result = clinical.cross_fit(cohort, splits, VARIABLES, SETTINGS)
    check_out_of_fold(result.predictions, result.trained_on, splits)
    assert sorted(result.predictions["patient_id"]) == sorted(cohort["patient_id"])
    assert result.log["fold"].tolist() == [-1, 0, 1, 2]


def test_fold_is_blind_to_its_own_labels():
    """Turning the labels of fold 0 round changes no probability of fold 0: screen and selection are inside."""
    cohort, splits = invent()
    turned, where = cohort.copy(), splits["fold"] == 0
    turned.loc[where, "label"] = 1 - turned.loc[where, "label"]
    before, after = (
        clinical.cross_fit(patients, splits, VARIABLES, SETTINGS).predictions.query("fold == 0")["probability"]
        for patients in (cohort, turned)
    )
    assert before.tolist() == after.tolist()


def test_external_scores_are_those_of_the_frozen_model():
    cohort, splits = invent()
    _, frozen = clinical.analyse(development(cohort, splits), VARIABLES, SETTINGS)
    scored = clinical.cross_fit(cohort, splits, VARIABLES, SETTINGS).predictions
    external = scored[scored["split"] == "external"].set_index("patient_id")["probability"]
    patients = cohort[cohort["patient_id"].isin(external.index)]
    assert predict_frozen(frozen, patients) == pytest.approx(external.loc[patients["patient_id"]].to_numpy(), rel=1e-12)


def test_leaving_a_centre_out_scores_every_patient_by_other_centres():
    cohort, splits = invent()
    left_out = clinical.leave_one_centre_out(cohort, splits, VARIABLES, SETTINGS)
    assert sorted(left_out["patient_id"]) == sorted(cohort["patient_id"])
    turned = cohort.assign(label=cohort["label"].where(cohort["centre"] == "A", 1 - cohort["label"]))
    again = clinical.leave_one_centre_out(turned, splits, VARIABLES, SETTINGS)
    in_b = left_out["centre"] == "B"
    assert left_out.loc[in_b, "probability"].tolist() == again.loc[in_b, "probability"].tolist()
    assert left_out.loc[~in_b, "probability"].tolist() != again.loc[~in_b, "probability"].tolist()


@pytest.mark.slow
def test_permuted_labels_leave_nothing_to_find():
    aucs = []
    for seed in range(20):
        cohort, splits = invent(400, seed, effect=0.0)
        scores = clinical.cross_fit(cohort, splits, VARIABLES, SETTINGS).predictions.query("split == 'development'")
        aucs.append(roc_auc_score(scores["label"], scores["probability"]))
    assert 0.46 < np.mean(aucs) < 0.54
    assert np.mean([0.40 <= value <= 0.60 for value in aucs]) >= 0.9
