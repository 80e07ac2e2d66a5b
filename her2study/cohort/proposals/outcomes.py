"""The outcome: a column with two answers, or HER2 from score and hybridisation by a guideline; and who leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from her2study.cohort.her2 import her2_category
from her2study.cohort.proposals.levels import read_levels
from her2study.cohort.proposals.lexicon import lexicon
from her2study.cohort.proposals.proposal import Mends, Proposal
from her2study.sections import HER2_CATEGORY, TASKS
from her2study.study import Her2, nearest
from her2study.types import StudyError

POSITIVE_WORDS = ("positive", "yes", "1", "high", "present", "amplified", "malignant", "true")


@dataclass(frozen=True)
class OutcomeChoice:
    """``settings`` as the section ``outcome``; ``why`` and ``doubts`` for the form; ``exclusions`` as the section."""

    settings: dict[str, Any]
    why: str
    doubts: tuple[str, ...] = ()
    exclusions: tuple[dict[str, Any], ...] = ()

    @property
    def column(self) -> str | None:
        """The column with the answer; none where it is made by the guideline."""
        return self.settings.get("column")


def choose_outcome(columns: list[Proposal], named: str | None) -> tuple[OutcomeChoice, list[Proposal]]:
    """Propose the outcome, and the columns with their part in it.

    Raises
    ------
    StudyError
        The column named by the user does not exist or has one answer only; no column looks like HER2.
    """
    names = [c.column for c in columns]
    if named is not None:
        if named not in names:
            raise StudyError(f"--outcome: the table has no column {named!r}{nearest(named, names)}")
        found = columns[names.index(named)]
        if found.use == "ihc":
            return _by_guideline(columns)
        return _plain(found if found.use == "outcome" else _as_levels(found), columns, "named by --outcome")
    if any(c.use == "ihc" and c.content.known for c in columns):
        return _by_guideline(columns)
    status = [c for c in columns if c.use == "outcome" and c.content.known]
    if not status:
        raise StudyError(
            "no column looks like HER2; name the column with the outcome: --outcome COLUMN "
            f"(the table has {', '.join(names[:30])}{' ...' if len(names) > 30 else ''})"
        )
    best = max(status, key=lambda c: round(c.share_known, 2))
    return _plain(best, columns, "the recorded HER2 status")


def outcome_labels(cells: pd.DataFrame, choice: OutcomeChoice, columns: list[Proposal]) -> pd.Series:
    """1.0 positive, 0.0 negative, missing for everybody who would leave; for counting only."""
    if choice.column:
        column = next(c for c in columns if c.column == choice.column)
        read = cells[choice.column].map({value: column.mends.read(value) for value in column.content.counts})
        found = {**dict.fromkeys(choice.settings["negative"], 0.0), **dict.fromkeys(choice.settings["positive"], 1.0)}
        return read.map(found).astype("float64")
    settings = Her2(**choice.settings["her2"])
    read = pd.DataFrame(index=cells.index)
    for name in {settings.ihc, settings.ish, settings.ratio, settings.copies, settings.status} - {None}:
        column = next(c for c in columns if c.column == name)
        values = {value: column.mends.read(value) for value in column.content.counts}
        if name in (settings.ratio, settings.copies):
            values = {value: word and word.replace(",", ".") for value, word in values.items()}
        read[name] = cells[name].map(values).astype("str")
    positive, negative = TASKS[choice.settings["task"]]
    found = {**dict.fromkeys(negative, 0.0), **dict.fromkeys(positive, 1.0)}
    return her2_category(read, settings)[HER2_CATEGORY].map(found).astype("float64")


def _by_guideline(columns: list[Proposal]) -> tuple[OutcomeChoice, list[Proposal]]:
    """HER2 from the score and what else was recorded."""
    parts: dict[str, str] = {}
    kept, doubts = [], []
    for use, key in (("ihc", "ihc"), ("ish", "ish"), ("ratio", "ratio"), ("copies", "copies"), ("outcome", "status")):
        found = [c for c in columns if c.use == use and c.content.known]
        if found:
            parts[key] = max(found, key=lambda c: c.share_known).column
    for column in columns:
        if column.use in ("ihc", "ish", "ratio", "copies", "outcome"):
            key = "status" if column.use == "outcome" else column.use
            mine = parts.get(key) == column.column
            why = "used where the score is missing" if key == "status" else "part of the HER2 result"
            column = column.but(why=why) if mine else column.left_out("leak", "is HER2 once more")
        kept.append(column)
    if "ish" not in parts and "ratio" not in parts:
        doubts.append("No column tells hybridisation (ISH, FISH): every score of 2+ is equivocal and leaves the study.")
    settings = {"her2": {**parts, "guideline": "ASCO/CAP 2023"}, "task": "positive-vs-rest", "label": "HER2-positive"}
    why = "HER2 is made of the immunohistochemistry score and the hybridisation result"
    return OutcomeChoice(settings, why, tuple(doubts)), kept


def _plain(column: Proposal, columns: list[Proposal], why: str) -> tuple[OutcomeChoice, list[Proposal]]:
    """One column with two answers; others that tell HER2 leave with the reason that they do."""
    _meaning_known(column)
    read = {column.mends.read(value) for value in column.content.counts}
    order = (*column.variable.get("levels", ()), *(column.concept.levels if column.concept else ()))
    levels = [level for level in order if level in read]
    levels = list(dict.fromkeys(levels))
    if len(levels) < 2:
        raise StudyError(
            f"{column.file}: the outcome {column.column!r} has one answer only ({', '.join(levels) or 'none'}); an "
            "outcome needs patients with and without it: name another column with --outcome"
        )
    doubts = list(column.doubts)
    her2 = column.concept is not None and column.concept.use == "outcome"
    positive = [level for level in levels if level.casefold() in POSITIVE_WORDS][:1]
    if not positive and len(levels) > 2:
        raise StudyError(
            f"{column.file}: the outcome {column.column!r} has more than two answers ({', '.join(levels)}), and none "
            "of them says positive or yes; call the positive one so in the table, or in the header: {1 = positive, ...}"
        )
    if not positive:
        positive = [min(levels, key=lambda level: _count(column, level))]
        doubts.append(f"Is {positive[0]} the answer that counts as positive? It is the rarer one.")
    aside = [level for level in levels if level in ("equivocal", "borderline")]
    negative = [level for level in levels if level not in (*positive, *aside)]
    label = "HER2-positive" if her2 else f"{_label(column)}: {positive[0]}"
    exclusions = [
        {"reason": f"{'HER2' if her2 else _label(column)} {level}", "column": column.column, "values": [level]}
        for level in aside
    ]
    exclusions.append({"reason": f"{'HER2' if her2 else _label(column)} not recorded", "column": column.column,
                       "missing": True})  # fmt: skip
    settings = {"column": column.column, "positive": positive, "negative": negative, "label": label}
    kept = []
    for other in columns:
        if other.column == column.column:
            other = column.but(use="outcome", why=why, variable={})
        elif other.use in ("outcome", "ihc", "ish", "ratio", "copies"):
            other = other.left_out("leak", "is HER2 once more" if her2 else "HER2, which is not the outcome here")
        kept.append(other)
    return OutcomeChoice(settings, why, tuple(doubts), tuple(exclusions)), kept


def _meaning_known(column: Proposal) -> None:
    """Insist that the table says what its codes mean, where custom does not: 1 and 2."""
    codes = {value: n for value, n in column.content.counts.items() if value not in column.mends.missing}
    if set(codes) == {"1", "2"} and not column.mends.coded:
        shown = " and ".join(f"{value} ({n:,} rows)" for value, n in sorted(codes.items()))
        example = f"{column.header.bare} {{1 = negative, 2 = positive}}"
        raise StudyError(
            f"{column.file}: the outcome {column.column!r} holds the codes {shown}, and nothing says which is "
            f"positive; write it into the header of the column, for example  {example}"
        )


def _as_levels(column: Proposal) -> Proposal:
    """A column that the user named as outcome, whatever it looked like."""
    if column.variable.get("levels"):
        return column
    both: Mapping[str, tuple[str, ...]] = lexicon().vocabularies["negative_positive"]
    read = read_levels(column.content.counts, both, column.header.codes)
    if read.unknown or not read.levels:
        raise StudyError(
            f"--outcome: {column.column!r} is no column of two answers (it holds "
            f"{', '.join(list(column.content.counts)[:5])}); name one that is"
        )
    mends = Mends(read.maps, read.missing, coded=bool(column.header.codes))
    return column.but(variable={"levels": read.levels}, mends=mends)


def _count(column: Proposal, level: str) -> int:
    return sum(n for value, n in column.content.counts.items() if column.mends.read(value) == level)


def _label(column: Proposal) -> str:
    return column.header.bare.replace("_", " ")
