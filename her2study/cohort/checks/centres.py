"""Whether every patient has a centre that the study knows, and every part of the design has both classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from her2study.cohort.checks.cells import Patients, about, cell_findings, share, suggest
from her2study.cohort.findings import join, none
from her2study.study import Centres, Exclusion, Outcome

AREA = "centres"

FEW_EVENTS = 10
"""Positives (or negatives) under which an external part says little."""

UNLIKE = 0.25
"""Difference of a centre's share of positives from that of all others which is told."""


def unknown_centres(patients: Patients, centres: Centres, exclusions: Sequence[Exclusion] = ()) -> pd.DataFrame:
    """Errors: no centre, or one that study.yml does not name, unless an exclusion names it."""
    if patients.source.only_centre is not None:
        return none()
    known = (*centres.development, *centres.external)

    def mend(value: str) -> str:
        where = "correct the table, map it in mending.yml or name the centre in study.yml (centres)"
        return suggest(value, known) + where

    column = patients.source.centre_column
    found = patients.of(column)
    strange = ~found.isin(known)
    for rule in exclusions:
        if rule.column == column:
            strange &= ~(found.isin([str(v) for v in rule.values]) | (found.isna() & rule.missing))  # noqa: PD011
    return cell_findings(patients, strange, column, AREA, f"must be one of {', '.join(known)}", mend)


def judging_parts(centre: pd.Series, external: pd.Series, centres: Centres) -> Iterator[tuple[str, pd.Series]]:
    """Parts that need both classes, with a mark for each patient: ``(words, bool series)``."""
    if centres.external_by == "centre":
        for name in (*centres.development, *centres.external):
            yield f"centre {name!r}", centre == name
    else:
        yield "the development part", ~external
        if centres.external_by != "none":
            yield "the external part", external


def empty_classes(
    patients: Patients, centre: pd.Series, label: pd.Series, external: pd.Series, centres: Centres, outcome: Outcome
) -> pd.DataFrame:
    """Errors: a part of the design without patients or with one class; of a class that is nearly empty, a warning.

    ``centre``, ``label`` and ``external`` are of included patients.
    """
    found = []
    by_centre = centres.external_by == "centre"
    for words, here in judging_parts(centre, external, centres):
        inside = label[here]
        if not here.any():
            mend = "remove it from centres in study.yml, or check the exclusions" if by_centre else (
                f"check centres in study.yml (external_by: {centres.external_by}{_since(centres)}) and the exclusions"
            )  # fmt: skip
            found.append(
                about(patients, AREA, "error", f"{words} has no included patient", "a part needs patients", mend)
            )
        elif inside.min() == inside.max():
            state = f"{'' if inside.iloc[0] else 'not '}{outcome.label}"
            mend = f"check outcome.positive and the exclusions, or remove {words if by_centre else 'the design'}"
            found.append(about(
                patients, AREA, "error", f"{words}: all {len(inside):,} included patients are {state}",
                f"{'a centre' if by_centre else 'a part'} needs both classes to be judged", mend,
            ))  # fmt: skip
        elif "external" in words or (by_centre and words in {f"centre {name!r}" for name in centres.external}):
            rarer = int(min(inside.sum(), len(inside) - inside.sum()))
            if rarer < FEW_EVENTS:
                value = f"{words}: {int(inside.sum()):,} of {len(inside):,} are {outcome.label}"
                rule = f"with under {FEW_EVENTS} of a class its intervals will be too wide to say anything"
                found.append(about(patients, AREA, "warning", value, rule, "add patients, or expect no answer there"))
    return join(found)


def _since(centres: Centres) -> str:
    if centres.external_by == "date":
        return f", external_from: {centres.external_from}"
    return f", external_values: {', '.join(centres.external_values)}" if centres.external_values else ""


def unlike_centres(patients: Patients, centre: pd.Series, label: pd.Series, outcome: Outcome) -> pd.DataFrame:
    """Notes: a centre whose share of positives is far from that of the others."""
    found = []
    for name, here in label.groupby(centre):
        rest = label[centre != name]
        if len(here) >= 20 and len(rest) >= 20 and abs(here.mean() - rest.mean()) > UNLIKE:
            here_percent = share(int(here.sum()), len(here))
            value = f"centre {name}: {here_percent} are {outcome.label}; elsewhere {100 * rest.mean():.0f}%"
            rule = "a model may learn the centre instead of the tumour"
            mend = "ask who is sent to MRI there; the audit of the report looks at it"
            found.append(about(patients, AREA, "note", value, rule, mend))
    return join(found)
