"""Results of several centres pooled: random effects, and where a new centre may be expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import chi2
from scipy.stats import t as t_distribution

from her2study.evaluation.intervals import Interval, columns, z_value
from her2study.evaluation.roc import delong, interval_from_error
from her2study.types import StudyError

TOO_FEW = "under two positives or negatives: no interval"
SEPARATED = "the score is constant or separates the classes: no variance, not pooled"
NOT_POOLED = "fewer than two centres can be pooled"
NO_PREDICTION = "fewer than three centres: no prediction interval"


class Pooled(NamedTuple):
    """A pooled estimate, its interval, where a new centre's true value may lie, and how centres differ.

    ``i_squared`` is a share from 0 to 1; ``q`` and ``p`` are Cochran's test that all centres share one value.
    """

    estimate: float
    low: float
    high: float
    prediction_low: float
    prediction_high: float
    tau_squared: float
    i_squared: float
    q: float
    p: float


def random_effects(
    estimates: ArrayLike,
    errors: ArrayLike,
    confidence: float = 0.95,
    method: Literal["REML", "PM", "DL"] = "REML",
    hartung_knapp: bool = True,
    truncated: bool = False,
) -> Pooled:
    r"""Random-effects pooling of k estimates that have standard errors.

    With weights :math:`w_i = 1 / (s_i^2 + \tau^2)` the pooled value is
    :math:`\hat\mu = \sum w_i y_i / \sum w_i`; its variance is :math:`1 / \sum w_i`, times
    :math:`h = \sum w_i (y_i - \hat\mu)^2 / (k - 1)` by Hartung and Knapp, with t on k - 1 degrees of
    freedom. The prediction interval is :math:`\hat\mu \pm t_{k-2} \sqrt{\tau^2 + Var(\hat\mu)}`.
    :math:`I^2 = \tau^2 / (\tau^2 + s^2)` with the typical variance :math:`s^2` of Higgins and Thompson.

    Parameters
    ----------
    estimates, errors : array_like, (k,)
        Estimates on a scale where normality is fair (logit AUC, log odds ratio), and standard errors.
    confidence : float
        Of both intervals.
    method : {"REML", "PM", "DL"}
        Variance between centres: restricted maximum likelihood, Paule-Mandel, DerSimonian-Laird.
    hartung_knapp : bool
        If not, the interval is the normal one, which is too narrow for few centres.
    truncated : bool
        h is at least 1: centres that agree by chance then cannot make the interval narrower than the
        normal standard error would.

    Returns
    -------
    Pooled
        With two estimates the prediction interval is missing (no degree of freedom is left).

    Raises
    ------
    StudyError
        Fewer than two estimates, a value that is not finite, an error that is not above zero (of a
        perfectly separating score, say), lengths that differ, an unknown method.

    References
    ----------
    Hartung and Knapp, Statistics in Medicine 2001; Higgins, Thompson and Spiegelhalter, Journal of the
    Royal Statistical Society A 2009; Röver, Knapp and Friede, BMC Medical Research Methodology 2015
    (truncation). R: ``metafor::rma(test = "knha")``, truncated ``"adhoc"``; ``predict(pi.type = "riley")``.
    """
    y, s = np.asarray(estimates, float), np.asarray(errors, float)
    if y.ndim != 1 or y.shape != s.shape or len(y) < 2:
        raise StudyError(f"pooling: shapes {y.shape} and {s.shape}; give two or more estimates with their errors")
    bad = ~np.isfinite(y) | ~np.isfinite(s) | ~(s > 0)
    if bad.any():
        at = int(np.argmax(bad))
        raise StudyError(f"pooling: estimate {at} is {y[at]:g} ± {s[at]:g}; both must be finite, the error above zero")
    if method not in BETWEEN:
        raise StudyError(f"pooling: unknown method {method!r}; use one of {', '.join(BETWEEN)}")
    z, k, variances = z_value(confidence), len(y), s**2
    q = _q(0.0, y, variances)
    tau_squared = BETWEEN[method](y, variances)
    weights = 1 / (variances + tau_squared)
    mean, variance = float(np.average(y, weights=weights)), float(1 / weights.sum())
    if hartung_knapp:
        factor = _q(tau_squared, y, variances) / (k - 1)
        variance *= max(1.0, factor) if truncated else factor
        z = float(t_distribution.isf((1 - confidence) / 2, k - 1))
    reach = z * np.sqrt(variance)
    t = float(t_distribution.isf((1 - confidence) / 2, k - 2)) if k > 2 else np.nan
    beyond = t * np.sqrt(tau_squared + variance)
    fixed = 1 / variances
    typical = (k - 1) * fixed.sum() / (fixed.sum() ** 2 - (fixed**2).sum())
    ends = (mean, mean - reach, mean + reach, mean - beyond, mean + beyond)
    i_squared = tau_squared / (tau_squared + typical)
    return Pooled(*map(float, ends), tau_squared, float(i_squared), q, float(chi2.sf(q, k - 1)))


def _q(tau_squared: float, y: NDArray, variances: NDArray) -> float:
    """Weighted squared distances from the weighted mean: Cochran's Q at ``tau_squared`` 0."""
    weights = 1 / (variances + tau_squared)
    return float((weights * (y - np.average(y, weights=weights)) ** 2).sum())


