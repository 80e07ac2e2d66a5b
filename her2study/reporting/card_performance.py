"""How well the model of a card does: in each split, centre and subgroup, its calibration and its thresholds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from her2study.evaluation.judges import judging_rows, judging_split
from her2study.evaluation.wording import split_words
from her2study.reporting.sheets import Grid, Sheet, told
from her2study.reporting.style import split_label
from her2study.words import listing, number

EVALUATED = ("combined", "dscore", "clinical")

MISSING = "Not in these results."


def add_evaluation(
    sheet: Sheet, name: str, tables: Mapping[str, pd.DataFrame], values: Mapping[str, Any], confidence: float
) -> None:
    """Discrimination and calibration by split, then by centre and in subgroups; a part without a table is absent."""
    performance = tables.get("performance")
    sheet.add(
        "Evaluation", re.split(r"(?<=[)a-z0-9]\.)(?<! v\.) (?=[A-Z])", told(values, "conclusion"))
    )  # a point a sentence
    if performance is None:
        sheet.add("Evaluation", MISSING)
        return
    own = [model for model in EVALUATED if model in set(performance["model"])]
    columns = ["split", "model", "n", "positives", *_ends("auc"), *_ends("brier")]
    sheet.add(
        "Evaluation",
        "Development patients are judged by models that never saw them"
        + (
            f", {listing(judged)} patients by the frozen model, in whose making they had no part."
            if (judged := [split for split in ("internal", "external") if split in set(performance["split"])])
            else "; nobody was set aside to judge the frozen model itself, whose optimism the training data tell."
        ),
        Grid("Discrimination and overall error", _rows(performance, own, columns), confidence),
    )
    calibration = tables.get("calibration")
    if calibration is not None:
        columns = ["split", "model", *_ends("intercept"), *_ends("slope"), *_ends("ici")]
        sheet.add(
            "Calibration",
            "Ideal are an intercept of 0 and a slope of 1; ICI is the mean distance of prediction and observation.",
            Grid("Calibration", _rows(calibration, own, columns), confidence),
        )
    centres = tables.get("centres")
    if centres is not None:
        shown = centres[(centres["model"] == name) & (centres["kind"] != "prediction")]
        columns = ["centre", "n", "positives", *_ends("auc")]
        sheet.add("Performance by centre", Grid("AUC in each centre and pooled", shown[columns], confidence))
        for row in centres[(centres["model"] == name) & (centres["kind"] == "prediction")].dropna(
            subset=["auc_low", "auc_high"]).itertuples():  # fmt: skip
            ends = f"{number(row.auc_low)} and {number(row.auc_high)}"
            sheet.add("Performance by centre", f"In a further centre like these an AUC between {ends} is expected.")
    _subgroups(sheet, name, tables.get("subgroups"), confidence)


def _subgroups(sheet: Sheet, name: str, subgroups: pd.DataFrame | None, confidence: float) -> None:
    if subgroups is None:
        return
    part = "Performance in subgroups"
    own = subgroups[subgroups["model"] == name]
    last, here = judging_split(own["split"]), judging_rows(own)
    if here.empty:
        return
    columns = ["subgroup", "label", "n", "positives", *_ends("auc"), "p_interaction"]
    few = int(here["auc"].isna().sum())
    sheet.add(
        part,
        f"{split_label(last)}; p values are for the interaction of model and subgroup, not adjusted for their number."
        + (f" In {few} of {len(here)} levels there are too few patients to say anything." if few else ""),
        Grid("AUC in subgroups", here[columns].rename(columns={"label": "level"}), confidence),
    )


def add_thresholds(
    sheet: Sheet, name: str, model: Mapping[str, Any], settings: Mapping[str, Any], tables: Mapping[str, pd.DataFrame],
    confidence: float,
) -> None:  # fmt: skip
    """The frozen thresholds, the rule behind each, and what they do in patients that no model has seen."""
    statistics = settings["statistics"]
    rules = {
        "youden": "Largest sum of sensitivity and specificity",
        "sensitivity": f"Sensitivity of {number(statistics.get('target_sensitivity', 0.9), 0, percent=True)}%",
        "specificity": f"Specificity of {number(statistics.get('target_specificity', 0.9), 0, percent=True)}%",
    }
    frozen = [
        {"rule_in_development": rules.get(rule, rule), "threshold": float(value)}
        for rule, value in sorted(model["thresholds"].items(), key=lambda pair: list(rules).index(pair[0]))
    ]
    sheet.add(
        "Thresholds",
        "Chosen on out-of-fold probabilities of development patients and frozen; none was chosen again elsewhere.",
        Grid("Frozen thresholds", pd.DataFrame(frozen)),
    )
    points = tables.get("operating_points")
    if points is None:
        return
    own = points[(points["model"] == name) & (points["split"] != "development")].assign(
        rule=lambda rows: rows["rule"].map(rules).fillna(rows["rule"])
    )
    columns = ["split", "rule", "threshold", *_ends("sensitivity"), *_ends("specificity"), *_ends("ppv"), *_ends("npv")]
    if len(own):
        sheet.add("Thresholds", Grid("What they do in patients that no model has seen", own[columns], confidence))


def error_counts(name: str, points: pd.DataFrame | None) -> list[str]:
    """What the first frozen threshold got wrong in the patients that judge."""
    if points is None:
        return []
    here = judging_rows(points[(points["model"] == name) & (points["rule"] == "youden")])
    return [
        f"In {split_words(row.split)} the Youden threshold misses {row.fn} of {row.positives} positive patients and "
        f"calls {row.fp} of {row.n - row.positives} negative patients positive."
        for row in here.itertuples()
    ]


def _ends(name: str) -> list[str]:
    return [name, f"{name}_low", f"{name}_high"]


def _rows(table: pd.DataFrame, models: list[str], columns: list[str]) -> pd.DataFrame:
    """Rows of some models in the order of a paper, split by split."""
    splits = {split: place for place, split in enumerate(("development", "internal", "external"))}
    rows = table[table["model"].isin(models)]
    order = rows.assign(a=rows["split"].map(splits), b=rows["model"].map(models.index)).sort_values(["a", "b"]).index
    return rows.loc[order, [column for column in columns if column in rows]]
