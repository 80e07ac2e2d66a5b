"""Precision and recall: what a score is worth where positives are rare."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import precision_recall_curve

from her2study.evaluation.bootstrap import bootstrap, weighted_average_precision
from her2study.evaluation.intervals import Interval, columns
from her2study.evaluation.placements import check_one_score
from her2study.evaluation.predictions import by_split


def average_precision(
    labels: ArrayLike,
    scores: ArrayLike,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    method: Literal["percentile", "bca"] = "percentile",
) -> Interval:
    """Average precision (area under the precision-recall steps) with a stratified bootstrap interval.

    ``Σ (R_g - R_(g-1)) P_g`` over the distinct scores from the highest down, with recall R and precision P of the
    patients at or above; tied patients enter together, and nothing is interpolated. A score without information,
    a constant one included, has the prevalence, not 0.5: average precisions of cohorts with another prevalence
    do not compare. The prevalence is kept in the resamples, so the interval holds for this one.

    Perfect separation gives 1 with an interval of 1 to 1: a limit of the bootstrap, not certainty.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    scores : array (n,)
        Any finite scale, higher for positives.
    confidence : float
        Coverage, strictly between 0 and 1.
    resamples, seed : int
        Same numbers, same result.
    method : "percentile" or "bca"

    Returns
    -------
    Interval
        Estimate, low, high.

    Raises
    ------
    StudyError
        As :func:`~her2study.evaluation.bootstrap.bootstrap`.

    References
    ----------
    Boyd, Eng and Page, ECML 2013 (estimators and intervals). Python: ``sklearn.metrics.average_precision_score``.
    """
    labels, matrix = check_one_score(labels, scores)
    return bootstrap(weighted_average_precision, labels, matrix, resamples, seed, confidence, method)[0]


def precision_recall_points(
    predictions: pd.DataFrame, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Corners of each precision-recall curve, with the average precision of its legend.

    From recall 0 upwards. Precision holds back to the recall before (``steps-pre``): the steps enclose exactly the
    average precision, and the first corner repeats the precision of the highest score, which is not known to be 1.

    Returns columns ``split, model, recall, precision, average_precision, average_precision_low,
    average_precision_high, prevalence`` (precision of a score without information).
    """
    curves = []
    for split, models, labels, scores in by_split(predictions):
        intervals = bootstrap(weighted_average_precision, labels, scores, resamples, seed, confidence)
        for model, column, interval in zip(models, scores.T, intervals, strict=True):
            precision, recall, _ = precision_recall_curve(labels, column, drop_intermediate=True)
            precision, recall = precision[::-1], recall[::-1]
            precision[0] = precision[1]
            curve = {"split": split, "model": model, "recall": recall, "precision": precision}
            curve |= columns("average_precision", interval) | {"prevalence": float(labels.mean())}
            curves.append(pd.DataFrame(curve))
    return pd.concat(curves, ignore_index=True)


def average_precision_table(
    predictions: pd.DataFrame, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Average precision of each model in each split.

    Returns columns ``split, model, n, positives, prevalence, average_precision, average_precision_low,
    average_precision_high``.
    """
    rows = []
    for split, models, labels, scores in by_split(predictions):
        intervals = bootstrap(weighted_average_precision, labels, scores, resamples, seed, confidence)
        size = {"n": len(labels), "positives": int(labels.sum()), "prevalence": float(np.mean(labels))}
        for model, interval in zip(models, intervals, strict=True):
            rows.append({"split": split, "model": model} | size | columns("average_precision", interval))
    return pd.DataFrame(rows)
