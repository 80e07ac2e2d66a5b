"""Seconds that a loop of dcurves over resamples needs: ``python bench/peers/dcurves_loop.py data.csv resamples``.

The file has the columns label and probability. Prints the seconds, then the net benefit of the model at
threshold 0.25 in the first resample, which is the file as it stands. Runs in an environment of its own (see
``make bench``), because dcurves needs an older pandas than this project.
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
import pandas as pd
from dcurves import dca

THRESHOLDS = np.round(np.arange(1, 100) / 100, 2)


def main(path: str, resamples: int) -> None:
    """Net benefit at 99 thresholds in each resample."""
    warnings.simplefilter("ignore")  # of pandas, about how dcurves uses it
    data, rng = pd.read_csv(path), np.random.default_rng(0)
    seconds, first = 0.0, float("nan")
    for i in range(resamples):
        rows = rng.integers(0, len(data), len(data)) if i else np.arange(len(data))
        drawn = data.iloc[rows].reset_index(drop=True)
        started = time.perf_counter()
        curve = dca(data=drawn, outcome="label", modelnames=["probability"], thresholds=THRESHOLDS)
        seconds += time.perf_counter() - started
        if i == 0:
            chosen = (curve["model"] == "probability") & np.isclose(curve["threshold"], 0.25)
            first = float(curve.loc[chosen, "net_benefit"].iloc[0])
    print(f"{seconds!r} {first!r}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
