"""Tables that set models side by side: AUCs, differences between them, ROC curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_curve

from her2study.evaluation.intervals import columns
from her2study.evaluation.nested import (
    NESTED,
    NESTED_NOTE,
    added_value,
    likelihood_ratio_p,
    refuse_nested,
    what_is_added,
)
from her2study.evaluation.predictions import by_split
from her2study.evaluation.roc import DelongTest, delong, delong_global, delong_test, interval_from_error
from her2study.types import StudyError

__all__ = [
    "CROWDED_NOTE",
    "FEW_NOTE",
    "LEARNT_TOGETHER",
    "NESTED",
    "NESTED_NOTE",
    "OWN_MODELS",
    "added_value",
    "auc_table",
    "best_baseline",
    "compare_models",
    "comparison_pairs",
    "delong_table",
    "focus_models",
    "global_table",
    "holm",
    "likelihood_ratio_p",
    "roc_points",
]

OWN_MODELS = ("dscore", "clinical", "combined")
"""Models of the paper; every other model is a baseline."""

LEARNT_TOGETHER = "p too small: the models learnt from these patients in other folds"
FEW_IN_A_CLASS = 30
"""Patients of the smaller class below which DeLong's test at 5% was seen to reject in up to 8% of simulated studies."""

FEW_NOTE = f"p somewhat too small: fewer than {FEW_IN_A_CLASS} patients in a class"
FEW_FOR_A_MODEL = 10
"""Patients of the smaller class for each model below which the global test was seen to reject in 8% instead of 5%."""

CROWDED_NOTE = f"p somewhat too small: fewer than {FEW_FOR_A_MODEL} patients in a class for each model"


def auc_table(
    predictions: pd.DataFrame, confidence: float = 0.95, scale: Literal["plain", "logit"] = "plain"
) -> pd.DataFrame:
    """AUC with DeLong interval of each model in each split; ``scale`` as in ``roc.auc_interval``.

    Returns columns ``split, model, n, positives, auc, auc_low, auc_high``.
    """
    rows = []
    for split, models, labels, scores in by_split(predictions):
        aucs, covariance = delong(labels, scores)
        for model, estimate, variance in zip(models, aucs, np.diag(covariance), strict=True):
            interval = interval_from_error(float(estimate), float(np.sqrt(variance)), confidence, scale)
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
    :func:`~her2study.evaluation.nested.added_value` where the added score exists, and a ``note`` that says so
    (Demler 2012).
    Other pairs get their test there with a ``note``: it takes the models as given, although both have learnt from
    these patients in other folds, and so rejects too often. A note also says where a class has too few patients for
    the normal distribution (docs/operating_characteristics.md has both rates).
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
            found = what_is_added(a, b, nested) if split == "development" else None
            if found:
                base, added = (score.get(model) for model in found)
                row |= dict.fromkeys(("difference_low", "difference_high", "z", "p"), np.nan) | {"note": NESTED_NOTE}
                row["p_likelihood_ratio"] = np.nan if added is None else added_value(labels, base, added)
            elif split == "development":
                row |= {"note": LEARNT_TOGETHER}
            elif np.bincount(labels).min() < FEW_IN_A_CLASS:
                row |= {"note": FEW_NOTE}
            rows.append(row)
    names = ["split", "model_a", "model_b", "difference", "difference_low", "difference_high", "z", "p", "p_holm"]
    table = pd.DataFrame(rows, columns=[*names, "p_likelihood_ratio", "note"])
    for _, tested in table[table["p"].notna()].groupby("split"):
        table.loc[tested.index, "p_holm"] = holm(tested["p"])
    return table


def compare_models(
    predictions: pd.DataFrame,
    a: str,
    b: str,
    split: str = "external",
    confidence: float = 0.95,
    nested: Mapping[tuple[str, str], str] = NESTED,
) -> DelongTest:
    """Paired DeLong test of two models in one split.

    Raises
    ------
    StudyError
        The models are nested and the split is development (with the reason); a model or the split is not there.
    """
    refuse_nested(a, b, split, nested)
    present = predictions[predictions["split"] == split]
    for model in (a, b):
        if model not in set(present["model"]):
            names = ", ".join(sorted(present["model"].unique())) or "none"
            raise StudyError(f"predictions have no model {model!r} in the split {split!r}; models there: {names}")
    _, _, labels, scores = next(by_split(present, (a, b)))
    return delong_test(labels, scores[:, 0], scores[:, 1], confidence)


def global_table(
    predictions: pd.DataFrame,
    models: Iterable[str] | None = None,
    nested: Mapping[tuple[str, str], str] = NESTED,
) -> pd.DataFrame:
    """Test that all models (or those named) have the same AUC, in each split.

    Not tested in development if a ``nested`` pair is among them; ``note`` says so. Without two models there is no row.

    Returns columns ``split, models`` (how many), ``n, positives, chi_squared, degrees_of_freedom, p, note``.

    Raises
    ------
    StudyError
        A model that was named is not there.
    """
    present = sorted(predictions["model"].unique())
    chosen = present if models is None else list(models)
    absent = [model for model in chosen if model not in present]
    if absent:
        raise StudyError(f"predictions have no model {absent[0]!r}; models there: {', '.join(present)}")
    rows = []
    for split, names, labels, scores in by_split(predictions, chosen) if len(chosen) > 1 else ():
        row = {"split": split, "models": len(names), "n": len(labels), "positives": int(labels.sum())}
        if split == "development" and any(what_is_added(*pair, nested) for pair in combinations(names, 2)):
            row |= dict.fromkeys(("chi_squared", "degrees_of_freedom", "p"), np.nan) | {"note": NESTED_NOTE}
        else:
            test = delong_global(labels, scores)
            crowded = np.isfinite(test.p) and np.bincount(labels).min() < FEW_FOR_A_MODEL * len(names)
            note = LEARNT_TOGETHER if split == "development" else CROWDED_NOTE if crowded else ""
            row |= test._asdict() | {"note": note}
        rows.append(row)
    sizes = ["split", "models", "n", "positives"]
    return pd.DataFrame(rows, columns=[*sizes, "chi_squared", "degrees_of_freedom", "p", "note"])


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down adjustment of the p values of one family of tests.

    The i-th smallest of m becomes ``max_(j ≤ i) min(1, (m - j + 1) p_j)``. Missing ones stay missing and do not count.

    Parameters
    ----------
    p : array (tests,)
        From 0 to 1, or missing (NaN).

    Returns
    -------
    array (tests,)
        In the order given.

    Raises
    ------
    StudyError
        A value lies outside 0-1.

    References
    ----------
    Holm, Scandinavian Journal of Statistics 1979. R: ``p.adjust(p, "holm")``.
    """
    from statsmodels.stats.multitest import multipletests  # only here: who applies a frozen model has no statsmodels

    values = np.atleast_1d(np.asarray(p, float)).copy()
    known = ~np.isnan(values)
    outside = values[known & ~((values >= 0) & (values <= 1))]
    if len(outside):
        raise StudyError(f"p value {outside[0]:g} lies outside 0-1; Holm's adjustment takes p values, not statistics")
    if known.any():
        values[known] = multipletests(values[known], method="holm")[1]
    return values


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
