"""The whole evaluation of a paper for predictions that came from anywhere: every table, every figure's data.

Each table and figure is one entry of :data:`TABLES` or :data:`FIGURES`: a function of checked predictions and a
finished plan. What these patients do not allow is left out with its reason, never silently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from her2study.evaluation import calibration, compare, decision, precision, recalibration, thresholds
from her2study.evaluation.calibration_scores import brier_scores
from her2study.evaluation.intervals import columns
from her2study.evaluation.paired import mcnemar_table
from her2study.evaluation.pooling import centre_table
from her2study.evaluation.predictions import by_split
from her2study.evaluation.prevalence import prevalence_table
from her2study.evaluation.reclassification import reclassification_table
from her2study.evaluation.scope import Pair, Settings, make_plan
from her2study.types import StudyError

DECISION_POINTS = 6
"""Thresholds of the decision tables, evenly over the range of the curve."""

Compute = Callable[[pd.DataFrame, Settings], pd.DataFrame]


class Outcome(NamedTuple):
    """One table, or one figure's data; without rows it says why it was left out."""

    name: str
    frame: pd.DataFrame
    reason: str


def evaluate_tables(predictions: pd.DataFrame, settings: Settings) -> dict[str, pd.DataFrame]:
    """All tables that these predictions allow, by name, in the order of :data:`TABLES`.

    Parameters
    ----------
    predictions : DataFrame
        The predictions contract, checked (:func:`~her2study.evaluation.reading.read_predictions`).
    settings : Settings
        What is compared, with which confidence, resamples and seed: same settings, same tables.

    Raises
    ------
    StudyError
        As :func:`~her2study.evaluation.scope.make_plan`.
    """
    return _evaluate(TABLES, predictions, settings)


def evaluate_figures(predictions: pd.DataFrame, settings: Settings) -> dict[str, pd.DataFrame]:
    """The data of all figures that these predictions allow, by name, as :func:`evaluate_tables`."""
    return _evaluate(FIGURES, predictions, settings)


def compute(name: str, predictions: pd.DataFrame, plan: Settings, entries: Mapping[str, Compute]) -> Outcome:
    """One entry of :data:`TABLES` or :data:`FIGURES`; ``plan`` comes from ``make_plan``."""
    try:
        frame = entries[name](predictions, plan)
    except StudyError as error:
        return Outcome(name, pd.DataFrame(), str(error))
    return Outcome(name, frame.reset_index(drop=True), "" if len(frame) else "there is nothing to show")


def _evaluate(entries: Mapping[str, Compute], predictions: pd.DataFrame, settings: Settings) -> dict[str, pd.DataFrame]:
    plan, _ = make_plan(predictions, settings)
    found = [compute(name, predictions, plan, entries) for name in entries]
    return {outcome.name: outcome.frame for outcome in found if not outcome.reason}


