"""Tests of the comparison of training and new patients, and of the AUC that probabilities promise."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score

from her2study.evaluation.transport import MEASURES, model_based_auc, training_and_new, transport_sentences
from tests.evaluation.golden import make_predictions


def by_definition(p: np.ndarray) -> float:
    """Van Klaveren's formula, pair by pair."""
    above = total = 0.0
    for i in range(len(p)):
        for j in range(len(p)):
            if i != j:
                pair = p[i] * (1 - p[j])
                total += pair
                above += pair * ((p[i] > p[j]) + (p[i] == p[j]) / 2)
    return above / total


@given(st.lists(st.sampled_from([0.05, 0.1, 0.3, 0.30001, 0.5, 0.9]), min_size=2, max_size=12))
def test_model_based_auc_equals_its_definition(probabilities):
    assert model_based_auc(probabilities) == pytest.approx(by_definition(np.array(probabilities)), abs=1e-12)


def test_model_based_auc_is_what_a_right_model_reaches():
    rng = np.random.default_rng(0)
    p = 1 / (1 + np.exp(-1.2 * rng.normal(size=400)))
    reached = [roc_auc_score(rng.random(400) < p, p) for _ in range(300)]
    assert model_based_auc(p) == pytest.approx(np.mean(reached), abs=0.003)
    even = (np.arange(2000) + 0.5) / 2000  # from 0 to 1 alike: 4 times the integral of x (x - x²/2) is 5/6
    assert model_based_auc(even) == pytest.approx(5 / 6, abs=1e-3)
    assert model_based_auc(np.full(50, 0.3)) == pytest.approx(0.5, abs=1e-12)
    assert np.isnan(model_based_auc([0.3]))
    assert np.isnan(model_based_auc([1.0, 1.0]))


def test_training_and_new_patients_stand_beside_each_other():
    predictions = make_predictions({"net": 2.0, "weak": 0.3}, n=90)
    table = training_and_new(predictions, ["weak", "net"], resamples=50)
    assert table["model"].drop_duplicates().tolist() == ["weak", "net"]
    assert table["measure"].tolist() == list(MEASURES) * 2
    for split, column in (("development", "training"), ("external", "new")):
        own = predictions[(predictions["split"] == split) & (predictions["model"] == "net")]
        here = table[table["model"] == "net"].set_index("measure")[column]
        assert here["auc"] == pytest.approx(roc_auc_score(own["label"], own["probability"]), abs=1e-12)
        assert here["brier"] == pytest.approx(brier_score_loss(own["label"], own["probability"]), abs=1e-12)
        assert here["observed"] == pytest.approx(own["label"].mean())
        assert here["predicted"] == pytest.approx(own["probability"].mean())
    tested = table[table["p"].notna()]
    assert tested["measure"].tolist() == ["auc", "auc"]
    np.testing.assert_allclose(tested["difference"], tested["new"] - tested["training"])


def test_without_training_scores_only_the_new_patients_are_told():
    predictions = make_predictions({"net": 2.0})
    table = training_and_new(predictions[predictions["split"] == "external"], ["net"], resamples=50)
    assert table["training"].isna().all()
    assert table["new"].notna().all()
    assert table["p"].isna().all()


def test_sentences_say_what_the_intervals_allow():
    predictions = make_predictions({"net": 2.0}, n=150)
    same, mixed = transport_sentences(training_and_new(predictions, ["net"], resamples=20)), predictions.copy()
    assert "there is no evidence that it differs" in same[0]
    rng = np.random.default_rng(1)
    new = mixed["split"] == "external"
    mixed.loc[new, "probability"] = rng.uniform(0.29, 0.31, new.sum())
    worse = transport_sentences(training_and_new(mixed, ["net"], resamples=20))
    assert "it is lower here; p < 0.001" in worse[0]
    assert worse[1] == (
        "If each of its probabilities were right, its AUC in these patients would be 0.51, which agrees with what it "
        "reaches."
    )
    mixed.loc[new, "probability"] = rng.uniform(0.01, 0.99, new.sum())
    wrong = transport_sentences(training_and_new(mixed, ["net"], resamples=20))
    assert wrong[1].endswith("would be 0.84: it tells them apart less well than it claims to.")


def test_a_constant_model_cannot_be_tested():
    predictions = make_predictions({"net": 2.0}).assign(probability=0.3)
    sentences = transport_sentences(training_and_new(predictions, ["net"], resamples=20))
    assert sentences == [
        "The AUC of the model 'net' is 0.50 (0.50 to 0.50) in training (out-of-fold) and 0.50 (0.50 to 0.50) here: "
        "whether it differs cannot be tested."
    ]


def test_rows_of_other_splits_change_nothing():
    predictions = make_predictions({"net": 2.0})
    fewer = predictions[predictions["split"] != "internal"]
    pd.testing.assert_frame_equal(
        training_and_new(predictions, ["net"], resamples=20), training_and_new(fewer, ["net"], resamples=20)
    )
