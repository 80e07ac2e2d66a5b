"""What the centre alone explains, and how much results differ between centres."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2_contingency

from her2study.evaluation.findings import ATTENTION, INFORMATION, NOT_TESTED, PASSED, Finding
from her2study.evaluation.intervals import Interval, columns, wilson
from her2study.evaluation.pooling import centre_table
from her2study.evaluation.roc import auc, auc_interval, delong_test
from her2study.types import Labels, Scores


def prevalence_findings(splits: pd.DataFrame, confidence: float = 0.95) -> list[Finding]:
    """Share of positives in each centre, and whether centres differ (Pearson's chi-squared test)."""
    found = []
    for centre, label in splits.groupby("centre", sort=True)["label"]:
        detail = f"{int(label.sum())} positives of {len(label)} patients"
        share = wilson(int(label.sum()), len(label), confidence)
        found.append(Finding(f"prevalence, centre {centre}", *share, INFORMATION, detail))
    counts = pd.crosstab(splits["centre"], splits["label"]).to_numpy()
    if min(counts.shape) < 2:
        return found
    p = float(chi2_contingency(counts, correction=False).pvalue)
    verdict = ATTENTION if p < 1 - confidence else PASSED
    detail = "p value of equal prevalence in all centres; if they differ, the centre itself carries the outcome"
    return [*found, Finding("prevalence differs between centres", p, np.nan, np.nan, verdict, detail)]


def centre_only_findings(
    splits: pd.DataFrame, confidence: float = 0.95, permutations: int = 200, seed: int = 0
) -> list[Finding]:
    """How well the centre alone predicts the outcome in development, and the same with shuffled labels.

    The second is the canary: with shuffled labels the AUC must scatter around 0.5, else the
    cross-fitting itself leaks.
    """
    development = splits[splits["split"] == "development"].sort_values("patient_id")
    labels, folds = development["label"].to_numpy(np.int64), development["fold"].to_numpy()
    centres = development["centre"].to_numpy()
    if len(np.unique(centres)) < 2:
        detail = "all development patients are of one centre, which can tell nobody apart"
        return [Finding("centre-only baseline AUC", np.nan, np.nan, np.nan, NOT_TESTED, detail)]
    interval = auc_interval(labels, centre_only_scores(labels, centres, folds), confidence)
    verdict = ATTENTION if interval.low > 0.5 else PASSED
    detail = "out-of-fold AUC of a model that knows the centre and nothing else; compare every model with it"
    found = [Finding("centre-only baseline AUC", *interval, verdict, detail)]

    rng = np.random.default_rng([seed, len(labels)])
    shuffled = [rng.permutation(labels) for _ in range(permutations)]
    canary = np.array([auc(drawn, centre_only_scores(drawn, centres, folds)) for drawn in shuffled])
    low, high = np.quantile(canary, [(1 - confidence) / 2, (1 + confidence) / 2])
    verdict = PASSED if low <= 0.5 <= high else ATTENTION
    detail = f"mean and {confidence:.0%} range over {permutations} shuffles of the labels; it must hold 0.5"
    mean = float(canary.mean())
    return [*found, Finding("canary: centre-only AUC, labels shuffled", mean, float(low), float(high), verdict, detail)]


def centre_only_scores(labels: Labels, centres: NDArray, folds: NDArray) -> Scores:
    """Rank of the patient's centre by prevalence in the other folds, ``(n,)``.

    Ranks, not prevalences: leaving positives out of the training folds lowers their own centre's
    prevalence there, which alone would push a pooled AUC below 0.5. A centre that the other folds do
    not hold gets the mean rank.
    """
    scores = np.empty(len(labels))
    for fold in np.unique(folds):
        held_out = folds == fold
        rank = pd.Series(labels[~held_out]).groupby(centres[~held_out]).mean().rank()
        scores[held_out] = pd.Series(centres[held_out]).map(rank).fillna(rank.mean()).to_numpy()
    return scores


def centre_only_table(predictions: pd.DataFrame, splits: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """What each model knows beyond the centre, on development patients (out-of-fold).

    Returns
    -------
    DataFrame
        ``model`` (the first is ``centre_only``: it knows the centre and nothing else), ``n, positives, auc``
        (+ low, high), ``difference`` (+ low, high) of the model's AUC from the centre's, ``p`` (paired DeLong
        test; no model is fitted to the patients it scores).
    """
    own = predictions[predictions["split"] == "development"]
    development = splits[splits["split"] == "development"].set_index("patient_id").sort_index()
    labels = development["label"].to_numpy(np.int64)
    alone = centre_only_scores(labels, development["centre"].to_numpy(), development["fold"].to_numpy())
    size = {"n": len(labels), "positives": int(labels.sum())}
    rows = [{"model": "centre_only"} | size | columns("auc", auc_interval(labels, alone, confidence))]
    for model, scored in own.groupby("model", sort=True):
        scores = scored.set_index("patient_id")["probability"].loc[development.index].to_numpy()
        test = delong_test(labels, scores, alone, confidence)
        row = {"model": model} | size | columns("auc", auc_interval(labels, scores, confidence))
        rows.append(row | columns("difference", Interval(*test[:3])) | {"p": test.p})
    names = ["model", "n", "positives", "auc", "auc_low", "auc_high", "difference", "difference_low", "difference_high"]
    return pd.DataFrame(rows).reindex(columns=[*names, "p"])


def centre_auc_findings(predictions: pd.DataFrame, models: list[str], confidence: float = 0.95) -> list[Finding]:
    """AUC of each model in each centre, and Cochran's test that centres share one AUC.

    The same numbers as :func:`her2study.evaluation.pooling.centre_table`. The value of the summary row is
    I² in percent, the share of the variation between centres that chance does not explain.
    """
    found = []
    for model in models:
        table = centre_table(predictions[predictions["model"] == model], confidence)
        for row in table[table["kind"] == "centre"].itertuples():
            detail = f"{row.n} patients, {row.positives} positives"
            verdict = NOT_TESTED if np.isnan(row.auc) else INFORMATION
            check = f"AUC by centre, {model}, centre {row.centre}"
            found.append(Finding(check, row.auc, row.auc_low, row.auc_high, verdict, detail))
        for row in table[(table["kind"] == "pooled") & table["p_heterogeneity"].notna()].itertuples():
            verdict = ATTENTION if row.p_heterogeneity < 1 - confidence else PASSED
            check, value = f"AUC differs between centres, {model}", 100 * row.i_squared
            detail = f"I² in percent; Cochran's Q of the logit AUCs, p = {row.p_heterogeneity:.3f}"
            found.append(Finding(check, value, np.nan, np.nan, verdict, detail))
    return found


def leave_one_centre_out_findings(predictions: pd.DataFrame, confidence: float = 0.95) -> list[Finding]:
    """AUC in each centre of models developed on all other centres.

    ``predictions`` has ``model, centre, label, probability``, each centre scored by models that never
    saw it; :func:`her2study.evaluation.pooling.centre_table` makes a table of the same.
    """
    found = []
    table = centre_table(predictions, confidence)
    for row in table[table["kind"] == "centre"].itertuples():
        check, detail = f"leave one centre out, {row.model}, centre {row.centre}", f"{row.n} patients"
        if np.isnan(row.auc):
            found.append(Finding(check, np.nan, np.nan, np.nan, NOT_TESTED, f"{detail}, {row.note}"))
            continue
        verdict = PASSED if row.auc_low > 0.5 else ATTENTION
        detail += "; the interval " + ("excludes" if verdict == PASSED else "does not lie above") + " 0.5"
        found.append(Finding(check, row.auc, row.auc_low, row.auc_high, verdict, detail))
    return found
