"""From fold scores to calibrated, out-of-fold probabilities."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import torch
from scipy.special import expit, logit

from her2study.models.dscore import (
    calibrated_predictions,
    fit_calibration,
    frozen_description,
    gather_logits,
    gather_trained_on,
    score_fold,
    thaw,
)
from her2study.models.inference import predict_logits
from her2study.models.network import DScoreNetwork, weights_to_arrays
from her2study.models.pretrained import Pretrained
from her2study.models.provenance import check_out_of_fold, make_trained_on
from her2study.study import Network
from her2study.types import PREDICTION_COLUMNS, StudyError

SETTINGS = Network(epochs=1, widths=(4, 4, 4, 4), layers=(1, 1, 1, 1))


def make_splits(n=200, seed=0):
    rng = np.random.default_rng(seed)
    rows = np.arange(n)
    outside = rows % 5 == 4
    return pd.DataFrame(
        {
            "patient_id": [f"P{row:03d}" for row in rows],
            "centre": "A",
            "label": (rng.random(n) < 0.4).astype(int),
            "split": np.where(outside, "external", "development"),
            "fold": np.where(outside, -1, rows % 2),
        }
    )


def make_scores(splits, seed=0):
    """Logits of two fold networks for everyone they did not see."""
    rng = np.random.default_rng(seed)
    scores = []
    for fold in (0, 1):
        unseen = splits[(splits["split"] != "development") | (splits["fold"] == fold)]
        logits = 2 * unseen["label"] + rng.normal(0, 1.5, len(unseen)) + 1
        scores.append(unseen[["patient_id", "split"]].assign(fold=fold, logit=logits, probability=expit(logits)))
    return scores


def test_scores_cover_exactly_the_unseen():
    splits = make_splits(20)
    torch.manual_seed(0)
    network = DScoreNetwork(SETTINGS).eval()
    channels = np.random.default_rng(0).normal(size=(20, 3, 8, 8, 8)).astype(np.float16)
    scores = score_fold(network, channels, splits, 1, SETTINGS)
    expected = splits.loc[(splits["split"] == "external") | (splits["fold"] == 1), "patient_id"]
    assert scores.columns.tolist() == ["patient_id", "split", "fold", "logit", "probability"]
    assert scores["patient_id"].tolist() == expected.tolist()
    assert (scores["fold"] == 1).all()
    row = int(scores["patient_id"][2][1:])
    assert scores["logit"][2] == pytest.approx(predict_logits(network, channels[[row]], True)[0], abs=1e-5)
    np.testing.assert_allclose(logit(scores["probability"]), scores["logit"])


def test_development_is_out_of_fold_and_the_rest_is_the_mean():
    splits = make_splits(20)
    scores = make_scores(splits)
    gathered = gather_logits(scores, splits).set_index("patient_id")["logit"]
    by_fold = [frame.set_index("patient_id")["logit"] for frame in scores]
    assert gathered["P000"] == by_fold[0]["P000"]
    assert gathered["P001"] == by_fold[1]["P001"]
    assert gathered["P004"] == pytest.approx((by_fold[0]["P004"] + by_fold[1]["P004"]) / 2)


def test_a_score_of_another_fold_is_not_used_for_development():
    splits = make_splits(20)
    scores = make_scores(splits)
    intruder = scores[0].head(1).assign(fold=1, logit=99.0)  # P000 belongs to fold 0
    gathered = gather_logits([scores[0], pd.concat([scores[1], intruder])], splits)
    assert gathered["logit"].max() < 99


def test_a_missing_score_is_refused():
    splits = make_splits(20)
    scores = make_scores(splits)
    with pytest.raises(StudyError, match=r"'P004' \(external, fold -1\) has 1 D-scores where 2 belong"):
        gather_logits([scores[0], scores[1][scores[1]["patient_id"] != "P004"]], splits)
    with pytest.raises(StudyError, match=r"'P001' \(development, fold 1\) has 0 D-scores where 1 belong"):
        gather_logits(scores[:1], splits)


def test_calibration_agrees_with_statsmodels():
    rng = np.random.default_rng(1)
    logits = rng.normal(1, 2, 4000)
    labels = (rng.random(4000) < expit(-1 + 0.6 * logits)).astype(int)
    found = fit_calibration(logits, labels)
    oracle = sm.Logit(labels, sm.add_constant(logits)).fit(disp=0).params
    # Platt's targets differ from the labels by about 1 / positives, hence the tolerance
    np.testing.assert_allclose([found.intercept, found.slope], oracle, atol=0.02)


def test_calibration_stays_finite_and_never_reverses():
    separated = fit_calibration(np.array([-2.0, -1, 1, 2]), np.array([0, 0, 1, 1]))
    assert 0 < separated.slope < 10
    reversed_scores = fit_calibration(np.array([2.0, 1, -1, -2]), np.array([0, 0, 1, 1]))
    assert reversed_scores.slope > 0
    constant = fit_calibration(np.zeros(4), np.array([0, 0, 0, 1]))
    assert np.isfinite(constant(np.zeros(1))).all()


def test_predictions_follow_the_contract_and_pass_the_check():
    splits = make_splits()
    predictions, _ = calibrated_predictions(gather_logits(make_scores(splits), splits))
    assert tuple(predictions.columns) == PREDICTION_COLUMNS
    assert predictions["patient_id"].is_monotonic_increasing
    check_out_of_fold(predictions, make_trained_on("dscore", splits), splits)


def test_probabilities_are_calibrated_on_average():
    splits = make_splits(2000)
    predictions, _ = calibrated_predictions(gather_logits(make_scores(splits), splits))
    development = predictions[predictions["split"] == "development"]
    assert development["probability"].mean() == pytest.approx(development["label"].mean(), abs=0.01)


def test_own_fold_and_outside_labels_do_not_calibrate():
    splits = make_splits()
    gathered = gather_logits(make_scores(splits), splits)
    predictions, calibration = calibrated_predictions(gathered)
    own = (gathered["fold"] == 0).to_numpy()
    tampered = gathered.assign(label=np.where(own, 1 - gathered["label"], gathered["label"]))
    changed, _ = calibrated_predictions(tampered)
    assert (changed["probability"][own] == predictions["probability"][own]).all()
    assert (changed["probability"][gathered["fold"] == 1] != predictions["probability"][gathered["fold"] == 1]).all()
    outside = (gathered["fold"] == -1).to_numpy()
    flipped = gathered.assign(label=np.where(outside, 1 - gathered["label"], gathered["label"]))
    assert calibrated_predictions(flipped)[1] == calibration


def test_ensemble_provenance_is_the_union():
    folds = {
        0: pd.DataFrame({"patient_id": ["P3", "P4"], "use": ["train", "inner"]}),
        1: pd.DataFrame({"patient_id": ["P1", "P4"], "use": ["train", "train"]}),
    }
    seen = gather_trained_on(folds)
    assert seen.columns.tolist() == ["model", "fold", "patient_id"]
    assert seen.groupby("fold")["patient_id"].agg(list).to_dict() == {
        -1: ["P1", "P3", "P4"],
        0: ["P3", "P4"],
        1: ["P1", "P4"],
    }


def test_frozen_network_thaws_to_the_same_scores():
    splits = make_splits(20)
    torch.manual_seed(0)
    network = DScoreNetwork(SETTINGS).eval()
    trained_on = pd.DataFrame({"patient_id": ["P000", "P002"], "use": "train"})
    description = frozen_description(trained_on, splits, 1, SETTINGS, {"spacing_mm": [1, 1, 1]})
    again = thaw(description, weights_to_arrays(network))
    channels = np.random.default_rng(0).normal(size=(2, 3, 8, 8, 8)).astype(np.float16)
    assert (predict_logits(again, channels, True) == predict_logits(network, channels, True)).all()
    assert description["training_patients"] == 2
    assert len(description["training_fingerprint"]) == 64
    assert description["preprocessing"] == {"spacing_mm": [1, 1, 1]}
    assert description["pretrained"] is None


def test_frozen_network_names_the_weights_it_started_from():
    trained_on = pd.DataFrame({"patient_id": ["P000", "P002"], "use": "train"})
    start = Pretrained({}, "brain.safetensors", "abc")
    description = frozen_description(trained_on, make_splits(20), 1, SETTINGS, {}, start)
    assert description["pretrained"] == {"file": "brain.safetensors", "sha256": "abc"}