def _performance(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    """Discrimination, what the thresholds do, and the Brier score, a row a model and split."""
    keys, sampled = ["split", "model"], (plan.confidence, plan.resamples, plan.seed)
    parts = [precision.average_precision_table(predictions, *sampled), _brier(predictions, plan)]
    if plan.thresholds:
        parts.insert(1, _metrics(predictions, plan))
    table = compare.auc_table(predictions, plan.confidence)
    for part in parts:
        new = [column for column in part if column not in table]
        table = table.merge(part[[*keys, *new]], on=keys, how="left")
    return table


def _brier(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    rows = []
    for split, models, labels, scores in by_split(predictions):
        for model, column in zip(models, scores.T, strict=True):
            brier = brier_scores(labels, column, plan.confidence, plan.resamples, plan.seed)["brier"]
            rows.append({"split": split, "model": model} | columns("brier", brier))
    return pd.DataFrame(rows)


def _metrics(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    """What the thresholds do, for the models that have one."""
    rows = predictions[predictions["model"].isin(_thresholds(plan))]
    return thresholds.threshold_metrics(rows, plan.thresholds, plan.confidence, plan.resamples, plan.seed)


def _thresholds(plan: Settings) -> Mapping[str, float]:
    if not plan.thresholds:
        raise StudyError(
            "no model has a threshold: there are no development rows to choose one on, and a threshold is never chosen "
            "on internal or external patients; give one that was frozen elsewhere with --threshold MODEL=VALUE"
        )
    return plan.thresholds


def _pairs(plan: Settings) -> list[Pair]:
    if not plan.pairs:
        raise StudyError("there is one model only; a comparison needs two")
    return list(plan.pairs)


def _delong(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    nested = {(larger, smaller): larger for larger, smaller in plan.nested}
    return compare.delong_table(predictions, _pairs(plan), plan.confidence, nested)


def _delong_global(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    """All models at once; where some are nested, only in patients on whom they were not developed."""
    if len(plan.models) < 3:
        raise StudyError("it tests three models or more at once; for two it is the paired test")
    fair = predictions[predictions["split"] != "development"] if plan.nested else predictions
    if fair.empty:
        raise StudyError("some models are nested, and there are no patients outside development")
    return compare.global_table(fair)


def _operating_points(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    sampled = (plan.confidence, plan.resamples, plan.seed)
    if not plan.frozen:
        return thresholds.operating_points(predictions, plan.targets, *sampled)
    complete = [model for model, given in plan.frozen.items() if {"youden", *plan.targets} <= set(given)]
    if not complete:
        raise StudyError(f"no frozen model has the thresholds of all rules: youden, {', '.join(plan.targets)}")
    frozen = {model: {"thresholds": plan.frozen[model]} for model in complete}
    return thresholds.operating_points(predictions[predictions["model"].isin(frozen)], plan.targets, *sampled, frozen)


def _mcnemar(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    pairs = [pair for pair in _pairs(plan) if set(pair) <= set(_thresholds(plan))]
    return mcnemar_table(predictions, plan.thresholds, pairs, plan.confidence)


def _predictive_values(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    if not plan.prevalences:
        raise StudyError("no other prevalence was given; --prevalence 0.1 restates PPV and NPV at 10%")
    return prevalence_table(_metrics(predictions, plan), plan.prevalences, plan.confidence)


def _calibration(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    return calibration.calibration_table(predictions, plan.confidence, plan.resamples, plan.seed)


def _recalibration(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    _check_development(predictions, "an update is estimated on development out-of-fold scores")
    return recalibration.recalibration_table(predictions, plan.models, plan.confidence)


def _recalibrated(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    """Calibration of the recalibrated models, which are judged as models of their own."""
    _check_development(predictions, "an update is estimated on development out-of-fold scores")
    updated = pd.concat([recalibration.recalibrated(predictions, plan.models, how) for how in recalibration.UPDATES])
    return _calibration(updated, plan) if len(updated) else updated


def _check_development(predictions: pd.DataFrame, why: str) -> None:
    if not (predictions["split"] == "development").any():
        raise StudyError(f"{why}, and there are no development rows")


def _decision(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    few = np.round(np.linspace(*plan.decision_range, DECISION_POINTS), 3)
    return decision.decision_measures(predictions, few, plan.confidence, plan.resamples, plan.seed)


def _decision_difference(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    few = np.round(np.linspace(*plan.decision_range, DECISION_POINTS), 3)
    return decision.decision_differences(predictions, _pairs(plan), few, plan.confidence, plan.resamples, plan.seed)


def _reclassification(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    return reclassification_table(predictions, _pairs(plan), plan.confidence, plan.resamples, plan.seed)


def _centres(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    here = predictions[predictions["centre"].isin(plan.centres)] if plan.centres else predictions
    if here["centre"].nunique() < 2:
        raise StudyError("all patients are of one centre")
    return centre_table(here, plan.confidence)


def _roc_curves(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    return compare.roc_points(predictions, plan.confidence)


def _precision_recall_curves(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    return precision.precision_recall_points(predictions, plan.confidence, plan.resamples, plan.seed)


def _calibration_curves(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    return calibration.calibration_figure(predictions, plan.confidence, plan.resamples, plan.seed)


def _decision_curves(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    grid = decision.threshold_grid(*plan.decision_range)
    return decision.decision_curve(predictions, grid, plan.confidence, plan.resamples, plan.seed)


def _decision_difference_curves(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    grid = decision.threshold_grid(*plan.decision_range)
    return decision.decision_differences(predictions, _pairs(plan), grid, plan.confidence, plan.resamples, plan.seed)


def _confusion(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    return thresholds.confusion_counts(_metrics(predictions, plan))


def _score_distribution(predictions: pd.DataFrame, plan: Settings) -> pd.DataFrame:
    return predictions[["split", "model", "label", "probability"]]


TABLES: dict[str, Compute] = {
    "performance": _performance,
    "delong": _delong,
    "delong_global": _delong_global,
    "operating_points": _operating_points,
    "mcnemar": _mcnemar,
    "predictive_values": _predictive_values,
    "calibration": _calibration,
    "recalibration": _recalibration,
    "calibration_recalibrated": _recalibrated,
    "decision": _decision,
    "decision_difference": _decision_difference,
    "reclassification": _reclassification,
    "centres": _centres,
}
"""Names of all tables, in the order of a paper."""

FIGURES: dict[str, Compute] = {
    "roc": _roc_curves,
    "precision_recall": _precision_recall_curves,
    "confusion": _confusion,
    "score_distribution": _score_distribution,
    "calibration": _calibration_curves,
    "decision_curve": _decision_curves,
    "decision_difference": _decision_difference_curves,
    "centres": _centres,
}
"""Names of all figures, as in :data:`her2study.reporting.figures.FIGURES`."""
