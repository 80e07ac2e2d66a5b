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

from her2study.models.crossfit import CrossFit, fold_parts, gather, score_rows, seen_rows
from her2study.models.encoding import Term, design_matrix, imputation_values
from her2study.models.frozen import freeze, predict_frozen
from her2study.models.logistic import drop_test, fit_estimable, fit_logit, imputed_design, method_of
from her2study.models.odds import model_rows
from her2study.models.provenance import check_out_of_fold
from her2study.models.selection import select_predictors
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

    If D-score and predictors repeat one another (few patients), predictors leave from the end of the
    settings' order; ``left_out`` names them. If they separate the classes together, though the D-score
    alone does not, the estimate is Firth's; ``method`` says so.

    Raises
    ------
    StudyError
        The D-score alone separates the classes: leakage, or far too few patients.
    """
    labels = patients["label"].to_numpy(dtype=np.int64)
    if fit_logit(_design(patients, variables, [])[0], labels) is None:
        raise StudyError(
            f"combined model: the D-score of {len(patients)} training patients has no finite coefficient (it "
            "separates the classes, or is constant); review the D-scores for leakage or use more patients"
        )
    kept = select_predictors(patients, variables, settings).kept
    left_out: list[str] = []
    design, terms, imputation = _design(patients, variables, kept)
    while (fit := fit_estimable(design, labels)) is None:
        left_out.append(kept[-1])
        kept = kept[:-1]
        design, terms, imputation = _design(patients, variables, kept)
    names = {"dscore": "D-score"} | {name: variables[name].printed for name in kept}
    frozen = freeze(
        "combined", fit.coefficients[0], fit.coefficients[1:], fit.covariance, terms, imputation, names, patients
    )
    return frozen | {"left_out": left_out, "method": method_of(fit)}


def coefficients(
    patients: pd.DataFrame, variables: dict[str, Variable], predictors: list[str], confidence: float = 0.95
) -> pd.DataFrame:
    """Odds ratios of D-score and predictors together, on development patients.

    Returns columns ``variable, term, label, n, p_lrt, vif, odds_ratio`` (+ Wald and profile interval)
    ``, p, method, note``, see :func:`~her2study.models.odds.model_rows`. The D-score's odds ratio is for one
    unit of its log odds.
    """
    design, terms, _ = _design(patients, variables, predictors)
    labels = patients["label"].to_numpy(dtype=np.int64)
    return model_rows(terms, design, labels, fit_estimable(design, labels), confidence)


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
    design, _, _ = _design(patients, variables, predictors)
    fit = fit_estimable(design, labels)
    test = drop_test(fit, design, labels, [0]) if fit else None
    return pd.DataFrame(
        {
            "comparison": ["clinical predictors with v. without the D-score"],
            "n": [len(labels)],
            "positives": [int(labels.sum())],
            "chi_squared": [test.chi_squared if test else np.nan],
            "degrees_of_freedom": [1],
            "p": [test.p if test else np.nan],
        }
    )


def _design(patients: pd.DataFrame, variables: dict[str, Variable], names: list[str]) -> tuple:
    """D-score and predictors: matrix, terms and imputation values."""
    clinical, terms, imputation = imputed_design(patients, variables, names)
    score = design_matrix(patients.set_index("patient_id"), [DSCORE], {"dscore": np.nan})
    own = imputation_values(patients, [DSCORE])
    return np.hstack([score, clinical]), [DSCORE, *terms], own | imputation
