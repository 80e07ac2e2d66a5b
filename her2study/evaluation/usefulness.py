"""What treating by a probability is worth: net benefit, its standardised form, interventions avoided.

A patient is treated when her probability is at least the threshold. Only for probabilities of patients the model has
not seen, pooled once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from her2study.evaluation.checks import check_probabilities
from her2study.types import StudyError


def net_benefit(labels: ArrayLike, probabilities: ArrayLike, thresholds: ArrayLike) -> NDArray[np.float64]:
    """Net benefit of treating by a model, per patient: true positives less false positives at their exchange rate.

    ``net_benefit(t) = TP/n - FP/n * t/(1 - t)``, where those with a probability of at least ``t`` are treated: a
    probability tied with the threshold is treated, as in ``dcurves``. Treating all (probabilities of 1) gives
    ``prevalence - (1 - prevalence) * t/(1 - t)``, treating none (probabilities of 0) exactly 0. A constant
    probability is worth the one up to its value and the other above it. It never exceeds the prevalence.

    Parameters
    ----------
    labels : array (n,)
        1 for outcome-positive, 0 for outcome-negative.
    probabilities : array (n,) or (n, k)
        Of ``k`` models, 0-1.
    thresholds : array (m,) or float
        Threshold probabilities, strictly between 0 and 1.

    Returns
    -------
    array (m, k)
        In true positives per patient.

    Raises
    ------
    StudyError
        A threshold is not strictly between 0 and 1; a probability outside 0-1 or not finite; labels that are not 0
        and 1 or of one class only. The first row is named.

    References
    ----------
    Vickers AJ, Elkin EB (2006) Med Decis Making 26:565-574. ``dcurves`` (R and Python).
    """
    labels, matrix = check_probabilities(labels, probabilities)
    thresholds = check_decision_thresholds(thresholds)
    return weighted_net_benefit(labels, matrix, thresholds, np.ones((1, len(labels))))[0].T


def standardised_net_benefit(labels: ArrayLike, probabilities: ArrayLike, thresholds: ArrayLike) -> NDArray[np.float64]:
    """Net benefit as a share of the largest possible one, which is the prevalence.

    ``net_benefit(t) / prevalence``: 1 for a perfect model, 0 for treating none, negative for a harmful one. Comparable
    between populations of different prevalence. Ties and constants as in :func:`net_benefit`.

    Parameters
    ----------
    labels, probabilities, thresholds
        As in :func:`net_benefit`.

    Returns
    -------
    array (m, k)
        Shares, at most 1.

    Raises
    ------
    StudyError
        As :func:`net_benefit`.

    References
    ----------
    Kerr KF, Brown MD, Zhu K, Janes H (2016) J Clin Oncol 34:2534-2540 (the relative utility of Baker SG, 2009).
    """
    benefit = net_benefit(labels, probabilities, thresholds)
    return benefit / np.mean(np.asarray(labels, float))


def interventions_avoided(labels: ArrayLike, probabilities: ArrayLike, thresholds: ArrayLike) -> NDArray[np.float64]:
    """Net reduction of interventions against treating all, per 100 patients, with no more outcomes missed.

    ``100 * (net_benefit(t) - net_benefit of treating all(t)) / (t/(1 - t))``, which is
    ``100 * (TN - FN * (1 - t)/t) / n``: at most 100 times the share of negatives, 0 for treating all, negative where
    missed outcomes outweigh what was spared. Ties and constants as in :func:`net_benefit`.

    Parameters
    ----------
    labels, probabilities, thresholds
        As in :func:`net_benefit`.

    Returns
    -------
    array (m, k)
        Interventions per 100 patients.

    Raises
    ------
    StudyError
        As :func:`net_benefit`.

    References
    ----------
    Vickers AJ, Cronin AM, Elkin EB, Gonen M (2008) BMC Med Inform Decis Mak 8:53. ``dcurves``, column
    ``net_intervention_avoided`` with ``nper = 100``.
    """
    benefit = net_benefit(labels, probabilities, thresholds)
    everyone = net_benefit(labels, np.ones(np.shape(labels)), thresholds)
    return 100 * (benefit - everyone) / odds_at(check_decision_thresholds(thresholds))[:, None]


def weighted_net_benefit(
    labels: NDArray, probabilities: NDArray, thresholds: NDArray, weights: NDArray
) -> NDArray[np.float64]:
    """Net benefit ``(resamples, k, m)`` of checked input; ``weights`` ``(resamples, n)`` say how often each was drawn.

    Built from counts, so the result is that of the resample written out, to the last bit.
    """
    positive, odds = labels == 1, odds_at(thresholds)
    benefit = np.empty((len(weights), probabilities.shape[1], len(thresholds)))
    for k, column in enumerate(probabilities.T):
        gained = _treated(column[positive], thresholds, weights[:, positive])
        harmed = _treated(column[~positive], thresholds, weights[:, ~positive])
        benefit[:, k] = (gained - harmed * odds) / weights.sum(axis=1, keepdims=True)
    return benefit


def odds_at(thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The harm of treating one negative in units of the benefit of treating one positive: the threshold's odds."""
    return thresholds / (1 - thresholds)


def check_decision_thresholds(thresholds: ArrayLike) -> NDArray[np.float64]:
    """Thresholds as ``(m,)``, or a StudyError that names the first that is not strictly between 0 and 1."""
    thresholds = np.atleast_1d(np.asarray(thresholds, float))
    outside = thresholds[~((thresholds > 0) & (thresholds < 1))]
    if len(outside):
        raise StudyError(f"decision threshold {outside[0]} must lie strictly between 0 and 1 (its odds weigh the harm)")
    return thresholds


def _treated(probabilities: NDArray, thresholds: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """Weight of the probabilities ``(n,)`` at or above each threshold, ``(resamples, m)``."""
    order = np.argsort(probabilities, kind="stable")
    below = np.zeros((len(weights), len(probabilities) + 1))
    np.cumsum(weights[:, order], axis=1, out=below[:, 1:])
    return below[:, -1:] - below[:, np.searchsorted(probabilities[order], thresholds, side="left")]
