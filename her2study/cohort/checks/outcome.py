"""Whether the outcome is known, has two classes, and agrees with what it was derived from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from her2study.cohort.checks.cells import Patients, about, cell_findings, share, suggest
from her2study.cohort.checks.variables import as_numbers
from her2study.cohort.findings import join, none
from her2study.cohort.her2 import her2_category
from her2study.study import Exclusion, Her2, Outcome, Variable

AREA = "outcome"
HER2_REASON = "her2_reason"

EXTREME = 0.03
"""A share of positives (or negatives) below this is asked about."""


def unread_outcomes(patients: Patients, outcome: Outcome) -> pd.DataFrame:
    """Errors: included patients whose outcome is neither positive nor negative."""
    positive, negative = ([str(v) for v in values] for values in (outcome.positive, outcome.negative))
    raw = patients.of(outcome.column)

    def mend(value: str) -> str:
        where = "add it to outcome.positive, outcome.negative or an exclusion in study.yml, or map it in mending.yml"
        return suggest(value, [*positive, *negative]) + where

    rule = f"must be positive ({', '.join(sorted(positive))}) or negative ({', '.join(sorted(negative))})"
    strange = raw.notna() & ~raw.isin([*positive, *negative]) & patients.included
    return cell_findings(patients, strange, outcome.column, AREA, rule, mend)


def missing_outcomes(patients: Patients, outcome: Outcome, exclusions: tuple[Exclusion, ...]) -> pd.DataFrame:
    """Notes: patients who leave because their outcome is not known or not one of the two."""
    raw = patients.of(outcome.column)
    if outcome.her2:
        return _no_category(patients, outcome, raw)
    told = {str(v) for rule in exclusions if rule.column == outcome.column for v in rule.values}  # noqa: PD011
    rule = "a missing outcome is an exclusion, never a negative"
    mend = "enter the outcome if it is known; else nothing to do"
    found = [cell_findings(patients, raw.isna(), outcome.column, AREA, rule, mend, "note")]
    left = raw.isin(told) & ~patients.included
    rule = "excluded by a rule of study.yml (exclusions)"
    found.append(cell_findings(patients, left, outcome.column, AREA, rule, "nothing to do if this is meant", "note"))
    return join(found)


def _no_category(patients: Patients, outcome: Outcome, category: pd.Series) -> pd.DataFrame:
    """Notes: patients whose HER2 category the task leaves out, or who have none, with the reason of each."""
    used = [*outcome.positive, *outcome.negative]
    left = ~patients.included & ~category.isin(used)
    reason = patients.of(HER2_REASON).fillna("no result recorded")
    rule = reason + ": excluded by the task " + str(outcome.task) + ", never counted as negative"
    known = "nothing to do if this is the question; else change outcome.task"
    mend = pd.Series("enter the missing result if it is known; else nothing to do", category.index)
    mend = mend.mask(category.notna() & (category != "equivocal"), known)
    return cell_findings(patients, left, outcome.column, AREA, rule, mend, "note")


def classes(patients: Patients, outcome: Outcome, label: pd.Series) -> pd.DataFrame:
    """An error if one of the two classes is empty; a warning if it is rare."""
    known = label[patients.included].dropna()
    found = none()
    for value, words, setting in ((1, outcome.label, "positive"), (0, f"not {outcome.label}", "negative")):
        n, listed = int((known == value).sum()), ", ".join(map(str, getattr(outcome, setting)))
        if n == 0:
            seen = patients.of(outcome.column).dropna()
            shown = ", ".join(seen.value_counts().index[:6]) or "nothing"
            found = join([found, about(
                patients, AREA, "error", f"no included patient of {len(known):,} is {words}",
                f"a model needs both classes; outcome.{setting} is {listed}",
                f"see outcome in study.yml and the exclusions; the column holds {shown}", column=outcome.column,
            )])  # fmt: skip
        elif n < EXTREME * len(known):
            found = join([found, about(
                patients, AREA, "warning", f"{share(n, len(known))} are {words}", "classes so uneven are unusual",
                f"see whether outcome.{setting} ({listed}) means what you think", column=outcome.column,
            )])  # fmt: skip
    return found


def outcome_as_predictor(patients: Patients, outcome: Outcome, candidates: Mapping[str, Variable]) -> pd.DataFrame:
    """Errors: a candidate variable that is the outcome, or what the outcome is derived from."""
    own = {outcome.column: "outcome.column"}
    if outcome.her2:
        own |= {c: f"outcome.her2.{key}" for key, c in outcome.her2.model_dump().items() if c and key != "guideline"}
    return join(
        about(
            patients, AREA, "error", f"variables.{name} is a candidate", f"{own[v.column or name]} is no predictor: it "
            "is the outcome itself", f"candidate: false for variables.{name}, or remove it", column=v.column or name,
        )
        for name, v in candidates.items()
        if (v.column or name) in own
    )  # fmt: skip


def her2_contradictions(patients: Patients, settings: Her2, category: pd.Series) -> pd.DataFrame:
    """Warnings: score, hybridisation and recorded status of one patient that do not go together.

    Parameters
    ----------
    category : Series
        ``her2_category`` of every row, made from all of them.
    """
    score, ish, recorded = (_alone(patients.cells, settings, key) for key in ("ihc", "ish", "status"))
    ratio, copies = (as_numbers(patients.of(column or "")) for column in (settings.ratio, settings.copies))
    amplified, single = ratio >= 2, (ratio < 2) & ~(copies >= 4)
    strong, weak = score == "positive", score.isin(["zero", "low", "negative"])
    mend = "see the pathology report and correct the table"
    found = []

    def tell(where: pd.Series, column: str | None, rule: str) -> None:
        if column:
            found.append(cell_findings(patients, where, column, AREA, rule, mend, "warning"))

    tell(strong & (ish == "negative"), settings.ish, "IHC 3+ with a negative in-situ hybridisation is rare")
    tell(weak & (ish == "positive"), settings.ish, "IHC 0 or 1+ with a positive in-situ hybridisation is rare")
    tell(single & (ish == "positive"), settings.ratio, "HER2/CEP17 below 2 and a positive result contradict each other")
    tell(amplified & (ish == "negative"), settings.ratio,
         "HER2/CEP17 of at least 2 and a negative result contradict each other")  # fmt: skip
    tell(strong & single, settings.ratio, "IHC 3+ with a HER2/CEP17 below 2 is rare")
    tell(weak & amplified & ~(ish == "negative"), settings.ratio, "IHC 0 or 1+ with a HER2/CEP17 of at least 2 is rare")
    group = category.replace({"low": "negative", "zero": "negative"})
    status = recorded.replace({"low": "negative", "zero": "negative"})
    differs = status.isin(["positive", "negative"]) & group.isin(["positive", "negative"]) & (status != group)
    for made in ("positive", "negative"):
        rule = f"score and hybridisation make the patient {made} by {settings.guideline}, which is used"
        tell(differs & (group == made), settings.status, rule)
    for column, number, low, high in ((settings.ratio, ratio, 0.1, 30), (settings.copies, copies, 0.5, 100)):
        tell((number < low) | (number > high), column, f"is plausible from {low:g} to {high:g}")
    return join(found)


def _alone(cells: pd.DataFrame, settings: Her2, key: str) -> pd.Series:
    """The category that one column alone would make; missing where it is not recorded, or the column absent."""
    column = getattr(settings, key)
    if not column or column not in cells:
        return pd.Series(pd.NA, cells.index, dtype="str")
    distinct = pd.DataFrame({"own": cells[column].dropna().unique()}, dtype="str")
    only = Her2(ihc="own" if key == "ihc" else "ihc", guideline=settings.guideline)
    if key != "ihc":
        distinct["ihc"] = pd.Series(pd.NA, distinct.index, dtype="str")
        only = only.model_copy(update={key: "own"})
    made = her2_category(distinct, only)["her2_category"]
    return cells[column].map(dict(zip(distinct["own"], made, strict=True))).astype("str")


def labels_of(raw: pd.Series, outcome: Outcome) -> pd.Series:
    """1 for positive, 0 for negative, missing for anything else; float64 on the index of ``raw``."""
    positive, negative = ([str(v) for v in values] for values in (outcome.positive, outcome.negative))
    return pd.Series(np.select([raw.isin(positive), raw.isin(negative)], [1.0, 0.0], np.nan), raw.index)
