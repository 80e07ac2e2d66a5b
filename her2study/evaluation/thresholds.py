"""Thresholds chosen on development out-of-fold scores, frozen, and what they do elsewhere.

A patient is called positive when the score is at least the threshold. Nothing here chooses a
threshold on internal or external patients: :func:`choose_thresholds` looks at development only and
:func:`threshold_metrics` takes thresholds that exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from her2study.evaluation.checks import check_scores
from her2study.evaluation.intervals import columns, percentile, wilson
from her2study.evaluation.predictions import by_split
from her2study.types import StudyError


def youden_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """Threshold with the largest sensitivity + specificity - 1 (Youden 1950).

    Candidates are the midpoints between neighbouring distinct scores (as in pROC), so that a frozen
    threshold does not sit on a patient. Of equally good ones the lowest is taken: it has the highest
    sensitivity. A constant score has itself as threshold, which calls everyone positive.
    """
    candidates, sensitivity, specificity = _operating_points(labels, scores)
    # one count of patients is a larger step than rounding, so rounded sums tie exactly
    return float(candidates[np.argmax(np.round(sensitivity + specificity, 12))])


def threshold_at_sensitivity(labels: ArrayLike, scores: ArrayLike, sensitivity: float) -> float:
    """The highest threshold whose sensitivity is at least ``sensitivity`` (0-1)."""
    candidates, reached, _ = _operating_points(labels, scores)
    enough = reached >= sensitivity - 1e-12
    return float(candidates[enough].max()) if enough.any() else float(np.min(np.asarray(scores, float)))


def choose_thresholds(predictions: pd.DataFrame) -> dict[str, float]:
    """Youden's threshold of each model on its development out-of-fold scores.

    Raises
    ------
    StudyError
        There are no development rows: a threshold is never chosen on internal or external patients.
    """
    development = predictions[predictions["split"] == "development"]
    if development.empty:
        raise StudyError(
            "no development rows in the predictions: a threshold is chosen on development out-of-fold scores and "
            "never on internal or external patients; give the frozen model's thresholds instead"
        )
    (part,) = by_split(development)
    return {
        model: youden_threshold(part.labels, column) for model, column in zip(part.models, part.scores.T, strict=True)
    }


def frozen_thresholds(frozen: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The thresholds that travel with frozen models, from ``{model: frozen model}``; those without are left out."""
    return {
        model: float(f["thresholds"]["youden"]) for model, f in frozen.items() if "youden" in f.get("thresholds", {})
    }


def threshold_metrics(
    predictions: pd.DataFrame,
    thresholds: Mapping[str, float],
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """What given thresholds do in each split: counts and rates with intervals.

    Sensitivity, specificity, PPV, NPV and accuracy carry Wilson intervals; balanced accuracy, F1 and MCC
    stratified bootstrap percentile intervals. A rate with an empty denominator is missing; MCC is 0 when
    everyone is called the same.

    Returns columns ``split, model, n, positives, threshold, tp, fp, fn, tn`` and each metric with
    ``_low`` and ``_high``.

    Raises
    ------
    StudyError
        A model has no threshold.
    """
    without = sorted(set(predictions["model"]) - set(thresholds))
    if without:
        raise StudyError(
            f"model {without[0]!r} has no threshold; give one for each model, chosen on development "
            f"(have: {', '.join(sorted(thresholds)) or 'none'})"
        )
    rows = []
    for split, models, labels, scores in by_split(predictions):
        for model, column in zip(models, scores.T, strict=True):
            called = column >= thresholds[model]
            tp, fp = int((called & (labels == 1)).sum()), int((called & (labels == 0)).sum())
            fn, tn = int(labels.sum()) - tp, int((1 - labels).sum()) - fp
            row = {"split": split, "model": model, "n": len(labels), "positives": tp + fn}
            row |= {"threshold": float(thresholds[model]), "tp": tp, "fp": fp, "fn": fn, "tn": tn}
            rows.append(row | rates(tp, fp, fn, tn, confidence, resamples, seed))
    return pd.DataFrame(rows)


def rates(
    tp: int, fp: int, fn: int, tn: int, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> dict[str, float]:
    """Rates of one confusion matrix with their intervals; see :func:`threshold_metrics`.

    Resampling patients within each class changes the matrix through two binomial counts only, so the
    bootstrap draws those.
    """
    proportions = {
        "sensitivity": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "ppv": (tp, tp + fp),
        "npv": (tn, tn + fn),
        "accuracy": (tp + tn, tp + fp + fn + tn),
    }
    row = {}
    for name, (successes, n) in proportions.items():
        row |= columns(name, wilson(successes, n, confidence))
    positives, negatives = tp + fn, fp + tn
    rng = np.random.default_rng([seed, tp, fp, fn, tn])
    tp_drawn = rng.binomial(positives, tp / max(positives, 1), size=resamples)
    fp_drawn = rng.binomial(negatives, fp / max(negatives, 1), size=resamples)
    drawn = _composite(tp_drawn, fp_drawn, positives - tp_drawn, negatives - fp_drawn)
    for name, estimate in _composite(*(np.array([count]) for count in (tp, fp, fn, tn))).items():
        row |= columns(name, percentile(float(estimate[0]), drawn[name], confidence))
    return row


def confusion_counts(performance: pd.DataFrame) -> pd.DataFrame:
    """Data of the confusion figure, from the table of :func:`threshold_metrics`."""
    return performance[["split", "model", "threshold", "tp", "fp", "fn", "tn"]].reset_index(drop=True)


def _composite(tp: NDArray, fp: NDArray, fn: NDArray, tn: NDArray) -> dict[str, NDArray[np.float64]]:
    """Balanced accuracy, F1 and MCC of many confusion matrices at once."""
    tp, fp, fn, tn = (np.asarray(count, float) for count in (tp, fp, fn, tn))
    margins = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return {
        "balanced_accuracy": (_share(tp, tp + fn) + _share(tn, tn + fp)) / 2,
        "f1": _share(2 * tp, 2 * tp + fp + fn),
        "mcc": np.divide(tp * tn - fp * fn, margins, out=np.zeros_like(margins), where=margins > 0),
    }


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def _operating_points(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray, NDArray, NDArray]:
    """Candidate thresholds in rising order, with the sensitivity and specificity of each."""
    labels, matrix = check_scores(labels, scores)
    scores = matrix[:, 0]
    distinct = np.unique(scores)
    lower, upper = distinct[:-1], distinct[1:]
    middle = lower + (upper - lower) / 2
    # two scores with no number between them: the upper one separates them
    candidates = np.where(middle > lower, middle, upper) if len(distinct) > 1 else distinct
    positives, negatives = np.sort(scores[labels == 1]), np.sort(scores[labels == 0])
    sensitivity = 1 - np.searchsorted(positives, candidates, side="left") / len(positives)
    specificity = np.searchsorted(negatives, candidates, side="left") / len(negatives)
    return candidates, sensitivity, specificity
