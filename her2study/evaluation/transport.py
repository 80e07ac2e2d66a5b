"""How a frozen model travels: what it reached in its training patients beside what it reaches in new ones.

A model may do worse elsewhere because it is wrong there, or because the new patients are more alike and so harder to
tell apart. Its model-based AUC, computed from the probabilities without an outcome, is what it would reach in these
patients if it were right: what it does reach is to be held against that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from her2study.evaluation.calibration_line import calibration_intercept, calibration_slope
from her2study.evaluation.calibration_scores import brier_scores
from her2study.evaluation.checks import safe_logit
from her2study.evaluation.differences import delong_unpaired
from her2study.evaluation.intervals import Interval, wilson
from her2study.evaluation.predictions import by_split
from her2study.evaluation.roc import auc_interval
from her2study.evaluation.weighted import weighted_auc
from her2study.evaluation.wording import estimate, model_words, p_words
from her2study.types import Labels, StudyError
from her2study.words import number

MEASURES = {
    "auc": "AUC",
    "model_based_auc": "AUC if the model were right here",
    "observed": "observed share of positives",
    "predicted": "mean predicted probability",
    "spread": "spread of the predictions (SD of log odds)",
    "intercept": "calibration intercept",
    "slope": "calibration slope",
    "brier": "Brier score",
    "scaled_brier": "scaled Brier score",
}
"""Rows of :func:`training_and_new` for each model, in order, in words."""

OF_NEW = ("model_based_auc", "spread")
"""Measures of the new patients alone: in training each patient was scored by the model of another fold, and models of
folds differ in spread from the frozen one, so that a difference would not be one of patients."""


def model_based_auc(probabilities: ArrayLike) -> float:
    r"""The AUC that a model would reach in patients with these probabilities if each of them were right.

    :math:`\sum_{i \ne j} p_i (1 - p_j) [p_i > p_j] \,/\, \sum_{i \ne j} p_i (1 - p_j)`, ties counting one half. It
    depends on how different the patients are and on no outcome. Missing with fewer than two patients, or where all
    probabilities are 0 or all are 1.

    References
    ----------
    Van Klaveren, Gönen, Steyerberg and Vergouwe, Statistics in Medicine 2016;35:4136.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    twice, labels = np.concatenate([p, p]), np.repeat([1, 0], len(p))
    everyone = p.sum() * (1 - p).sum()
    herself = (p * (1 - p)).sum()  # nobody is compared with herself
    pairs = everyone - herself
    if len(p) < 2 or not pairs > 0:
        return np.nan
    weights = np.concatenate([p, 1 - p])[None]
    area = float(weighted_auc(labels, twice[:, None], weights)[0, 0])
    return float((area * everyone - herself / 2) / pairs)


def training_and_new(
    predictions: pd.DataFrame,
    models: Iterable[str],
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Performance in the training patients (development, out of fold) beside that in the external patients.

    Returns
    -------
    DataFrame
        A row a model and measure of :data:`MEASURES`: ``model, measure, label``, ``training, new`` with ``_low`` and
        ``_high``, ``difference`` (new less training) with its ends, and ``p``, of DeLong's test for different
        patients; only the AUC has these.
    """
    models = tuple(models)
    parts = {part.split: part for part in by_split(predictions, models) if part.split in ("development", "external")}
    rows = []
    for place, model in enumerate(models):
        found = {
            split: _measures(part.labels, part.scores[:, place], confidence, resamples, seed)
            for split, part in parts.items()
        }
        for measure, label in MEASURES.items():
            row: dict[str, Any] = {"model": model, "measure": measure, "label": label}
            for name, split in (("training", "development"), ("new", "external")):
                told = split in found and not (name == "training" and measure in OF_NEW)
                value = found[split][measure] if told else Interval(np.nan, np.nan, np.nan)
                row |= dict(zip((name, f"{name}_low", f"{name}_high"), value, strict=True))
            rows.append(row | _difference(parts, place, measure, row, confidence))
    return pd.DataFrame(rows)


def transport_sentences(table: pd.DataFrame) -> list[str]:
    """What :func:`training_and_new` says of each model: its AUC there and here, and the AUC if it were right here."""
    sentences = []
    for model, rows in table.groupby("model", sort=False):
        by = rows.set_index("measure")
        auc, promised = by.loc["auc"], by.loc["model_based_auc", "new"]
        values = f"{estimate(auc.training, auc.training_low, auc.training_high)} in training (out-of-fold) and "
        values += f"{estimate(auc.new, auc.new_low, auc.new_high)} here"
        if not np.isfinite(auc.p):
            words = "whether it differs cannot be tested"
        elif auc.difference_low <= 0 <= auc.difference_high:
            words = "there is no evidence that it differs, which does not prove it the same"
        else:
            words = f"it is {'higher' if auc.difference > 0 else 'lower'} here"
        test = f"; p {p_words(auc.p)}" if np.isfinite(auc.p) else ""
        sentences.append(f"The AUC of {model_words(str(model))} is {values}: {words}{test}.")
        if np.isfinite(promised) and auc.new_low < auc.new_high:
            sentences.append(_promise(promised, auc))
    return sentences


def _promise(promised: float, auc: pd.Series) -> str:
    """The AUC that the patients' mix allows a right model, beside the one that was reached."""
    start = f"If each of its probabilities were right, its AUC in these patients would be {number(promised)}"
    if auc.new_high < promised:
        return f"{start}: it tells them apart less well than it claims to."
    if auc.new_low > promised:
        return f"{start}: it tells them apart better than it claims to."
    return f"{start}, which agrees with what it reaches."


def _measures(
    labels: Labels, scores: NDArray[np.float64], confidence: float, resamples: int, seed: int
) -> dict[str, Interval]:
    """Every measure of one model in one group of patients."""
    alone = {
        "model_based_auc": model_based_auc(scores),
        "predicted": float(scores.mean()),
        "spread": float(safe_logit(scores).std(ddof=1)),
    }
    return {
        **{name: Interval(value, np.nan, np.nan) for name, value in alone.items()},
        "auc": auc_interval(labels, scores, confidence),
        "observed": wilson(int(labels.sum()), len(labels), confidence),
        "intercept": calibration_intercept(labels, scores, confidence),
        "slope": calibration_slope(labels, scores, confidence),
        **brier_scores(labels, scores, confidence, resamples, seed),
    }


def _difference(parts: dict, place: int, measure: str, row: dict[str, Any], confidence: float) -> dict[str, float]:
    nothing = dict.fromkeys(("difference_low", "difference_high", "p"), np.nan)
    nothing = {"difference": row["new"] - row["training"]} | nothing
    if measure != "auc" or len(parts) < 2:
        return nothing
    groups = [(parts[split].labels, parts[split].scores[:, place]) for split in ("external", "development")]
    try:
        test = delong_unpaired(*groups[0], *groups[1], confidence)
    except StudyError:
        return nothing
    return {"difference": test.difference, "difference_low": test.low, "difference_high": test.high, "p": test.p}
