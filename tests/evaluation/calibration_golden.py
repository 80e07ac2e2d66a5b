"""Golden numbers of tests/oracles/calibration.R: five data sets and two bootstraps of rms::validate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from tests.evaluation.golden import ORACLES

DATA = dict(list(pd.read_csv(ORACLES / "calibration_data.csv").groupby("set")))
SETS = ("extreme", "timid", "tied", "small", "rare")
GOLDEN = pd.read_csv(ORACLES / "calibration.csv").set_index(["set", "what"]).sort_index()
RESAMPLES = pd.read_csv(ORACLES / "calibration_resamples.csv").set_index(["analysis", "kind"]).sort_index()


class Validated(NamedTuple):
    """What rms::validate saw: labels, log odds of the model, draws and log odds of each resample's model."""

    labels: np.ndarray
    apparent: np.ndarray
    draws: np.ndarray
    refitted: np.ndarray


def labels_and_probabilities(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities of one data set."""
    return DATA[name]["label"].to_numpy(), DATA[name]["probability"].to_numpy()


def golden(name: str, *what: str) -> np.ndarray:
    """R's numbers for one data set or bootstrap, in the order asked for."""
    return np.array([GOLDEN.loc[(name, each), "value"].item() for each in what])


def golden_at(name: str, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and what R says there."""
    rows = GOLDEN.loc[(name, what)].sort_values("at")
    return rows["at"].to_numpy(), rows["value"].to_numpy()


def validated(analysis: str) -> Validated:
    """One bootstrap, resamples in R's order."""
    kinds = {kind: rows.sort_values("resample").drop(columns="resample").to_numpy() for kind, rows in
             RESAMPLES.loc[analysis].groupby("kind")}  # fmt: skip
    return Validated(kinds["label"][0].astype(int), kinds["apparent"][0], kinds["draw"].astype(int), kinds["logit"])
