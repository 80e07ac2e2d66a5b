"""Scores and tests of probabilities: Brier and scaled Brier, Spiegelhalter's z, Hosmer-Lemeshow."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, norm

from her2study.evaluation.bootstrap import resample, weighted_mean
from her2study.evaluation.checks import check_probabilities
from her2study.evaluation.flexible import quantile_groups
from her2study.evaluation.intervals import Interval, percentile
from her2study.types import StudyError

HOSMER_LEMESHOW_GROUPS = 10

NO_VARIANCE = 1e-200
"""Below it a group expects nobody or everybody, and the statistic would overflow."""


def brier_scores(
    labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> dict[str, Interval]:
    """Brier score, the mean squared error of probabilities, and its share of the prevalence's own error removed.

    ``brier = mean((p - y)²)``; ``scaled_brier = 1 - brier / (m (1 - m))`` with ``m`` the prevalence here: 1 is
    perfect, 0 as good as giving everyone the prevalence, below 0 worse.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    probabilities : array (n,)
        Predicted probabilities, 0 to 1.
    confidence : float
    resamples, seed : int
        Of the bootstrap; same numbers, same interval.

    Returns
    -------
    dict
        ``brier`` and ``scaled_brier``, each with the percentile interval of an ordinary bootstrap, in which the
        prevalence varies too; resamples with one class leave the scaled score undefined and are left out of it.

    Raises
    ------
    StudyError
        A probability outside 0-1 or not finite, labels that are not two classes, other lengths; the row is named.

    References
    ----------
    Brier, Monthly Weather Review 1950. Steyerberg et al., Epidemiology 2010. R: ``Brier`` of ``rms::val.prob``;
    Python: ``sklearn.metrics.brier_score_loss``.
    """
    labels, matrix = check_probabilities(labels, probabilities)
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
    """Spiegelhalter's test that probabilities are perfectly calibrated, from the Brier score.

    ``z = Σ (y - p)(1 - 2p) / sqrt(Σ (1 - 2p)² p (1 - p))``, standard normal under perfect calibration.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    probabilities : array (n,)
        Predicted probabilities, 0 to 1, taken as they are: nothing is moved away from 0 and 1.

    Returns
    -------
    z, p : float
        ``p`` is two-sided. Both missing where every probability is 0, 1/2 or 1, which leaves the score no variance.

    Raises
    ------
    StudyError
        A probability outside 0-1 or not finite, labels that are not two classes, other lengths; the row is named.

    References
    ----------
    Spiegelhalter, Statistics in Medicine 1986. R: ``S:z`` and ``S:p`` of ``rms::val.prob``.
    """
    labels, matrix = check_probabilities(labels, probabilities)
    p = matrix[:, 0]
    variance = ((1 - 2 * p) ** 2 * p * (1 - p)).sum()
    if variance <= 0:
        return np.nan, np.nan
    z = float(((labels - p) * (1 - 2 * p)).sum() / np.sqrt(variance))
    return z, float(2 * norm.sf(abs(z)))


def hosmer_lemeshow(
    labels: ArrayLike, probabilities: ArrayLike, groups: int = HOSMER_LEMESHOW_GROUPS
) -> tuple[float, float]:
    """Hosmer-Lemeshow test over groups of equal size: for readers who ask, never the verdict.

    ``Σ (observed - expected)² / (expected (1 - expected / n))`` over the groups, against chi-squared. It depends on
    where the groups are cut, rejects any model in large samples and none in small ones, and has no direction.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    probabilities : array (n,)
        Predicted probabilities, 0 to 1.
    groups : int
        Cut at quantiles of the predictions, 2 or more. Tied predictions stay together, which can merge groups.

    Returns
    -------
    statistic, p : float
        Degrees of freedom are the number of groups, since the model was not fitted to these patients
        (groups - 2 is for apparent performance). Missing where a group expects nobody, or everybody.

    Raises
    ------
    StudyError
        Fewer than two groups are asked for; a probability outside 0-1 or not finite, labels that are not two
        classes, other lengths; the row is named.

    References
    ----------
    Hosmer and Lemeshow, Applied Logistic Regression. R: by definition over ``cut(p, quantile(p, 0:10 / 10))``.
    """
    labels, matrix = check_probabilities(labels, probabilities)
    if groups < 2:
        raise StudyError(f"Hosmer-Lemeshow: groups is {groups}; it must be 2 or more, usually {HOSMER_LEMESHOW_GROUPS}")
    member = quantile_groups(matrix[:, 0], groups)
    n, observed, expected = (
        np.bincount(member, weights=values) for values in (np.ones(len(labels)), labels, matrix[:, 0])
    )
    variance = expected * (1 - expected / n)
    if (variance < NO_VARIANCE).any():
        return np.nan, np.nan
    statistic = float(((observed - expected) ** 2 / variance).sum())
    return statistic, float(chi2.sf(statistic, len(n)))
