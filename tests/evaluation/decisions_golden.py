"""Golden numbers of tests/oracles/decisions.R and dcurves_golden.py, and predictions made from plain arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from tests.evaluation.golden import ORACLES

DATA = dict(list(pd.read_csv(ORACLES / "decisions_data.csv").groupby("set")))
SETS = tuple(DATA)
GOLDEN = pd.read_csv(ORACLES / "decisions.csv", dtype={"what": str}).set_index(["set", "what"])["value"]
DCURVES = pd.read_csv(ORACLES / "dcurves.csv").set_index(["set", "model"])
AT = 0.3
"""The threshold of the calls in decisions.R."""

PAIRED = sorted({what.split()[0] for name, what in GOLDEN.index if name == "tables"})
"""Paired tables both/only a/only b/neither of decisions.R."""


def columns(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels and the probabilities a and b of one data set."""
    return tuple(DATA[name][column].to_numpy() for column in ("label", "a", "b"))


def frame(labels, probabilities: dict[str, np.ndarray], split: str = "external") -> pd.DataFrame:
    """Predictions of the contract for the patients of one split."""
    patients = {"patient_id": [f"{split}{i:04d}" for i in range(len(labels))], "centre": "A", "split": split}
    fold = 0 if split == "development" else -1
    return pd.concat(
        [pd.DataFrame(patients | {"model": m, "label": labels, "probability": p, "fold": fold})
         for m, p in probabilities.items()], ignore_index=True
    )  # fmt: skip


@st.composite
def patients(draw, models: int = 1, elements=None):
    """Labels of both classes ``(n,)`` and ``models`` columns of values, ties, 0 and 1 included."""
    n = draw(st.integers(2, 12))
    elements = st.one_of(st.sampled_from([0.0, 0.2, 0.5, 1.0]), st.floats(0, 1)) if elements is None else elements
    labels = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n).filter(lambda x: 0 < sum(x) < n))
    values = [draw(st.lists(elements, min_size=n, max_size=n)) for _ in range(models)]
    return np.array(labels), *(np.array(column) for column in values)
