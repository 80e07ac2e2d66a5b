"""Golden numbers of tests/oracles/discrimination.R, and small cohorts for property tests of discrimination."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from tests.evaluation.golden import ORACLES

DATA = dict(list(pd.read_csv(ORACLES / "discrimination_data.csv").groupby("set", sort=False)))
GOLDEN = pd.read_csv(ORACLES / "discrimination.csv", dtype={"what": str}).set_index(["set", "what"])["value"]
SETS = ("continuous", "tied", "small", "rare")
MODELS = ("a", "b", "c")


def scores_of(name: str, models: str = "abc") -> tuple[np.ndarray, np.ndarray]:
    """Labels ``(n,)`` and scores ``(n, models)`` of one data set."""
    data = DATA[name]
    return data["label"].to_numpy(), data[list(models)].to_numpy(float)


@st.composite
def cohorts(draw, models: int = 2, smallest: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Labels with two patients or more in both classes, and scores full of ties."""
    n = draw(st.integers(smallest, 25))
    labels = [*draw(st.lists(st.integers(0, 1), min_size=n - 4, max_size=n - 4)), 0, 1, 0, 1]
    grades = st.lists(st.integers(-5, 5), min_size=models, max_size=models)
    scores = draw(st.lists(grades, min_size=n, max_size=n))
    return np.array(labels), np.array(scores, float)
