"""The calibration line: the outcome against the predicted log odds, as intercept and slope.

Van Calster et al., BMC Medicine 2019: intercept (calibration in the large), slope and a flexible
curve. Intercept 0 and slope 1 are perfect; a slope below 1 says that predictions are too extreme.
The curve and the errors read from it are in :mod:`her2study.evaluation.flexible`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit

from her2study.evaluation.checks import check_probabilities, safe_logit
from her2study.evaluation.intervals import Interval, z_value
from her2study.types import Labels

CONSTANT_SPREAD = 1e-9
"""Log odds that differ by less than this are one value: a slope over them is rounding noise."""


class Line(NamedTuple):
    """Logistic regression of the outcome on the predicted log odds, each coefficient with its Wald interval."""

    intercept: Interval
    slope: Interval


def calibration_intercept(labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95) -> Interval:
    """Calibration in the large: above 0, outcomes are more frequent than predicted.

    The ``a`` of ``logit P(y = 1) = a + logit(p)``: a logistic model with the predicted log odds as offset, so with
    slope 1. It is not the ``Intercept`` of ``rms::val.prob``, which is that of the line whose slope is free too.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    probabilities : array (n,)
        Predicted probabilities, 0 to 1.
    confidence : float

    Returns
    -------
    Interval
        In log odds, with Wald interval.

    Raises
    ------
    StudyError
        A probability outside 0-1 or not finite, labels that are not two classes, other lengths; the row is named.

    References
    ----------
    Cox, Biometrika 1958. Van Calster et al., BMC Medicine 2019. R: ``glm(y ~ offset(qlogis(p)), binomial)``.

    Notes
    -----
    Solved as the root of the score, which falls steadily with ``a``; Newton steps from 0 overshoot where
    probabilities are near 0 or 1. Always finite: constant predictions, perfect separation and one-patient classes
    need no exception. Probabilities of 0 and 1 count as 0.0001 and 0.9999, since their log odds are infinite.
    """
    labels, matrix = check_probabilities(labels, probabilities)
    logits = safe_logit(matrix[:, 0])
    reach = float(np.abs(logits).max()) + np.log(len(labels)) + 1  # beyond it expected events exceed any count
    estimate = brentq(lambda shift: labels.sum() - expit(logits + shift).sum(), -reach, reach, xtol=1e-13, rtol=1e-14)
    expected = expit(logits + estimate)
    half = z_value(confidence) / float(np.sqrt((expected * (1 - expected)).sum()))
    return Interval(estimate, estimate - half, estimate + half)


def calibration_slope(labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95) -> Interval:
    """Calibration slope: below 1, predictions are too extreme; above 1, too timid; below 0, the wrong way round.

    The ``b`` of ``logit P(y = 1) = a + b logit(p)``.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    probabilities : array (n,)
        Predicted probabilities, 0 to 1.
    confidence : float

    Returns
    -------
    Interval
        With Wald interval. All missing where there is no finite value: a constant prediction, or one that separates
        the classes (ties at the border included), as in most samples with one patient in a class.

    Raises
    ------
    StudyError
        A probability outside 0-1 or not finite, labels that are not two classes, other lengths; the row is named.

    References
    ----------
    Cox, Biometrika 1958. Van Calster et al., BMC Medicine 2019. R: ``glm(y ~ qlogis(p), binomial)``, and ``Slope``
    of ``rms::val.prob``, whose fit stops at about four digits.

    Notes
    -----
    Probabilities of 0 and 1 count as 0.0001 and 0.9999, since their log odds are infinite; ``val.prob`` leaves such
    patients out.
    """
    labels, matrix = check_probabilities(labels, probabilities)
    line = logistic_line(labels, safe_logit(matrix[:, 0]), confidence)
    return line.slope if line else Interval(np.nan, np.nan, np.nan)


def logistic_line(labels: Labels, logits: NDArray[np.float64], confidence: float) -> Line | None:
    """Intercept and slope of the outcome on the log odds ``(n,)``; None where the slope has no finite value."""
    if np.ptp(logits) < CONSTANT_SPREAD or separates(labels, logits):
        return None
    from statsmodels.genmod.families import Binomial  # only here: who applies a frozen model has no statsmodels
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.tools import add_constant

    fit = GLM(labels, add_constant(logits), family=Binomial()).fit(tol=1e-10, tol_criterion="params")
    ends = fit.conf_int(alpha=1 - confidence)
    return Line(*(Interval(float(fit.params[i]), float(ends[i][0]), float(ends[i][1])) for i in range(2)))


def separates(labels: Labels, scores: NDArray[np.float64]) -> bool:
    """Whether a threshold on the scores ``(n,)`` parts the classes, touching at most: no logistic fit is finite."""
    positives, negatives = scores[labels == 1], scores[labels == 0]
    return bool(positives.min() >= negatives.max() or positives.max() <= negatives.min())
