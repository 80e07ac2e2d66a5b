"""Whose outcomes judge a frozen model at a new hospital: who is left out and why, and who judges which models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from her2study.evaluation.calibration_line import calibration_intercept, calibration_slope
from her2study.evaluation.intervals import columns
from her2study.evaluation.roc import auc_interval
from her2study.evaluation.sample_size import auc_interval_width
from her2study.types import NO_FOLD, PREDICTION_COLUMNS, StudyError

TRAINING = "training"
"""Centre of the patients whose scores travel with a bundle: nobody knows more of them."""

ADVISED = 100
"""Patients of each class that a validation should have (Collins, Ogundimu and Altman, Statistics in Medicine 2016)."""

NO_REASON = "its predictors are not in the table"


class Judged(NamedTuple):
    """``models`` compared on the same patients, whose ``patient_id`` are ``together``; ``left``: reason and count."""

    models: tuple[str, ...]
    together: pd.Series
    left: dict[str, int]


def check_outcomes(labels: pd.Series, outcome: str) -> None:
    """Refuse a cohort in which nothing can be judged, before anything is computed on it.

    Raises
    ------
    StudyError
        Nobody's outcome is known, or all have the same.
    """
    known = labels.dropna()
    mend = "add patients of both kinds, or use `her2study predict`, which needs no outcomes"
    if known.empty:
        raise StudyError(f"none of {len(labels)} patients has a known outcome ({outcome} or not): {mend}")
    if known.nunique() < 2:
        kind = outcome if known.iloc[0] == 1 else f"not {outcome}"
        raise StudyError(f"all {len(known)} patients with a known outcome are {kind}: nothing can be judged; {mend}")


def check_strangers(centres: pd.Series, development: Sequence[str], named: Sequence[str]) -> str:
    """Refuse patients of centres that trained the models, unless these centres were named on purpose.

    A bundle holds no names, so nobody can tell whether a patient of such a centre was among those of training.

    Returns
    -------
    str
        What a reader has to know where such a centre was named; else empty.

    Raises
    ------
    StudyError
        A centre of ``development`` is there and is none of ``named``.
    """
    known = [centre for centre in development if (centres == centre).any()]
    if not known:
        return ""
    count, where = int(centres.isin(known).sum()), f"of centres where the models were trained ({', '.join(known)})"
    if not set(known) <= set(named):
        others = sorted(set(centres) - set(known))
        choice = f"choose the others with --centres {' '.join(others)}, or name" if others else "name"
        raise StudyError(
            f"{count} of {len(centres)} patients are {where}, and nobody is judged by models that have seen her: "
            f"{choice} these centres with --centres too if their patients are new"
        )
    return (
        f"{count} {'patients are' if count > 1 else 'patient is'} {where}, named on purpose: a bundle holds no names, "
        "so only you can know that none of them was among the patients of training."
    )


def size_sentence(labels: pd.Series, auc: float, confidence: float) -> str:
    """Whether the cohort is large enough to say much, from its size and the AUC that training promised."""
    n, positives = len(labels), int(labels.sum())
    rarer = min(positives, n - positives)
    width = auc_interval_width(min(max(auc, 0.01), 0.99), n, positives / n, confidence)
    words = f"With {positives} positive and {n - positives} negative patients the interval of an AUC of {auc:.2f} is "
    words += f"expected to be {min(width, 1):.2f} wide."
    if rarer < ADVISED:
        words += f" A validation should have {ADVISED} of each: take every number here with its interval."
    return words


def judged(scores: pd.DataFrame, models: Sequence[str]) -> Judged:
    """Which models are compared, on which patients: those whom all of them scored.

    A model that scored nobody takes no part; where the patients scored by all are of one class, only models that
    scored everyone do.

    Parameters
    ----------
    scores : DataFrame
        One row a patient: ``patient_id, label``, a column a model (missing: not scored) and ``reason_unscored``.

    Raises
    ------
    StudyError
        No model scored patients of both classes; the most frequent reason is named.
    """
    able = [model for model in models if scores[model].notna().any()]
    complete = scores[able].notna().all(axis=1)
    if scores.loc[complete, "label"].nunique() < 2:
        able = [model for model in able if scores[model].notna().all()]
        complete = pd.Series(True, index=scores.index)
    if not able:
        reasons = scores["reason_unscored"][scores["reason_unscored"] != ""]
        why = reasons.mode().iloc[0] if len(reasons) else NO_REASON
        raise StudyError(f"no model of the bundle could score these patients, most often because: {why}")
    left = scores.loc[~complete, "reason_unscored"].replace("", NO_REASON)
    return Judged(tuple(able), scores.loc[complete, "patient_id"], left.value_counts().to_dict())


def external_predictions(scores: pd.DataFrame, models: Sequence[str], patients: pd.Series) -> pd.DataFrame:
    """The new patients' scores in the predictions contract, all of them external."""
    own = scores[scores["patient_id"].isin(patients)]
    parts = [own[["patient_id", "centre", "label"]].assign(model=model, probability=own[model]) for model in models]
    rows = pd.concat(parts).assign(split="external", fold=NO_FOLD).astype({"label": "int64", "probability": "float64"})
    return rows.loc[:, list(PREDICTION_COLUMNS)].reset_index(drop=True)


