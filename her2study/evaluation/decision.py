"""Decision curves: what acting on a model is worth at each threshold probability.

A patient is treated when her probability is at least the threshold. Only for probabilities of patients
the model has not seen, pooled once. Bands are pointwise percentile intervals of an ordinary bootstrap of patients (the
prevalence varies too), and everything computed in a split shares its resamples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from her2study.evaluation.bootstrap import resample, weighted_mean
from her2study.evaluation.checks import check_probabilities
from her2study.evaluation.intervals import percentile
from her2study.evaluation.predictions import by_split
from her2study.evaluation.usefulness import (
    check_decision_thresholds,
    interventions_avoided,
    net_benefit,
    odds_at,
    standardised_net_benefit,
    weighted_net_benefit,
)

STRATEGIES = ("treat_all", "treat_none")
"""What a model is compared with; they stand beside the models wherever net benefit is tabulated."""


def threshold_grid(low: float, high: float, step: float = 0.01) -> NDArray[np.float64]:
    """Threshold probabilities from ``low`` to ``high`` in steps of ``step``, both ends included."""
    return np.round(low + step * np.arange(round((high - low) / step) + 1), 10)


def decision_curve(
    predictions: pd.DataFrame, thresholds: ArrayLike, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Net benefit of each model, of treating all and of treating none, in each split.

    Returns columns ``split, model, threshold, net_benefit, low, high``.

    Raises
    ------
    StudyError
        As :func:`net_benefit`.
    """
    thresholds, parts = check_decision_thresholds(thresholds), []
    for split in _resampled(predictions, thresholds, resamples, seed):
        benefit = net_benefit(split.labels, split.scores, thresholds)
        for j, name in enumerate(split.names):
            bands = _bands(benefit[:, j], split.benefit[:, j], confidence, ("net_benefit", "low", "high"))
            parts.append(pd.DataFrame({"split": split.split, "model": name, "threshold": thresholds} | bands))
    return pd.concat(parts, ignore_index=True)


def decision_measures(
    predictions: pd.DataFrame, thresholds: ArrayLike, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Net benefit, standardised net benefit and interventions avoided per 100 patients, at a few thresholds.

    Rows as in :func:`decision_curve`, treating all and none included. A resample without positives has no
    standardised net benefit and is left out of its band.

    Returns columns ``split, model, threshold`` and ``net_benefit, standardised_net_benefit, interventions_avoided``,
    each with ``_low`` and ``_high``.

    Raises
    ------
    StudyError
        As :func:`net_benefit`.
    """
    thresholds, parts = check_decision_thresholds(thresholds), []
    for split in _resampled(predictions, thresholds, resamples, seed):
        prevalence = np.where(split.prevalence > 0, split.prevalence, np.nan)[:, None, None]
        everyone = split.benefit[:, [split.names.index("treat_all")]]
        drawn = {
            net_benefit: split.benefit,
            standardised_net_benefit: split.benefit / prevalence,
            interventions_avoided: 100 * (split.benefit - everyone) / odds_at(thresholds),
        }
        estimates = {measure: measure(split.labels, split.scores, thresholds) for measure in drawn}
        for j, name in enumerate(split.names):
            part = {"split": split.split, "model": name, "threshold": thresholds}
            for measure, replicates in drawn.items():
                names = (measure.__name__, f"{measure.__name__}_low", f"{measure.__name__}_high")
                part |= _bands(estimates[measure][:, j], replicates[:, j], confidence, names)
            parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def decision_differences(
    predictions: pd.DataFrame,
    pairs: Iterable[tuple[str, str]],
    thresholds: ArrayLike,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Difference in net benefit, a minus b, of each pair in each split.

    The band comes from resamples that both models share. ``treat_all`` and ``treat_none`` may stand in a pair; pairs
    with an absent model are left out.

    Returns columns ``split, model_a, model_b, threshold, difference, low, high``.

    Raises
    ------
    StudyError
        As :func:`net_benefit`.
    """
    thresholds, parts = check_decision_thresholds(thresholds), []
    present = {*predictions["model"], *STRATEGIES}
    pairs = [tuple(pair) for pair in pairs if set(pair) <= present]
    for split in _resampled(predictions, thresholds, resamples, seed):
        benefit = net_benefit(split.labels, split.scores, thresholds)
        for a, b in pairs:
            i, j = split.names.index(a), split.names.index(b)
            drawn = split.benefit[:, i] - split.benefit[:, j]
            bands = _bands(benefit[:, i] - benefit[:, j], drawn, confidence, ("difference", "low", "high"))
            parts.append(
                pd.DataFrame({"split": split.split, "model_a": a, "model_b": b, "threshold": thresholds} | bands)
            )
    columns = ["split", "model_a", "model_b", "threshold", "difference", "low", "high"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def useful_range(curve: pd.DataFrame, split: str, model: str) -> NDArray[np.float64]:
    """Thresholds at which a model beats treating all and treating none, from :func:`decision_curve`.

    Point estimates only; the band says how sure that is.
    """
    wide = curve[curve["split"] == split].pivot(index="threshold", columns="model", values="net_benefit")  # noqa: PD010
    better = (wide[model] > wide["treat_all"]) & (wide[model] > wide["treat_none"])
    return wide.index[better].to_numpy()


class _Resampled(NamedTuple):
    """One split with its resamples; the models come first, then :data:`STRATEGIES`."""

    split: str
    names: tuple[str, ...]
    labels: NDArray[np.int64]
    """``(n,)``"""
    scores: NDArray[np.float64]
    """``(n, names)``: treating all is a probability of 1, treating none of 0"""
    benefit: NDArray[np.float64]
    """Net benefit ``(resamples, names, thresholds)``"""
    prevalence: NDArray[np.float64]
    """``(resamples,)``"""


def _resampled(
    predictions: pd.DataFrame, thresholds: NDArray[np.float64], resamples: int, seed: int
) -> Iterator[_Resampled]:
    """Net benefit of each split's models and of the two strategies in shared resamples of its patients."""
    for split, models, labels, scores in by_split(predictions):
        labels, scores = check_probabilities(labels, scores)
        n = len(labels)
        scores = np.column_stack([scores, np.ones(n), np.zeros(n)])
        drawn = resample(partial(_replicates, labels, scores, thresholds), np.zeros(n), resamples, seed)
        benefit = drawn[:, 1:].reshape(len(drawn), scores.shape[1], len(thresholds))
        yield _Resampled(split, (*models, *STRATEGIES), labels, scores, benefit, drawn[:, 0])


def _replicates(labels: NDArray, scores: NDArray, thresholds: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """Prevalence, then the net benefit of each column of scores at each threshold, ``(resamples, 1 + k m)``."""
    benefit = weighted_net_benefit(labels, scores, thresholds, weights)
    return np.column_stack([weighted_mean(labels, weights), benefit.reshape(len(weights), -1)])


def _bands(
    estimates: NDArray, drawn: NDArray, confidence: float, names: tuple[str, str, str]
) -> dict[str, NDArray[np.float64]]:
    """Three columns: estimates ``(m,)`` with the percentile intervals of their replicates ``(resamples, m)``."""
    intervals = [percentile(float(e), column, confidence) for e, column in zip(estimates, drawn.T, strict=True)]
    return dict(zip(names, np.array(intervals).reshape(-1, 3).T, strict=True))
