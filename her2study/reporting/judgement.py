"""One verdict a claim, decided by the interval and never by the author.

- *count*: holds if the numbers are equal.
- *auc*: holds if the published value lies inside the reproduced interval.
- *difference*: holds if the interval excludes 0 in the claimed direction.
- *ranking*: holds if exactly the named predictors lead the ranking.

Where the needed numbers are absent, the claim cannot be tested here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from her2study.reporting.claims import Auc, Claim, Count, Difference, Ranking
from her2study.reporting.style import model_label, split_label
from her2study.words import interval, listing, number, spell

HOLDS, FAILS, UNTESTED = "holds", "does not hold", "cannot be tested here"
VERDICTS = (HOLDS, FAILS, UNTESTED)

NO_RANKING = pd.DataFrame(columns=["model", "rank", "rank_low", "rank_high", "feature", "label"])
"""Stands for the ranking of a study whose models cannot be explained."""


class Verdict(NamedTuple):
    """What became of one claim; ``reproduced`` is NaN where nothing could be computed."""

    published: str
    reproduced: float
    low: float
    high: float
    measure: str
    verdict: str
    reason: str


def evaluate_claims(
    claims: Sequence[Claim],
    counts: Mapping[str, int],
    performance: pd.DataFrame,
    delong: pd.DataFrame,
    ranking: pd.DataFrame,
    simulated: bool,
) -> pd.DataFrame:
    """The ``claims`` table.

    Parameters
    ----------
    counts : mapping
        ``patients`` and ``centres`` of the cohort.
    performance : DataFrame
        At least ``split, model, auc, auc_low, auc_high``.
    delong : DataFrame
        ``split, model_a, model_b, difference, difference_low, difference_high``.
    ranking : DataFrame
        The ``shap_ranking`` table: ``model, feature, label, rank, rank_low, rank_high``.
    simulated : bool
        Counts of simulated patients hold by construction, and the reason says so.

    Returns
    -------
    DataFrame
        ``id, claim, published, measure, reproduced, reproduced_low, reproduced_high, verdict, reason``.
    """
    rows = []
    for claim in claims:
        if claim.cannot_test:
            found = _untested(claim, claim.cannot_test)
        elif claim.kind == "count":
            found = judge_count(claim, counts, simulated)
        elif claim.kind == "auc":
            found = judge_auc(claim, performance)
        elif claim.kind == "difference":
            found = judge_difference(claim, delong)
        else:
            found = judge_ranking(claim, ranking)
        rows.append((claim.id, claim.claim, *found))
    names = ["published", "reproduced", "reproduced_low", "reproduced_high", "measure", "verdict", "reason"]
    table = pd.DataFrame(rows, columns=["id", "claim", *names])
    table[names[1:4]] = table[names[1:4]].astype("float64")
    return table[["id", "claim", "published", "measure", *names[1:4], "verdict", "reason"]]


def judge_count(claim: Count, counts: Mapping[str, int], simulated: bool) -> Verdict:
    """Equal or not; simulated cohorts are built with the number."""
    found = counts[claim.counts]
    verdict = HOLDS if found == claim.published else FAILS
    if simulated:
        reason = f"By construction: the simulated cohort was built with {found:,} {claim.counts}."
    else:
        reason = f"This study has {found:,} {claim.counts}; the paper has {claim.published:,}."
    return Verdict(_published(claim), float(found), float("nan"), float("nan"), claim.counts, verdict, reason)


def judge_auc(claim: Auc, performance: pd.DataFrame) -> Verdict:
    """Whether the published AUC is compatible with ours."""
    rows = performance[(performance["model"] == claim.model) & (performance["split"] == claim.split)]
    if rows.empty or pd.isna(rows.iloc[0][["auc", "auc_low", "auc_high"]]).any():
        return _untested(claim, f"There is no AUC with an interval for {_in_split(claim.model, claim.split)}.")
    auc, low, high = (float(rows.iloc[0][column]) for column in ("auc", "auc_low", "auc_high"))
    inside = low <= claim.published <= high
    ours = interval(auc, low, high, 3)
    reason = (
        f"The published {number(claim.published, 3)} lies {'inside' if inside else 'outside'} our interval: {ours}. "
        f"The interval is {number(high - low, 2)} wide"
        + (", so values well away from the published one would have been compatible too." if inside else ".")
    )
    if low <= 0.5 <= high:
        reason += " It includes 0.5 as well: here the model may be no better than chance."
    return Verdict(_published(claim), auc, low, high, "AUC", HOLDS if inside else FAILS, reason)


def judge_difference(claim: Difference, delong: pd.DataFrame) -> Verdict:
    """Whether the interval of the difference excludes 0 in the claimed direction."""
    here = delong[delong["split"] == claim.split]
    forward = here[(here["model_a"] == claim.better) & (here["model_b"] == claim.worse)]
    backward = here[(here["model_a"] == claim.worse) & (here["model_b"] == claim.better)]
    columns = ["difference", "difference_low", "difference_high"]
    rows = forward if len(forward) else backward
    if rows.empty or rows.iloc[0][columns].isna().any():
        both = listing([model_label(claim.better), model_label(claim.worse)])
        return _untested(claim, f"No comparison of the models {both} in {split_label(claim.split).lower()} exists.")
    difference, low, high = (float(rows.iloc[0][column]) for column in columns)
    if not len(forward):
        difference, low, high = -difference, -high, -low
    ours = interval(difference, low, high, 3)
    if low > 0:
        verdict, reason = HOLDS, f"The difference in AUC is above 0: {ours}."
    elif high < 0:
        verdict, reason = FAILS, f"The difference in AUC is below 0, against the claim: {ours}."
    else:
        verdict, reason = FAILS, f"Inconclusive: the interval of the difference in AUC includes 0: {ours}."
    return Verdict(_published(claim), difference, low, high, "difference in AUC", verdict, reason)


def judge_ranking(claim: Ranking, ranking: pd.DataFrame) -> Verdict:
    """Whether the named predictors are the leading ones; the intervals of their ranks qualify the reason."""
    rows = ranking[ranking["model"] == claim.model].sort_values("rank")
    if rows.empty:
        return _untested(claim, f"There is no ranking of the predictors of the model {model_label(claim.model)}.")
    places = len(claim.predictors)
    leading = rows.head(places)
    in_lead = [name for name in claim.predictors if name in set(leading["feature"])]
    absent = [name for name in claim.predictors if name not in set(rows["feature"])]
    named = rows[rows["feature"].isin(claim.predictors)]
    reason = f"Our first {len(leading)}: {listing(list(leading['label']))}."
    if absent:
        reason += f" Not a predictor of the model here: {listing([spell(name) for name in absent])}."
    beyond = named[(named["rank"] <= places) & (named["rank_high"] > places)]
    reaching = named[(named["rank"] > places) & (named["rank_low"] <= places)]
    if len(beyond):
        reason += f" The rank interval reaches beyond place {places} for {listing(_ranked(beyond))}."
    if len(reaching):
        reason += f" The rank interval reaches into the first {places} for {listing(_ranked(reaching))}."
    if len(in_lead) == places and len(rows) == places:
        reason += " The model has no other predictors, so this says little."
    verdict = HOLDS if len(in_lead) == places else FAILS
    measure = f"of {places} named predictors in the first {places}"
    return Verdict(_published(claim), float(len(in_lead)), float("nan"), float("nan"), measure, verdict, reason)


def _published(claim: Claim) -> str:
    """The published result as text."""
    if claim.kind == "count":
        return f"{claim.published:,}"
    if claim.kind == "auc":
        return number(claim.published, 3)
    if claim.kind == "difference":
        return f"{model_label(claim.better)} above {model_label(claim.worse)}"
    return f"{len(claim.predictors)} of {len(claim.predictors)}"


def _untested(claim: Claim, reason: str) -> Verdict:
    nothing = float("nan")
    return Verdict(_published(claim), nothing, nothing, nothing, "", UNTESTED, reason)


def _in_split(model: str, split: str) -> str:
    return f"the model {model_label(model)} in {split_label(split).lower()}"


def _ranked(rows: pd.DataFrame) -> list[str]:
    """``Rim enhancement (2 to 5)``: predictors with the interval of their rank."""
    return [f"{row.label} ({row.rank_low:.0f} to {row.rank_high:.0f})" for row in rows.itertuples()]
