"""The combined model: out-of-fold D-scores only, and what they add."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.formula.api as smf
from scipy.stats import chi2

from her2study.models import combined
from her2study.models.frozen import predict_frozen
from her2study.models.provenance import check_out_of_fold
from her2study.study import Clinical
from her2study.types import StudyError
from tests.models.invented import VARIABLES, development, invent, invent_dscore

SETTINGS = Clinical(screen_p=0.1, keep_p=0.05)
COHORT, SPLITS = invent()
DSCORE, TRAINED_ON = invent_dscore(SPLITS)
PATIENTS = combined.with_dscore(COHORT, DSCORE, TRAINED_ON, SPLITS)


def test_in_sample_scores_are_refused():
    patient = SPLITS.loc[SPLITS["fold"] == 0, "patient_id"].iloc[0]
    seen = TRAINED_ON.copy()
    seen.loc[seen.index[seen["fold"] == 0][0], "patient_id"] = patient
    with pytest.raises(StudyError, match=patient):
        combined.with_dscore(COHORT, DSCORE, seen, SPLITS)


def test_a_patient_without_score_is_refused():
    with pytest.raises(StudyError, match="P005 has no D-score"):
        combined.with_dscore(COHORT, DSCORE[DSCORE["patient_id"] != "P005"], TRAINED_ON, SPLITS)


def test_agrees_with_statsmodels_formula():
    patients = development(PATIENTS, SPLITS)
    frozen = combined.fit_combined(patients, VARIABLES, SETTINGS)
    assert list(frozen["variables"]) == ["dscore", "node_mm", "rim"]
    fit = smf.logit("label ~ np.log(dscore / (1 - dscore)) + np.log(node_mm) + rim", patients).fit(disp=0)
    assert predict_frozen(frozen, patients) == pytest.approx(fit.predict(patients).to_numpy(), rel=1e-6)


def test_cross_fitting_is_out_of_fold_and_ends_in_the_frozen_model():
    result = combined.cross_fit(PATIENTS, SPLITS, VARIABLES, SETTINGS)
    check_out_of_fold(result.predictions, result.trained_on, SPLITS)
    frozen = combined.fit_combined(development(PATIENTS, SPLITS), VARIABLES, SETTINGS)
    outside = result.predictions[result.predictions["fold"] == -1]
    rows = PATIENTS.set_index("patient_id", drop=False).loc[outside["patient_id"]]
    assert predict_frozen(frozen, rows.reset_index(drop=True)).tolist() == outside["probability"].tolist()


def test_fold_is_blind_to_its_own_labels():
    turned = PATIENTS.assign(label=PATIENTS["label"].where(SPLITS["fold"] != 0, 1 - PATIENTS["label"]))
    before, after = (
        combined.cross_fit(patients, SPLITS, VARIABLES, SETTINGS).predictions.query("fold == 0")["probability"].tolist()
        for patients in (PATIENTS, turned)
    )
    assert before == after


def test_added_value_is_the_likelihood_ratio_test():
    patients = development(PATIENTS, SPLITS)
    row = combined.added_value(patients, VARIABLES, ["rim"]).iloc[0]
    larger, smaller = (
        smf.logit(formula, patients).fit(disp=0)
        for formula in ("label ~ np.log(dscore / (1 - dscore)) + rim", "label ~ rim")
    )
    assert row["chi_squared"] == pytest.approx(2 * (larger.llf - smaller.llf), rel=1e-6)
    assert row["p"] == pytest.approx(chi2.sf(row["chi_squared"], 1))
    assert row["p"] < 0.001


def test_a_perfect_dscore_is_told_to_be_a_leak():
    patients = development(PATIENTS, SPLITS)
    perfect = patients.assign(dscore=np.where(patients["label"] == 1, 0.9, 0.1))
    with pytest.raises(StudyError, match="review the D-scores for leakage"):
        combined.fit_combined(perfect, VARIABLES, SETTINGS)


def test_coefficients_are_the_frozen_models_with_both_intervals():
    patients = development(PATIENTS, SPLITS)
    frozen = combined.fit_combined(patients, VARIABLES, SETTINGS)
    rows = combined.coefficients(patients, VARIABLES, ["node_mm", "rim"])
    assert frozen["method"] == "maximum likelihood"
    assert rows["term"].tolist() == ["logit(dscore)", "log(node_mm)", "rim=yes"]
    assert np.log(rows["odds_ratio"]).tolist() == pytest.approx([term["coefficient"] for term in frozen["terms"]])
    test = combined.added_value(patients, VARIABLES, ["node_mm", "rim"]).iloc[0]
    assert rows["p_lrt"].iloc[0] == pytest.approx(test["p"])
    for kind in ("odds_ratio", "odds_ratio_profile"):
        assert (rows[f"{kind}_low"] < rows["odds_ratio"]).all()
        assert (rows["odds_ratio"] < rows[f"{kind}_high"]).all()


def test_predictors_that_separate_beside_a_good_dscore_are_firths():
    """Leakage is a D-score that separates alone; a level that separates is a small sample."""
    patients = development(PATIENTS, SPLITS)
    separated = patients.assign(rim=np.where((patients["label"] == 1) & (patients["rim"] == "yes"), "yes", "no"))
    frozen = combined.fit_combined(separated, VARIABLES, SETTINGS)
    assert "rim" in frozen["variables"]
    assert frozen["method"] == "Firth"
    predictors = [name for name in frozen["variables"] if name != "dscore"]
    rows = combined.coefficients(separated, VARIABLES, predictors)
    assert set(rows["method"]) == {"Firth"}
    assert np.isfinite(rows[["odds_ratio_low", "odds_ratio_high"]]).all(axis=None)
    assert np.isfinite(combined.added_value(separated, VARIABLES, predictors)["p"]).all()
    result = combined.cross_fit(separated, SPLITS[SPLITS["split"] == "development"], VARIABLES, SETTINGS)
    assert result.predictions["probability"].between(0, 1).all()
