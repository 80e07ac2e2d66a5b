"""``codebook.md``: every column of the table for people, what it holds, what was decided and what is doubtful."""

from __future__ import annotations

from collections.abc import Sequence

from her2study.cohort.proposals.described import known, values
from her2study.cohort.proposals.form import LEFT, ROLES
from her2study.cohort.proposals.proposal import Proposal
from her2study.cohort.proposals.propose import StudyProposal
from her2study.words import listing

PARTS = {
    "Who, where and when": ("patient", "centre", "date", "times", "lesion", "breast", "visit"),
    "The outcome": ("outcome", "ihc", "ish", "ratio", "copies"),
    "Reasons to leave the study": ("exclusion",),
}
"""Tables before those of the variables: title, and the uses in it."""

USES = {
    "patient": "the patient",
    "centre": "the centre",
    "date": "the date",
    "times": "times of the phases",
    "outcome": "the outcome",
    "ihc": "score of the outcome",
    "ish": "hybridisation of the outcome",
    "exclusion": "a reason to leave",
    "derived_from": "read for a new column",
}
"""What columns that are no variables are, in words."""


def codebook_text(name: str, proposal: StudyProposal, notes: Sequence[str] = ()) -> str:
    """The whole of ``codebook.md``."""
    file = proposal.sheet.path.name
    left = proposal.patients - proposal.positives - proposal.negatives
    lines = [
        f"# Codebook of {name}",
        "",
        f"{file}: {proposal.patients:,} patients, {len(proposal.columns)} columns. "
        f"{proposal.positives:,} {proposal.outcome.settings['label']}, {proposal.negatives:,} not, {left:,} without a "
        "result. Counts are of rows as the table stands, before anybody leaves the study. Columns that may name a "
        "patient are listed without their values.",
        "",
        *_questions(proposal),
    ]
    if notes:
        lines += ["## About the file", "", *(f"- {_cell(note)}" for note in notes), ""]
    for title, uses in PARTS.items():
        lines += _table(title, proposal.by_use(*uses))
    for role, title in ROLES.items():
        here = [c for c in proposal.by_use("variable") if c.variable["role"] == role]
        lines += _table(title, [*here, *_seconds(here, proposal)])
    lines += _made(proposal)
    for use, title in LEFT.items():
        lines += _table(f"Left out. {title}", proposal.by_use(use))
    return "\n".join(lines) + "\n"


def decision(column: Proposal) -> str:
    """What was decided on a column, in words."""
    v = column.variable
    if column.use == "variable":
        kind = str(v["type"]) + (f", {v['unit']}" if v.get("unit") else "")
        words = [f"`{column.name}` ({kind})"]
        words.append("may enter models" if v.get("candidate") else "describes the patients, enters no model")
        if column.why and not v.get("candidate"):
            words.append(column.why)
        if v.get("log"):
            words.append("enters models as its logarithm")
        if v.get("plausible"):
            words.append(f"plausible from {v['plausible'][0]:g} to {v['plausible'][1]:g}")
    else:
        words = [USES.get(column.use, "")]
        words = [word for word in (*words, column.why) if word]
    if column.mends.maps:
        words.append("reads " + listing([f"{raw} as {word}" for raw, word in list(column.mends.maps.items())[:4]])
                     + (" and so on" if len(column.mends.maps) > 4 else ""))  # fmt: skip
    if column.mends.missing:
        words.append(f"missing where {listing(column.mends.missing)}")
    return "; ".join(words)


def _questions(proposal: StudyProposal) -> list[str]:
    if not proposal.doubts:
        return ["There is no open question.", ""]
    lines = ["## Questions for you", ""]
    return [*lines, *(f"- **{_cell(column)}**: {_cell(words)}" for column, words in proposal.doubts), ""]


def _seconds(first: list[Proposal], proposal: StudyProposal) -> list[Proposal]:
    readers = {column.variable.get("second_reader") for column in first}
    return [column for column in proposal.by_use("second_reader") if column.column in readers]


def _table(title: str, columns: list[Proposal]) -> list[str]:
    if not columns:
        return []
    lines = [f"## {title}", "", "| column | known | holds | decided | legend says |", "|---|---|---|---|---|"]
    for c in columns:
        cells = (c.column, known(c), values(c), decision(c), c.description or "")
        lines.append("| " + " | ".join(_cell(text) for text in cells) + " |")
    return [*lines, ""]


def _made(proposal: StudyProposal) -> list[str]:
    if not proposal.derived:
        return []
    lines = ["## Made of other columns", "", "| variable | of | how |", "|---|---|---|"]
    lines += [f"| `{d.variable['name']}` | {_cell(', '.join(d.sources))} | {d.why} |" for d in proposal.derived]
    return [*lines, ""]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
