"""Calibration of every model in every split: the table and the data of the figure.

The statistics, functions on arrays, are in :mod:`~her2study.evaluation.calibration_line` (intercept, slope),
:mod:`~her2study.evaluation.calibration_scores` (Brier scores, tests) and :mod:`~her2study.evaluation.flexible`
(curve and the errors read from it).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from her2study.evaluation.calibration_line import calibration_intercept, calibration_slope
from her2study.evaluation.calibration_scores import brier_scores, hosmer_lemeshow, spiegelhalter
from her2study.evaluation.flexible import calibration_bins, calibration_curve, calibration_errors
from her2study.evaluation.intervals import columns
from her2study.evaluation.predictions import by_split


def calibration_table(
    predictions: pd.DataFrame, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """All calibration measures of each model in each split.

    Returns columns ``split, model, n, positives``; ``intercept, slope`` (Wald), ``brier, scaled_brier,
    ici, e50, e90, emax`` (bootstrap) with ``_low`` and ``_high``; ``spiegelhalter_z, p_spiegelhalter`` and
    ``p_hosmer_lemeshow``, which is there for readers who ask and never the verdict.
    """
    rows = []
    for split, models, labels, scores in by_split(predictions):
        for model, column in zip(models, scores.T, strict=True):
            row = {"split": split, "model": model, "n": len(labels), "positives": int(labels.sum())}
            row |= columns("intercept", calibration_intercept(labels, column, confidence))
            row |= columns("slope", calibration_slope(labels, column, confidence))
            for name, interval in brier_scores(labels, column, confidence, resamples, seed).items():
                row |= columns(name, interval)
            for name, interval in calibration_errors(labels, column, confidence, resamples, seed)._asdict().items():
                row |= columns(name, interval)
            row["spiegelhalter_z"], row["p_spiegelhalter"] = spiegelhalter(labels, column)
            row["p_hosmer_lemeshow"] = hosmer_lemeshow(labels, column)[1]
            rows.append(row)
    return pd.DataFrame(rows)


def calibration_figure(
    predictions: pd.DataFrame, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Curves and grouped points of each model in each split, the data of the calibration figure.

    Returns columns ``split, model, kind (curve or bin), predicted, observed, low, high, n, intercept, slope``;
    ``n`` is missing for points of a curve.
    """
    parts = []
    for split, models, labels, scores in by_split(predictions):
        for model, column in zip(models, scores.T, strict=True):
            curve = calibration_curve(labels, column, confidence, resamples, seed).assign(kind="curve", n=np.nan)
            bins = calibration_bins(labels, column, confidence=confidence).assign(kind="bin")
            both = pd.concat([curve, bins.astype({"n": np.float64})], ignore_index=True)
            intercept, slope = calibration_intercept(labels, column)[0], calibration_slope(labels, column)[0]
            parts.append(both.assign(split=split, model=model, intercept=intercept, slope=slope))
    names = ["split", "model", "kind", "predicted", "observed", "low", "high", "n", "intercept", "slope"]
    return pd.concat(parts, ignore_index=True)[names]
