"""Reclassification between two models: event and non-event NRI, and IDI, apart and with intervals.

Category-free NRI (Pencina 2011). It overstates the value of a new marker even on independent
patients (Kerr 2014), so events and non-events stand apart, never summed, beside a caveat.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from her2study.evaluation.bootstrap import resample, weighted_mean
from her2study.evaluation.checks import check_scores
from her2study.evaluation.intervals import Interval, columns, percentile
from her2study.evaluation.predictions import by_split

CAVEAT = "Category-free NRI and IDI overstate added value, also on independent patients (Kerr 2014); no proof of use."


def reclassification(
    labels: ArrayLike,
    new: ArrayLike,
    old: ArrayLike,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """``nri_events, nri_non_events, idi`` of ``new`` against ``old`` probabilities, each ``(n,)``.

    nri_events = P(up | event) - P(down | event); nri_non_events = P(down | non-event) - P(up | non-event);
    idi = mean(new - old | event) - mean(new - old | non-event). Stratified bootstrap percentile
    intervals. Above 0 favours ``new``. Raises as :func:`her2study.evaluation.roc.auc`.
    """
    labels, matrix = check_scores(labels, np.column_stack([np.asarray(new, float), np.asarray(old, float)]))
    change = matrix[:, 0] - matrix[:, 1]
    moves = np.column_stack([np.sign(change), change])
    event = labels == 1

    def measures(weights: np.ndarray) -> np.ndarray:
        up_events, shift_events = weighted_mean(moves[event], weights[:, event]).T
        up_others, shift_others = weighted_mean(moves[~event], weights[:, ~event]).T
        return np.column_stack([up_events, -up_others, shift_events - shift_others])

    estimates = measures(np.ones((1, len(labels))))[0]
    drawn = resample(measures, labels, resamples, seed)
    names = ("nri_events", "nri_non_events", "idi")
    return {name: percentile(float(estimates[i]), drawn[:, i], confidence) for i, name in enumerate(names)}


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
