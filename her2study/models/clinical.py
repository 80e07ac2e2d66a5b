"""The clinical model: which predictors are independent, and what they predict together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from her2study.models.crossfit import CrossFit, Part, centre_parts, fold_parts, gather, score_rows, seen_rows
from her2study.models.frozen import predict_frozen
from her2study.models.logistic import fit_estimable, fit_frozen, imputed_design
from her2study.models.odds import model_rows, screen
from her2study.models.selection import select_predictors
from her2study.study import Clinical, Variable

COLUMNS = ["analysis", "variable", "term", "label", "n", "odds_ratio", "odds_ratio_low", "odds_ratio_high",
           "odds_ratio_profile_low", "odds_ratio_profile_high", "p", "p_lrt", "vif", "selected", "method",
           "note"]  # fmt: skip


def analyse(
    patients: pd.DataFrame, variables: dict[str, Variable], settings: Clinical, confidence: float = 0.95
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The whole analysis on development patients: the ``logistic`` table and the frozen clinical model.

    Parameters
    ----------
    patients : DataFrame
        Development patients: ``patient_id``, ``label`` and the variables.

    Returns
    -------
    table, frozen
        Table: ``analysis`` (univariable, multivariable), ``variable, term, label, n, odds_ratio`` (+ Wald
        interval, and ``odds_ratio_profile_low, _high``), ``p`` (Wald), ``p_lrt`` (the variable as a whole),
        ``vif, selected, method`` (maximum likelihood, or Firth under separation), ``note``. Multivariable
        rows are the final model; p values after selection are smaller than they should be.
    """
    screened = screen(patients, variables, confidence)
    selection = select_predictors(patients, variables, settings, screened)
    frozen = fit_frozen(patients, variables, selection.kept, "clinical")
    fate = screened["variable"].map(selection.notes)
    univariable = screened.assign(
        analysis="univariable",
        vif=np.nan,
        selected=screened["variable"].isin(selection.kept),
        note=[
            note if note.startswith("not estimable") else "; ".join(filter(None, (note, why)))
            for note, why in zip(screened["note"], fate, strict=True)
        ],
    )
    parts = [univariable]
    if selection.kept:
        design, terms, _ = imputed_design(patients, variables, selection.kept)
        labels = patients["label"].to_numpy(dtype=np.int64)
        rows = model_rows(terms, design, labels, fit_estimable(design, labels), confidence)
        parts.append(rows.assign(analysis="multivariable", selected=True))
    return pd.concat(parts, ignore_index=True).reindex(columns=COLUMNS), frozen


def develop(patients: pd.DataFrame, variables: dict[str, Variable], settings: Clinical) -> dict[str, Any]:
    """Screen, selection and coefficients: everything that leads from patients to the frozen clinical model."""
    return fit_frozen(patients, variables, select_predictors(patients, variables, settings).kept, "clinical")


def cross_fit(
    cohort: pd.DataFrame, splits: pd.DataFrame, variables: dict[str, Variable], settings: Clinical
) -> CrossFit:
    """The clinical model on every fold, screen and selection repeated inside, then on all development.

    ``log``: model, fold, predictors (in words), terms. ``selected``: model, fold, feature.
    """
    return _run(cohort, splits, variables, settings, fold_parts(splits))


def leave_one_centre_out(
    cohort: pd.DataFrame, splits: pd.DataFrame, variables: dict[str, Variable], settings: Clinical
) -> pd.DataFrame:
    """Predictions for each centre by a clinical model selected and fitted on all other centres."""
    return _run(cohort, splits, variables, settings, centre_parts(splits)).predictions


def forest(table: pd.DataFrame) -> pd.DataFrame:
    """Data of the forest plot: the rows of the ``logistic`` table that have an estimate."""
    names = ["analysis", "variable", "label", "odds_ratio", "odds_ratio_low", "odds_ratio_high", "p"]
    return table.loc[table["odds_ratio"].notna(), names].reset_index(drop=True)


def _run(
    cohort: pd.DataFrame,
    splits: pd.DataFrame,
    variables: dict[str, Variable],
    settings: Clinical,
    parts: list[Part],
) -> CrossFit:
    scored, seen, log, selected = [], [], [], []
    rows = cohort.set_index("patient_id", drop=False)
    for part in parts:
        training = rows.loc[part.train].reset_index(drop=True)
        frozen = develop(training, variables, settings)
        if part.score:
            probability = predict_frozen(frozen, rows.loc[part.score].reset_index(drop=True))
            scored.append(score_rows(splits, part, "clinical", probability))
        seen.append(seen_rows(part, "clinical"))
        words = ", ".join(variables[name].label for name in frozen["variables"]) or "none (null model)"
        log.append({"model": "clinical", "fold": part.fold, "predictors": words, "terms": len(frozen["terms"])})
        selected += [("clinical", part.fold, name) for name in frozen["variables"]]
    return CrossFit(
        gather(scored, ["model", "patient_id"]),
        gather(seen, ["model", "fold", "patient_id"]),
        pd.DataFrame(log).sort_values("fold", ignore_index=True),
        pd.DataFrame(selected, columns=["model", "fold", "feature"]),
    )
