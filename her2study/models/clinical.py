"""The clinical model: which predictors are independent, and what they predict together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from her2study.models.crossfit import CrossFit, Part, centre_parts, fold_parts, gather, score_rows, seen_rows
from her2study.models.frozen import predict_frozen
from her2study.models.logistic import (
    fit_frozen,
    fit_logit,
    fit_variables,
    imputed_design,
    likelihood_ratio_p,
    screen,
    select_predictors,
    term_rows,
    variance_inflation,
)
from her2study.study import Clinical, Variable


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
        Table: ``analysis`` (univariable, multivariable), ``variable, term, label, n, odds_ratio`` (+ interval),
        ``p`` (Wald), ``p_lrt`` (the variable as a whole), ``vif, selected, note``. Multivariable rows are the
        final model; p values after selection are smaller than they should be.
    """
    screened = screen(patients, variables, confidence)
    selection = select_predictors(patients, variables, settings, screened)
    frozen = fit_frozen(patients, variables, selection.kept, "clinical")
    notes = screened["variable"].map(selection.notes)
    univariable = screened.assign(
        analysis="univariable",
        vif=np.nan,
        selected=screened["variable"].isin(selection.kept),
        note=screened["note"].where(screened["note"] != "", notes),
    )
    design, terms, _ = imputed_design(patients, variables, selection.kept)
    fit = fit_logit(design, patients["label"].to_numpy(dtype=np.int64))
    numbers, rows = term_rows(terms, fit, confidence), []
    for term, vif in zip(terms, variance_inflation(fit.covariance), strict=True):
        without = fit_variables(patients, variables, [name for name in selection.kept if name != term.variable])
        rows.append(
            {"analysis": "multivariable", "variable": term.variable, "term": term.name, "label": term.label}
            | {"n": fit.n, "p_lrt": likelihood_ratio_p(fit, without) if without else np.nan}
            | {"vif": float(vif), "selected": True}
            | numbers[term.name]
        )
    columns = ["analysis", "variable", "term", "label", "n", "odds_ratio", "odds_ratio_low", "odds_ratio_high",
               "p", "p_lrt", "vif", "selected", "note"]  # fmt: skip
    parts = [univariable, pd.DataFrame(rows)] if rows else [univariable]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns), frozen


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
        kept = select_predictors(training, variables, settings).kept
        frozen = fit_frozen(training, variables, kept, "clinical")
        if part.score:
            probability = predict_frozen(frozen, rows.loc[part.score].reset_index(drop=True))
            scored.append(score_rows(splits, part, "clinical", probability))
        seen.append(seen_rows(part, "clinical"))
        words = ", ".join(variables[name].label for name in kept) or "none (null model)"
        log.append({"model": "clinical", "fold": part.fold, "predictors": words, "terms": len(frozen["terms"])})
        selected += [("clinical", part.fold, name) for name in kept]
    return CrossFit(
        gather(scored, ["model", "patient_id"]),
        gather(seen, ["model", "fold", "patient_id"]),
        pd.DataFrame(log).sort_values("fold", ignore_index=True),
        pd.DataFrame(selected, columns=["model", "fold", "feature"]),
    )
