"""A frozen logistic model as a nomogram: points that add up to a probability.

The points of a value are its contribution to the log odds above the lowest of its variable, scaled
so that the variable with the widest range spans 100 points. Adding points is adding contributions:
the sum gives the model's probability exactly, not an approximation of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from scipy.special import expit, logit

from her2study.models.encoding import Term, encode
from her2study.models.frozen import contributions, frozen_terms
from her2study.types import Scores, StudyError

PROBABILITIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)


class PointScale(NamedTuple):
    """How log odds become points: ``points = (contribution - lowest[variable]) / log_odds_per_point``."""

    log_odds_per_point: float
    lowest: dict[str, float]
    intercept: float


def nomogram(frozen: Mapping[str, Any]) -> pd.DataFrame:
    """Axes of the nomogram.

    Returns columns ``variable, label, value, value_label, points``: a row per tick of each variable (numbers
    on round values that cover the training range, categories on each level), then rows with ``variable`` "total":
    ``value`` the probability, ``points`` the total points that give it. A null model has no axes but total.
    """
    scale = point_scale(frozen)
    rows = []
    for name, ticks, values in _axes(frozen):
        label = frozen["variables"][name]["label"]
        points = (values - scale.lowest[name]) / scale.log_odds_per_point
        rows += [
            (name, label, float(i if isinstance(tick, str) else tick), _text(tick), float(p))
            for i, (tick, p) in enumerate(zip(ticks, points, strict=True))
        ]
    most = sum(max(row[4] for row in rows if row[0] == name) for name in scale.lowest)
    for probability in PROBABILITIES:
        points = float(total_points(scale, probability))
        if -1e-9 <= points <= most + 1e-9:
            rows.append(("total", "Probability", probability, f"{probability:g}", points))
    return pd.DataFrame(rows, columns=["variable", "label", "value", "value_label", "points"])


def point_scale(frozen: Mapping[str, Any]) -> PointScale:
    """Scale of the points of a frozen model."""
    axes = {name: values for name, _, values in _axes(frozen)}
    widest = max((np.ptp(values) for values in axes.values()), default=0.0)
    return PointScale(
        float(widest / 100) if widest > 0 else 1.0,
        {name: float(values.min()) for name, values in axes.items()},
        float(frozen["intercept"]),
    )


def patient_points(frozen: Mapping[str, Any], patients: pd.DataFrame) -> NDArray[np.float64]:
    """Total points of each patient, ``(n,)``; below zero or above the axes beyond the ticks."""
    scale = point_scale(frozen)
    return (contributions(frozen, patients).sum(axis=1) - sum(scale.lowest.values())) / scale.log_odds_per_point


def points_to_probability(scale: PointScale, points: NDArray[np.float64]) -> Scores:
    """Probability that total points stand for."""
    return expit(scale.intercept + sum(scale.lowest.values()) + np.asarray(points) * scale.log_odds_per_point)


def total_points(scale: PointScale, probability: float) -> float:
    """Total points that stand for a probability: the inverse of :func:`points_to_probability`."""
    return (logit(probability) - scale.intercept - sum(scale.lowest.values())) / scale.log_odds_per_point


def _axes(frozen: Mapping[str, Any]) -> list[tuple[str, list[Any], NDArray[np.float64]]]:
    """Each variable with its ticks and their contributions to the log odds."""
    terms = list(zip(frozen_terms(frozen), [term["coefficient"] for term in frozen["terms"]], strict=True))
    axes = []
    for name, variable in frozen["variables"].items():
        own = [(term, coefficient) for term, coefficient in terms if term.variable == name]
        ticks = list(variable["levels"]) or _round_ticks(name, own[0][0], variable["range"])
        values = sum(coefficient * encode(term, pd.Series(ticks)) for term, coefficient in own)
        axes.append((name, ticks, np.asarray(values, dtype=float)))
    return axes


def _round_ticks(name: str, term: Term, limits: list[float] | None) -> list[float]:
    """Round values that just cover the training range."""
    if limits is None:
        raise StudyError(f"the frozen model has no training range for {name!r}; freeze it from patients with values")
    low, high = limits
    if term.kind == "logit":
        ticks = np.array(PROBABILITIES)
    elif term.kind == "log":
        ticks = np.array([step * 10.0**power for power in range(-3, 6) for step in (1, 2, 3, 5, 7)])
    else:
        ticks = MaxNLocator(nbins=7, steps=[1, 2, 5, 10]).tick_values(low, high)
    first = max(int(np.searchsorted(ticks, low, side="right")) - 1, 0)
    last = min(int(np.searchsorted(ticks, high, side="left")), len(ticks) - 1)
    return [float(tick) for tick in ticks[first : last + 1]]


def _text(tick: Any) -> str:
    return tick if isinstance(tick, str) else f"{tick:.4g}"
