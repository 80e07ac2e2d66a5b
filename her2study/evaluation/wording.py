"""Names of models and splits, and numbers, as sentences have them; a model may come from anywhere."""

from __future__ import annotations

import math

from her2study.words import interval, number, p_value

MODEL_LABELS = {
    "dscore": "D-score",
    "clinical": "Clinical",
    "combined": "Combined",
    "logistic_elastic_net": "Elastic-net logistic regression",
    "svm": "Support vector machine",
    "random_forest": "Random forest",
    "xgboost": "XGBoost",
    "lightgbm": "LightGBM",
    "knn": "k-nearest neighbours",
    "mlp": "Multilayer perceptron",
    "centre_only": "Centre only",
    "oracle_combined": "Oracle, all factors",
    "oracle_image": "Oracle, image only",
    "treat_all": "Treat all",
    "treat_none": "Treat none",
}
"""Printed names of the models that this package makes, in the order of a paper."""

SENTENCE_NAMES = {"dscore": "the D-score", "treat_all": "treating everyone", "treat_none": "treating nobody"}
"""Names that are no "model" in a sentence."""

NOUNS = ("machine", "forest", "perceptron", "regression")
"""Ends of names after which a sentence needs no "model"."""

UPDATES = {
    "_intercept_updated": "intercept",
    "_slope_updated": "intercept and slope",
    "_intercept_local": "intercept",
    "_slope_local": "intercept and slope",
}
"""What a recalibrated model's name ends with, and what was updated: in development
(:mod:`her2study.evaluation.recalibration`) or on new patients (:mod:`her2study.evaluation.local_recalibration`)."""

SPLIT_WORDS = {
    "development": "development patients (out-of-fold)",
    "internal": "internal validation patients",
    "external": "external patients",
    "all": "all patients",
}
"""Who the patients of a split are."""


def updated(model: str) -> tuple[str, str] | None:
    """``("combined", "intercept")`` of ``combined_intercept_updated``; None of a model that was not recalibrated."""
    for ending, what in UPDATES.items():
        if model.endswith(ending) and model != ending:
            return model.removesuffix(ending), what
    return None


def model_words(model: str) -> str:
    """A model in the middle of a sentence; one this package does not make is named as its author did."""
    if recalibrated := updated(model):
        return f"{model_words(recalibrated[0])} with updated {recalibrated[1]}"
    if model in SENTENCE_NAMES:
        return SENTENCE_NAMES[model]
    if model not in MODEL_LABELS:
        return f"the model '{model}'"
    label = MODEL_LABELS[model]
    words = label[0].lower() + label[1:] if label == label.capitalize() else label
    return f"the {words}" if words.endswith(NOUNS) else f"the {words} model"


def split_words(split: str) -> str:
    """The patients of a split in the middle of a sentence."""
    return SPLIT_WORDS.get(split, f"patients of the split '{split}'")


def estimate(x: float, low: float, high: float, decimals: int = 2) -> str:
    """``0.75 (0.65 to 0.84)``; ``0.75 (no interval)`` where none could be estimated."""
    if math.isfinite(x) and not (math.isfinite(low) and math.isfinite(high)):
        return f"{number(x, decimals)} (no interval)"
    return interval(x, low, high, decimals)


def p_words(p: float) -> str:
    """``= 0.032`` or ``< 0.001``, as it follows the letter p."""
    text = p_value(p)
    return text if text[0] in "<>" else f"= {text}"
