"""What a positive and a negative call mean where the outcome is rarer or more frequent than in the study."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from her2study.evaluation.confusion import check_counts
from her2study.evaluation.intervals import Interval, columns, z_value
from her2study.types import StudyError


def predictive_values(
    tp: int, fp: int, fn: int, tn: int, prevalence: float, confidence: float = 0.95
) -> tuple[Interval, Interval]:
    """Positive and negative predictive value at a given prevalence, with logit intervals.

    With sensitivity ``se`` of ``P = tp + fn`` positives, specificity ``sp`` of ``N = fp + tn`` negatives and
    prevalence ``p`` (Bayes)::

        logit(ppv) = log(se p) - log((1 - sp) (1 - p))        variance (1 - se)/(se P) + sp/((1 - sp) N)
        logit(npv) = log(sp (1 - p)) - log((1 - se) p)        variance se/((1 - se) P) + (1 - sp)/(sp N)

    Sensitivity and specificity are taken to hold at the new prevalence, and the prevalence to be known exactly; the
    classes are sampled apart. At the study's own prevalence the estimates are ``tp/(tp + fp)`` and ``tn/(tn + fn)``.

    Where a count is 0 those variances are infinite, and the ends are those of the adjusted logit interval instead,
    which adds ``z**2/2`` to each count (as ``bdpv::BDtest``); the estimate stays unadjusted, and the interval is
    widened to hold it, so that an estimate of 1 has the upper end 1.

    Parameters
    ----------
    tp, fp, fn, tn : int
        Patients called positive rightly and wrongly, called negative wrongly and rightly.
    prevalence : float
        Share of positives among those to be called, strictly between 0 and 1.
    confidence : float
        Of the intervals, between 0 and 1.

    Returns
    -------
    tuple of Interval
        PPV and NPV, shares. Both are missing (nan) if the study has no positives or no negatives; the PPV if nobody
        was called positive, the NPV if nobody was called negative.

    Raises
    ------
    StudyError
        A count is negative or not whole; the prevalence is not strictly between 0 and 1.

    References
    ----------
    Mercaldo ND, Lau KF, Zhou XH (2007) Stat Med 26:2170-2183. R: ``bdpv::BDtest``.
    """
    tp, fp, fn, tn = check_counts(tp, fp, fn, tn)
    if not 0 < prevalence < 1:
        raise StudyError(f"prevalence is {prevalence}; it is a share strictly between 0 and 1, for example 0.2")
    if tp + fn == 0 or fp + tn == 0:
        return Interval(np.nan, np.nan, np.nan), Interval(np.nan, np.nan, np.nan)
    # the negative predictive value is the positive one with the classes and the calls exchanged
    return _value(tp, fn, fp, tn, prevalence, confidence), _value(tn, fp, fn, tp, 1 - prevalence, confidence)


def prevalence_table(metrics: pd.DataFrame, prevalences: Iterable[float], confidence: float = 0.95) -> pd.DataFrame:
    """PPV and NPV of each row of ``metrics`` restated at each prevalence.

    ``metrics`` is the table of :func:`~her2study.evaluation.thresholds.threshold_metrics` or
    :func:`~her2study.evaluation.thresholds.operating_points`.

    Returns columns ``rule`` (if there), ``split, model, threshold, prevalence``, and ``ppv, npv`` with ``_low`` and
    ``_high``.
    """
    kept = [column for column in ("rule", "split", "model", "threshold") if column in metrics]
    rows = []
    for metric in metrics.to_dict("records"):
        for prevalence in prevalences:
            counts = (metric[count] for count in ("tp", "fp", "fn", "tn"))
            ppv, npv = predictive_values(*counts, prevalence, confidence)
            row = {column: metric[column] for column in kept} | {"prevalence": float(prevalence)}
            rows.append(row | columns("ppv", ppv) | columns("npv", npv))
    return pd.DataFrame(rows)


def _value(right: int, missed: int, wrong: int, left: int, prevalence: float, confidence: float) -> Interval:
    """Share of true ones among those called, from ``right + missed`` true ones and ``wrong + left`` others."""
    if right + wrong == 0:
        return Interval(np.nan, np.nan, np.nan)
    hit, false = right / (right + missed), wrong / (wrong + left)
    estimate = hit * prevalence / (hit * prevalence + false * (1 - prevalence))
    z = z_value(confidence)
    added = 0.0 if min(right, missed, wrong, left) > 0 else z**2 / 2
    right, missed, wrong, left = (count + added for count in (right, missed, wrong, left))
    hit, false = right / (right + missed), wrong / (wrong + left)
    centre = np.log(hit) - np.log(false) + logit(prevalence)
    # (1 - se)/(se P) + sp/((1 - sp) N), in counts
    half = z * np.sqrt(missed / right / (right + missed) + left / wrong / (wrong + left))
    return Interval(estimate, min(estimate, float(expit(centre - half))), max(estimate, float(expit(centre + half))))
