"""How long the explorer's kernel takes to answer a slider, beside redrawing a whole figure: ``make bench``.

Both show the same numbers of the same patients, which is checked. Times are the best of several; what the browser adds
is measured in ``tests/browser/test_explorer.py``.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from her2study.evaluation.compare import roc_points
from her2study.evaluation.usefulness import net_benefit
from her2study.models.frozen import predict_frozen
from her2study.reporting.explorer.chooser import choose_patient
from her2study.reporting.explorer.patients import patient_table
from her2study.reporting.explorer.threshold_part import GRID, threshold_views
from her2study.reporting.explorer.whatif import what_if
from her2study.study import Variable

PATIENTS = 450
FROZEN = {
    "model": "combined",
    "intercept": -3.0,
    "terms": [
        {"name": "dscore", "variable": "dscore", "kind": "logit", "label": "D-score", "levels": [], "level": None,
         "coefficient": 0.8},
        {"name": "log(node)", "variable": "node", "kind": "log", "label": "Node (log mm)", "levels": [], "level": None,
         "coefficient": 1.2},
    ],
    "covariance": [[0.2, 0.0, -0.02], [0.0, 0.03, 0.0], [-0.02, 0.0, 0.04]],
    "variables": {
        "dscore": {"label": "D-score", "levels": [], "imputation": 0.3, "range": [0.01, 0.99]},
        "node": {"label": "Node (mm)", "levels": [], "imputation": 8.0, "range": [3.0, 30.0]},
    },
    "null_model": False,
    "thresholds": {"youden": 0.3},
}  # fmt: skip


def main() -> None:
    """Print one line for each slider."""
    for line in (threshold_slider, what_if_slider):
        print(line(), flush=True)


def threshold_slider() -> str:
    """ROC point, confusion matrix and decision curve after a step of the slider."""
    predictions, part = _predictions(), threshold_views(_predictions(), {"combined": 0.3}, 0.95, True)
    places = iter(np.linspace(0.1, 0.9, 60))
    ours = _best(lambda: setattr(part.slider, "value", round(float(next(places)), 3)), 30)
    theirs = _best(lambda: redrawn(predictions, 0.5), 3)
    part.slider.value = 0.5
    counts = redrawn(predictions, 0.5)
    assert "{} TP, {} FP, {} FN, {} TN".format(*counts) in part.plots.value
    return _ratio("threshold slider, three views, v. redrawing them as a matplotlib figure", ours, theirs)


def what_if_slider() -> str:
    """Probability, interval and shares after a step of a slider."""
    patients = _patients()
    table = patient_table(patients, patients.assign(split="external"), _predictions(), {})
    variables = {"node": Variable(type="continuous", label="Node", role="mri_reading")}
    part = what_if(choose_patient(table, variables, "positive", True), FROZEN, patients, 0.95, True)
    steps = iter(np.linspace(4, 29, 60))
    ours = _best(lambda: setattr(part.controls["node"], "value", float(next(steps))), 30)
    theirs = _best(lambda: redrawn_bars({"dscore": 0.4, "node": 12.0}), 3)
    return _ratio("what-if slider, number and two plots, v. redrawing them as a matplotlib figure", ours, theirs)


def redrawn(predictions: pd.DataFrame, threshold: float) -> tuple[int, int, int, int]:
    """What a notebook usually does on each step: compute and draw everything again."""
    curve, labels = roc_points(predictions), predictions["label"].to_numpy()
    (tn, fp), (fn, tp) = confusion_matrix(labels, predictions["probability"] >= threshold)
    scores = np.column_stack([predictions["probability"], np.ones(len(labels))])
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    left.plot(curve["fpr"], curve["tpr"])
    left.plot([fp / (fp + tn)], [tp / (tp + fn)], "ko")
    middle.imshow([[tp, fn], [fp, tn]], cmap="Blues")
    for place, count in enumerate((tp, fn, fp, tn)):
        middle.text(place % 2, place // 2, str(count), ha="center")
    right.plot(GRID, net_benefit(labels, scores, GRID))
    right.axvline(threshold)
    _as_png(figure)
    return int(tp), int(fp), int(fn), int(tn)


def redrawn_bars(values: dict[str, float]) -> float:
    """The same for one patient's probability and shares."""
    probability = float(predict_frozen(FROZEN, pd.DataFrame([values]))[0])
    figure = Figure(figsize=(10, 2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot([0.1, 0.6], [0, 0])
    left.plot([probability], [0], "ko")
    right.barh(list(values), list(values.values()))
    _as_png(figure)
    return probability


def _as_png(figure: Figure) -> None:
    figure.savefig(io.BytesIO(), format="png", dpi=100)


def _best(work: Callable[[], object], times: int) -> float:
    """Seconds of the fastest run."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return min(taken)


def _ratio(what: str, ours: float, theirs: float) -> str:
    return f"{what}: {1000 * ours:.1f} ms v. {1000 * theirs:.0f} ms, {theirs / ours:.0f} times faster"


def _patients() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "patient_id": [f"P{i:04d}" for i in range(PATIENTS)],
            "centre": "A",
            "label": (rng.random(PATIENTS) < 0.3).astype(np.int64),
            "node": rng.uniform(3, 30, PATIENTS),
            "dscore": rng.uniform(0.02, 0.98, PATIENTS),
        }
    )


def _predictions() -> pd.DataFrame:
    patients = _patients()
    scored = patients.assign(split="external", fold=-1, model="combined", probability=predict_frozen(FROZEN, patients))
    return scored[["patient_id", "centre", "split", "model", "label", "probability", "fold"]]


if __name__ == "__main__":
    main()
