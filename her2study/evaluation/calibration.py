"""Calibration: whether predicted probabilities mean what they say, with intervals.

Van Calster et al., BMC Medicine 2019: intercept (calibration in the large), slope and a flexible
curve. Intercept 0 and slope 1 are perfect; a slope below 1 says that predictions are too extreme.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import chi2, norm

from her2study.evaluation.bootstrap import resample, weighted_mean
from her2study.evaluation.checks import check_scores, safe_logit
from her2study.evaluation.flexible import calibration_bins, calibration_curve, calibration_errors, quantile_groups
from her2study.evaluation.intervals import Interval, columns, percentile, z_value
from her2study.evaluation.predictions import by_split

HOSMER_LEMESHOW_GROUPS = 10


def calibration_table(
    predictions: pd.DataFrame, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """All calibration measures of each model in each split.

    Returns columns ``split, model, n, positives``; ``intercept, slope`` (Wald), ``brier, scaled_brier,
    ici`` (bootstrap) with ``_low`` and ``_high``; ``e50, e90, emax``; ``p_spiegelhalter`` and
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
            errors = calibration_errors(labels, column, confidence, resamples, seed)
            row |= columns("ici", errors.ici) | {"e50": errors.e50, "e90": errors.e90, "emax": errors.emax}
            row |= {"p_spiegelhalter": spiegelhalter(labels, column)[1]}
            row |= {"p_hosmer_lemeshow": hosmer_lemeshow(labels, column)[1]}
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


def calibration_intercept(labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95) -> Interval:
    """Calibration in the large: intercept of a logistic model with the logit as offset (slope 1); ``(n,)``.

    Above 0, outcomes are more frequent than predicted. Wald interval. Solved as the root of the score, which falls
    steadily with the intercept; Newton steps from 0 overshoot where probabilities are near 0 or 1.
    """
    labels, matrix = check_scores(labels, probabilities)
    logits = safe_logit(matrix[:, 0])
    reach = float(np.abs(logits).max()) + np.log(len(labels)) + 1  # beyond it expected events exceed any count
    estimate = brentq(lambda shift: labels.sum() - expit(logits + shift).sum(), -reach, reach, xtol=1e-13, rtol=1e-14)
    expected = expit(logits + estimate)
    half = z_value(confidence) / float(np.sqrt((expected * (1 - expected)).sum()))
    return Interval(estimate, estimate - half, estimate + half)


def calibration_slope(labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95) -> Interval:
    """Calibration slope: coefficient of the logit in a logistic model of the outcome; ``(n,)``.

    Wald interval. Missing where it has no finite value: a constant prediction, or one that separates
    the classes.
    """
    labels, matrix = check_scores(labels, probabilities)
    logits = safe_logit(matrix[:, 0])
    positives, negatives = logits[labels == 1], logits[labels == 0]
    separated = positives.min() >= negatives.max() or positives.max() <= negatives.min()
    if separated or np.ptp(logits) == 0:
        return Interval(np.nan, np.nan, np.nan)
    fit = sm.GLM(labels, sm.add_constant(logits), family=sm.families.Binomial()).fit()
    return Interval(float(fit.params[1]), *(float(end) for end in fit.conf_int(alpha=1 - confidence)[1]))


def brier_scores(
    labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> dict[str, Interval]:
    """Brier score, mean of (p - y)², and scaled Brier, 1 - Brier / (prevalence (1 - prevalence)).

    Ordinary bootstrap percentile intervals: the prevalence varies between resamples too.
    """
    labels, matrix = check_scores(labels, probabilities)
    errors = np.column_stack([(matrix[:, 0] - labels) ** 2, labels])

    def both(weights: NDArray) -> NDArray:
        brier, prevalence = weighted_mean(errors, weights).T
        spread = np.where((prevalence > 0) & (prevalence < 1), prevalence * (1 - prevalence), np.nan)
        return np.column_stack([brier, 1 - brier / spread])

    estimate = both(np.ones((1, len(labels))))[0]
    drawn = resample(both, np.zeros(len(labels)), resamples, seed)
    return {
        name: percentile(float(estimate[i]), drawn[:, i], confidence)
        for i, name in enumerate(("brier", "scaled_brier"))
    }


def spiegelhalter(labels: ArrayLike, probabilities: ArrayLike) -> tuple[float, float]:
    """Spiegelhalter's z of the Brier score under perfect calibration, and its two-sided p (1986).

    Missing where every probability is 0, 1/2 or 1, which leaves the score no variance.
    """
    labels, matrix = check_scores(labels, probabilities)
    p = matrix[:, 0]
    variance = ((1 - 2 * p) ** 2 * p * (1 - p)).sum()
    if variance <= 0:
        return np.nan, np.nan
    z = float(((labels - p) * (1 - 2 * p)).sum() / np.sqrt(variance))
    return z, float(2 * norm.sf(abs(z)))


def hosmer_lemeshow(
    labels: ArrayLike, probabilities: ArrayLike, groups: int = HOSMER_LEMESHOW_GROUPS
) -> tuple[float, float]:
    """Hosmer-Lemeshow statistic over groups of equal size and its p.

    Degrees of freedom are the number of groups, since the model was not fitted to these patients
    (groups - 2 is for apparent performance). Tied predictions stay together, which can merge groups;
    missing where a group's expected count is 0.
    """
    labels, matrix = check_scores(labels, probabilities)
    member = quantile_groups(matrix[:, 0], groups)
    n, observed, expected = (
        np.bincount(member, weights=values) for values in (np.ones(len(labels)), labels, matrix[:, 0])
    )
    variance = expected * (1 - expected / n)
    if (variance <= 0).any():
        return np.nan, np.nan
    statistic = float(((observed - expected) ** 2 / variance).sum())
    return statistic, float(chi2.sf(statistic, len(n)))
