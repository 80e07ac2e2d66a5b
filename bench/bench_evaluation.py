"""Speed of the evaluation beside plain loops, as ratios in one run: `python bench/bench_evaluation.py`."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from her2study.evaluation.bootstrap import bootstrap_auc
from her2study.evaluation.decision import decision_curve, threshold_grid
from her2study.evaluation.predictions import gather_predictions
from her2study.evaluation.roc import delong


def main() -> None:
    """Print one line for each comparison."""
    rng = np.random.default_rng(0)
    labels, scores = _patients(rng, 2000, 2)
    _compare(
        "DeLong, 2 models, n = 2,000, v. all pairs", lambda: delong(labels, scores), lambda: _pairs(labels, scores)
    )

    many_labels, many_scores = _patients(rng, 1_000_000, 10)
    print(f"DeLong, 10 models, n = 1,000,000: {_seconds(lambda: delong(many_labels, many_scores)):.1f} s")

    few_labels, few_scores = _patients(rng, 450, 5)
    _compare(
        "2,000 stratified bootstrap AUCs, 5 models, n = 450, v. scikit-learn (100 resamples, scaled up)",
        lambda: bootstrap_auc(few_labels, few_scores, 2000),
        lambda: _bootstrap_loop(few_labels, few_scores, 100, rng),
        scale=20,
    )

    grid, predictions = threshold_grid(0.01, 0.99), _one_model(few_labels, few_scores[:, 0])
    _compare(
        "net benefit band, 99 thresholds, 1,000 resamples, n = 450, v. a loop (50 resamples, scaled up)",
        lambda: decision_curve(predictions, grid, resamples=1000),
        lambda: [_net_benefit_loop(few_labels, few_scores[:, 0], grid, rng) for _ in range(50)],
        scale=20,
    )


def _compare(what: str, ours: Callable, theirs: Callable, scale: float = 1) -> None:
    fast = min(_seconds(ours) for _ in range(3))
    slow = scale * _seconds(theirs)
    print(f"{what}: {fast:.3f} s v. {slow:.3f} s, {slow / fast:.0f} times faster")


def _seconds(work: Callable) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _patients(rng: np.random.Generator, n: int, models: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities with some signal."""
    labels = (rng.random(n) < 0.3).astype(np.int64)
    return labels, 1 / (1 + np.exp(1 - labels[:, None] - rng.normal(size=(n, models))))


def _pairs(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """DeLong from the table of all pairs, the definition."""
    up, down = scores[labels == 1], scores[labels == 0]
    wins = (up[:, None] > down[None]) + 0.5 * (up[:, None] == down[None])
    return np.cov(wins.mean(axis=1).T) / len(up) + np.cov(wins.mean(axis=0).T) / len(down)


def _bootstrap_loop(labels: np.ndarray, scores: np.ndarray, resamples: int, rng: np.random.Generator) -> None:
    positives, negatives = np.flatnonzero(labels), np.flatnonzero(1 - labels)
    for _ in range(resamples):
        rows = np.r_[rng.choice(positives, len(positives)), rng.choice(negatives, len(negatives))]
        for column in scores.T:
            roc_auc_score(labels[rows], column[rows])


def _net_benefit_loop(labels: np.ndarray, scores: np.ndarray, grid: np.ndarray, rng: np.random.Generator) -> list:
    """One resample of one model and of treating all, threshold by threshold."""
    rows, values = rng.integers(0, len(labels), len(labels)), []
    for column in (scores[rows], np.ones(len(rows))):
        for threshold in grid:
            treated = column >= threshold
            gained, harmed = (treated & (labels[rows] == 1)).mean(), (treated & (labels[rows] == 0)).mean()
            values.append(gained - harmed * threshold / (1 - threshold))
    return values


def _one_model(labels: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """Predictions of the contract for one model."""
    frame = pd.DataFrame({"patient_id": [f"P{i:04d}" for i in range(len(labels))], "label": labels})
    return gather_predictions([frame.assign(centre="A", split="external", model="m", probability=probability, fold=-1)])


if __name__ == "__main__":
    main()
