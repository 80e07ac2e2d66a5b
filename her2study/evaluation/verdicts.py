"""What results mean, in sentences computed from intervals, and numbers for the manuscript's sentences.

A sentence says "better than chance" or "better than" only where an interval excludes the
alternative; otherwise it says that there is no evidence, and what the interval still allows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from her2study.evaluation.decision import useful_range
from her2study.evaluation.intervals import Interval
from her2study.evaluation.wording import estimate, model_words, p_words, split_words

POOR_AUC = 0.70
"""Where a whole interval lies below this, the discrimination is called poor (Hosmer and Lemeshow's wording)."""

NO_FAULT = "shows no miscalibration that these patients could reveal"


def discrimination_sentences(aucs: pd.DataFrame, outcome: str) -> list[str]:
    """One sentence for each row of :func:`~her2study.evaluation.compare.auc_table`, read from its interval."""
    sentences = []
    for row in aucs.itertuples():
        model, where = model_words(row.model), split_words(row.split)
        numbers = f"AUC {estimate(row.auc, row.auc_low, row.auc_high)}, {row.n} patients, {row.positives} positives"
        sentence = f"In {where}, {discrimination_words(model, outcome, Interval(row.auc, row.auc_low, row.auc_high))}"
        sentences.append(f"{sentence} ({numbers}).")
    return sentences


def discrimination_words(model: str, outcome: str, interval: Interval) -> str:
    """What an AUC with its interval says of a model, without the numbers."""
    if not math.isfinite(interval.low):
        return f"too few patients to say whether {model} tells {outcome} from other tumours"
    if interval.low == interval.high:  # DeLong's variance is 0: a limit of the method, never certainty
        if interval.estimate == 0.5:
            return f"{model} gives everyone the same rank and tells nobody apart"
        return f"{model} separates these patients without overlap, from which no interval can be estimated"
    if interval.low > 0.5:
        strength = ", but poorly" if interval.high < POOR_AUC else ""
        return f"{model} tells {outcome} from other tumours better than chance{strength}"
    if interval.high < 0.5:
        return f"{model} ranks {outcome} tumours below the others: it points the wrong way"
    allowed = f"nothing above {interval.high:.2f} is compatible with the data" if interval.high < POOR_AUC else (
        f"values up to {interval.high:.2f} remain possible"
    )  # fmt: skip
    return f"there is no evidence that {model} tells {outcome} from other tumours better than chance; {allowed}"


def difference_sentences(delong: pd.DataFrame, confidence: float = 0.95) -> list[str]:
    """One sentence for each tested row of :func:`~her2study.evaluation.compare.delong_table`."""
    sentences = []
    for row in delong[delong["p"].notna()].itertuples():
        a, b, where = model_words(row.model_a), model_words(row.model_b), split_words(row.split)
        numbers = f"difference in AUC {estimate(row.difference, row.difference_low, row.difference_high)}"
        if row.difference_low <= 0 <= row.difference_high:
            words = (
                f"there is no evidence that {a} and {b} differ; the interval shows which differences remain possible"
            )
        else:
            words = f"{a} discriminates {'better' if row.difference > 0 else 'worse'} than {b}"
            if row.p_holm >= 1 - confidence:
                words += ", though not after adjustment for the number of comparisons"
        sentences.append(f"In {where}, {words} ({numbers}; p {p_words(row.p)}, Holm-adjusted {p_words(row.p_holm)}).")
    return sentences


def calibration_sentences(calibration: pd.DataFrame) -> list[str]:
    """One sentence for each row of :func:`~her2study.evaluation.calibration.calibration_table`."""
    sentences = []
    for row in calibration.itertuples():
        words = calibration_words(row)
        if not math.isfinite(row.slope):
            words += "; a slope cannot be estimated, since its predictions are constant or separate the classes"
        sentences.append(f"In {split_words(row.split)}, {model_words(row.model)} {words} ({calibration_numbers(row)}).")
    return sentences


def calibration_words(row: Any) -> str:
    """The faults that the intervals of intercept and slope prove, of a row of ``calibration_table``."""
    faults = {
        "predicts too low on average": row.intercept_low > 0,
        "predicts too high on average": row.intercept_high < 0,
        "predicts too extremely": row.slope_high < 1,
        "predicts too timidly": row.slope_low > 1,
    }
    found = [fault for fault, proved in faults.items() if proved]
    return " and ".join(found) or NO_FAULT


def calibration_numbers(row: Any) -> str:
    """Intercept and slope of a row of ``calibration_table``."""
    intercept = estimate(row.intercept, row.intercept_low, row.intercept_high)
    return f"intercept {intercept}, slope {estimate(row.slope, row.slope_low, row.slope_high)}"


def usefulness_sentences(curve: pd.DataFrame, models: Iterable[str]) -> list[str]:
    """Where each model beats treating all and none, from :func:`~her2study.evaluation.decision.decision_curve`."""
    sentences = []
    for split in dict.fromkeys(curve["split"]):
        for model in models:
            useful = useful_range(curve, split, model)
            words = "is nowhere better than treating everyone or nobody"
            if len(useful):
                words = (
                    f"has a higher net benefit than treating everyone and nobody at {len(useful)} of "
                    f"{curve['threshold'].nunique()} thresholds, from "
                    f"{useful.min():.0%} to {useful.max():.0%} (point estimates; the bands say how sure that is)"
                )
            sentences.append(f"In {split_words(split)}, {model_words(model)} {words}.")
    return sentences


def evaluation_values(
    aucs: pd.DataFrame, delong: pd.DataFrame, metrics: pd.DataFrame, calibration: pd.DataFrame
) -> dict[str, dict[str, Any]]:
    """Numbers a sentence of the manuscript may use, each with its interval.

    Names: ``auc_<model>_<split>``, ``difference_<a>_<b>_<split>``, ``<metric>_<model>_<split>`` for the
    metrics of the thresholds, ``<measure>_<model>_<split>`` for intercept, slope, Brier score and ICI.
    """
    values = {}
    for row in aucs.to_dict("records"):
        values[f"auc_{row['model']}_{row['split']}"] = _value(row, "auc")
    for row in delong.to_dict("records"):
        name = f"{row['model_a']}_{row['model_b']}_{row['split']}"
        values[f"difference_{name}"] = _value(row, "difference")
        values[f"p_{name}"] = {"value": _or_none(row["p"]), "format": "p"}
        values[f"p_holm_{name}"] = {"value": _or_none(row["p_holm"]), "format": "p"}
    for table, names in (
        (metrics, ("sensitivity", "specificity", "ppv", "npv", "accuracy", "f1")),
        (calibration, ("intercept", "slope", "brier", "ici")),
    ):
        for row in table.to_dict("records"):
            for name in names:
                values[f"{name}_{row['model']}_{row['split']}"] = _value(row, name)
    thresholds = metrics.drop_duplicates("model").set_index("model")["threshold"]
    return values | {f"threshold_{model}": {"value": t, "format": ".3f"} for model, t in thresholds.items()}


def _value(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    ends = {"low": _or_none(row[f"{name}_low"]), "high": _or_none(row[f"{name}_high"])}
    return {"value": _or_none(row[name]), **ends, "unit": "", "format": ".3f"}


def _or_none(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None
