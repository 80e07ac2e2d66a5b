"""The audit: what would make a good result worthless, checked and written down.

Centre effects are in :mod:`her2study.evaluation.centres`; here is the rest: provenance, duplicates,
results too good to be true, the number of models tried and, for simulated patients, the distance
from the best possible score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from her2study.evaluation.findings import ATTENTION, INFORMATION, PASSED, Finding
from her2study.evaluation.predictions import by_split
from her2study.evaluation.roc import auc_interval, delong_test
from her2study.models.provenance import check_out_of_fold
from her2study.types import StudyError

SUSPICIOUS_AUC = 0.90
"""Not typical of HER2 from MRI; above it, suspect leakage before believing the model."""

ORACLES = {"dscore": "oracle_image", "combined": "oracle_combined"}
"""``model: column of the truth`` that holds the best possible score from the same information."""


def provenance_finding(predictions: pd.DataFrame, trained_on: pd.DataFrame, splits: pd.DataFrame) -> Finding:
    """Every score comes from a model that never saw the patient; stops the study if one does not.

    Raises
    ------
    StudyError
        From :func:`her2study.models.provenance.check_out_of_fold`, naming patient, model and fold.
    """
    check_out_of_fold(predictions, trained_on, splits)
    models = predictions["model"].nunique()
    detail = f"{len(predictions)} scores of {models} models: none from a model that saw the patient in any way"
    return Finding("scores out of fold", float(len(predictions)), np.nan, np.nan, PASSED, detail)


def duplicates_finding(splits: pd.DataFrame) -> Finding:
    """Patients who stand in more than one split or twice in one."""
    repeated = splits.loc[splits["patient_id"].duplicated(keep=False), "patient_id"].unique()
    verdict = ATTENTION if len(repeated) else PASSED
    detail = "patients with more than one row in splits" + (f", first {repeated[0]}" if len(repeated) else "")
    return Finding("duplicated patients", float(len(repeated)), np.nan, np.nan, verdict, detail)


def suspicious_finding(aucs: pd.DataFrame) -> Finding:
    """The highest AUC of all models and splits, and whether it is too good to be believed at once."""
    best = aucs.loc[aucs["auc"].idxmax()]
    verdict = ATTENTION if best["auc"] > SUSPICIOUS_AUC else PASSED
    detail = f"highest AUC: {best['model']}, {best['split']}; above {SUSPICIOUS_AUC:.2f} a leakage review is due"
    return Finding("AUC too good to be true", best["auc"], best["auc_low"], best["auc_high"], verdict, detail)


def models_fitted(logs: Iterable[pd.DataFrame]) -> int:
    """Models fitted, from the logs of cross-fitting: ``models_tried`` of each row, or one a row."""
    return sum(int(log["models_tried"].sum()) if "models_tried" in log else len(log) for log in logs)


def models_tried_finding(fitted: int, reported: int) -> Finding:
    """How many models were fitted to arrive at those reported: the best of many flatters itself."""
    detail = f"models fitted in development, tuning and folds included; {reported} are reported, all of them"
    return Finding("number of models tried", float(fitted), np.nan, np.nan, INFORMATION, detail)


def oracle_findings(
    predictions: pd.DataFrame, truth: pd.DataFrame, confidence: float = 0.95, oracles: Mapping[str, str] = ORACLES
) -> list[Finding]:
    """Simulated patients only: AUC of the planted score, and how far each model stays below it.

    Parameters
    ----------
    truth : DataFrame
        ``patient_id`` and the oracle probabilities.

    Raises
    ------
    StudyError
        A patient of the predictions is not in the truth.
    """
    missing = sorted(set(predictions["patient_id"]) - set(truth["patient_id"]))
    if missing:
        raise StudyError(f"truth/patients.parquet lacks patient {missing[0]!r}; simulate the cohort again")
    found = []
    for model, column in oracles.items():
        scored = predictions[predictions["model"] == model]
        best = scored.assign(model=column, probability=scored["patient_id"].map(truth.set_index("patient_id")[column]))
        for split, _, labels, scores in by_split(pd.concat([scored, best]), (column, model)):
            oracle, own = scores.T
            interval = auc_interval(labels, oracle, confidence)
            detail = f"AUC of the planted probability, {len(labels)} patients: no model can be expected to beat it"
            found.append(Finding(f"best possible AUC for {model}, {split}", *interval, INFORMATION, detail))
            gap = delong_test(labels, oracle, own, confidence)[:3]
            detail = "AUC of the planted probability minus the model's, paired DeLong interval"
            check = f"distance to the best possible AUC, {model}, {split}"
            found.append(Finding(check, *gap, INFORMATION, detail))
    return found
