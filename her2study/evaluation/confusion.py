"""The rates that four counts give, each with an interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from her2study.evaluation.intervals import columns, percentile, wilson
from her2study.types import StudyError


def rates(
    tp: int, fp: int, fn: int, tn: int, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> dict[str, float]:
    """Sensitivity, specificity, PPV, NPV, accuracy, balanced accuracy, F1 and MCC of one confusion matrix.

    With ``P = tp + fn`` and ``N = fp + tn``::

        sensitivity = tp / P                  specificity = tn / N
        ppv = tp / (tp + fp)                  npv = tn / (tn + fn)
        accuracy = (tp + tn) / (P + N)        balanced_accuracy = (sensitivity + specificity) / 2
        f1 = 2 tp / (2 tp + fp + fn)
        mcc = (tp tn - fp fn) / sqrt((tp + fp) (tp + fn) (tn + fp) (tn + fn))

    The first five are proportions and carry Wilson intervals. The other three are not: they carry percentile
    intervals of a bootstrap stratified by class. Resampling patients within each class changes the matrix through
    two binomial counts only, so those are drawn and no patient is.

    Parameters
    ----------
    tp, fp, fn, tn : int
        Patients called positive rightly and wrongly, called negative wrongly and rightly.
    confidence : float
        Of the intervals, between 0 and 1.
    resamples, seed : int
        Of the bootstrap; same numbers, same result.

    Returns
    -------
    dict
        ``<rate>``, ``<rate>_low``, ``<rate>_high`` for each, as shares (0-1; MCC from -1 to 1). A rate with an empty
        denominator is missing (nan) with its interval. MCC is 0 where a margin is empty (everyone called the same), as
        in scikit-learn. In a class of one patient the bootstrap cannot vary, so it understates the uncertainty.

    Raises
    ------
    StudyError
        A count is negative or not a whole number.

    References
    ----------
    Wilson EB (1927) J Am Stat Assoc 22:209-212. Matthews BW (1975) Biochim Biophys Acta 405:442-451.
    The same numbers come from ``pROC::coords``, ``stats::prop.test(correct = FALSE)`` and ``sklearn.metrics``.
    """
    tp, fp, fn, tn = check_counts(tp, fp, fn, tn)
    positives, negatives = tp + fn, fp + tn
    proportions = {
        "sensitivity": (tp, positives),
        "specificity": (tn, negatives),
        "ppv": (tp, tp + fp),
        "npv": (tn, tn + fn),
        "accuracy": (tp + tn, positives + negatives),
    }
    row = {}
    for name, (successes, n) in proportions.items():
        row |= columns(name, wilson(successes, n, confidence))
    rng = np.random.default_rng([seed, tp, fp, fn, tn])
    tp_drawn = rng.binomial(positives, tp / max(positives, 1), size=resamples)
    fp_drawn = rng.binomial(negatives, fp / max(negatives, 1), size=resamples)
    drawn = _composite(tp_drawn, fp_drawn, positives - tp_drawn, negatives - fp_drawn)
    for name, estimate in _composite(*(np.array([count]) for count in (tp, fp, fn, tn))).items():
        row |= columns(name, percentile(float(estimate[0]), drawn[name], confidence))
    return row


def check_counts(tp: int, fp: int, fn: int, tn: int) -> tuple[int, int, int, int]:
    """The four counts as integers, or a StudyError that names the first that is not a count."""
    for name, count in zip(("tp", "fp", "fn", "tn"), (tp, fp, fn, tn), strict=True):
        if not (np.isfinite(count) and count >= 0 and count == int(count)):
            raise StudyError(f"{name} is {count}; the counts of a confusion matrix are whole numbers from 0")
    return int(tp), int(fp), int(fn), int(tn)


def _composite(tp: NDArray, fp: NDArray, fn: NDArray, tn: NDArray) -> dict[str, NDArray[np.float64]]:
    """Balanced accuracy, F1 and MCC of many confusion matrices at once."""
    tp, fp, fn, tn = (np.asarray(count, float) for count in (tp, fp, fn, tn))
    margins = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return {
        "balanced_accuracy": (_share(tp, tp + fn) + _share(tn, tn + fp)) / 2,
        "f1": _share(2 * tp, 2 * tp + fp + fn),
        "mcc": np.divide(tp * tn - fp * fn, margins, out=np.zeros_like(margins), where=margins > 0),
    }


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)
