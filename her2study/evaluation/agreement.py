"""How well two readers agree: kappa for categories, intraclass correlation for numbers, and the table of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from her2study.evaluation.intervals import Interval, columns, z_value
from her2study.evaluation.intraclass import ABSOLUTE, ICC_MODELS, UNDEFINED, icc, measurements
from her2study.study import Variable
from her2study.types import StudyError

WEIGHTS = {"linear": 1, "quadratic": 2}
"""Power of the distance between two ordered categories."""

NO_PAIRS, ONE_VALUE, ONE_READER = "fewer than two pairs", "both readers gave one value", "a reader gave one value only"


def kappa(
    first: ArrayLike,
    second: ArrayLike,
    weights: Literal["linear", "quadratic"] | None = None,
    confidence: float = 0.95,
) -> Interval:
    r"""Cohen's kappa of two readers, plain or weighted, with its large-sample interval.

    With shares :math:`p_{ij}` of patients whom the readers call i and j, and disagreement
    :math:`d_{ij}` (plain: 1 off the diagonal; else :math:`|i-j|` or :math:`(i-j)^2`),

    .. math:: \kappa = 1 - \sum_{ij} d_{ij} p_{ij} \Big/ \sum_{ij} d_{ij} p_{i\cdot} p_{\cdot j},

    and the interval is :math:`\kappa \pm z\,SE` with the standard error that does not assume
    :math:`\kappa = 0`, clipped to -1..1.

    Parameters
    ----------
    first, second : array_like, (n,)
        Readings of the same patients. Unweighted: any values. Weighted: numbers, whose distance is the
        size of a disagreement; give an ordinal variable as 0, 1, 2...
    weights : {None, "linear", "quadratic"}
        Plain kappa, or weighted by distance (Cicchetti-Allison, Fleiss-Cohen).
    confidence : float
        Of the interval.

    Returns
    -------
    Interval
        All missing with fewer than two patients or when both readers gave one and the same value to
        everyone (0/0). A single reader without variation has kappa 0, whatever the other says: no
        interval then. Perfect agreement has variance 0, so its interval is the point 1: a limit of the
        method, not certainty.

    Raises
    ------
    StudyError
        The readers' lengths differ, a reading is missing, weighted readings are not numbers, or the
        weights are unknown.

    References
    ----------
    Cohen, Educational and Psychological Measurement 1960 and Psychological Bulletin 1968; Fleiss, Cohen
    and Everitt, Psychological Bulletin 1969 (the variance). R: ``psych::cohen.kappa``.
    """
    from statsmodels.stats.inter_rater import cohens_kappa  # only here: who applies a frozen model has no statsmodels

    if weights is not None and weights not in WEIGHTS:
        raise StudyError(f"kappa: unknown weights {weights!r}; use None, {' or '.join(map(repr, WEIGHTS))}")
    codes, values = pd.factorize(np.concatenate(_paired(first, second)), sort=True)
    n, k, z = len(codes) // 2, len(values), z_value(confidence)
    if n < 2 or k < 2:
        return UNDEFINED
    distance = None
    if weights is not None:
        scores = measurements(values)
        distance = (np.abs(scores[:, None] - scores) / np.ptp(scores)) ** WEIGHTS[weights]
    table = np.zeros((k, k))
    np.add.at(table, (codes[:n], codes[n:]), 1)
    with np.errstate(all="ignore"):  # of its test that kappa is 0, and of a variance that rounding leaves below zero
        found = cohens_kappa(table, weights=distance)
    estimate = float(np.clip(found.kappa, -1.0, 1.0))
    if (table.sum(axis=0) > 0).sum() == 1 or (table.sum(axis=1) > 0).sum() == 1:
        return Interval(0.0, np.nan, np.nan)
    reach = z * float(np.sqrt(max(found.var_kappa, 0.0)))
    return Interval(estimate, max(-1.0, estimate - reach), min(1.0, estimate + reach))


def agreement_table(cohort: pd.DataFrame, variables: Mapping[str, Variable], confidence: float = 0.95) -> pd.DataFrame:
    """Agreement of the two readers on every variable that both have read.

    Parameters
    ----------
    cohort : DataFrame
        The variables and, where a second reader read one, ``<variable>__reader2``.
    variables : mapping of Variable
        In the order of the table.

    Returns
    -------
    DataFrame
        ``variable, label`` (with unit), ``statistic`` (which, named), ``n`` (complete pairs), ``agreement`` (+ low,
        high), ``identical_percent`` (of the readings; categories only), for numbers also ``bias`` (mean of
        second minus first reader), ``agreement_limit_low, agreement_limit_high`` (bias ± 1.96 SD: Bland
        and Altman's 95% limits), and a ``note`` where agreement cannot be measured.

    Ordinal variables have quadratic weights, other categories none, numbers the ICC of :data:`ABSOLUTE`.
    """
    rows = []
    for name, variable in variables.items():
        if f"{name}__reader2" not in cohort:
            continue
        pairs = cohort[[name, f"{name}__reader2"]].dropna()
        measure = _numbers_row if variable.type == "continuous" else _categories_row
        head = {"variable": name, "label": variable.printed, "n": len(pairs)}
        rows.append(head | measure(pairs, variable, confidence))
    names = ["variable", "label", "statistic", "n", "agreement", "agreement_low", "agreement_high", "identical_percent",
             "bias", "agreement_limit_low", "agreement_limit_high", "note"]  # fmt: skip
    text = dict.fromkeys(("variable", "label", "statistic", "note"), "str")
    return pd.DataFrame(rows, columns=names).astype(text | {"n": "int64"} | dict.fromkeys(names[4:-1], "float64"))


def _categories_row(pairs: pd.DataFrame, variable: Variable, confidence: float) -> dict:
    codes = np.column_stack([pd.Index(variable.levels).get_indexer(pairs[column]) for column in pairs])
    ordered = variable.type == "ordinal"
    row = {"statistic": "quadratic-weighted kappa" if ordered else "Cohen's kappa"}
    same = float((codes[:, 0] == codes[:, 1]).mean()) if len(codes) else np.nan
    note = _why_not(codes) or (ONE_READER if (np.ptp(codes, axis=0) == 0).any() else "")
    value = UNDEFINED if note else kappa(*codes.T, "quadratic" if ordered else None, confidence)
    return row | columns("agreement", value) | {"identical_percent": 100 * same, "note": note}


def _numbers_row(pairs: pd.DataFrame, variable: Variable, confidence: float) -> dict:
    numbers = pairs.to_numpy(dtype="float64")
    row = {"statistic": f"{ICC_MODELS[ABSOLUTE]}, {ABSOLUTE}", "note": _why_not(numbers)}
    if len(numbers) >= 2:
        difference = numbers[:, 1] - numbers[:, 0]
        bias, reach = float(difference.mean()), z_value(0.95) * float(difference.std(ddof=1))
        row |= {"bias": bias, "agreement_limit_low": bias - reach, "agreement_limit_high": bias + reach}
    return row | columns("agreement", UNDEFINED if row["note"] else icc(numbers, ABSOLUTE, confidence))


def _why_not(readings: NDArray) -> str:
    """Why no agreement can be measured on these pairs; empty if it can."""
    if len(readings) < 2:
        return NO_PAIRS
    return ONE_VALUE if np.ptp(readings) == 0 else ""


def _paired(first: ArrayLike, second: ArrayLike) -> tuple[NDArray, NDArray]:
    """Both readers' values as arrays of one length without gaps."""
    one, two = (np.asarray(values) for values in (first, second))
    if one.ndim != 1 or one.shape != two.shape:
        raise StudyError(f"readers: the shapes are {one.shape} and {two.shape}; both must be (n,), the same patients")
    missing = pd.isna(one) | pd.isna(two)
    if missing.any():
        raise StudyError(f"readers: row {int(np.argmax(missing))} lacks a reading; leave out incomplete pairs")
    return one, two
