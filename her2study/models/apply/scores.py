"""Scores of new patients by every frozen model that can answer, with intervals, verdicts, flags and reasons."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from her2study.models.apply.drivers import DRIVER_COLUMNS, drivers, wald_interval
from her2study.models.apply.flags import flag_frame, joined, table_flags
from her2study.models.apply.patients import NewPatients
from her2study.models.apply.scans import Scans, read_scans
from her2study.models.apply.tables import DSCORE
from her2study.models.bundle import Bundle
from her2study.models.device import deterministic
from her2study.models.dscore import Calibration
from her2study.models.frozen import predict_frozen
from her2study.models.inference import predict_logits

ORDER = ("combined", "clinical", DSCORE)
"""Which model answers, if several can: the first that has all it needs."""


class Applied(NamedTuple):
    """A bundle's models applied to new patients.

    Attributes
    ----------
    scores : DataFrame
        One row a patient, in the order of the patients: ``patient_id, centre``, ``label`` if known, ``excluded``;
        ``dscore, dscore_low, dscore_high`` (lowest and highest of the fold networks); each logistic model with its
        Wald interval; ``model``, the one that answers, its ``probability, probability_low, probability_high`` and
        ``verdict_<rule>`` (positive or negative) by its own frozen thresholds; ``flags``; ``reason_unscored``: why a
        model of the bundle could not answer, empty where all did.
    contributions : DataFrame
        What drove each logistic model, see :mod:`her2study.models.apply.drivers`.
    flags : DataFrame
        One row a flag, see :mod:`her2study.models.apply.flags`.
    scans : Scans or None
        The scans that were scored.
    """

    scores: pd.DataFrame
    contributions: pd.DataFrame
    flags: pd.DataFrame
    scans: Scans | None


def score_patients(bundle: Bundle, new: NewPatients, workers: int = 1, cache: Path | None = None) -> Applied:
    """Apply every model of a bundle that can answer to each patient.

    Parameters
    ----------
    workers : int
        Processes that read scans; no result depends on it.
    cache : Path, optional
        Folder that keeps preprocessed scans, which ``scans`` needs afterwards; without it they are gone.
    """
    table = new.table.reset_index(drop=True)
    scores = table[[name for name in ("patient_id", "centre", "label", "excluded") if name in table]].copy()
    reasons: dict[str, str] = {}
    flags = table_flags(bundle, table, new.findings)
    scans = None
    if bundle.network is not None:
        with nullcontext(cache) if cache else tempfile.TemporaryDirectory(prefix="her2study-") as store:
            scans = read_scans(bundle, table, new.source, Path(store), workers)
            found = network_scores(bundle, scans)
        scores = scores.join(found, on="patient_id")
        flags += scans.flags
        reasons = {patient: f"no D-score: {reason}" for patient, reason in scans.reasons.items()}
    elif DSCORE in table:
        scores[DSCORE] = table[DSCORE]
    parts = []
    for model, frozen in bundle.logistic.items():
        parts.append(_add_logistic(scores, model, frozen, table, bundle.statistics.confidence))
    told = flag_frame(flags)
    scores = _answered(bundle, scores)
    scores["flags"] = joined(told, scores["patient_id"])
    scores["reason_unscored"] = [_reason(bundle, row, reasons) for row in scores.to_dict("records")]
    driven = [part for part in parts if len(part)]
    driven = pd.concat(driven, ignore_index=True) if driven else pd.DataFrame(columns=list(DRIVER_COLUMNS))
    return Applied(scores, driven, told, scans)


def network_scores(bundle: Bundle, scans: Scans) -> pd.DataFrame:
    """``dscore, dscore_low, dscore_high`` by patient: the mean logit of the fold networks, calibrated, and their
    lowest and highest, each calibrated as the mean is."""
    networks = bundle.networks() if scans.patients else []
    logits = np.empty((len(networks), len(scans.patients)))
    with deterministic(0):  # as the study's notebooks: sums of one thread, to the last digit
        for rows, channels in scans.batches():
            for number, network in enumerate(networks):
                logits[number, rows] = predict_logits(network, channels, bundle.network.average_flips)
    calibrate = Calibration(**(bundle.calibration or {}))
    ends = {"": np.mean, "_low": np.min, "_high": np.max}
    columns = {f"{DSCORE}{end}": calibrate(of(logits, axis=0)) if networks else [] for end, of in ends.items()}
    return pd.DataFrame(columns, index=pd.Index(scans.patients, dtype="str"), dtype="float64")


def _add_logistic(
    scores: pd.DataFrame, model: str, frozen: Mapping[str, Any], table: pd.DataFrame, confidence: float
) -> pd.DataFrame:
    """Probabilities of one model as columns of ``scores``; its contributions. NaN for whom it cannot answer."""
    names = (model, f"{model}_low", f"{model}_high")
    for name in names:
        scores[name] = np.nan
    patients = table.assign(**{DSCORE: scores[DSCORE]}) if DSCORE in scores else table
    if any(name not in patients for name in frozen["variables"]):
        return pd.DataFrame(columns=list(DRIVER_COLUMNS))
    able = patients[DSCORE].notna() if DSCORE in frozen["variables"] else pd.Series(True, index=patients.index)
    patients = patients[able].reset_index(drop=True)
    if patients.empty:
        return pd.DataFrame(columns=list(DRIVER_COLUMNS))
    low, high = wald_interval(frozen, patients, float(norm.ppf((1 + confidence) / 2)))
    for name, values in zip(names, (predict_frozen(frozen, patients), low, high), strict=True):
        scores.loc[able, name] = values
    return drivers(model, frozen, patients)


def models_of(bundle: Bundle) -> list[str]:
    """The models of a bundle, the one that answers first before the others."""
    there = set(bundle.logistic) | ({DSCORE} if bundle.network is not None else set())
    return [model for model in ORDER if model in there] + sorted(there - set(ORDER))


def _answered(bundle: Bundle, scores: pd.DataFrame) -> pd.DataFrame:
    """Which model answers for each patient, with what, and on which side of its frozen thresholds."""
    answer = pd.Series("", index=scores.index, dtype="str")
    for model in models_of(bundle):
        answer = answer.mask((answer == "") & scores[model].notna(), model)
    scores = scores.assign(model=answer)
    rules = list(dict.fromkeys(rule for chosen in bundle.thresholds.values() for rule in chosen))
    columns = {name: pd.Series(np.nan, index=scores.index) for name in ("", "_low", "_high")}
    verdicts = {rule: pd.Series("", index=scores.index, dtype="str") for rule in rules}
    for model in models_of(bundle):
        rows = answer == model
        for end, values in columns.items():
            values[rows] = scores.loc[rows, f"{model}{end}"]
        for rule, threshold in bundle.thresholds.get(model, {}).items():
            called = scores.loc[rows, model] >= threshold
            verdicts[rule][rows] = called.map({True: "positive", False: "negative"}).astype("str")
    named = {f"probability{end}": values for end, values in columns.items()}
    return scores.assign(**named, **{f"verdict_{rule}": values for rule, values in verdicts.items()})


def _reason(bundle: Bundle, row: Mapping[str, Any], reasons: Mapping[str, str]) -> str:
    """Why some model of the bundle has no answer for a patient."""
    silent = [model for model in models_of(bundle) if pd.isna(row[model])]
    if not silent:
        return ""
    if row["patient_id"] in reasons:
        return reasons[row["patient_id"]]
    if DSCORE in row and pd.isna(row[DSCORE]):
        return "no D-score in the table"
    return "no table with the predictors"
