"""Predictors that know too much: alone they tell the outcome, or are known only for one of its classes."""

from __future__ import annotations

import pandas as pd

from her2study.cohort.proposals.proposal import Proposal

TOO_GOOD = 0.95
"""AUC of a single predictor above which it was probably written after the outcome."""

LEAST = 5
"""Patients of each class that are needed to say so."""


def alarmed(columns: list[Proposal], cells: pd.DataFrame, labels: pd.Series) -> list[Proposal]:
    """Take back predictors that give the outcome away; ``labels`` are 1, 0 or missing, on the rows of ``cells``."""
    return [_alarm(column, cells[column.column], labels) if column.use == "variable" else column for column in columns]


def _alarm(column: Proposal, raw: pd.Series, labels: pd.Series) -> Proposal:
    if not column.variable.get("candidate"):
        return column
    values = raw.map({value: column.mends.read(value) for value in column.content.counts})
    known = values.notna() & labels.notna()
    if min((labels[known] == 1).sum(), (labels[known] == 0).sum()) >= LEAST:
        area = _auc(values[known], labels[known], column.variable["type"] == "continuous")
        if area > TOO_GOOD:
            words = f"alone tells the outcome almost without error (AUC {area:.2f})"
            return column.no_candidate(f"{words}: was it written after the outcome was known?").doubted(
                f"{column.column} {words}. Set candidate: true only if it was known before."
            )
    share = values.notna().groupby(labels).mean()
    if {0.0, 1.0} <= set(share.index) and min(share) < 0.02 and max(share) > 0.3:
        return column.no_candidate("is recorded for one class of the outcome only, and so tells it").doubted(
            f"{column.column} is known for {share[1.0]:.0%} of the positive, {share[0.0]:.0%} of the negative patients."
        )
    return column


def _auc(values: pd.Series, labels: pd.Series, continuous: bool) -> float:
    """Area under the ROC curve in the better direction; groups are ranked by their share of positives."""
    if continuous:
        scores = pd.to_numeric(values.str.replace(",", ".").str.extract(r"([-+]?\d+\.?\d*)")[0], errors="coerce")
    else:
        scores = values.map(labels.groupby(values).mean())
    ranks = scores.rank()[scores.notna()]
    positive = labels[ranks.index] == 1
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return 0.5
    area = (ranks[positive].sum() - n * (n + 1) / 2) / (n * m)
    return max(area, 1 - area)
