"""Scores of new patients are the study's own arithmetic; who cannot be scored is told why."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit

from her2study.imaging.preprocess import preprocess_patients
from her2study.models.apply import read_new_patients, score_patients
from her2study.models.apply.drivers import drivers, typical_probability, wald_interval
from her2study.models.inference import predict_logits
from her2study.models.likeness import FEWEST
from her2study.models.network import with_mask
from tests.imaging.patients import mask_path, phase_path
from tests.models.apply.hospital import CLINICAL, PATIENTS, bundle_of, hospital, stored
from tests.models.bundle.making import IMAGING, ODD


@pytest.fixture(scope="module")
def applied(tmp_path_factory):
    """Three patients with scans, one of whom has an unfit mask, and one without scans."""
    place = tmp_path_factory.mktemp("hospital")
    extra = pd.DataFrame([{"patient_id": "P4", "centre": "Süd", "rim": None, "node_mm": "55"}])
    data = hospital(place / "new", pd.concat([PATIENTS, extra]))
    phase_path(data, "P2", 2).unlink()
    bundle = stored(place / "bundle")
    return bundle, data, score_patients(bundle, read_new_patients(bundle, data))


def test_the_d_score_is_the_calibrated_mean_logit_of_the_fold_networks(applied, tmp_path):
    bundle, data, found = applied
    cohort = PATIENTS[PATIENTS["patient_id"] != "P2"].sort_values("patient_id")
    done = preprocess_patients(cohort, data, IMAGING, tmp_path)
    channels = with_mask(done.channels, done.mask)
    logits = np.stack([predict_logits(network, channels, True) for network in bundle.networks()])
    scores = found.scores.set_index("patient_id").loc[["P1", "P3"]]
    np.testing.assert_allclose(scores["dscore"], expit(0.1 + 2.0 * logits.mean(axis=0)), rtol=0, atol=1e-12)
    np.testing.assert_allclose(scores["dscore_low"], expit(0.1 + 2.0 * logits.min(axis=0)), rtol=0, atol=1e-12)
    assert (scores["dscore_low"] < scores["dscore"]).all()


def test_the_combined_model_is_its_equation(applied):
    scores = applied[2].scores.set_index("patient_id")
    expected = expit(-1.25 + 0.8 * logit(scores["dscore"]) + ODD * np.array([0, np.nan, 1, np.nan]))
    np.testing.assert_allclose(scores["combined"], expected, rtol=0, atol=1e-12)
    expected = expit(-3 + 0.7 * np.array([0, 1, 1, 0]) + 1.1 * np.log([5.5, 9, 12, 55]))
    np.testing.assert_allclose(scores["clinical"], expected, rtol=0, atol=1e-12)


def test_who_has_no_d_score_is_answered_by_the_clinical_model_under_its_name(applied):
    scores = applied[2].scores.set_index("patient_id")
    assert scores["model"].tolist() == ["combined", "clinical", "combined", "clinical"]
    assert "fewer than two phases" in scores.loc["P2", "reason_unscored"]
    assert "no scans" in scores.loc["P4", "reason_unscored"]
    assert (scores.loc[["P1", "P3"], "reason_unscored"] == "").all()
    np.testing.assert_array_equal(scores["probability"], scores["combined"].fillna(scores["clinical"]))
    above = scores["probability"] >= 0.3
    assert scores["verdict_youden"].tolist() == ["positive" if high else "negative" for high in above]


def test_nobody_is_scored_silently(applied):
    flags = applied[2].flags
    own = flags[flags["patient_id"] == "P4"].set_index("kind")["text"]
    assert "outside the training range 3 to 40" in own["range"]
    assert own["imputed"] == "Rim is missing: no is taken, their most frequent category in training"
    assert own["range"] in applied[2].scores.set_index("patient_id").loc["P4", "flags"]


def test_a_patients_score_does_not_depend_on_who_is_scored_with_her(applied, tmp_path):
    bundle, data, found = applied
    new = read_new_patients(bundle, data)
    alone = new._replace(table=new.table[new.table["patient_id"] == "P3"])
    columns = ["dscore", "dscore_low", "dscore_high", "clinical", "combined"]
    one = score_patients(bundle, alone).scores[columns].to_numpy()[0]
    np.testing.assert_array_equal(one, found.scores.set_index("patient_id").loc["P3", columns].to_numpy(dtype=float))


def test_scans_without_a_table_are_scored_by_the_network_alone(applied):
    bundle, data, found = applied
    (data / "patients.csv").rename(data / "away")
    try:
        scores = score_patients(bundle, read_new_patients(bundle, data)).scores.set_index("patient_id")
    finally:
        (data / "away").rename(data / "patients.csv")
    # without times the first and the last phase after contrast are read, here the same files
    assert scores.loc["P1", "dscore"] == found.scores.set_index("patient_id").loc["P1", "dscore"]
    assert scores["model"].tolist() == ["dscore", "", "dscore"]
    assert scores.loc["P1", "reason_unscored"] == "no table with the predictors"
    assert "phase times not recorded" in scores.loc["P1", "flags"]


def test_a_missing_mask_is_a_reason_and_stops_nobody_else(tmp_path):
    bundle, data = stored(tmp_path / "bundle"), hospital(tmp_path / "new", scans=("P1", "P3"))
    mask_path(data, "P1").unlink()
    scores = score_patients(bundle, read_new_patients(bundle, data)).scores.set_index("patient_id")
    assert "no lesion mask file" in scores.loc["P1", "reason_unscored"]
    assert np.isfinite(scores.loc["P3", "dscore"])


def test_scans_unlike_those_of_training_are_flagged(tmp_path):
    known = {"label": "lesion volume", "unit": "ml", "log": True, "low": 20.0, "high": 30.0}
    reference = {"patients": FEWEST, "channels": ["pre", "wash_in", "wash_out"], "ranges": {"volume_ml": known},
                 "pictures": {}}  # fmt: skip
    bundle, data = stored(tmp_path / "bundle", likeness=reference), hospital(tmp_path / "new", scans=("P1",))
    flags = score_patients(bundle, read_new_patients(bundle, data)).flags
    (text,) = flags.loc[flags["kind"] == "pictures", "text"]
    assert "(training scans 20 to 30 ml)" in text


def test_a_d_score_made_elsewhere_is_a_column_of_the_table(tmp_path):
    bundle = bundle_of(0, logistic=bundle_of(2).logistic)
    data = hospital(tmp_path / "new", PATIENTS.assign(dscore=["0.4", "1.4", "0.2"]), scans=())
    scores = score_patients(bundle, read_new_patients(bundle, data)).scores.set_index("patient_id")
    expected = expit(-1.25 + 0.8 * logit(np.array([0.2, 0.4])) + ODD)
    np.testing.assert_allclose(scores.loc[["P2", "P3"], "combined"], expected, atol=1e-12)
    assert scores.loc["P1", "model"] == "clinical"  # 1.4 is no probability


def test_contributions_lead_from_the_typical_patient_to_the_probability():
    patients = pd.DataFrame({"patient_id": ["a", "b"], "rim": ["yes", None], "node_mm": [20.0, np.nan]})
    parts = drivers("clinical", CLINICAL, patients)
    typical = logit(typical_probability(CLINICAL))
    assert typical == pytest.approx(-3 + 1.1 * np.log(8))
    total = typical + parts.groupby("patient_id")["contribution"].sum()
    assert total["a"] == pytest.approx(-3 + 0.7 + 1.1 * np.log(20))
    assert total["b"] == pytest.approx(typical)
    assert parts.loc[parts["patient_id"] == "b", "imputed"].all()


def test_the_interval_is_that_of_a_fitted_logistic_regression():
    rng = np.random.default_rng(0)
    x = rng.normal(2, 0.5, 80)
    fit = sm.GLM(rng.random(80) < expit(x - 2), sm.add_constant(x), family=sm.families.Binomial()).fit()
    frozen = {
        **CLINICAL, "intercept": fit.params[0], "covariance": fit.cov_params().tolist(),
        "terms": [CLINICAL["terms"][1] | {"kind": "value", "coefficient": fit.params[1]}],
        "variables": {"node_mm": CLINICAL["variables"]["node_mm"]},
    }  # fmt: skip
    low, high = wald_interval(frozen, pd.DataFrame({"patient_id": range(80), "node_mm": x}), 1.959963984540054)
    frame = fit.get_prediction().summary_frame()
    np.testing.assert_allclose(low, frame["mean_ci_lower"], rtol=1e-9)
    np.testing.assert_allclose(high, frame["mean_ci_upper"], rtol=1e-9)
