"""How groups of patients differ in one variable: a fitting test and a standardised difference."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from her2study.study import Variable

SKEWED = 1.0
"""A continuous variable whose absolute skewness (all patients) exceeds this is summarised by ranks."""

RANDOM_TABLES = 9999
"""Random tables behind the p value of Fisher-Freeman-Halton."""


def by_ranks(values: pd.Series, variable: Variable) -> bool:
    """Whether median and rank tests suit a variable: it enters models as its logarithm, or is skewed."""
    from scipy.stats import skew

    known = values.dropna().to_numpy()
    return variable.log or (len(np.unique(known)) > 1 and abs(float(skew(known, bias=False))) > SKEWED)


def compare_groups(samples: Sequence[pd.Series], variable: Variable, ranked: bool) -> tuple[str, float]:
    """Name of the fitting test and its two-sided p value.

    Continuous: Welch's t test or Welch's analysis of variance; if skewed, Mann-Whitney or
    Kruskal-Wallis, corrected for ties. Ordinal: the same two, on the order of the levels. Otherwise
    chi-squared without continuity correction; with expected counts below 5 (2 x 2: any; larger: more than
    a fifth, or any below 1) Fisher's exact test or its Freeman-Halton extension, of random tables with a
    fixed seed. Groups with fewer than two values take no part, and the name says so.
    """
    from scipy import stats
    from statsmodels.stats.oneway import anova_oneway

    used = [s.dropna() for s in samples if s.notna().sum() >= 2]
    if len(used) < 2 or pd.concat(used).nunique() < 2:
        return "not tested: one value or one group only", np.nan
    partly = f" ({len(used)} of {len(samples)} groups)" if len(used) < len(samples) else ""
    if variable.type in ("continuous", "ordinal"):
        arrays = [s.to_numpy(dtype="float64") if variable.type == "continuous" else _places(s, variable) for s in used]
        ranked = ranked or variable.type == "ordinal"
        if ranked and len(used) == 2:
            return f"Mann-Whitney{partly}", float(stats.mannwhitneyu(*arrays, method="asymptotic").pvalue)
        if ranked:
            return f"Kruskal-Wallis{partly}", float(stats.kruskal(*arrays).pvalue)
        if any(a.std() == 0 for a in arrays):
            return "not tested: no spread in a group", np.nan
        if len(used) == 2:
            return f"Welch's t{partly}", float(stats.ttest_ind(*arrays, equal_var=False).pvalue)
        return f"Welch's ANOVA{partly}", float(anova_oneway(arrays, use_var="unequal").pvalue)
    counts = np.array([[(s == level).sum() for s in used] for level in variable.levels])
    counts = counts[counts.sum(axis=1) > 0]
    expected = stats.contingency.expected_freq(counts)
    if counts.shape == (2, 2) and (expected < 5).any():
        return f"Fisher's exact{partly}", float(stats.fisher_exact(counts).pvalue)
    if (expected < 1).any() or (expected < 5).mean() > 0.2:
        draw = stats.MonteCarloMethod(n_resamples=RANDOM_TABLES, rng=np.random.default_rng(0))
        return f"Fisher-Freeman-Halton{partly}", float(stats.fisher_exact(counts, method=draw).pvalue)
    return f"chi-squared{partly}", float(stats.chi2_contingency(counts, correction=False).pvalue)


def _places(values: pd.Series, variable: Variable) -> np.ndarray:
    """Place of each value in the order of the levels."""
    return pd.Index(variable.levels).get_indexer(values).astype("float64")


def standardised_difference(samples: Sequence[pd.Series], variable: Variable) -> float:
    r"""Largest pairwise absolute standardised mean difference between groups.

    Continuous: :math:`|\bar x_1 - \bar x_2| / \sqrt{(s_1^2 + s_2^2)/2}`. Categories: the Mahalanobis
    distance of the level shares without the first level (Yang and Dalton, SAS Global Forum 2012, 335). Infinite where
    a level that all of one group have, nobody of another has; pairs that cannot be compared are passed over.
    """
    pairs = [_smd(a.dropna(), b.dropna(), variable) for a, b in combinations(samples, 2)]
    known = [smd for smd in pairs if not np.isnan(smd)]
    return max(known, default=np.nan)


def _smd(a: pd.Series, b: pd.Series, variable: Variable) -> float:
    if min(len(a), len(b)) < 2:
        return np.nan
    if variable.type == "continuous":
        return numbers_apart(a.mean(), a.var(), b.mean(), b.var())
    return shares_apart(*(np.array([(s == level).mean() for level in variable.levels]) for s in (a, b)))


def numbers_apart(mean_a: float, variance_a: float, mean_b: float, variance_b: float) -> float:
    """Standardised difference of two groups known by mean and variance; missing where neither varies."""
    spread = np.sqrt((variance_a + variance_b) / 2)
    return abs(mean_a - mean_b) / spread if spread > 0 else np.nan


def shares_apart(a: np.ndarray, b: np.ndarray) -> float:
    """Standardised difference of two groups known by the share of each level, ``(levels,)``."""
    p, q = a[1:], b[1:]
    pooled = sum(np.diag(x) - np.outer(x, x) for x in (p, q)) / 2
    solved = np.linalg.pinv(pooled, hermitian=True) @ (p - q)
    if not np.allclose(pooled @ solved, p - q):
        return np.inf
    return float(np.sqrt(max(0.0, (p - q) @ solved)))
