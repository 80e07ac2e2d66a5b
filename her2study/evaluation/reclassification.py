"""Reclassification between two models: event and non-event NRI, and IDI, apart and with intervals.

Category-free NRI (Pencina 2011). It overstates the value of a new marker even on independent
patients (Kerr 2014), so events and non-events stand apart, never summed, beside a caveat.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from her2study.evaluation.bootstrap import resample, weighted_mean
from her2study.evaluation.checks import check_probabilities
from her2study.evaluation.intervals import Interval, columns, percentile, z_value
from her2study.evaluation.predictions import by_split
from her2study.types import StudyError

CAVEAT = "Category-free NRI and IDI overstate added value, also on independent patients (Kerr 2014); no proof of use."

LARGEST = {"nri_events": 1.0, "nri_non_events": 1.0, "idi": 2.0}
"""The measures, and the largest value each can take; the smallest is its negative."""


def reclassification(
    labels: ArrayLike,
    new: ArrayLike,
    old: ArrayLike,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    method: str = "bootstrap",
) -> dict[str, Interval]:
    """Event NRI, non-event NRI and IDI of a new model against an old one, on the same patients.

    With ``d = new - old``::

        nri_events     = P(d > 0 | event) - P(d < 0 | event)
        nri_non_events = P(d < 0 | non-event) - P(d > 0 | non-event)
        idi            = mean(d | event) - mean(d | non-event)

    Above 0 favours ``new``. Equal probabilities (``d = 0``) move neither way; two equal models have 0 throughout, with
    an interval of no width. Neither measure is a proper score: they reward a miscalibrated new model
    (:data:`CAVEAT`); net benefit and the AUC difference are to be read first.

    Parameters
    ----------
    labels : array (n,)
        1 for events, 0 for non-events.
    new, old : array (n,)
        Probabilities of the two models, 0-1.
    confidence : float
        Of the intervals, between 0 and 1.
    resamples, seed : int
        Of the bootstrap; same numbers, same result.
    method : {"bootstrap", "asymptotic"}
        Percentile intervals of a bootstrap stratified by label, or normal intervals with the standard errors of
        ``Hmisc::improveProb``, cut at the ends of the measure's range.

    Returns
    -------
    dict of Interval
        ``nri_events``, ``nri_non_events`` (-1 to 1) and ``idi`` (-2 to 2). With one patient in a class the bootstrap
        cannot vary there (it understates), and the asymptotic interval of the IDI is missing (nan).

    Raises
    ------
    StudyError
        ``new`` and ``old`` are not of one length; a probability outside 0-1 or not finite; labels that are not 0 and
        1 or of one class only; an unknown method.

    References
    ----------
    Pencina MJ, D'Agostino RB, Steyerberg EW (2011) Stat Med 30:11-21. Kerr KF et al. (2014) Epidemiology 25:114-121.
    R: ``Hmisc::improveProb``.
    """
    new, old = np.asarray(new, float), np.asarray(old, float)
    if new.shape != old.shape or new.ndim != 1:
        raise StudyError(f"new has shape {new.shape} and old {old.shape}; both must be (n,), of the same patients")
    labels, matrix = check_probabilities(labels, np.column_stack([new, old]))
    change = matrix[:, 0] - matrix[:, 1]
    moves, event = np.column_stack([np.sign(change), change]), labels == 1

    def measures(weights: NDArray) -> NDArray[np.float64]:
        up_events, shift_events = weighted_mean(moves[event], weights[:, event]).T
        up_others, shift_others = weighted_mean(moves[~event], weights[:, ~event]).T
        return np.column_stack([up_events, -up_others, shift_events - shift_others])

    estimates = measures(np.ones((1, len(labels))))[0]
    if method == "asymptotic":
        intervals = _asymptotic(estimates, moves[event], moves[~event], confidence)
    elif method == "bootstrap":
        drawn = resample(measures, labels, resamples, seed)
        intervals = [percentile(float(e), column, confidence) for e, column in zip(estimates, drawn.T, strict=True)]
    else:
        raise StudyError(f"method is {method!r}; it must be 'bootstrap' or 'asymptotic'")
    return dict(zip(LARGEST, intervals, strict=True))


def reclassification_table(
    predictions: pd.DataFrame,
    pairs: Iterable[tuple[str, str]],
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """:func:`reclassification` of each pair (new, old) in each split; pairs with an absent model are left out.

    Returns columns ``split, model_new, model_old, n, positives``, each measure with ``_low`` and ``_high``,
    and ``caveat``.
    """
    present = set(predictions["model"])
    pairs = [tuple(pair) for pair in pairs if set(pair) <= present]
    rows = []
    for split, models, labels, scores in by_split(predictions):
        score = dict(zip(models, scores.T, strict=True))
        for new, old in pairs:
            row = {"split": split, "model_new": new, "model_old": old, "n": len(labels), "positives": int(labels.sum())}
            measures = reclassification(labels, score[new], score[old], confidence, resamples, seed)
            for name, interval in measures.items():
                row |= columns(name, interval)
            rows.append(row | {"caveat": CAVEAT})
    return pd.DataFrame(rows)


def _asymptotic(estimates: NDArray, events: NDArray, others: NDArray, confidence: float) -> list[Interval]:
    """Normal intervals from ``moves`` ``(n, 2)`` (sign and size of the change) of events and of the others."""
    squared = [
        np.var(events[:, 0]) / len(events),
        np.var(others[:, 0]) / len(others),
        sum(np.var(group[:, 1], ddof=1) / len(group) if len(group) > 1 else np.nan for group in (events, others)),
    ]
    half = z_value(confidence) * np.sqrt(squared)
    limits = list(LARGEST.values())
    low, high = np.maximum(estimates - half, np.negative(limits)), np.minimum(estimates + half, limits)
    return [Interval(*map(float, interval)) for interval in zip(estimates, low, high, strict=True)]