def training_predictions(reference: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """A bundle's reference scores in the predictions contract: development, out of fold, called ``training 1``, ..."""
    own = reference[reference["model"].isin(models)]
    rows = own.assign(patient_id=f"{TRAINING} " + own["patient"].astype("str"), centre=TRAINING, split="development")
    typed = rows.astype({"label": "int64", "fold": "int64", "probability": "float64"})
    return typed.loc[:, list(PREDICTION_COLUMNS)].reset_index(drop=True)


def flow_table(everyone: pd.DataFrame, scores: pd.DataFrame, found: Judged) -> pd.DataFrame:
    """Who was there, who left and why, and who judges: ``step, reason, n, positives`` (of those with an outcome).

    Parameters
    ----------
    everyone : DataFrame
        ``patient_id, label`` (may be missing), ``excluded``: all patients of the new table.
    scores : DataFrame
        Those with an outcome, who were scored.
    """
    rows = [("in the table", "", len(everyone), int(everyone["label"].sum()))]
    for reason, part in everyone[everyone["excluded"] != ""].groupby("excluded", sort=False):
        rows.append(("left out", f"as in the study: {reason}", len(part), int(part["label"].sum())))
    unknown = int((everyone["label"].isna() & (everyone["excluded"] == "")).sum())
    if unknown:
        rows.append(("left out", "the outcome is not known", unknown, 0))
    together = scores["patient_id"].isin(found.together)
    for reason, n in found.left.items():
        said = scores["reason_unscored"].replace("", NO_REASON) == reason
        rows.append(("not scored by all models", reason, n, int(scores.loc[said & ~together, "label"].sum())))
    rows.append(("judged", "", int(together.sum()), int(scores.loc[together, "label"].sum())))
    return pd.DataFrame(rows, columns=["step", "reason", "n", "positives"])


def subset_table(scores: pd.DataFrame, found: Judged, confidence: float = 0.95) -> pd.DataFrame:
    """Each model in the patients who judge, in all whom it scored, and in those who judge without any flag.

    Returns
    -------
    DataFrame
        ``patients, model, n, positives``, ``auc, intercept, slope`` with ends; missing where a part has one class.
        Parts without patients, or the same as the first, are left out.
    """
    together = scores["patient_id"].isin(found.together)
    parts: Mapping[str, pd.Series] = {
        "judged": together,
        "all that the model scored": pd.Series(True, index=scores.index),
        "judged, without flags": together & (scores["flags"] == ""),
    }
    rows = []
    for name, inside in parts.items():
        for model in found.models:
            own = scores[inside & scores[model].notna()]
            if name == "judged" or (len(own) and len(own) != int(together.sum())):
                rows.append({"patients": name, "model": model} | _in_short(own, model, confidence))
    return pd.DataFrame(rows)


def _in_short(own: pd.DataFrame, model: str, confidence: float) -> dict[str, float]:
    row = {"n": len(own), "positives": int(own["label"].sum())}
    measures = {"auc": auc_interval, "intercept": calibration_intercept, "slope": calibration_slope}
    for name, measure in measures.items():
        if own["label"].nunique() == 2:
            row |= columns(name, measure(own["label"].astype("int64"), own[model], confidence))
        else:
            row |= dict.fromkeys((name, f"{name}_low", f"{name}_high"), np.nan)
    return row
