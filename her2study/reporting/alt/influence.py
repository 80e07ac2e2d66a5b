"""What drives the models, in words: nomogram, correlations, SHAP values."""

from __future__ import annotations

import numpy as np
import pandas as pd

from her2study.reporting.alt.phrases import by_model, leaders
from her2study.words import interval, number

STRONG = 0.8
"""Absolute correlation from which two features are called nearly the same."""

CLEAR = 0.3
"""Absolute rank correlation below which a direction is not named."""


def nomogram(frame: pd.DataFrame) -> str:
    """The points that each predictor can bring, and the reach of the total."""
    own, total = frame[frame["variable"] != "total"], frame[frame["variable"] == "total"].sort_values("points")
    texts = []
    for _, rows in own.groupby("variable", sort=False):
        rows = rows.sort_values("points")
        low, high = rows.iloc[0], rows.iloc[-1]
        texts.append(
            f"{low['label']} from {number(low['points'], 0)} points at {low['value_label']} to "
            f"{number(high['points'], 0)} at {high['value_label']}"
        )
    text = f"Nomogram: {'; '.join(texts)}."
    if len(total):
        low, high = total.iloc[0], total.iloc[-1]
        text += (
            f" {low['label']}: {low['value_label']} at {number(low['points'], 0)} points in total, "
            f"{high['value_label']} at {number(high['points'], 0)}."
        )
    return text


def correlation(frame: pd.DataFrame) -> str:
    """How many features, how many pairs are nearly the same, and the strongest pair."""
    pairs = frame[frame["feature_a"] < frame["feature_b"]].dropna(subset=["r"])
    count = frame["feature_a"].nunique()
    if pairs.empty:
        return f"Rank correlations of {count} features: none could be estimated."
    top = pairs.loc[pairs["r"].abs().idxmax()]
    strong = int((pairs["r"].abs() > STRONG).sum())
    return (
        f"Rank correlations of {count} features: {strong} of {len(pairs)} pairs have an absolute correlation above "
        f"{STRONG}; the strongest is {top['label_a']} with {top['label_b']}, {number(top['r'])}; the median absolute "
        f"correlation is {number(pairs['r'].abs().median())}."
    )


def shap_bar(frame: pd.DataFrame) -> str:
    """The leading predictors of each model with their mean absolute SHAP value."""
    sentences = []
    for label, rows in by_model(frame):
        top = rows.sort_values("rank")
        texts = [
            f"{r.label} {interval(r.mean_abs_shap, r.mean_abs_shap_low, r.mean_abs_shap_high, 3)}"
            for r in top.itertuples()
        ]
        sentences.append(f"{label}{_unit(rows)}: {leaders(texts, 5)}.")
    return f"Bars of mean absolute SHAP values. {' '.join(sentences)}"


def shap_summary(frame: pd.DataFrame) -> str:
    """The leading predictors of each model, and which way high values move the prediction."""
    sentences = []
    for label, rows in by_model(frame):
        size = rows["shap"].abs().groupby(rows["feature"], sort=False).mean().sort_values(ascending=False)
        texts = []
        for feature in size.index:
            own = rows[rows["feature"] == feature]
            spread = f"{number(own['shap'].min())} to {number(own['shap'].max())}"
            texts.append(f"{own['label'].iloc[0]} ({spread}; {_direction(own['value_scaled'], own['shap'])})")
        sentences.append(f"{label}{_unit(rows)}, {rows['patient_id'].nunique()} patients: {leaders(texts)}.")
    return f"Swarms of SHAP values, most influential first. {' '.join(sentences)}"


def shap_dependence(frame: pd.DataFrame) -> str:
    """How the SHAP value of each predictor runs with its value."""
    texts = []
    for (_, _), rows in frame.groupby(["model", "feature"], sort=False):
        label = str(rows["label"].iloc[0])
        known = rows.dropna(subset=["value"])
        spread = f"SHAP values from {number(rows['shap'].min())} to {number(rows['shap'].max())}"
        if pd.api.types.is_numeric_dtype(known["value"]):
            texts.append(f"{label}: {spread}, {_direction(known['value'], known['shap'])}")
        else:
            texts.append(f"{label}: {spread}")
    return f"Scatter plots of SHAP value against value, {len(texts)} predictors. {'; '.join(texts)}."


def shap_cases(frame: pd.DataFrame) -> str:
    """Each patient's prediction, and the predictors that pushed it most either way."""
    texts = []
    for (case, patient), rows in frame.groupby(["case", "patient_id"], sort=False):
        one = rows.iloc[0]
        text = f"{case}, patient {patient}: predicted {number(one['probability'])}"
        for words, push in (("up", rows.loc[rows["shap"].idxmax()]), ("down", rows.loc[rows["shap"].idxmin()])):
            if (push["shap"] > 0) == (words == "up") and push["shap"]:
                text += f", most {words} by {push['feature_label']} = {push['value_label']} ({_signed(push['shap'])})"
        texts.append(text)
    return f"Waterfalls of SHAP values. {'; '.join(texts)}."


def _direction(values: pd.Series, shap: pd.Series) -> str:
    """Which way higher values move the prediction, by rank correlation; not named where it is weak."""
    known = values.notna() & shap.notna()
    x, y = values[known].rank(), shap[known].rank()
    if known.sum() < 3 or x.nunique() < 2 or y.nunique() < 2:
        return "no direction"
    r = float(np.corrcoef(x, y)[0, 1])
    if abs(r) < CLEAR:
        return "no clear direction"
    return f"higher values {'raise' if r > 0 else 'lower'} the prediction"


def _signed(value: float) -> str:
    return f"+{number(value)}" if value > 0 else number(value)


def _unit(rows: pd.DataFrame) -> str:
    return f" ({rows['unit'].iloc[0]})" if "unit" in rows and rows["unit"].notna().all() else ""
