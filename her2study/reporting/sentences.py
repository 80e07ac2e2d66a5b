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
    """What the ``saliency_sanity`` table allows to read from the maps of each method."""
    sentences = []
    for _, own in checks.groupby("method", sort=False):
        name = own["label"].iloc[0].split(":")[0]
        random = own[own["check"] == "randomisation"].tail(1)  # every layer random
        rest = own[own["check"] != "randomisation"]
        for row in pd.concat([random, rest]).to_dict("records"):
            sentences.append(f"{name}: {SALIENCY_WORDS[row['check']](row)}.")
    return sentences


def _randomisation_words(row: dict) -> str:
    found = f"rank correlation with the maps of an untrained network {_numbers(row)}"
    if row["high"] < SIMILAR:
        return f"the maps depend on what the network learned ({found})"
    if row["low"] > SIMILAR:
        return f"the maps hardly depend on what the network learned and should not be read ({found})"
    return f"it is not certain that the maps depend on what the network learned ({found})"


def _repeatability_words(row: dict) -> str:
    words = "agree more about one patient than about two different ones"
    if row["low"] <= row["reference"]:
        words = "do not agree more about one patient than about two different ones, as far as these patients show"
    return f"networks of two folds {words} ({_numbers(row)} against {number(row['reference'])})"


def _agreement_words(row: dict) -> str:
    known = row["low"] > max(0.0, row["reference"])
    words = "the two methods agree about a patient" if known else "the two methods do not agree about a patient"
    return f"{words} (rank correlation {_numbers(row)}, of two different patients {number(row['reference'])})"


def _overlap_words(row: dict) -> str:
    words = "about as much as"
    if row["low"] > row["reference"]:
        words = "more than"
    elif row["high"] < row["reference"]:
        words = "less than"
    share = f"{_numbers(row)} of it against {number(row['reference'])}"
    return f"the evidence lies in the lesion {words} a blob in the middle of the image would ({share})"


def _rim_words(row: dict) -> str:
    words = "do not tell the ring of a lesion with a planted rim from that of another, as far as these patients show"
    if row["low"] > 0:
        words = "put more evidence for HER2-positive on the ring where a rim was planted than where none was"
    elif row["high"] < 0:
        words = "put less evidence for HER2-positive on the ring, and more on the core, where a rim was planted"
    return f"the maps {words} (difference {_numbers(row)})"


SALIENCY_WORDS = {
    "randomisation": _randomisation_words,
    "repeatability": _repeatability_words,
    "agreement": _agreement_words,
    "lesion_overlap": _overlap_words,
    "rim": _rim_words,
}
"""What a check of the ``saliency_sanity`` table means, by its kind."""


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


def _numbers(row: dict) -> str:
    return interval(row["value"], row["low"], row["high"])
