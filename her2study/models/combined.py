"""The combined model: the D-score and the independent clinical predictors, in one logistic regression.

It is fitted on out-of-fold D-scores only; in-sample ones make the D-score look stronger than it is
and the model fail outside (see reference/pitfalls, 1). One trace of cross-fitting remains and is
declared: the D-scores of a fold's training patients come from networks that saw the patients of that
fold. Their labels can reach the fold's two or three coefficients by that road only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2

from her2study.models.crossfit import CrossFit, fold_parts, gather, score_rows, seen_rows
from her2study.models.encoding import Term, design_matrix, imputation_values
from her2study.models.frozen import freeze, predict_frozen
from her2study.models.logistic import LogitFit, fit_logit, imputed_design, select_predictors
from her2study.models.provenance import check_out_of_fold
from her2study.study import Clinical, Variable
from her2study.types import StudyError

DSCORE = Term("logit(dscore)", "dscore", "logit", "log odds of the D-score")


def with_dscore(
    cohort: pd.DataFrame, dscore: pd.DataFrame, trained_on: pd.DataFrame, splits: pd.DataFrame
) -> pd.DataFrame:
    """The cohort with a column ``dscore`` (probability), after its provenance is checked.

    Parameters
    ----------
    dscore, trained_on : DataFrame
        Predictions of the network and who trained each of its fold models.

    Raises
    ------
    StudyError
        A score comes from a network that saw the patient, or a patient has none.
    """
    check_out_of_fold(dscore, trained_on, splits)
    column = dscore.set_index("patient_id")["probability"]
    unscored = sorted(set(cohort["patient_id"]) - set(column.index))
    if unscored:
        raise StudyError(
            f"predictions_dscore: patient {unscored[0]} has no D-score ({len(unscored)} such patients); the combined "
            "model needs one for every patient: run 04 and 05 again"
        )
    return cohort.assign(dscore=cohort["patient_id"].map(column))


def fit_combined(patients: pd.DataFrame, variables: dict[str, Variable], settings: Clinical) -> dict[str, Any]:
    """The frozen combined model of these patients: predictors selected, coefficients fitted.

    If D-score and predictors cannot be estimated together (few patients), predictors leave from the end
    of the settings' order; ``left_out`` names them.

    Raises
    ------
    StudyError
        The D-score alone separates the classes: leakage, or far too few patients.
    """
    labels = patients["label"].to_numpy(dtype=np.int64)
    kept = select_predictors(patients, variables, settings).kept
    left_out: list[str] = []
    while True:
        design, terms, imputation = _design(patients, variables, kept)
        fit = fit_logit(design, labels)
        if fit is not None:
            break
        if not kept:
            raise StudyError(
                f"combined model: the D-score of {len(patients)} training patients has no finite coefficient (it "
                "separates the classes, or is constant); review the D-scores for leakage or use more patients"
            )
        left_out.append(kept[-1])
        kept = kept[:-1]
    names = {"dscore": "D-score"} | {name: variables[name].printed for name in kept}
    frozen = freeze(
        "combined", fit.coefficients[0], fit.coefficients[1:], fit.covariance, terms, imputation, names, patients
    )
    return frozen | {"left_out": left_out}


def cross_fit(
    patients: pd.DataFrame, splits: pd.DataFrame, variables: dict[str, Variable], settings: Clinical
) -> CrossFit:
    """The combined model on every fold, predictors selected inside, then on all development.

    Parameters
    ----------
    patients : DataFrame
        From :func:`with_dscore`.
    """
    scored, seen, log, selected = [], [], [], []
    rows = patients.set_index("patient_id", drop=False)
    for part in fold_parts(splits):
        frozen = fit_combined(rows.loc[part.train].reset_index(drop=True), variables, settings)
        if part.score:
            probability = predict_frozen(frozen, rows.loc[part.score].reset_index(drop=True))
            scored.append(score_rows(splits, part, "combined", probability))
        seen.append(seen_rows(part, "combined"))
        words = ", ".join(variable["label"] for variable in frozen["variables"].values())
        log.append({"model": "combined", "fold": part.fold, "predictors": words, "terms": len(frozen["terms"])})
        selected += [("combined", part.fold, name) for name in frozen["variables"]]
    return CrossFit(
        gather(scored, ["model", "patient_id"]),
        gather(seen, ["model", "fold", "patient_id"]),
        pd.DataFrame(log).sort_values("fold", ignore_index=True),
        pd.DataFrame(selected, columns=["model", "fold", "feature"]),
    )


def added_value(patients: pd.DataFrame, variables: dict[str, Variable], predictors: list[str]) -> pd.DataFrame:
    """Likelihood-ratio test of adding the D-score to clinical predictors, on development patients.

    The right test for nested models where they were fitted: DeLong's statistic has no normal null there
    (Demler 2012). Valid because the D-scores are out-of-fold; predictors are taken as given.

    Returns one row: ``comparison, n, positives, chi_squared, degrees_of_freedom, p``.
    """
    labels = patients["label"].to_numpy(dtype=np.int64)
    without, _, _ = imputed_design(patients, variables, predictors)
    larger, smaller = fit_logit(_design(patients, variables, predictors)[0], labels), fit_logit(without, labels)
    statistic = _statistic(larger, smaller)
    return pd.DataFrame(
        {
            "comparison": ["clinical predictors with v. without the D-score"],
            "n": [len(labels)],
            "positives": [int(labels.sum())],
            "chi_squared": [statistic],
            "degrees_of_freedom": [1],
            "p": [float(chi2.sf(statistic, 1))],
        }
    )


def _design(patients: pd.DataFrame, variables: dict[str, Variable], names: list[str]) -> tuple:
    """D-score and predictors: matrix, terms and imputation values."""
    clinical, terms, imputation = imputed_design(patients, variables, names)
    score = design_matrix(patients.set_index("patient_id"), [DSCORE], {"dscore": np.nan})
    own = imputation_values(patients, [DSCORE])
    return np.hstack([score, clinical]), [DSCORE, *terms], own | imputation


def _statistic(larger: LogitFit | None, smaller: LogitFit | None) -> float:
    """2 (log L1 - log L0); missing where a model cannot be estimated."""
    if larger is None or smaller is None:
        return float("nan")
    return max(0.0, 2 * (larger.log_likelihood - smaller.log_likelihood))
