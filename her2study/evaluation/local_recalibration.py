"""Local recalibration: a frozen model's probabilities updated at a new hospital, as a model of another name.

The frozen model stays as it is; what is estimated here are at most two numbers beside it (Steyerberg et al. 2004):
``logit(new) = intercept + slope logit(old)``. On the patients it was estimated on, such an update has intercept 0 and
slope 1 by construction. So each patient of the new hospital is judged by the update estimated on the others
(cross-fitting), and the update estimated on all of them is for patients who come later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_expit
from scipy.stats import chi2

from her2study.evaluation.checks import check_probabilities, safe_logit
from her2study.evaluation.intervals import Interval, columns
from her2study.evaluation.recalibration import UPDATES, Recalibration, recalibrate
from her2study.types import PREDICTION_COLUMNS, StudyError

FOLDS = 10
FEWEST = 10
"""Patients of the rarer class below which nothing is updated: one in each fold, and still a very wide interval."""


class Choice(NamedTuple):
    """How much updating the patients ask for: ``original``, ``intercept`` or ``slope``, and the two p values."""

    update: str
    p_any: float
    p_slope: float


def local_name(model: str, how: str) -> str:
    """Name of the locally recalibrated model, ``combined_slope_local``."""
    return f"{model}_{how}_local"


def local_folds(labels: ArrayLike, seed: int = 0) -> NDArray[np.int64]:
    """Fold ``0 .. 9`` of each patient ``(n,)``; each fold has its share of both classes.

    Drawn from the seed and the order of the patients, so sort them first.

    Raises
    ------
    StudyError
        Fewer than :data:`FEWEST` patients of a class.
    """
    from sklearn.model_selection import StratifiedKFold

    labels = np.asarray(labels)
    positives, negatives = int((labels == 1).sum()), int((labels == 0).sum())
    if min(positives, negatives) < FEWEST:
        raise StudyError(
            f"local recalibration: {positives} positive and {negatives} negative patients; an update needs {FEWEST} of "
            "each at least, and some hundred patients to be of use: collect more before updating"
        )
    folds = np.empty(len(labels), dtype=np.int64)
    parts = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels)
    for fold, (_, held_out) in enumerate(parts):
        folds[held_out] = fold
    return folds


def cross_fitted(
    labels: ArrayLike, probabilities: ArrayLike, folds: ArrayLike, how: str = "intercept"
) -> NDArray[np.float64]:
    """Each patient's probability ``(n,)`` under the update estimated on the other folds; her own outcome has no part.

    Raises
    ------
    StudyError
        As :func:`~her2study.evaluation.recalibration.recalibrate`, of any fold.
    """
    labels, probabilities, folds = np.asarray(labels), np.asarray(probabilities, dtype=np.float64), np.asarray(folds)
    updated = np.empty(len(labels))
    for fold in np.unique(folds):
        inside = folds == fold
        updated[inside] = recalibrate(labels[~inside], probabilities[~inside], how).apply(probabilities[inside])
    return updated


def choose_update(labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95) -> Choice:
    """How much updating these patients ask for: the closed test of Vergouwe et al., without revision of coefficients.

    First intercept and slope together against none (likelihood ratio, 2 degrees of freedom); only if that is
    significant, the slope against the intercept alone (1 degree of freedom). Where no slope can be estimated the
    intercept alone is tested and ``p_slope`` is missing. Few patients find little to update: not finding it is no
    proof of good calibration.

    References
    ----------
    Vergouwe et al., Statistics in Medicine 2017;36:4529. R: ``anova(glm(...), glm(...), test = "LRT")``.
    """
    labels, matrix = check_probabilities(labels, probabilities)
    logits = safe_logit(matrix[:, 0])
    shifted = recalibrate(labels, matrix[:, 0], "intercept")
    before, between = _log_likelihood(labels, logits), _log_likelihood(labels, logits, shifted)
    try:
        after = _log_likelihood(labels, logits, recalibrate(labels, matrix[:, 0], "slope"))
    except StudyError:
        p_any = float(chi2.sf(max(0.0, 2 * (between - before)), 1))
        return Choice("intercept" if p_any < 1 - confidence else "original", p_any, np.nan)
    p_any = float(chi2.sf(max(0.0, 2 * (after - before)), 2))
    p_slope = float(chi2.sf(max(0.0, 2 * (after - between)), 1))
    if p_any >= 1 - confidence:
        return Choice("original", p_any, p_slope)
    return Choice("slope" if p_slope < 1 - confidence else "intercept", p_any, p_slope)


def locally_recalibrated(predictions: pd.DataFrame, models: Iterable[str], seed: int = 0) -> pd.DataFrame:
    """Cross-fitted predictions of the updated models for the external patients; only these rows, in contract columns.

    All models and updates share the folds of :func:`local_folds`, drawn from the patients in the order of
    ``patient_id``. A model that cannot be updated has no rows; ``note`` of :func:`local_table` says why.
    """
    parts = []
    for model in models:
        rows = _external(predictions, model)
        for how in UPDATES:
            try:
                folds = local_folds(rows["label"], seed)
                probability = cross_fitted(rows["label"], rows["probability"], folds, how)
            except StudyError:
                continue
            parts.append(rows.assign(model=local_name(model, how), probability=probability))
    together = pd.concat(parts) if parts else predictions.iloc[:0]
    return together.loc[:, list(PREDICTION_COLUMNS)].sort_values(["model", "patient_id"], ignore_index=True)


def local_table(
    predictions: pd.DataFrame,
    models: Iterable[str],
    thresholds: Mapping[str, float],
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """The updates as estimated on all external patients, for use on patients who come later.

    Parameters
    ----------
    predictions : DataFrame
        The predictions contract; only external rows are looked at.
    thresholds : mapping
        Frozen threshold of each model, on the scale of its own probabilities; may lack models.

    Returns
    -------
    DataFrame
        ``model, how, updated_model, n, positives``, ``intercept, slope`` (Wald, ``_low`` and ``_high``),
        ``threshold, updated_threshold`` (the same patients lie above both), ``p_any, p_slope, asked_for`` of
        :func:`choose_update` and ``note``, which says why a model cannot be updated; its numbers are then missing.
    """
    nothing = Interval(np.nan, np.nan, np.nan)
    rows = []
    for model in models:
        external = _external(predictions, model)
        labels, probabilities = external["label"], external["probability"]
        asked = _asked(labels, probabilities, confidence)
        for how in UPDATES:
            try:
                cross_fitted(labels, probabilities, local_folds(labels, seed), how)  # else it cannot be judged
                update, note = recalibrate(labels, probabilities, how, confidence), ""
            except StudyError as error:
                update, note = Recalibration(how, nothing, nothing), str(error)
            row = {"model": model, "how": how, "updated_model": local_name(model, how)}
            row |= {"n": len(labels), "positives": int(labels.sum())}
            row |= columns("intercept", update.intercept) | columns("slope", update.slope)
            row |= _moved(update, thresholds.get(model, np.nan)) | asked
            rows.append(row | {"note": note})
    return pd.DataFrame(rows)


def local_equations(table: pd.DataFrame, thresholds: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """The estimated updates of :func:`local_table` as plain values to store, with every rule's threshold moved along.

    Each says ``logit(new) = intercept + slope logit(old)``; log odds of 0 and 1 are those of 0.0001 and 0.9999.
    """
    stored = []
    for row in table[table["note"] == ""].itertuples():
        update = Recalibration(row.how, Interval(row.intercept, np.nan, np.nan), Interval(row.slope, np.nan, np.nan))
        moved = {rule: float(update.apply(value)) for rule, value in thresholds.get(row.model, {}).items()}
        about = {"model": row.updated_model, "of": row.model, "intercept": row.intercept, "slope": row.slope}
        stored.append(about | {"patients": int(row.n), "positives": int(row.positives), "thresholds": moved})
    return stored


def _moved(update: Recalibration, threshold: float) -> dict[str, float]:
    known = np.isfinite(threshold) and np.isfinite(update.intercept.estimate)
    return {"threshold": threshold, "updated_threshold": float(update.apply(threshold)) if known else np.nan}


def _asked(labels: Sequence[int], probabilities: Sequence[float], confidence: float) -> dict[str, Any]:
    try:
        choice = choose_update(labels, probabilities, confidence)
    except StudyError:  # one class only
        choice = Choice("", np.nan, np.nan)
    return {"p_any": choice.p_any, "p_slope": choice.p_slope, "asked_for": choice.update}


def _log_likelihood(labels: NDArray, logits: NDArray, update: Recalibration | None = None) -> float:
    moved = logits if update is None else update.intercept.estimate + update.slope.estimate * logits
    return float(log_expit(np.where(labels == 1, moved, -moved)).sum())


def _external(predictions: pd.DataFrame, model: str) -> pd.DataFrame:
    """External rows of one model in the order of patients."""
    rows = predictions[(predictions["model"] == model) & (predictions["split"] == "external")]
    if rows.empty:
        raise StudyError(f"local recalibration: the predictions have no external patients of the model {model!r}")
    return rows.sort_values("patient_id")
