"""Findings in words: alike ones in one group, the groups in lines for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from her2study.cohort.findings import AREAS, SEVERITIES
from her2study.reporting.validation.content import Validation
from her2study.words import listing

AREA_WORDS = {
    "settings": "Settings", "file": "Files", "table": "Table", "identifiers": "Identifiers", "outcome": "Outcome",
    "centres": "Centres", "dates": "Dates", "variables": "Variables", "splits": "Splits and sample size",
    "images": "Scans", "masks": "Masks", "geometry": "Geometry", "phases": "Phases",
}  # fmt: skip
PLURAL = {"error": "errors", "warning": "warnings", "note": "notes"}

GROUPS_SHOWN = 8
"""Groups of one area that the terminal lists."""

VALUES_SHOWN = 4
"""Values of one group that a line shows."""

WIDTH = 110
WRAP: dict = {"break_long_words": False, "break_on_hyphens": False}


class Group(NamedTuple):
    """Findings that one rule and one mend explain; ``rows`` are they, ``first`` stands for all."""

    severity: str
    area: str
    column: str
    rule: str
    rows: pd.DataFrame

    @property
    def first(self) -> pd.Series:
        """The first of them."""
        return self.rows.iloc[0]

    @property
    def mends(self) -> list[str]:
        """What mends them, each once, as often as needed first."""
        return self.rows["mend"].value_counts().index.tolist()


def groups(findings: pd.DataFrame) -> list[Group]:
    """Findings alike, the worst first, then in the order of areas."""
    if findings.empty:
        return []
    keys = ["severity", "area", "column", "rule"]
    found = [Group(*map(str, key), rows) for key, rows in findings.groupby(keys, sort=False)]
    return sorted(found, key=lambda one: (SEVERITIES.index(one.severity), AREAS.index(one.area)))


def counted(n: int, severity: str) -> str:
    """``1 error``, ``3 warnings``, ``no notes``."""
    return f"{n:,} {severity if n == 1 else PLURAL[severity]}" if n else f"no {PLURAL[severity]}"


def verdict(checked: Validation) -> str:
    """Whether a run would go through, in one sentence."""
    counts = listing([counted(checked.count(severity), severity) for severity in SEVERITIES])
    n = checked.count("error")
    if checked.fit:
        return f"A run would go through: {counts}."
    return f"A run would stop: {counts}. Mend the {'error' if n == 1 else 'errors'} first; warnings stop nothing."


def include_sentence(checked: Validation) -> str:
    """Whom a run would include, in one sentence."""
    if checked.included is None:
        return "Whom a run would include cannot be said yet."
    unless = "" if checked.fit else ", once the errors are mended"
    text = f"A run would include {checked.included:,} of {checked.screened:,} patients{unless}."
    if checked.flow is not None:
        parts = checked.flow[checked.flow["kind"] == "split"]
        told = [f"{row.n:,} {str(row.label).lower()} ({row.positives:,} positive)" for row in parts.itertuples()]
        placed = int(parts["n"].sum())
        now = f"As they are now, {placed:,} can be placed: " if placed < checked.included else ""
        text += f" {_capital(now + listing(told))}." if told else ""
    return text


def exclude_sentence(checked: Validation) -> str:
    """Who would leave, and why, in one sentence."""
    if checked.included is None:
        return ""
    if checked.excluded.empty:
        return "Nobody would be excluded."
    reasons = checked.excluded["reason"].value_counts(sort=False)
    return f"Excluded: {'; '.join(f'{reason}, {n:,}' for reason, n in reasons.items())}."


def scans_sentence(checked: Validation) -> str:
    """Whether scans were looked at."""
    if checked.scans_of is None:
        return "No scan was looked at."
    return f"Every scan and mask of {checked.scans_of:,} patients was read."


def summary_lines(checked: Validation) -> Iterator[str]:
    """What the terminal shows: findings by severity and area, then whom a run would include."""
    whose = "SIMULATED patients" if checked.simulated else "patients"
    yield f"{checked.name}: {checked.screened:,} {whose}, {checked.columns:,} columns. {scans_sentence(checked)}"
    alike, files = groups(checked.findings), checked.findings["file"].value_counts()
    main = str(files.index[0]) if len(files) else ""
    for severity in SEVERITIES:
        inside = [group for group in alike if group.severity == severity]
        if inside:
            yield ""
            yield counted(checked.count(severity), severity).upper()
        for area in dict.fromkeys(group.area for group in inside):
            here = [group for group in inside if group.area == area]
            yield f"  {AREA_WORDS[area]}"
            for group in here[:GROUPS_SHOWN]:
                yield from _lines(group, main)
            if len(here) > GROUPS_SHOWN:
                yield f"    ... and {len(here) - GROUPS_SHOWN:,} more of this kind"
    yield ""
    for sentence in (
        verdict(checked),
        include_sentence(checked),
        exclude_sentence(checked),
        checked.sample_size_sentence,
    ):
        if sentence:
            yield from textwrap.wrap(sentence, WIDTH)


def error_lines(findings: pd.DataFrame) -> list[str]:
    """The errors alone, for the gate of a run."""
    alike = groups(findings[findings["severity"] == "error"])
    lines = [line for group in alike[:GROUPS_SHOWN] for line in _lines(group, "")]
    return [*lines, f"    ... and {len(alike) - GROUPS_SHOWN:,} more"] if len(alike) > GROUPS_SHOWN else lines


def place(finding: pd.Series, main: str = "") -> str:
    """``clinical.csv, row 7, patient P007, age_years``: what of it there is; ``main`` is the file not to be named."""
    row = "" if pd.isna(finding["row"]) else f"row {finding['row']}"
    patient = f"patient {finding['patient']}" if finding["patient"] else ""
    where = [finding["column"], patient, row]
    file = finding["file"] if finding["file"] != main or not any(where) else ""
    return ", ".join(part for part in (file, *where) if part)


def _lines(group: Group, main: str) -> Iterator[str]:
    """A group in two or more lines: where and what, how many likewise, the rule; then the mend."""
    first, n = group.first, len(group.rows)
    values = [value for value in group.rows["value"].value_counts().index if value and value not in group.rule]
    shown = ", ".join(values[:VALUES_SHOWN]) + (" ..." if len(values) > VALUES_SHOWN else "")
    alike = f" (and {n - 1:,} more)" if n > 1 else ""
    joint = " " if group.rule.split(" ")[0] in ("must", "is", "looks", "lies", "may", "seems") else ": "
    text = f"{place(first, main)}{alike}: {f'{shown}{joint}' if shown else ''}{group.rule}"
    yield from textwrap.wrap(text, WIDTH, initial_indent="    - ", subsequent_indent="      ", **WRAP)
    mends = group.mends
    more = f" (and {len(mends) - 1:,} other mends)" if len(mends) > 1 else ""
    yield from textwrap.wrap(mends[0] + more, WIDTH, initial_indent="      > ", subsequent_indent="        ", **WRAP)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
