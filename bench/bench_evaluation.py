"""Speed of the evaluation beside what one would use instead, as ratios in one run: ``make bench``.

Every pair computes the same numbers, and that is checked. Our time is the best of three, and so is pROC's inside R;
peers that take minutes do a share of the work and are scaled up, which is said.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from her2study.evaluation.bootstrap import bootstrap_auc
from her2study.evaluation.decision import decision_curve, threshold_grid
from her2study.evaluation.predictions import gather_predictions
from her2study.evaluation.roc import delong, delong_test

PEERS = Path(__file__).parent / "peers"
INSTALL_PROC = "install R and, in R, install.packages('pROC')"
INSTALL_DCURVES = "type `make bench`, or name a Python that has dcurves: HER2STUDY_PEERS=build/peers/bin/python"


def main() -> None:
    """Print one line for each comparison."""
    with tempfile.TemporaryDirectory() as folder:
        for line in (two_models, many_models, many_resamples, decision_band):
            print(line(Path(folder)), flush=True)


def two_models(folder: Path) -> str:
    """DeLong's paired test of a large cohort, beside R's pROC."""
    labels, scores = _patients(100_000, 2)
    what = "DeLong, 2 models, n = 100,000, v. pROC"
    ours, test = _best(lambda: delong_test(labels, *scores.T))
    pd.DataFrame({"label": labels, "a": scores[:, 0], "b": scores[:, 1]}).to_csv(folder / "scores.csv", index=False)
    found = _peer(["Rscript", "--vanilla", str(PEERS / "proc_delong.R"), str(folder / "scores.csv")])
    if found is None:
        return f"{what}: {ours:.3f} s; no pROC to compare with: {INSTALL_PROC}"
    np.testing.assert_allclose(test.z, found[1], rtol=1e-9)
    return _ratio(what, ours, found[0])


def many_models(_: Path) -> str:
    """DeLong of ten models and a million patients: seconds, and whether memory is linear in n."""
    labels, scores = _patients(1_000_000, 10)
    seconds, _ = _best(lambda: delong(labels, scores))
    half, whole = (_peak_mb(lambda n=n: delong(labels[:n], scores[:n])) for n in (500_000, 1_000_000))
    return (
        f"DeLong, 10 models, n = 1,000,000: {seconds:.1f} s, {whole:.0f} MB at most beside the data "
        f"({half:.0f} MB for half of the patients: {whole / half:.2f} times as much for twice as many)"
    )


def many_resamples(_: Path) -> str:
    """Bootstrap of five AUCs, beside a loop over scikit-learn."""
    labels, scores = _patients(450, 5)
    ours, intervals = _best(lambda: bootstrap_auc(labels, scores, 2000))
    started, share = time.perf_counter(), 200
    rng, positives, negatives = np.random.default_rng(1), np.flatnonzero(labels), np.flatnonzero(1 - labels)
    loop = np.empty((share, 5))
    for row in loop:
        rows = np.r_[rng.choice(positives, len(positives)), rng.choice(negatives, len(negatives))]
        row[:] = [roc_auc_score(labels[rows], column[rows]) for column in scores.T]
    theirs = (time.perf_counter() - started) * 2000 / share
    np.testing.assert_allclose([i[1:] for i in intervals], np.quantile(loop, [0.025, 0.975], axis=0).T, atol=0.03)
    what = "2,000 stratified bootstrap AUCs, 5 models, n = 450, v. a scikit-learn loop (200 resamples, scaled up)"
    return _ratio(what, ours, theirs)


def decision_band(folder: Path) -> str:
    """Net benefit with its band, beside a loop over dcurves."""
    labels, scores = _patients(450, 1)
    frame = pd.DataFrame({"patient_id": [f"P{i:04d}" for i in range(450)], "label": labels})
    frame = frame.assign(centre="A", split="external", model="m", probability=scores[:, 0], fold=-1)
    predictions, grid = gather_predictions([frame]), threshold_grid(0.01, 0.99)
    ours, curve = _best(lambda: decision_curve(predictions, grid, resamples=1000))
    what = "net benefit, 99 thresholds, 1,000 resamples, n = 450, v. a dcurves loop (20 resamples, scaled up)"
    frame[["label", "probability"]].to_csv(folder / "probabilities.csv", index=False)
    python = os.environ.get("HER2STUDY_PEERS", "")
    found = _peer([python, str(PEERS / "dcurves_loop.py"), str(folder / "probabilities.csv"), "20"])
    if found is None:
        return f"{what}: {ours:.3f} s; no dcurves to compare with: {INSTALL_DCURVES}"
    at = curve[(curve["model"] == "m") & np.isclose(curve["threshold"], 0.25)]
    np.testing.assert_allclose(at["net_benefit"], found[1], rtol=0, atol=1e-9)
    return _ratio(what, ours, found[0] * 1000 / 20)


def _peer(command: list[str]) -> list[float] | None:
    """The numbers that a peer prints; None where its program, or a package of it, is not installed."""
    if not shutil.which(command[0]):
        return None
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"{command[0]} failed", flush=True)
        return None
    return [float(number) for number in done.stdout.split()]


def _best(work: Callable) -> tuple[float, object]:
    """Seconds of the fastest of three runs, and what it returns."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - started)
    return min(times), result


def _ratio(what: str, ours: float, theirs: float) -> str:
    return f"{what}: {ours:.3f} s v. {theirs:.3f} s, {theirs / ours:.1f} times faster"


def _peak_mb(work: Callable) -> float:
    """Most memory that the work holds at once, in MB."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return peak


def _patients(n: int, models: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities with some signal."""
    rng = np.random.default_rng(0)
    labels = (rng.random(n) < 0.3).astype(np.int64)
    return labels, 1 / (1 + np.exp(1 - labels[:, None] - rng.normal(size=(n, models))))


if __name__ == "__main__":
    main()