def _dersimonian_laird(y: NDArray, variances: NDArray) -> float:
    weights = 1 / variances
    spread = weights.sum() - (weights**2).sum() / weights.sum()
    return max(0.0, float((_q(0.0, y, variances) - (len(y) - 1)) / spread))


def _paule_mandel(y: NDArray, variances: NDArray) -> float:
    """Where Q meets its expectation k - 1."""
    return _root(lambda tau_squared: _q(tau_squared, y, variances) - (len(y) - 1), y, variances)


def _reml(y: NDArray, variances: NDArray) -> float:
    """Where the slope of the restricted likelihood is zero."""

    def slope(tau_squared: float) -> float:
        weights = 1 / (variances + tau_squared)
        residual = y - np.average(y, weights=weights)
        return float((weights**2 * residual**2).sum() - weights.sum() + (weights**2).sum() / weights.sum())

    return _root(slope, y, variances)


def _root(slope: Callable[[float], float], y: NDArray, variances: NDArray) -> float:
    """The variance at which a slope that is negative far out turns from positive; 0 if it is not positive there."""
    if slope(0.0) <= 0:
        return 0.0
    far = float(np.ptp(y) ** 2 + variances.max())
    while slope(far) > 0:
        far *= 2
    return float(brentq(slope, 0.0, far, xtol=1e-14 * far, rtol=1e-14))


BETWEEN: dict[str, Callable[[NDArray, NDArray], float]] = {
    "REML": _reml,
    "PM": _paule_mandel,
    "DL": _dersimonian_laird,
}
"""How the variance between centres is estimated."""


def centre_table(predictions: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """AUC of each model in each centre, pooled over centres.

    All patients of a centre count, each scored by models that did not see them: development out-of-fold,
    internal and external. Centres have DeLong's plain interval, as in every other table. They are pooled on
    the logit scale by :func:`random_effects` (REML, truncated Hartung-Knapp).

    Parameters
    ----------
    predictions : DataFrame
        ``model, centre, label, probability``, one row a patient and model. The predictions of models that
        leave one centre out have this form too.

    Returns
    -------
    DataFrame
        ``model, split`` (all), ``centre, n, positives, auc`` (+ low, high), ``kind``: *centre*; *pooled*; or
        *prediction*, whose interval is where the true AUC of a new centre is expected. ``tau_squared`` (logit
        scale), ``i_squared`` and ``p_heterogeneity`` stand on the pooled row. ``note`` says why a centre is
        not pooled or an interval is missing.
    """
    rows: list[dict] = []
    for model, scored in predictions.groupby("model", sort=True):
        found = [_centre_row(centre, own, confidence) for centre, own in scored.groupby("centre", sort=True)]
        rows += [{"model": model} | row for row in found + _pooled_rows(found, confidence)]
    names = ["model", "split", "centre", "n", "positives", "auc", "auc_low", "auc_high", "kind", "tau_squared",
             "i_squared", "p_heterogeneity", "note"]  # fmt: skip
    return pd.DataFrame(rows).assign(split="all").reindex(columns=names)


def _centre_row(centre: str, scored: pd.DataFrame, confidence: float) -> dict:
    """One centre; ``error`` is DeLong's on the logit scale, for the pool only."""
    n, positives = len(scored), int(scored["label"].sum())
    row = {"centre": centre, "n": n, "positives": positives, "kind": "centre", "note": TOO_FEW, "error": np.nan}
    if min(positives, n - positives) < 2:
        return row | columns("auc", Interval(np.nan, np.nan, np.nan))
    area, variance = (float(part.ravel()[0]) for part in delong(scored["label"], scored["probability"]))
    separated = variance == 0 or not 0 < area < 1
    error = np.nan if separated else np.sqrt(variance) / (area * (1 - area))
    row |= {"note": SEPARATED if separated else "", "error": error}
    return row | columns("auc", interval_from_error(area, float(np.sqrt(variance)), confidence))


def _pooled_rows(centres: list[dict], confidence: float) -> list[dict]:
    """The pooled and the prediction row behind the centres of one model."""
    used = [row for row in centres if row["error"] > 0]
    size = {"n": sum(row["n"] for row in used), "positives": sum(row["positives"] for row in used)}
    heads = [
        {"centre": "all centres", "kind": "pooled"} | size,
        {"centre": "a new centre", "kind": "prediction"} | size,
    ]
    if len(used) < 2:
        return [head | columns("auc", Interval(np.nan, np.nan, np.nan)) | {"note": NOT_POOLED} for head in heads]
    pooled = random_effects(
        logit([row["auc"] for row in used]), [row["error"] for row in used], confidence, truncated=True
    )
    middle, low, high, lower, higher = (float(expit(end)) for end in pooled[:5])
    tests = {"tau_squared": pooled.tau_squared, "i_squared": pooled.i_squared, "p_heterogeneity": pooled.p, "note": ""}
    return [
        heads[0] | columns("auc", Interval(middle, low, high)) | tests,
        heads[1] | columns("auc", Interval(middle, lower, higher)) | {"note": "" if len(used) > 2 else NO_PREDICTION},
    ]
