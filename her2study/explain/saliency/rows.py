"""Rows of the table ``saliency_sanity``, and the intervals in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

METHODS = {"gradcam": "Grad-CAM", "occlusion": "Occlusion"}
"""Names of the methods in files, and in print."""

CHECKS = ("randomisation", "repeatability", "agreement", "lesion_overlap", "rim")
"""Kinds of checks, in the order of the table."""

RESAMPLES = 1000
"""Bootstrap resamples of patients behind each interval."""

COLUMNS = ["check", "method", "label", "model", "value", "low", "high", "reference"]


def check_rows(method: str, rows: list[tuple]) -> pd.DataFrame:
    """Rows ``check, label, value, low, high, reference`` of one method as a frame of :data:`COLUMNS`."""
    frame = pd.DataFrame(rows, columns=[name for name in COLUMNS if name not in ("method", "model")])
    frame["label"] = METHODS[method] + ": " + frame["label"]
    return frame.assign(method=method, model="dscore")[COLUMNS]


def bootstrap(n: int, seed: int, confidence: float) -> Callable[[np.ndarray], tuple[float, float, float]]:
    """A function giving mean and percentile-bootstrap interval of one value per patient."""
    rows = np.random.default_rng([seed, n]).integers(n, size=(RESAMPLES, n))
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]

    def interval(values: np.ndarray) -> tuple[float, float, float]:
        low, high = np.quantile(values[rows].mean(axis=1), tails)
        return float(values.mean()), float(low), float(high)

    return interval


def gather_checks(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all methods as one table, by check."""
    together = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return together.sort_values("check", key=lambda check: check.map(CHECKS.index), kind="stable", ignore_index=True)
