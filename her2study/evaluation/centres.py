"""What the centre alone explains, and how much results differ between centres."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2, chi2_contingency

from her2study.evaluation.findings import ATTENTION, INFORMATION, NOT_TESTED, PASSED, Finding
from her2study.evaluation.intervals import wilson
from her2study.evaluation.roc import auc, auc_interval, delong, interval_from_error
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


def centre_auc_findings(predictions: pd.DataFrame, models: list[str], confidence: float = 0.95) -> list[Finding]:
    """AUC of each model in each centre, and Cochran's test that centres share one AUC.

    All patients count: development out-of-fold, internal and external. The value of the summary row is
    I² in percent, the share of the variation between centres that chance does not explain.
    """
    found = []
    for model in models:
        estimates, errors = [], []
        for centre, scored in predictions[predictions["model"] == model].groupby("centre", sort=True):
            positives = int(scored["label"].sum())
            check = f"AUC by centre, {model}, centre {centre}"
            detail = f"{len(scored)} patients, {positives} positives"
            if min(positives, len(scored) - positives) < 2:
                found.append(Finding(check, np.nan, np.nan, np.nan, NOT_TESTED, detail))
                continue
            area, variance = (float(part.ravel()[0]) for part in delong(scored["label"], scored["probability"]))
            interval = interval_from_error(area, np.sqrt(variance), confidence)
            found.append(Finding(check, *interval, INFORMATION, detail))
            estimates, errors = [*estimates, area], [*errors, np.sqrt(variance)]
        found += _heterogeneity(model, np.array(estimates), np.array(errors), confidence)
    return found


def leave_one_centre_out_findings(predictions: pd.DataFrame, confidence: float = 0.95) -> list[Finding]:
    """AUC in each centre of models developed on all other centres.

    ``predictions`` has ``model, centre, label, probability``, each centre scored by models that never
    saw it.
    """
    found = []
    for (model, centre), scored in predictions.groupby(["model", "centre"], sort=True):
        check, detail = f"leave one centre out, {model}, centre {centre}", f"{len(scored)} patients"
        if scored["label"].nunique() < 2:
            found.append(Finding(check, np.nan, np.nan, np.nan, NOT_TESTED, f"{detail}, one class only"))
            continue
        interval = auc_interval(scored["label"], scored["probability"], confidence)
        verdict = PASSED if interval.low > 0.5 else ATTENTION
        detail += "; the interval " + ("excludes" if interval.low > 0.5 else "does not lie above") + " 0.5"
        found.append(Finding(check, *interval, verdict, detail))
    return found


def _heterogeneity(model: str, estimates: NDArray, errors: NDArray, confidence: float) -> list[Finding]:
    """Cochran's Q: squared distances from the pooled AUC in standard errors; needs two centres with a variance."""
    estimates, errors = estimates[errors > 0], errors[errors > 0]
    degrees = len(estimates) - 1
    if degrees < 1:
        return []
    weights = 1 / errors**2
    q = float((weights * (estimates - np.average(estimates, weights=weights)) ** 2).sum())
    p = float(chi2.sf(q, degrees))
    i_squared = 100 * max(0.0, (q - degrees) / q) if q > 0 else 0.0
    detail = f"I² in percent; Cochran's Q {q:.2f} on {degrees} degrees of freedom, p = {p:.3f}"
    verdict = ATTENTION if p < 1 - confidence else PASSED
    return [Finding(f"AUC differs between centres, {model}", i_squared, np.nan, np.nan, verdict, detail)]
