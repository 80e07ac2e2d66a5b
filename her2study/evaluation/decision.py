"""Decision curves: what acting on a model is worth at each threshold probability.

Vickers and Elkin, Medical Decision Making 2006. Net benefit = TP/n - FP/n · t/(1 - t), where a
patient is treated when her probability is at least t. Only for probabilities of patients the model
has not seen, pooled once.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from her2study.evaluation.bootstrap import resample, weighted_mean
from her2study.evaluation.checks import check_scores
from her2study.evaluation.intervals import percentile
from her2study.evaluation.predictions import by_split
from her2study.types import StudyError


def threshold_grid(low: float, high: float, step: float = 0.01) -> NDArray[np.float64]:
    """Threshold probabilities from ``low`` to ``high`` in steps of ``step``, both ends included."""
    return np.round(low + step * np.arange(round((high - low) / step) + 1), 10)


def net_benefit(labels: ArrayLike, probabilities: ArrayLike, thresholds: ArrayLike) -> NDArray[np.float64]:
    """Net benefit ``(thresholds, k)`` of probabilities ``(n,)`` or ``(n, k)``, per patient.

    Raises
    ------
    StudyError
        A threshold is not strictly between 0 and 1; labels and scores as in ``roc.auc``.
    """
    labels, matrix = check_scores(labels, probabilities)
    gains = np.stack([_gains(labels, column, _checked(thresholds)) for column in matrix.T], axis=2)
    return gains.mean(axis=0)


def decision_curve(
    predictions: pd.DataFrame,
    thresholds: ArrayLike,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Net benefit of each model, of treating all and of treating none, in each split.

    The band is pointwise, from an ordinary bootstrap of patients (the prevalence varies too), and
    all curves of a split share their resamples.

    Returns columns ``split, model, threshold, net_benefit, low, high``.
    """
    thresholds, parts = _checked(thresholds), []
    for split, models, labels, scores in by_split(predictions):
        labels, scores = check_scores(labels, scores)
        # a probability of 1 is at or above, one of -1 below every threshold
        everyone, nobody = np.ones(len(labels)), np.full(len(labels), -1.0)
        for model, column in zip((*models, "treat_all", "treat_none"), (*scores.T, everyone, nobody), strict=True):
            gains = _gains(labels, column, thresholds)
            drawn = resample(lambda weights, g=gains: weighted_mean(g, weights), np.zeros(len(labels)), resamples, seed)
            bands = [percentile(float(e), d, confidence) for e, d in zip(gains.mean(axis=0), drawn.T, strict=True)]
            part = pd.DataFrame(bands, columns=["net_benefit", "low", "high"])
            parts.append(part.assign(split=split, model=model, threshold=thresholds))
    return pd.concat(parts, ignore_index=True)[["split", "model", "threshold", "net_benefit", "low", "high"]]


def useful_range(curve: pd.DataFrame, split: str, model: str) -> NDArray[np.float64]:
    """Thresholds at which a model beats treating all and treating none, from :func:`decision_curve`.

    Point estimates only; the band says how sure that is.
    """
    wide = curve[curve["split"] == split].pivot(index="threshold", columns="model", values="net_benefit")  # noqa: PD010
    better = (wide[model] > wide["treat_all"]) & (wide[model] > wide["treat_none"])
    return wide.index[better].to_numpy()


def _gains(labels: NDArray, probabilities: NDArray, thresholds: NDArray) -> NDArray[np.float64]:
    """What each patient adds at each threshold, ``(n, thresholds)``: 1, minus the odds, or 0 if not treated."""
    treated = probabilities[:, None] >= thresholds[None, :]
    odds = thresholds / (1 - thresholds)
    return treated * np.where(labels[:, None] == 1, 1.0, -odds[None, :])


def _checked(thresholds: ArrayLike) -> NDArray[np.float64]:
    thresholds = np.atleast_1d(np.asarray(thresholds, float))
    outside = thresholds[~((thresholds > 0) & (thresholds < 1))]
    if len(outside):
        raise StudyError(f"decision threshold {outside[0]} must lie strictly between 0 and 1 (its odds weigh the harm)")
    return thresholds
