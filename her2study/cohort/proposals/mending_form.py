"""``mending.yml``: how the cells of every column are read, each with the number of cells that it concerns."""

from __future__ import annotations

from typing import Any

import pandas as pd

from her2study.cohort.proposals.described import places
from her2study.cohort.proposals.proposal import LEFT_OUT, Proposal
from her2study.cohort.proposals.propose import StudyProposal
from her2study.cohort.proposals.yaml_text import comment, entry, flow


def mending_text(name: str, proposal: StudyProposal) -> str:
    """The whole of ``mending.yml``."""
    used = [column for column in proposal.columns if column.use not in LEFT_OUT]
    lines = [
        *comment(f"How the cells of {name}'s table are read. Nothing else is changed, and the table itself never."),
        *comment("Cells are compared after trimming and joining spaces, and without regard to case. A cell not named "
                 "here stays as it is; if study.yml does not know it either, `her2study validate` names it. What "
                 "follows # counts cells."),
        "ignore_case: true",
    ]  # fmt: skip
    lines += _corrections(proposal)
    lines += _missing(used)
    lines += _maps(used, proposal)
    lines += _rules("numbers", "How numbers are written: unit of a bare number, factor of each unit, decimal comma.",
                    {c.column: c.mends.numbers for c in used if c.mends.numbers})  # fmt: skip
    lines += _rules("dates", "Order of day, month and year; excel_days: days since 1900 are dates as well.",
                    {c.column: c.mends.dates for c in used if c.mends.dates})  # fmt: skip
    lines += _derived(proposal)
    lines += _not_understood(used, proposal)
    lines += _not_used(proposal)
    return "\n".join(lines) + "\n"


def _corrections(proposal: StudyProposal) -> list[str]:
    if not proposal.corrections:
        return []
    lines = ["", *comment("Single cells. These patients have more or fewer acquisition times than phases, and nothing "
                          "says which is missing: their times are not used.")]  # fmt: skip
    return [*lines, "corrections:", *(entry(patient, cells) for patient, cells in proposal.corrections.items())]


def _missing(used: list[Proposal]) -> list[str]:
    here = [column for column in used if column.mends.missing]
    if not here:
        return []
    lines = ["", *comment("Cells that mean that nothing is known."), "missing:"]
    for column in here:
        counts = ", ".join(f"{code} {column.content.counts.get(code, 0):,}" for code in column.mends.missing)
        lines.append(entry(column.column, list(column.mends.missing), comment=counts))
    return lines


def _maps(used: list[Proposal], proposal: StudyProposal) -> list[str]:
    here = [column for column in used if column.mends.maps]
    if not here:
        return []
    lines = ["", *comment("What a cell says: what the study reads."), "columns:"]
    for column in here:
        lines += [f"  {flow(column.column)}:"]
        for raw, word in sorted(column.mends.maps.items(), key=lambda pair: (pair[1], pair[0])):
            lines.append(entry(raw, word, 4, f"{column.content.counts.get(raw, 0):,}"))
    return lines


def _rules(title: str, words: str, rules: dict[str, Any]) -> list[str]:
    if not rules:
        return []
    return ["", *comment(words), f"{title}:", *(entry(column, rule) for column, rule in rules.items())]


def _derived(proposal: StudyProposal) -> list[str]:
    if not proposal.derived:
        return []
    lines = ["", *comment("New columns made of others."), "derived:"]
    return [*lines, *(entry(d.variable["name"], d.rule, comment=d.why) for d in proposal.derived)]


def _not_understood(used: list[Proposal], proposal: StudyProposal) -> list[str]:
    """Cells that nobody could read, as lines to be moved up and completed; they are not applied."""
    here = [column for column in used if column.mends.suggested]
    if not here:
        return []
    lines = [
        "",
        *comment("Not understood, and left as they are until you say what they mean: correct the table, or move a "
                 "line to its place under columns (null: missing)."),
    ]  # fmt: skip
    rows = pd.Series(proposal.sheet.rows)
    for column in here:
        lines.append(f"# ? {flow(column.column)}:")
        for raw, close in column.mends.suggested.items():
            where = places(raw, column, proposal.sheet.cells, rows)
            words = f"{where}; close to {close}" if close else where
            lines.append(f"# ?   {flow(raw)}: {flow(close) if close else 'null'}  # {words}")
    return lines


def _not_used(proposal: StudyProposal) -> list[str]:
    """How columns would be read that are left out but could be taken up again, as comments."""
    lines = []
    for column in proposal.by_use("unused"):
        parts = (("missing", list(column.mends.missing)), ("columns", dict(column.mends.maps)),
                 ("numbers", column.mends.numbers))  # fmt: skip
        if column.variable.get("type"):
            lines += [f"#   {section}: {{{flow(column.column)}: {flow(rule)}}}" for section, rule in parts if rule]
    words = "For columns that are not used; needed if you take one up again."
    return ["", *comment(words), *lines] if lines else []
