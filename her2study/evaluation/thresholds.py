"""Thresholds chosen on development out-of-fold scores, frozen, and what they do elsewhere.

A patient is called positive when the score is at least the threshold. Nothing here chooses a threshold on internal or
external patients: :func:`choose_thresholds` looks at development only and :func:`threshold_metrics` takes thresholds
that exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.evaluation.confusion import rates
from her2study.evaluation.cutpoints import threshold_at_sensitivity, threshold_at_specificity, youden_threshold
from her2study.evaluation.predictions import by_split
from her2study.types import SPLITS, StudyError

RULES = ("youden", "sensitivity", "specificity")
"""How a threshold may be chosen; also the keys of a frozen model's ``thresholds``."""


def choose_thresholds(predictions: pd.DataFrame, rule: str = "youden", target: float | None = None) -> dict[str, float]:
    """The threshold of each model on its development out-of-fold scores, by one of :data:`RULES`.

    ``target`` is the sensitivity or specificity to reach, 0-1. Rows of other splits are not looked at.

    Raises
    ------
    StudyError
        There are no development rows: a threshold is never chosen on internal or external patients. An unknown
        rule, a target it does not take or lacks.
    """
    if rule not in RULES or (target is None) != (rule == "youden"):
        raise StudyError(
            f"threshold rule {rule!r} with target {target}: the rule is one of {', '.join(RULES)}; sensitivity and "
            "specificity need a target from 0 to 1, youden takes none"
        )
    development = predictions[predictions["split"] == "development"]
    if development.empty:
        offered = predictions["split"].value_counts()
        counted = " and ".join(f"{offered[split]} {split}" for split in SPLITS if split in offered) or "no"
        raise StudyError(
            f"no development rows in the predictions, only {counted} rows: a threshold is chosen on development "
            "out-of-fold scores and never on internal or external patients; give the frozen model's thresholds instead"
        )
    (part,) = by_split(development)
    return {
        model: _chosen(part.labels, column, rule, target)
        for model, column in zip(part.models, part.scores.T, strict=True)
    }


def frozen_thresholds(frozen: Mapping[str, Mapping[str, Any]], rule: str = "youden") -> dict[str, float]:
    """The thresholds that travel with frozen models, from ``{model: frozen model}``; those without are left out.

    A frozen model stores them as ``{"thresholds": {"youden": 0.31, "sensitivity": 0.12, ...}}``.
    """
    return {model: float(f["thresholds"][rule]) for model, f in frozen.items() if rule in f.get("thresholds", {})}


def threshold_metrics(
    predictions: pd.DataFrame,
    thresholds: Mapping[str, float],
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """What given thresholds do in each split: counts, and the rates of :func:`~her2study.evaluation.confusion.rates`.

    Returns columns ``split, model, n, positives, threshold, tp, fp, fn, tn`` and each rate with
    ``_low`` and ``_high``.

    Raises
    ------
    StudyError
        A model has no threshold.
    """
    check_thresholds(predictions, thresholds)
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


def operating_points(
    predictions: pd.DataFrame,
    targets: Mapping[str, float],
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    frozen: Mapping[str, Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """What the thresholds of several rules do in each split: Youden's, and those of ``targets``.

    ``targets`` is ``{"sensitivity": 0.9, "specificity": 0.9}`` or one of the two. A threshold that travels with a
    ``frozen`` model is used as it is; the others are chosen on the development rows, which must then be there.

    Returns columns ``rule, target`` (missing for Youden), then those of :func:`threshold_metrics`.

    Raises
    ------
    StudyError
        As :func:`choose_thresholds`.
    """
    parts = []
    for rule, target in {"youden": None, **targets}.items():
        thresholds = frozen_thresholds(frozen or {}, rule)
        open_models = predictions[~predictions["model"].isin(thresholds)]
        if len(open_models):
            thresholds |= choose_thresholds(open_models, rule, target)
        part = threshold_metrics(predictions, thresholds, confidence, resamples, seed)
        part.insert(0, "rule", rule)
        part.insert(1, "target", np.nan if target is None else float(target))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def confusion_counts(performance: pd.DataFrame) -> pd.DataFrame:
    """Data of the confusion figure, from the table of :func:`threshold_metrics`."""
    return performance[["split", "model", "threshold", "tp", "fp", "fn", "tn"]].reset_index(drop=True)


def check_thresholds(predictions: pd.DataFrame, thresholds: Mapping[str, float]) -> None:
    """Raise a StudyError that names the first model without a threshold."""
    without = sorted(set(predictions["model"]) - set(thresholds))
    if without:
        raise StudyError(
            f"model {without[0]!r} has no threshold; give one for each model, chosen on development "
            f"(have: {', '.join(sorted(thresholds)) or 'none'})"
        )


def _chosen(labels: NDArray, scores: NDArray, rule: str, target: float | None) -> float:
    """The threshold of one model by one of :data:`RULES`."""
    if rule == "youden":
        return youden_threshold(labels, scores)
    return (threshold_at_sensitivity if rule == "sensitivity" else threshold_at_specificity)(labels, scores, target)
