"""Data and golden values of tests/oracles/regression.R."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.models.invented import ORACLES

TERMS = ["x1", "x2", "x3", "x4"]
NAMES = ["intercept", *TERMS]

_DATA = pd.read_csv(ORACLES / "regression_data.csv")
_GOLDEN = pd.read_csv(ORACLES / "regression.csv").set_index(["data", "analysis", "term", "what"])["value"].sort_index()


def data(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Design ``(n, 4)`` and labels of the data set ordinary, separated or complete."""
    rows = _DATA[_DATA["data"] == name]
    return rows[TERMS].to_numpy(dtype=float), rows["label"].to_numpy()


def golden(data: str, analysis: str) -> pd.Series:
    """R's values by term and kind."""
    return _GOLDEN[data, analysis]


def covariance(values: pd.Series) -> np.ndarray:
    """R's covariance of the coefficients, intercept first."""
    return np.array([[values[row, f"covariance_{column}"] for column in NAMES] for row in NAMES])
