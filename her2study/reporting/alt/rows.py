"""Estimates in rows in words: odds ratios, subgroups, centres, checks."""

from __future__ import annotations

import pandas as pd

from her2study.reporting.alt.phrases import by_model, by_split
from her2study.reporting.sentences import saliency_sentences
from her2study.words import interval, listing, number, p_value


def forest(frame: pd.DataFrame) -> str:
    """The odds ratios whose interval excludes 1, of each analysis."""
    sentences = []
    for analysis, rows in frame.groupby("analysis", sort=False):
        known = rows[rows["odds_ratio_low"].notna()]
        away = known[(known["odds_ratio_low"] > 1) | (known["odds_ratio_high"] < 1)]
        shown = known if len(known) <= 3 else away
        texts = [f"{r.label} {interval(r.odds_ratio, r.odds_ratio_low, r.odds_ratio_high)}" for r in shown.itertuples()]
        have = "has an interval that excludes" if len(away) == 1 else "have intervals that exclude"
        start = f"{str(analysis).capitalize()}: {len(away)} of {len(rows)} odds ratios {have} 1"
        sentences.append(f"{start}{': ' if texts else ''}{'; '.join(texts)}.")
    return f"Forest plot of odds ratios. {' '.join(sentences)}"


def subgroups(frame: pd.DataFrame) -> str:
    """The lowest and highest AUC over the levels of each model, and the smallest p for interaction."""
    sentences = []
    for where, rows in by_split(frame):
        texts = []
        for label, own in by_model(rows):
            known = own[own["auc"].notna()]
            if known.empty:
                continue
            low, high = known.loc[known["auc"].idxmin()], known.loc[known["auc"].idxmax()]
            text = f"{label} {number(low['auc'])} ({_level(low)})"
            if high["auc"] > low["auc"]:
                text += f" to {number(high['auc'])} ({_level(high)})"
            elif len(known) > 1:
                text = f"{label} {number(low['auc'])} at every level"
            tested = own[own["p_interaction"].notna()]
            if len(tested):
                least = tested.loc[tested["p_interaction"].idxmin()]
                text += f", smallest p for interaction {p_value(least['p_interaction'])} ({least['subgroup']})"
            texts.append(text)
        levels, missing = (part[["subgroup", "label"]].drop_duplicates() for part in (rows, rows[rows["auc"].isna()]))
        texts += [f"too few patients in {len(missing)} of {len(levels)} levels"] * (len(missing) > 0)
        sentences.append(f"In {where}: {'; '.join(texts)}.")
    names = listing([str(name) for name in dict.fromkeys(frame["subgroup"])])
    return f"AUC in subgroups by {names}. {' '.join(sentences)}"


def _level(row: pd.Series) -> str:
    """A level with the subgroup it belongs to: ``Hormone receptor negative``, ``Centre A``."""
    name, label = str(row["subgroup"]).replace("_", " "), str(row["label"])
    return label if label.lower().startswith(name.lower()) else f"{name} {label}"


def centres(frame: pd.DataFrame) -> str:
    """Each model's AUC by centre and pooled, and how much centres differ."""
    sentences = []
    for label, rows in by_model(frame):
        for _, own in rows.groupby("split", sort=False):
            single = own[own["kind"] == "centre"]
            texts = [f"{r.centre} {interval(r.auc, r.auc_low, r.auc_high)}" for r in single.itertuples()]
            text = f"{label}: {', '.join(texts)}"
            for row in own[own["kind"] == "pooled"].itertuples():
                if pd.notna(row.auc):
                    text += f"; pooled {interval(row.auc, row.auc_low, row.auc_high)}"
                    text += f", I² {number(row.i_squared, 0, percent=True)}%"
                else:
                    text += "; not pooled"
            for row in own[own["kind"] == "prediction"].itertuples():
                if pd.notna(row.auc_low):
                    text += f"; a new centre is expected between {number(row.auc_low)} and {number(row.auc_high)}"
            sentences.append(f"{text}.")
    return f"AUC in each centre. {' '.join(sentences)}"


def saliency_sanity(frame: pd.DataFrame) -> str:
    """What the checks allow to read from the maps."""
    return f"Checks of the saliency maps. {' '.join(saliency_sentences(frame))}"
