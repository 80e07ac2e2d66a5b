"""Restricted cubic splines: curves that are linear in the tails, and the test whether a line would do."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from her2study.models.logistic import fit_logit, likelihood_ratio
from her2study.models.odds import fit_alone
from her2study.study import Variable
from her2study.types import StudyError

KNOT_QUANTILES = {3: (0.1, 0.5, 0.9), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.5, 0.725, 0.95)}
"""Harrell's places for three, four and five knots."""

SMALL_SAMPLE = 100
"""Below this number of patients the test has three knots: four would follow the noise."""


def spline_basis(values: ArrayLike, knots: ArrayLike) -> NDArray[np.float64]:
    r"""Restricted cubic spline basis: cubic between knots, linear beyond the outer ones.

    The first column is the value itself, the others for knots :math:`t_1 < ... < t_k` are

    .. math:: \frac{(x - t_j)_+^3 - (x - t_{k-1})_+^3 \frac{t_k - t_j}{t_k - t_{k-1}}
              + (x - t_k)_+^3 \frac{t_{k-1} - t_j}{t_k - t_{k-1}}}{(t_k - t_1)^2},
              \qquad j = 1, ..., k - 2.

    Parameters
    ----------
    values : array (n,)
        In any unit.
    knots : array (k,)
        Increasing, in the same unit. Fewer than three give a straight line.

    Returns
    -------
    ndarray (n, max(1, k - 1))
        The first column linear, none constant.

    Raises
    ------
    StudyError
        Values or knots are not finite, or knots do not increase.

    References
    ----------
    Harrell, Regression Modeling Strategies, 2015, section 2.4.5. R: ``rms::rcs``,
    ``Hmisc::rcspline.eval(norm = 2)``.
    """
    x, t = np.asarray(values, dtype=np.float64), np.asarray(knots, dtype=np.float64)
    if x.ndim != 1 or t.ndim != 1 or not (np.isfinite(x).all() and np.isfinite(t).all()) or (np.diff(t) <= 0).any():
        raise StudyError(
            f"a spline of values with shape {x.shape} at knots {t.tolist()}: values and knots must be finite, one "
            "column each, and knots increase; leave repeated knots out"
        )
    columns = [x]
    for knot in t[:-2] if len(t) > 2 else ():
        gap = t[-1] - t[-2]
        term = _cubed(x - knot) - _cubed(x - t[-2]) * (t[-1] - knot) / gap + _cubed(x - t[-1]) * (t[-2] - knot) / gap
        columns.append(term / (t[-1] - t[0]) ** 2)
    return np.column_stack(columns)


def place_knots(values: ArrayLike, count: int) -> NDArray[np.float64]:
    """Knots at Harrell's quantiles of ``values`` ``(n,)``; fewer than ``count`` (3 to 5) where quantiles coincide."""
    return np.unique(np.quantile(np.asarray(values, dtype=np.float64), KNOT_QUANTILES[count]))


def linearity_table(patients: pd.DataFrame, variables: dict[str, Variable]) -> pd.DataFrame:
    """Is a straight line enough? Each continuous variable alone: its spline against its line.

    Likelihood-ratio test on the patients whose value is known, on the scale on which the variable enters
    (logarithms where the settings say so); four knots, three below 100 patients.

    Returns columns ``variable, label, n, knots, chi_squared, degrees_of_freedom, p, note``; without a test
    (too few distinct values, separation) the numbers are missing and ``note`` says why.
    """
    rows = []
    for name, variable in variables.items():
        if variable.type != "continuous":
            continue
        alone = fit_alone(patients, name, variable)
        row = {"variable": name, "label": variable.label, "n": len(alone.labels), "note": alone.note}
        if alone.fit is not None and not alone.fit.penalised:
            row["label"] = alone.terms[0].label
            values = alone.design[:, 0]
            knots = place_knots(values, 3 if len(values) < SMALL_SAMPLE else 4)
            curve = fit_logit(spline_basis(values, knots), alone.labels) if len(knots) > 2 else None
            if curve is None:
                row["note"] = "no test: too few distinct values" if len(knots) < 3 else "no test: the curve separates"
            else:
                row |= {"knots": len(knots)} | likelihood_ratio(curve, alone.fit)._asdict()
        rows.append(row)
    columns = ["variable", "label", "n", "knots", "chi_squared", "degrees_of_freedom", "p", "note"]
    whole = {"knots": "Int64", "degrees_of_freedom": "Int64"}
    return pd.DataFrame(rows, columns=columns).astype(whole)


def _cubed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(values, 0) ** 3
