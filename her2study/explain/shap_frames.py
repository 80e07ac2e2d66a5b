"""SHAP values as the frames that tables and figures of the study are made of.

Input is always the long frame of :mod:`her2study.explain.attribution`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

CASES = {
    (1, True): "True positive",
    (0, False): "True negative",
    (0, True): "False positive",
    (1, False): "False negative",
}
"""``(label, called positive)`` and its name, in the order shown."""


def summary(shap_values: pd.DataFrame) -> pd.DataFrame:
    """Data of the beeswarm: ``model, unit, feature, label, patient_id, shap, value_scaled`` (rank, 0 to 1)."""
    scaled = shap_values.groupby(["model", "feature"], sort=False)["value"].transform(_value_ranks)
    return shap_values.assign(value_scaled=scaled)[
        ["model", "unit", "feature", "label", "patient_id", "shap", "value_scaled"]
    ]


def bar(shap_values: pd.DataFrame, resamples: int, confidence: float, seed: int) -> pd.DataFrame:
    """Mean absolute SHAP value and rank of each feature, with percentile intervals over patients.

    The model stays as it is and explained patients are drawn with replacement: intervals say how the
    ranking depends on who is explained, not how it would change with other training patients.

    Returns
    -------
    DataFrame
        ``model, unit, feature, label, mean_abs_shap`` (+ interval), ``rank`` (+ interval; 1 is the most
        influential), sorted by model and rank.
    """
    rows = []
    for (model, unit), part in shap_values.groupby(["model", "unit"], sort=True):
        wide = part.pivot_table(index="patient_id", columns="feature", values="shap", sort=True).abs()
        sizes = wide.to_numpy()
        drawn = _resampled_means(sizes, resamples, np.random.default_rng([seed, 11]))
        tails = [50 - 50 * confidence, 50 + 50 * confidence]
        low, high = np.percentile(drawn, tails, axis=0)
        # predictors without any influence tie: each may have the best or the worst of the places they share
        rank_low, rank_high = (
            np.percentile(rankdata(-drawn, method=tied, axis=1), tail, axis=0, method="nearest")
            for tied, tail in zip(("min", "max"), tails, strict=True)
        )
        frame = pd.DataFrame(
            {
                "model": model,
                "unit": unit,
                "feature": wide.columns,
                "label": wide.columns.map(part.drop_duplicates("feature").set_index("feature")["label"]),
                "mean_abs_shap": sizes.mean(axis=0),
                "mean_abs_shap_low": low,
                "mean_abs_shap_high": high,
                "rank": rankdata(-sizes.mean(axis=0), method="ordinal").astype(int),
                "rank_low": rank_low.astype(int),
                "rank_high": rank_high.astype(int),
            }
        )
        rows.append(frame.sort_values("rank"))
    return pd.concat(rows, ignore_index=True)


def ranking(bars: pd.DataFrame) -> pd.DataFrame:
    """The ``shap_ranking`` table, from :func:`bar`."""
    names = ["model", "rank", "rank_low", "rank_high", "feature", "label", "unit"]
    return bars[[*names, "mean_abs_shap", "mean_abs_shap_low", "mean_abs_shap_high"]]


def dependence(shap_values: pd.DataFrame, bars: pd.DataFrame, splits: pd.DataFrame, top: int = 4) -> pd.DataFrame:
    """SHAP value against value for the ``top`` features of each model.

    Returns ``model, unit, feature, label, value, value_label, shap, centre``; missing values are left out.
    """
    chosen = bars.loc[bars["rank"] <= top, ["model", "feature", "rank"]]
    rows = shap_values.merge(chosen, on=["model", "feature"]).merge(splits[["patient_id", "centre"]], on="patient_id")
    rows = rows[rows["value"].notna()].sort_values(["model", "rank", "patient_id"])
    names = ["model", "unit", "feature", "label", "value", "value_label", "shap", "centre"]
    return rows[names].reset_index(drop=True)


def cases(shap_values: pd.DataFrame, splits: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Four typical patients of one model: of each kind of call the one with the median probability.

    Parameters
    ----------
    threshold : float
        Frozen; a probability at or above it calls the patient positive.

    Returns
    -------
    DataFrame
        ``case, patient_id, label`` (true class), ``probability, unit, base_value, feature, feature_label,
        value_label, shap``, features by size. A kind of call that nobody has is absent.
    """
    patients = shap_values.drop_duplicates("patient_id")[["patient_id", "probability"]]
    patients = patients.merge(splits[["patient_id", "label"]], on="patient_id").sort_values(
        ["probability", "patient_id"]
    )
    called = patients["probability"] >= threshold
    rows = []
    for (label, positive), case in CASES.items():
        group = patients[(patients["label"] == label) & (called == positive)]
        if len(group):
            patient = group["patient_id"].iloc[(len(group) - 1) // 2]
            own = shap_values[shap_values["patient_id"] == patient]
            own = own.reindex(own["shap"].abs().sort_values(ascending=False, kind="stable").index)
            rows.append(own.rename(columns={"label": "feature_label"}).assign(case=case, label=label))
    names = ["case", "patient_id", "label", "probability", "unit", "base_value", "feature", "feature_label"]
    return pd.concat(rows, ignore_index=True)[[*names, "value_label", "shap"]]


def _resampled_means(sizes: NDArray[np.float64], resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Means over patients drawn with replacement, ``(resamples, features)``."""
    counts = rng.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=resamples)
    return counts @ sizes / len(sizes)


def _value_ranks(values: pd.Series) -> NDArray[np.float64]:
    """Values as ranks from 0 (lowest) to 1 (highest), for colours; missing stays missing."""
    known = values.notna().to_numpy()
    scaled = np.full(len(values), np.nan)
    ranks = rankdata(values[known], method="average") if known.any() else np.empty(0)
    span = np.ptp(ranks) if len(ranks) else 0.0
    scaled[known] = (ranks - ranks.min()) / span if span > 0 else 0.5
    return scaled
