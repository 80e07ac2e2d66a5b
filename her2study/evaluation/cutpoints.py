"""Where to cut a score: Youden's index, or a stated sensitivity or specificity.

These functions choose wherever they are asked to. A study asks
:func:`her2study.evaluation.thresholds.choose_thresholds`, which shows them development rows and nothing else.
A patient is called positive when the score is at least the threshold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from her2study.evaluation.checks import check_scores
from her2study.types import StudyError


def youden_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """Threshold with the largest Youden index, ``J = sensitivity + specificity - 1``.

    Candidates are the midpoints between neighbouring distinct scores (as in pROC), so that a frozen threshold does
    not sit on a patient, and the lowest score itself, which calls everyone positive (``J = 0``; pROC's ``-Inf``). Of
    equally good candidates the lowest is taken: it has the highest sensitivity. So a constant score, and one that
    ranks the classes the wrong way round, get their lowest value; the direction is never flipped. With one patient
    in a class, ``J`` has few values and ties are common.

    Parameters
    ----------
    labels : array (n,)
        1 for outcome-positive, 0 for outcome-negative.
    scores : array (n,)
        Probabilities or any score where higher means more likely positive.

    Returns
    -------
    float
        In the unit of the scores; a score equal to it is called positive.

    Raises
    ------
    StudyError
        A label that is not 0 or 1, one class only, a score that is not finite, more than one column of scores.

    References
    ----------
    Youden WJ (1950) Cancer 3:32-35. ``pROC::coords(x, "best", best.method = "youden")``, its lowest threshold.
    """
    candidates, sensitivity, specificity = _candidates(labels, scores)
    # one count of patients is a larger step than rounding, so rounded sums tie exactly
    return float(candidates[np.argmax(np.round(sensitivity + specificity, 12))])


def threshold_at_sensitivity(labels: ArrayLike, scores: ArrayLike, sensitivity: float) -> float:
    """The highest threshold whose sensitivity is at least ``sensitivity``; it has the best specificity of those.

    Candidates as in :func:`youden_threshold`. The lowest score, which calls everyone positive, always qualifies; a
    constant score gets itself. With tied scores the sensitivity reached can lie well above the one asked for.

    Parameters
    ----------
    labels, scores : array (n,)
        As in :func:`youden_threshold`.
    sensitivity : float
        Share of the positives to be called positive, above 0 and up to 1.

    Returns
    -------
    float
        In the unit of the scores.

    Raises
    ------
    StudyError
        ``sensitivity`` is not above 0 and up to 1; labels and scores as in :func:`youden_threshold`.

    References
    ----------
    The largest ``threshold`` of ``pROC::coords(x, "all")`` with at least that ``sensitivity``.
    """
    candidates, reached, _ = _candidates(labels, scores)
    return float(candidates[reached >= _checked_target("sensitivity", sensitivity) - 1e-12].max())


def threshold_at_specificity(labels: ArrayLike, scores: ArrayLike, specificity: float) -> float:
    """The lowest threshold whose specificity is at least ``specificity``; it has the best sensitivity of those.

    Candidates as in :func:`youden_threshold`, and the next number above the highest score, which calls nobody
    positive (pROC's ``Inf``): it is the answer where a negative has the highest score and no lower threshold will do.

    Parameters
    ----------
    labels, scores : array (n,)
        As in :func:`youden_threshold`.
    specificity : float
        Share of the negatives to be called negative, above 0 and up to 1.

    Returns
    -------
    float
        In the unit of the scores.

    Raises
    ------
    StudyError
        ``specificity`` is not above 0 and up to 1; labels and scores as in :func:`youden_threshold`.

    References
    ----------
    The smallest ``threshold`` of ``pROC::coords(x, "all")`` with at least that ``specificity``.
    """
    candidates, _, reached = _candidates(labels, scores)
    return float(candidates[reached >= _checked_target("specificity", specificity) - 1e-12].min())


def _checked_target(name: str, target: float) -> float:
    if not 0 < target <= 1:
        raise StudyError(f"target {name} is {target}; it is a share above 0 and up to 1, for example 0.9")
    return target


def _candidates(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray, NDArray, NDArray]:
    """Candidate thresholds in rising order, with the sensitivity and specificity of each."""
    labels, matrix = check_scores(labels, scores)
    if matrix.shape[1] != 1:
        raise StudyError(f"scores have {matrix.shape[1]} columns; a threshold is chosen for one model at a time")
    scores = matrix[:, 0]
    distinct = np.unique(scores)
    lower, upper = distinct[:-1], distinct[1:]
    middle = lower / 2 + upper / 2  # halves first: the sum of two huge scores overflows
    # two scores with no number between them: the upper one separates them
    middle = np.where(middle > lower, middle, upper)
    with np.errstate(over="ignore"):
        nobody = np.nextafter(distinct[-1], np.inf)
    candidates = np.r_[distinct[0], middle, nobody]
    positives, negatives = np.sort(scores[labels == 1]), np.sort(scores[labels == 0])
    sensitivity = 1 - np.searchsorted(positives, candidates, side="left") / len(positives)
    specificity = np.searchsorted(negatives, candidates, side="left") / len(negatives)
    return candidates, sensitivity, specificity
