"""Which features rise and fall together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import average, fcluster, leaves_list
from scipy.spatial.distance import squareform

from her2study.models.encoding import Term, encode, feature_term
from her2study.study import Variable

TOGETHER = 0.8
"""Features whose absolute Spearman correlation averages more than this are added up."""


def correlated_groups(values: pd.DataFrame) -> pd.Series:
    """Group number of each column: average linkage on 1 - |Spearman r|, cut at 1 - :data:`TOGETHER`."""
    if values.shape[1] < 2:
        return pd.Series(1, index=values.columns)
    tree = average(_distances(spearman(values)))
    return pd.Series(fcluster(tree, 1 - TOGETHER, criterion="distance"), index=values.columns)


def correlation_table(
    features: pd.DataFrame,
    variables: dict[str, Variable],
    names: list[str],
    labels: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Data of the correlation figure: Spearman correlations of columns, similar ones side by side.

    Ordinal and categorical variables enter by the position of their level; patients with a missing value
    are left out of the pairs they lack. Returns ``feature_a, label_a, feature_b, label_b, r``.
    """
    r = spearman(numbers(features[names], variables))
    order = leaves_list(average(_distances(r))) if len(names) > 2 else np.arange(len(names))
    printed = (
        {n: feature_term(n).label for n in names} | dict(labels or {}) | {n: v.label for n, v in variables.items()}
    )
    ordered = [names[i] for i in order]
    return pd.DataFrame(
        [(a, printed[a], b, printed[b], float(r.loc[a, b])) for a in ordered for b in ordered],
        columns=["feature_a", "label_a", "feature_b", "label_b", "r"],
    )


def spearman(values: pd.DataFrame) -> pd.DataFrame:
    """Pairwise Spearman correlation; 0 where a column does not vary, 1 with itself."""
    r = values.corr(method="spearman").fillna(0.0).to_numpy(copy=True)
    np.fill_diagonal(r, 1.0)
    return pd.DataFrame(r, index=values.columns, columns=values.columns)


def numbers(values: pd.DataFrame, variables: dict[str, Variable]) -> pd.DataFrame:
    """Columns as numbers: what is measured as it is, levels by their position."""
    return pd.DataFrame({name: _positions(values[name], variables.get(name)) for name in values}, index=values.index)


def _positions(values: pd.Series, variable: Variable | None) -> NDArray[np.float64]:
    levels = variable.levels if variable else ()
    kind = "score" if levels else "value"
    return encode(Term(str(values.name), str(values.name), kind, "", tuple(levels)), values)


def _distances(r: pd.DataFrame) -> NDArray[np.float64]:
    """Condensed ``1 - |r|``."""
    return squareform(np.clip(1 - np.abs(r.to_numpy()), 0, None), checks=False)
