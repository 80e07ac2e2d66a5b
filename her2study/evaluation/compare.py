"""Tables that set models side by side: AUCs, differences between them, ROC curves."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import ArrayLike
from scipy.stats import chi2
from sklearn.metrics import roc_curve
from statsmodels.stats.multitest import multipletests
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from her2study.evaluation.checks import safe_logit
from her2study.evaluation.intervals import columns
from her2study.evaluation.predictions import by_split
from her2study.evaluation.roc import delong, delong_test, interval_from_error

NESTED = {("combined", "clinical"): "dscore", ("combined", "dscore"): "clinical"}
"""``(larger, smaller): what the larger model adds``: pairs that DeLong cannot test where they were fitted."""

NESTED_NOTE = "not tested: nested on development data; see the likelihood-ratio test"

OWN_MODELS = ("dscore", "clinical", "combined")
"""Models of the paper; every other model is a baseline."""


def auc_table(predictions: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """AUC with DeLong interval of each model in each split.

    Returns columns ``split, model, n, positives, auc, auc_low, auc_high``.
    """
    rows = []
    for split, models, labels, scores in by_split(predictions):
        aucs, covariance = delong(labels, scores)
        for model, estimate, variance in zip(models, aucs, np.diag(covariance), strict=True):
            interval = interval_from_error(float(estimate), float(np.sqrt(variance)), confidence)
            rows.append(
                {"split": split, "model": model, "n": len(labels), "positives": int(labels.sum())}
                | columns("auc", interval)
            )
    return pd.DataFrame(rows)


def delong_table(
    predictions: pd.DataFrame,
    pairs: Iterable[tuple[str, str]],
    confidence: float = 0.95,
    nested: Mapping[tuple[str, str], str] = NESTED,
) -> pd.DataFrame:
    """Paired DeLong test of each pair in each split, Holm-adjusted within the split.

    In development a ``nested`` pair gets its difference, no DeLong test, the likelihood-ratio test of
    :func:`added_value` where the added score exists, and a ``note`` that says so (Demler 2012).
    Pairs with a model that is not in ``predictions`` are left out.

    Returns columns ``split, model_a, model_b, difference, difference_low, difference_high, z, p, p_holm,
    p_likelihood_ratio, note``; the difference is AUC of a minus AUC of b.
    """
    present = set(predictions["model"])
    pairs = [tuple(pair) for pair in pairs if set(pair) <= present]
    rows = []
    for split, models, labels, scores in by_split(predictions):
        score = dict(zip(models, scores.T, strict=True))
        for a, b in pairs:
            test = delong_test(labels, score[a], score[b], confidence)._asdict()
            interval = {f"difference_{end}": test.pop(end) for end in ("low", "high")}
            row = {"split": split, "model_a": a, "model_b": b, "difference": test.pop("difference")} | interval | test
            row |= {"p_holm": np.nan, "p_likelihood_ratio": np.nan, "note": ""}
            if split == "development" and (a, b) in nested:
                added = score.get(nested[a, b])
                row |= dict.fromkeys(("difference_low", "difference_high", "z", "p"), np.nan) | {"note": NESTED_NOTE}
                row["p_likelihood_ratio"] = np.nan if added is None else added_value(labels, score[b], added)
            rows.append(row)
    names = ["split", "model_a", "model_b", "difference", "difference_low", "difference_high", "z", "p", "p_holm"]
    table = pd.DataFrame(rows, columns=[*names, "p_likelihood_ratio", "note"])
    for _, tested in table[table["p"].notna()].groupby("split"):
        table.loc[tested.index, "p_holm"] = holm(tested["p"])
    return table


def holm(p: ArrayLike) -> np.ndarray:
    """Holm's step-down adjustment of p values ``(tests,)``."""
    return multipletests(np.asarray(p, float), method="holm")[1]


def added_value(labels: ArrayLike, base: ArrayLike, added: ArrayLike) -> float:
    """P value of the likelihood-ratio test that ``added`` improves a logistic model of ``base``.

    Both are probabilities ``(n,)`` from models that did not see the patient (out-of-fold) and enter as
    logits.
    """
    smaller = np.column_stack([np.ones(len(np.asarray(base))), safe_logit(base)])
    return likelihood_ratio_p(labels, smaller, np.column_stack([smaller, safe_logit(added)]))


def likelihood_ratio_p(labels: ArrayLike, smaller: np.ndarray, larger: np.ndarray) -> float:
    """P value of the likelihood-ratio test of two nested logistic models with designs ``(n, terms)``.

    Each design holds its own intercept. Degrees of freedom are the gain in rank; missing if there is none.
    """
    gain = int(np.linalg.matrix_rank(larger) - np.linalg.matrix_rank(smaller))
    if gain == 0:
        return np.nan
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # separated classes have no finite coefficients, but their deviance has its limit
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        fits = [sm.GLM(np.asarray(labels, float), x, family=sm.families.Binomial()).fit() for x in (smaller, larger)]
    return float(chi2.sf(max(0.0, fits[0].deviance - fits[1].deviance), df=gain))


def best_baseline(predictions: pd.DataFrame) -> str | None:
    """The baseline with the highest development out-of-fold AUC; None without baselines.

    Being the best of several, its development AUC is optimistic; its internal and external ones are not.
    """
    baselines = predictions[~predictions["model"].isin(OWN_MODELS) & (predictions["split"] == "development")]
    if baselines.empty:
        return None
    table = auc_table(baselines)
    return str(table.sort_values(["auc", "model"], ascending=[False, True])["model"].iloc[0])


def focus_models(predictions: pd.DataFrame) -> list[str]:
    """The models a paper looks at closely: its own that exist here, then the best baseline."""
    present = set(predictions["model"])
    best = best_baseline(predictions)
    return [model for model in OWN_MODELS if model in present] + ([best] if best else [])


def comparison_pairs(predictions: pd.DataFrame, comparisons: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The planned comparisons whose models exist here, and the paper's fullest model against the best baseline."""
    present, focus = set(predictions["model"]), focus_models(predictions)
    pairs = [(a, b) for a, b in comparisons if {a, b} <= present]
    fullest, best = next((m for m in reversed(OWN_MODELS) if m in focus), None), best_baseline(predictions)
    extra = [(fullest, best)] if fullest and best and {fullest, best} not in [set(pair) for pair in pairs] else []
    return pairs + extra


def roc_points(predictions: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Corners of each ROC curve with the AUC of its legend.

    Returns columns ``split, model, fpr, tpr, auc, auc_low, auc_high``, from (0, 0) to (1, 1).
    """
    areas = auc_table(predictions, confidence).set_index(["split", "model"])
    curves = []
    for split, models, labels, scores in by_split(predictions):
        for model, column in zip(models, scores.T, strict=True):
            fpr, tpr, _ = roc_curve(labels, column)
            area = areas.loc[(split, model), ["auc", "auc_low", "auc_high"]].to_dict()
            curves.append(pd.DataFrame({"split": split, "model": model, "fpr": fpr, "tpr": tpr} | area))
    return pd.concat(curves, ignore_index=True)
