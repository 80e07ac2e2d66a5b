"""Calls of two models on the same patients: McNemar's test and the difference of paired proportions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from her2study.evaluation.compare import holm
from her2study.evaluation.intervals import Interval, columns, wilson
from her2study.evaluation.predictions import by_split
from her2study.evaluation.thresholds import check_thresholds
from her2study.types import StudyError

EXACT_BELOW = 25
"""With fewer discordant patients than this the exact binomial test is used."""


class McNemar(NamedTuple):
    """Patients only one model called correctly, the difference of the shares of correct calls (a - b), and the test."""

    only_a: int
    only_b: int
    difference: float
    low: float
    high: float
    statistic: float
    p: float
    exact: bool


def mcnemar(
    labels: ArrayLike, called_a: ArrayLike, called_b: ArrayLike, exact: bool | None = None, confidence: float = 0.95
) -> McNemar:
    """McNemar's test that two models call equally many of the same patients correctly, with the difference.

    Of all patients it compares accuracies, of the positives alone sensitivities, of the negatives alone
    specificities. Only the ``d = only_a + only_b`` discordant patients speak::

        exact       p = min(1, 2 P(X <= min(only_a, only_b))), X ~ Binomial(d, 1/2)
        otherwise   statistic = (|only_a - only_b| - 1)**2 / d, chi-squared with 1 degree of freedom

    The exact test is taken when ``d`` is below 25 (:data:`EXACT_BELOW`). The statistic has Edwards' continuity
    correction, which ``mcnemar.test`` of R applies too. When ``only_a`` equals ``only_b``, p is 1; R says so too
    except for two models that always agree, where it has no answer.

    The interval is Newcombe's method 10: Wilson's intervals of the two shares, joined with their (continuity
    corrected) correlation. It has a width for models that always agree, and can disagree with p at the border.

    Parameters
    ----------
    labels : array (n,)
        0 or 1; one class only is allowed.
    called_a, called_b : array (n,)
        The calls of the two models at their thresholds, boolean or 0 and 1.
    exact : bool, optional
        Forces the exact (True) or the chi-squared test (False).
    confidence : float
        Of the interval of the difference, between 0 and 1.

    Returns
    -------
    McNemar
        ``only_a, only_b, difference, low, high, statistic, p, exact``. The difference is the share that a called
        correctly minus the share that b did, from -1 to 1. The statistic of an exact test is missing (nan).

    Raises
    ------
    StudyError
        No patients, lengths that differ, a label or a call that is not 0 or 1 (the row is named).

    References
    ----------
    McNemar Q (1947) Psychometrika 12:153-157. Edwards AL (1948) Psychometrika 13:185-187. Newcombe RG (1998)
    Stat Med 17:2635-2650. R: ``mcnemar.test``, ``binom.test``.
    """
    from statsmodels.stats import contingency_tables  # only here: who applies a frozen model has no statsmodels

    table = np.column_stack(_checked_calls(labels=labels, called_a=called_a, called_b=called_b))
    right_a, right_b = (table[:, 1:] == table[:, :1]).T
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    both, neither = int((right_a & right_b).sum()), int((~right_a & ~right_b).sum())
    difference = paired_difference(both, only_a, only_b, neither, confidence)
    exact = only_a + only_b < EXACT_BELOW if exact is None else exact
    if only_a == only_b:  # statsmodels corrects even a difference of 0
        statistic, p = 0.0, 1.0
    else:
        test = contingency_tables.mcnemar([[both, only_a], [only_b, neither]], exact=exact, correction=True)
        statistic, p = float(test.statistic), float(test.pvalue)
    return McNemar(only_a, only_b, *difference, np.nan if exact else statistic, p, bool(exact))


def paired_difference(both: int, only_a: int, only_b: int, neither: int, confidence: float = 0.95) -> Interval:
    """Difference of two proportions of the same patients with Newcombe's interval (1998, method 10).

    ``both`` patients are successes of a and of b, ``only_a`` of a alone, and so on. The difference is a minus b.
    """
    n = both + only_a + only_b + neither
    a, b = wilson(both + only_a, n, confidence), wilson(both + only_b, n, confidence)
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    excess = both * neither - only_a * only_b
    excess = max(excess - n / 2, 0.0) if excess > 0 else excess  # continuity correction, towards no correlation
    correlation = excess / np.sqrt(float(margins)) if margins > 0 else 0.0

    def joined(x: float, y: float) -> float:
        return float(np.sqrt(max(x**2 - 2 * correlation * x * y + y**2, 0.0)))

    estimate = (only_a - only_b) / n
    low = estimate - joined(a.estimate - a.low, b.high - b.estimate)
    high = estimate + joined(a.high - a.estimate, b.estimate - b.low)
    return Interval(estimate, max(-1.0, low), min(1.0, high))


def mcnemar_table(
    predictions: pd.DataFrame,
    thresholds: Mapping[str, float],
    pairs: Iterable[tuple[str, str]],
    confidence: float = 0.95,
) -> pd.DataFrame:
    """:func:`mcnemar` of each pair at the models' frozen thresholds in each split.

    Sensitivity compares the positives, specificity the negatives, accuracy all. Holm's adjustment covers all tests
    of a split. Pairs with an absent model are left out. In development the thresholds were chosen on the same
    patients, so p values there are optimistic.

    Returns columns ``split, model_a, model_b, measure, n, only_a, only_b, difference, difference_low,
    difference_high, method, statistic, p, p_holm``; the difference is a minus b.

    Raises
    ------
    StudyError
        A model of a pair has no threshold.
    """
    present = set(predictions["model"])
    pairs = [tuple(pair) for pair in pairs if set(pair) <= present]
    asked = predictions[predictions["model"].isin([model for pair in pairs for model in pair])]
    check_thresholds(asked, thresholds)
    rows = []
    for split, models, labels, scores in by_split(asked):
        called = {model: column >= thresholds[model] for model, column in zip(models, scores.T, strict=True)}
        groups = {"sensitivity": labels == 1, "specificity": labels == 0, "accuracy": np.ones(len(labels), bool)}
        for a, b in pairs:
            for measure, group in groups.items():
                test = mcnemar(labels[group], called[a][group], called[b][group], confidence=confidence)
                row = {"split": split, "model_a": a, "model_b": b, "measure": measure, "n": int(group.sum())}
                row |= {"only_a": test.only_a, "only_b": test.only_b}
                row |= columns("difference", Interval(test.difference, test.low, test.high))
                row |= {"method": "exact binomial" if test.exact else "chi-squared, continuity corrected"}
                rows.append(row | {"statistic": test.statistic, "p": test.p})
    names = ["split", "model_a", "model_b", "measure", "n", "only_a", "only_b", "difference", "difference_low"]
    table = pd.DataFrame(rows, columns=[*names, "difference_high", "method", "statistic", "p"])
    return table.assign(p_holm=table.groupby("split")["p"].transform(holm) if rows else pd.Series(dtype=float))


def _checked_calls(**columns: ArrayLike) -> list[NDArray[np.bool_]]:
    """Labels and calls as booleans, or a StudyError that names the first bad row."""
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 1 or shape[0] == 0:
        raise StudyError(
            f"labels and calls have shapes {', '.join(str(array.shape) for array in arrays.values())}; they must have "
            "one entry for each of the same patients, and at least one patient"
        )
    for name, array in arrays.items():
        bad = ~np.isin(array, (0, 1))
        if bad.any():
            row = int(np.argmax(bad))
            raise StudyError(f"row {row}: {name} is {array[row]}; it must be 0 or 1: compare scores with a threshold")
    return [array.astype(bool) for array in arrays.values()]
