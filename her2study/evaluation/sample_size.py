"""Was the study large enough? Riley's criteria for developing a model, the expected width of a validation's AUC."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.integrate import quad
from scipy.special import log_expit, logit, xlogy
from scipy.stats import norm

from her2study.evaluation.intervals import z_value
from her2study.types import StudyError

ABSOLUTE_ERROR = 0.05
"""Mean absolute error of a predicted risk that is still accepted."""


class RileySampleSize(NamedTuple):
    """Patients that each criterion asks for, and the Cox-Snell R² behind them.

    ``required`` is the largest of the four; ``events_per_parameter`` is what it amounts to (patients of the
    rarer class for each parameter).
    """

    shrinkage: int
    optimism: int
    risk: int
    absolute_error: int
    required: int
    events_per_parameter: float
    r_squared_cs: float
    largest_r_squared_cs: float


def riley_sample_size(
    parameters: int,
    prevalence: float,
    r_squared_cs: float | None = None,
    auc: float | None = None,
    shrinkage: float = 0.9,
) -> RileySampleSize:
    r"""Patients needed to develop a logistic model, by the criteria of Riley et al.

    With P candidate parameters, prevalence :math:`\phi` and anticipated Cox-Snell :math:`R^2`:

    1. shrinkage S: :math:`n = P / ((S - 1) \ln(1 - R^2 / S))`;
    2. optimism of at most 0.05 in Nagelkerke's :math:`R^2`: the same with
       :math:`S = R^2 / (R^2 + 0.05 \max R^2)`, :math:`\max R^2 = 1 - (\phi^\phi (1-\phi)^{1-\phi})^2`;
    3. overall risk within 0.05: :math:`n = (z / 0.05)^2 \phi (1 - \phi)`;
    4. mean absolute error of predicted risks of at most 0.05:
       :math:`\ln n = (-0.508 + 0.259 \ln\phi + 0.504 \ln P - \ln 0.05) / 0.544`, a summary of simulations,
       published for up to 30 parameters; :math:`\phi` is here the share of the rarer class.

    Parameters
    ----------
    parameters : int
        Candidate parameters: all coefficients that could have been estimated, not those selected.
    prevalence : float
        Anticipated share of positives.
    r_squared_cs, auc : float
        One of them. From an anticipated AUC, R² is that of a score which is normal with equal variance in
        both classes, the ones of the logistic model (Riley 2021 draws a million such patients; here the
        same quantity is integrated, so that it is the same every time).
    shrinkage : float
        Of criterion 1.

    Returns
    -------
    RileySampleSize
        Patients, rounded up.

    Raises
    ------
    StudyError
        Not exactly one of ``r_squared_cs`` and ``auc``; a value outside its range (R² cannot exceed its
        maximum nor the shrinkage).

    References
    ----------
    Riley et al., Statistics in Medicine 2019;38:1276 (criteria 1-3) and BMJ 2020;368:m441 (all four); van
    Smeden et al., Statistical Methods in Medical Research 2019 (4); Riley, Van Calster and Collins,
    Statistics in Medicine 2021;40:859 (R² from an AUC). R: ``pmsampsize(type = "b")``, criteria 1 to 3.
    """
    if parameters < 1 or not 0 < prevalence < 1 or not 0 < shrinkage < 1:
        raise StudyError(
            f"sample size: parameters {parameters}, prevalence {prevalence}, shrinkage {shrinkage}; "
            "give one parameter or more, and shares between 0 and 1"
        )
    if (r_squared_cs is None) == (auc is None):
        raise StudyError("sample size: give either r_squared_cs or an anticipated auc")
    r_squared = cox_snell_from_auc(auc, prevalence) if auc is not None else float(r_squared_cs or 0.0)
    largest = 1 - float(np.exp(2 * _null(prevalence)))
    if not 0 < r_squared < min(largest, shrinkage):
        raise StudyError(
            f"sample size: a Cox-Snell R² of {r_squared:.3g} is not between 0 and {min(largest, shrinkage):.3g}, the "
            f"most that is possible at prevalence {prevalence:g} and shrinkage {shrinkage:g}"
        )

    def by_shrinkage(s: float) -> float:
        return parameters / ((s - 1) * np.log1p(-r_squared / s))

    rarer = min(prevalence, 1 - prevalence)
    exponent = -0.508 + 0.259 * np.log(rarer) + 0.504 * np.log(parameters) - np.log(ABSOLUTE_ERROR)
    needed = [
        int(np.ceil(patients))
        for patients in (
            by_shrinkage(shrinkage),
            by_shrinkage(r_squared / (r_squared + 0.05 * largest)),
            (z_value(0.95) / 0.05) ** 2 * prevalence * (1 - prevalence),
            np.exp(exponent / 0.544),
        )
    ]
    required = max(needed)
    return RileySampleSize(*needed, required, required * rarer / parameters, r_squared, largest)


def cox_snell_from_auc(auc: float, prevalence: float) -> float:
    r"""Cox-Snell R² of the score that is N(0, 1) in negatives and :math:`N(\sqrt 2\,\Phi^{-1}(AUC), 1)` in positives.

    There the logistic model is exact: its log odds are :math:`\mathrm{logit}\,\phi + \mu x - \mu^2 / 2`, so
    :math:`R^2 = 1 - e^{2 (l_0 - l_1)}` with the expected log-likelihoods a patient without and with the score.
    """
    if not 0.5 < auc < 1:
        raise StudyError(f"sample size: the anticipated AUC is {auc}; it must lie between 0.5 and 1")
    mu = float(np.sqrt(2) * norm.ppf(auc))

    def log_odds(x: float) -> float:
        return float(logit(prevalence)) + mu * x - mu**2 / 2

    def mean(sign: int, centre: float) -> float:
        """Expected log-likelihood of one class; 12 standard deviations leave nothing out."""
        ends = (centre - 12, centre + 12)
        return quad(lambda x: log_expit(sign * log_odds(x)) * norm.pdf(x - centre), *ends, epsabs=1e-13, limit=200)[0]

    with_score = prevalence * mean(1, mu) + (1 - prevalence) * mean(-1, 0.0)
    return 1 - float(np.exp(2 * (_null(prevalence) - with_score)))


def _null(prevalence: float) -> float:
    """Log-likelihood a patient of the model that knows only the prevalence."""
    return float(xlogy(prevalence, prevalence) + xlogy(1 - prevalence, 1 - prevalence))


def auc_interval_width(auc: float, n: float, prevalence: float, confidence: float = 0.95) -> float:
    r"""Expected width of the interval of an AUC, before the patients are seen.

    :math:`2 z\,SE` with Newcombe's standard error,

    .. math::

        SE^2 = \frac{A (1 - A) \left[1 + (n/2 - 1) \left(\frac{1 - A}{2 - A} + \frac{A}{1 + A}\right)\right]}
                    {n^2 \phi (1 - \phi)},

    which is Hanley and McNeil's with n/2 for both class sizes where they count pairs that share a patient.

    Parameters
    ----------
    auc : float
        Anticipated AUC A.
    n : float
        Patients of the validation.
    prevalence : float
        Their share of positives, phi.
    confidence : float
        Of the interval.

    Returns
    -------
    float
        Width, on the scale of the AUC. The formula knows no upper end: with very few patients it exceeds 1.

    Raises
    ------
    StudyError
        The AUC or the prevalence is not between 0 and 1, or n is below 2.

    References
    ----------
    Hanley and McNeil, Radiology 1982; Newcombe, Statistics in Medicine 2006;25:559 (method 4); Riley et al.,
    Statistics in Medicine 2021;40:4230 (equation 11). R: ``pmvalsampsize``.
    """
    if not (0 < auc < 1 and 0 < prevalence < 1 and n >= 2):
        raise StudyError(f"interval width: AUC {auc}, prevalence {prevalence}, n {n}; give shares and two patients")
    variance = auc * (1 - auc) * (1 + (n / 2 - 1) * _pairs(auc)) / (n**2 * prevalence * (1 - prevalence))
    return float(2 * z_value(confidence) * np.sqrt(variance))


def patients_for_width(auc: float, width: float, prevalence: float, confidence: float = 0.95) -> int:
    """The fewest patients whose :func:`auc_interval_width` is at most ``width``: the root of its quadratic."""
    scale = (width / (2 * z_value(confidence))) ** 2 * prevalence * (1 - prevalence) / (auc * (1 - auc))
    pairs = _pairs(auc)
    return max(2, int(np.ceil((pairs / 2 + np.sqrt(pairs**2 / 4 + 4 * scale * (1 - pairs))) / (2 * scale))))


def _pairs(auc: float) -> float:
    return (1 - auc) / (2 - auc) + auc / (1 + auc)
