"""Recalibration: a model's probabilities brought back to the observed frequencies, as a separate, named model.

Two updates (Steyerberg et al. 2004): ``intercept`` shifts all log odds by the calibration in the large;
``slope`` also stretches them. Neither changes who ranks above whom. The update is estimated on
development patients' out-of-fold scores and applied, frozen, elsewhere. It is never fitted on internal or
external patients: a model updated on the patients it is judged on has intercept 0 and slope 1 by
construction. Updating a model locally for use at a new hospital, on that hospital's own earlier
patients, is another, later thing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from her2study.evaluation.calibration_line import calibration_intercept, logistic_line
from her2study.evaluation.checks import check_probabilities, safe_logit
from her2study.evaluation.intervals import Interval, columns
from her2study.types import PREDICTION_COLUMNS, StudyError

UPDATES = ("intercept", "slope")


class Recalibration(NamedTuple):
    """A frozen update of probabilities: ``logit(new) = intercept + slope logit(old)``.

    ``slope`` is 1 without ends where only the intercept was estimated.
    """

    how: str
    intercept: Interval
    slope: Interval

    def apply(self, probabilities: ArrayLike) -> NDArray[np.float64]:
        """Updated probabilities, in the shape given; 0 and 1 count as 0.0001 and 0.9999.

        Raises
        ------
        StudyError
            A value outside 0-1 or not finite, the first one named.
        """
        p = np.asarray(probabilities, dtype=np.float64)
        bad = ~((p >= 0) & (p <= 1)).ravel()
        if bad.any():
            row = int(np.argmax(bad))
            raise StudyError(f"row {row}: the probability to recalibrate is {p.flat[row]:g}; it must lie from 0 to 1")
        return expit(self.intercept.estimate + self.slope.estimate * safe_logit(p))


def recalibrate(
    labels: ArrayLike, probabilities: ArrayLike, how: str = "intercept", confidence: float = 0.95
) -> Recalibration:
    """Estimate the update that makes probabilities agree with the outcomes on average.

    ``intercept``: ``a`` of ``logit P(y = 1) = a + logit(p)``. ``slope``: ``a`` and ``b`` of
    ``logit P(y = 1) = a + b logit(p)``. On the patients it was estimated on, the updated model has calibration
    intercept 0 (and slope 1) by construction, so judge it on others.

    Parameters
    ----------
    labels : array (n,)
        0 or 1.
    probabilities : array (n,)
        Predicted probabilities, 0 to 1, of patients the model has not seen.
    how : {"intercept", "slope"}
        ``slope`` estimates both.
    confidence : float

    Returns
    -------
    Recalibration
        ``how``, ``intercept`` and ``slope`` with Wald intervals, and ``.apply(probabilities)``.

    Raises
    ------
    StudyError
        Another ``how``; for ``slope``, predictions that are constant or separate the classes, which have no finite
        slope, or an estimate that is not above 0, which would turn the ranking round; a probability outside 0-1 or
        not finite, labels that are not two classes, other lengths; the row is named.

    References
    ----------
    Cox, Biometrika 1958. Steyerberg et al., Statistics in Medicine 2004 (updating methods 1 and 2).
    R: ``glm(y ~ offset(qlogis(p)), binomial)`` and ``glm(y ~ qlogis(p), binomial)``; the latter's coefficients are
    ``Intercept`` and ``Slope`` of ``rms::val.prob``.

    Notes
    -----
    Probabilities of 0 and 1 count as 0.0001 and 0.9999, since their log odds are infinite.
    """
    labels, matrix = check_probabilities(labels, probabilities)
    if how not in UPDATES:
        raise StudyError(f"recalibration {how!r} is not known; it must be one of {', '.join(UPDATES)}")
    if how == "intercept":
        fixed = Interval(1.0, np.nan, np.nan)
        return Recalibration(how, calibration_intercept(labels, matrix[:, 0], confidence), fixed)
    line = logistic_line(labels, safe_logit(matrix[:, 0]), confidence)
    if line is None:
        why = "the predictions are constant or separate the classes, and the slope has no finite value"
        raise StudyError(f"recalibration by slope: {why}; update the intercept only")
    if line.slope.estimate <= 0:
        why = f"the slope is {line.slope.estimate:.3f}, which would turn the ranking of patients round"
        raise StudyError(f"recalibration by slope: {why}; such a model has nothing to update")
    return Recalibration(how, line.intercept, line.slope)


def updated_name(model: str, how: str) -> str:
    """Name of the recalibrated model, ``combined_slope_updated``."""
    return f"{model}_{how}_updated"


def recalibrated(predictions: pd.DataFrame, models: Iterable[str], how: str = "intercept") -> pd.DataFrame:
    """Predictions of the recalibrated models, under names of their own; only these rows, in contract columns.

    A development patient gets the update estimated on the other folds' out-of-fold scores, internal and external
    patients the one estimated on all of development (``recalibration_table``). Base models of the other folds have
    seen the patient in training, as in every two-level cross-fit; the update's two numbers have not.
    A model that cannot be updated (see :func:`recalibrate`) has no rows; the table's ``note`` says why.

    Raises
    ------
    StudyError
        A model that the predictions lack, or whose development rows are not out of fold (fewer than two folds).
    """
    parts = []
    for model in models:
        rows = predictions[predictions["model"] == model]
        development = _development(rows, model)
        folds = {fold: development[development["fold"] != fold] for fold in development["fold"].unique()}
        try:
            whole = recalibrate(development["label"], development["probability"], how)
            updates = {fold: recalibrate(rest["label"], rest["probability"], how) for fold, rest in folds.items()}
        except StudyError:
            continue
        probability = pd.Series(whole.apply(rows["probability"]), rows.index)
        for fold, update in updates.items():
            held_out = development.index[development["fold"] == fold]
            probability.loc[held_out] = update.apply(development.loc[held_out, "probability"])
        parts.append(rows.assign(model=updated_name(model, how), probability=probability))
    together = pd.concat(parts) if parts else predictions.iloc[:0]
    return together.loc[:, list(PREDICTION_COLUMNS)].sort_values(["model", "patient_id"], ignore_index=True)


def recalibration_table(
    predictions: pd.DataFrame, models: Iterable[str], confidence: float = 0.95, how: Iterable[str] = UPDATES
) -> pd.DataFrame:
    """What each update changes, as estimated on all development patients' out-of-fold scores.

    Returns columns ``model, how, updated_model, n, positives``, ``intercept, slope`` (Wald, ``_low`` and ``_high``)
    and ``note``, which says why a model cannot be updated; its numbers are then missing. Where only the intercept
    is estimated, the slope is 1 without interval. Raises as :func:`recalibrated`.
    """
    missing = Interval(np.nan, np.nan, np.nan)
    rows = []
    for model in models:
        development = _development(predictions[predictions["model"] == model], model)
        labels, probabilities = development["label"], development["probability"]
        for each in how:
            try:
                update, note = recalibrate(labels, probabilities, each, confidence), ""
            except StudyError as error:
                update, note = Recalibration(each, missing, missing), str(error)
            row = {"model": model, "how": each, "updated_model": updated_name(model, each)}
            row |= {"n": len(labels), "positives": int(labels.sum())}
            rows.append(row | columns("intercept", update.intercept) | columns("slope", update.slope) | {"note": note})
    return pd.DataFrame(rows)


def _development(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """Development rows of one model, refused unless they come from two folds or more."""
    if rows.empty:
        raise StudyError(f"recalibration: the predictions have no model {model!r}; name one of theirs")
    development = rows[rows["split"] == "development"]
    folds = sorted(int(fold) for fold in development["fold"].unique())
    if len(folds) < 2:
        raise StudyError(
            f"recalibration of {model!r}: {len(development)} development rows from folds {folds}; the update is "
            "estimated on out-of-fold development scores of two folds or more, never on internal or external patients"
        )
    return development
