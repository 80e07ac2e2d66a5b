"""Golden numbers of tests/oracles/evaluation.R, and predictions made by hand for the tests of this layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

ORACLES = Path(__file__).parents[1] / "oracles"
SETS = ("continuous", "tied", "small", "rare")
DATA = dict(list(pd.read_csv(ORACLES / "evaluation_data.csv").groupby("set")))
GOLDEN = pd.read_csv(ORACLES / "evaluation_golden.csv", dtype={"what": str}).set_index(["set", "what"])["value"]


def columns(name: str) -> tuple[np.ndarray, ...]:
    """Labels, scores a and b, and probabilities of one data set."""
    data = DATA[name]
    return tuple(data[column].to_numpy() for column in ("label", "a", "b", "probability"))


def make_predictions(models: dict[str, float], n: int = 60, seed: int = 1) -> pd.DataFrame:
    """Predictions of the contract: ``{model: strength}``, ``n`` patients in each split, two centres a split."""
    rng = np.random.default_rng(seed)
    frames = []
    for place, split in enumerate(("development", "internal", "external")):
        labels = (np.arange(n) % 3 == 0).astype(int)
        patients = [f"{split[0].upper()}{i:03d}" for i in range(n)]
        centre = np.where(np.arange(n) % 2 == 0, "ABC"[place], "BAD"[place])
        for model, strength in models.items():
            probability = 1 / (1 + np.exp(1 - strength * labels - rng.normal(size=n)))
            frames.append(
                pd.DataFrame(
                    {"patient_id": patients, "centre": centre, "split": split, "model": model, "label": labels,
                     "probability": probability, "fold": np.arange(n) % 5 if split == "development" else -1}
                )
            )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def splits_of(predictions: pd.DataFrame) -> pd.DataFrame:
    """The splits frame behind predictions."""
    return predictions.drop_duplicates("patient_id")[["patient_id", "centre", "label", "split", "fold"]].reset_index(
        drop=True
    )
