"""Names in the middle of sentences, of models from here and from anywhere."""

import pytest

from her2study.evaluation.recalibration import UPDATES, updated_name
from her2study.evaluation.wording import MODEL_LABELS, estimate, model_words, p_words, split_words, updated

NAN = float("nan")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("dscore", "the D-score"),
        ("clinical", "the clinical model"),
        ("xgboost", "the XGBoost model"),
        ("svm", "the support vector machine"),
        ("logistic_elastic_net", "the elastic-net logistic regression"),
        ("treat_all", "treating everyone"),
        ("resnet_v2", "the model 'resnet_v2'"),
        ("combined_intercept_updated", "the combined model with updated intercept"),
        ("resnet_v2_slope_updated", "the model 'resnet_v2' with updated intercept and slope"),
    ],
)
def test_models_in_a_sentence(model, words):
    assert model_words(model) == words


def test_every_known_model_has_words_of_its_own():
    assert len({model_words(model) for model in MODEL_LABELS}) == len(MODEL_LABELS)


def test_recalibrated_models_are_known_by_the_name_recalibration_gives_them():
    assert [updated(updated_name("svm", how)) for how in UPDATES] == [
        ("svm", "intercept"),
        ("svm", "intercept and slope"),
    ]
    assert updated("svm") is None
    assert updated("_slope_updated") is None


def test_splits_in_a_sentence():
    assert split_words("external") == "external patients"
    assert split_words("all") == "all patients"
    assert split_words("lisbon") == "patients of the split 'lisbon'"


def test_numbers_in_a_sentence():
    assert estimate(-0.051, -0.1, 0.2) == "−0.05 (−0.10 to 0.20)"
    assert estimate(0.5, NAN, NAN) == "0.50 (no interval)"
    assert estimate(NAN, NAN, NAN) == "–"
    assert [p_words(p) for p in (0.0496, 0.00096, 1.0, NAN)] == ["= 0.050", "< 0.001", "> 0.999", "= –"]
