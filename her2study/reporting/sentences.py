"""Sentences computed from tables: what a ranking, a check or a set of verdicts amounts to."""

from __future__ import annotations

import pandas as pd

from her2study.reporting.judgement import FAILS, HOLDS, UNTESTED, VERDICTS
from her2study.reporting.style import model_label, model_order
from her2study.words import interval, listing, number

SIMILAR = 0.5
"""Rank correlation above which two saliency maps are called alike."""


def ranking_sentences(ranking: pd.DataFrame, first: int = 3) -> list[str]:
    """The leading predictors of each model of the ``shap_ranking`` table, and how sure their places are."""
    sentences = []
    for model in model_order(ranking["model"]):
        rows = ranking[ranking["model"] == model].sort_values("rank")
        leading = rows.head(first)
        names = listing(list(leading["label"]))
        if len(rows) <= first:
            sentences.append(f"{model_label(model)}: all predictors, by influence: {names}.")
            continue
        sentence = f"{model_label(model)}: of {len(rows)} predictors the first {first} are {names}"
        unsure = leading[leading["rank_high"] > first]
        if len(unsure):
            reach = listing([f"{row.label} ({row.rank_low} to {row.rank_high})" for row in unsure.itertuples()])
            sentence += f"; other explained patients could place outside them {reach}"
        sentences.append(f"{sentence}.")
    return sentences


def saliency_sentences(checks: pd.DataFrame) -> list[str]:
    """What the ``saliency_sanity`` table allows to read from the maps."""
    sentences = []
    random = checks[checks["check"] == "randomisation"]
    if len(random):
        row = random.iloc[-1]  # every layer random
        found = f"rank correlation with the maps of an untrained network {_numbers(row)}"
        if row["high"] < SIMILAR:
            sentences.append(f"The maps depend on what the network learned: {found}.")
        elif row["low"] > SIMILAR:
            sentences.append(f"The maps hardly depend on what the network learned and should not be read: {found}.")
        else:
            sentences.append(f"It is not certain that the maps depend on what the network learned: {found}.")
    for row in checks[checks["check"] == "repeatability"].to_dict("records"):
        words = "agree more about one patient than about two different ones"
        if row["low"] <= row["reference"]:
            words = "do not agree more about one patient than about two different ones, as far as these patients show"
        sentences.append(f"Networks of two folds {words}: {_numbers(row)} against {number(row['reference'])}.")
    for row in checks[checks["check"] == "lesion_overlap"].to_dict("records"):
        if row["low"] > row["reference"]:
            words = "lies in the lesion more than a blob in the middle of the image would"
        elif row["high"] < row["reference"]:
            words = "lies in the lesion less than a blob in the middle of the image would"
        else:
            words = "lies in the lesion about as much as a blob in the middle of the image would"
        sentences.append(f"The heat {words}: {_numbers(row)} of it against {number(row['reference'])}.")
    return sentences


def printed_claims(claims: pd.DataFrame) -> pd.DataFrame:
    """The ``claims`` table for a page: what was published beside what was found, each in its own measure."""
    here = []
    for row in claims.itertuples():
        exact = pd.isna(row.reproduced_low)
        found = (
            number(row.reproduced, 0) if exact else interval(row.reproduced, row.reproduced_low, row.reproduced_high, 3)
        )
        here.append(f"{found} {row.measure}".strip() if pd.notna(row.reproduced) else found)
    return claims[["claim", "published"]].assign(here=here, verdict=claims["verdict"], reason=claims["reason"])


def verdict_line(claims: pd.DataFrame) -> str:
    """``Of 5 claims 3 hold, 1 does not hold and 1 cannot be tested here``."""
    plural = {HOLDS: "hold", FAILS: "do not hold", UNTESTED: "cannot be tested here"}
    counts = claims["verdict"].value_counts()
    parts = [f"{n} {v if n == 1 else plural[v]}" for v in VERDICTS if (n := int(counts.get(v, 0)))]
    return f"Of {len(claims)} claims {listing(parts)}"


def conclusion(claims: pd.DataFrame, simulated: bool) -> list[str]:
    """What the verdicts of the ``claims`` table amount to, and what they cannot show."""
    sentences = [f"{verdict_line(claims)}."]
    for verdict, words in ((HOLDS, "Holds"), (FAILS, "Does not hold"), (UNTESTED, "Cannot be tested here")):
        for row in claims[claims["verdict"] == verdict].itertuples():
            sentences.append(f"{words}: “{row.claim}” {row.reason}")
    if simulated:
        sentences.append(
            "The patients are simulated: what holds here was planted and recovered, or came with the design; "
            "it is evidence about the pipeline and none about patients."
        )
    return sentences


def _numbers(row: pd.Series | dict) -> str:
    return interval(row["value"], row["low"], row["high"])
