"""What columns are to each other: second readings, columns derived from others, copies, the same thing twice."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from her2study.cohort.proposals.lexicon import lexicon
from her2study.cohort.proposals.proposal import Proposal

NEAR_EMPTY = 0.1
"""A column known for a smaller share of the patients is left out."""

MANY_FEATURES = 30
"""So many columns of unknown numbers are measured features, not facts about the patient."""

NEAR_CONSTANT = 5
"""A candidate needs this many patients outside its most frequent level."""

SAME_THING = {"weight": ("bmi", "bmi_group"), "height": ("bmi", "bmi_group"), "bmi_group": ("bmi",)}
"""A concept that says again what others say, if one of them is there."""


@dataclass(frozen=True)
class Derived:
    """A new column made of others: the rule as in ``mending.yml`` and the variable that it fills."""

    rule: dict[str, Any]
    variable: dict[str, Any]
    sources: tuple[str, ...]
    why: str
    known: float = 1.0


@dataclass
class Related:
    """The columns after looking at all of them together."""

    columns: list[Proposal]
    derived: list[Derived] = field(default_factory=list)


def relate(columns: list[Proposal], cells: pd.DataFrame) -> Related:
    """Pair readers, derive, and take back what is near-empty, constant, a copy, or the same thing twice."""
    names = {c.column for c in columns}
    columns = [_enough(_second_of_a_name(c, names)) for c in columns]
    columns = _readers(_without_features(columns))
    columns, derived = _derive(columns, cells)
    return Related(_unique(_copies(columns, cells)), derived)


def _second_of_a_name(column: Proposal, names: set[str]) -> Proposal:
    """Leave out a column whose header stands above another one too, which is then called ``... (2)``."""
    first = re.sub(r" \(\d+\)$", "", column.column)
    if first == column.column or first not in names or column.use in ("leak", "identifying", "text", "scan"):
        return column
    return column.left_out("unused", f"has the same header as another column, {first}").doubted(
        f"Two columns are called {first}: give each a name of its own, or delete one."
    )


def _enough(column: Proposal) -> Proposal:
    """Leave out what is known of few; offer nothing to models that hardly varies."""
    if column.use != "variable" or not column.variable:
        return column
    if column.share_known < NEAR_EMPTY:
        return column.left_out("unused", f"is known for {column.share_known:.0%} of the rows")
    read: dict[str, int] = {}
    for value, n in column.content.counts.items():
        word = column.mends.read(value)
        if word is not None:
            read[word] = read.get(word, 0) + n
    if len(read) < 2:
        return column.left_out("unused", "is the same for everybody")
    others = sum(read.values()) - max(read.values())
    if others < NEAR_CONSTANT and column.variable["candidate"]:
        return column.no_candidate(f"is the same for all but {others} patients, too few for an effect to be seen")
    return column


def _without_features(columns: list[Proposal]) -> list[Proposal]:
    """Leave out the numbers of a table of measured features, which study.yml reads from a table of their own."""
    unknown = [c for c in columns if c.use == "variable" and not c.concept and c.variable["type"] == "continuous"]
    if len(unknown) < MANY_FEATURES:
        return columns
    names = {column.column for column in unknown}
    why = f"one of {len(unknown)} columns of numbers that look like measured features"
    left = [column.left_out("unused", why) if column.column in names else column for column in columns]
    first = next(i for i, column in enumerate(left) if column.column in names)
    left[first] = left[first].doubted(
        f"{len(unknown)} columns from here on look like measured features (radiomics). Put them with the patient "
        "column into a table of their own, and give it with --join: models then choose among them inside the folds."
    )
    return left


def _readers(columns: list[Proposal]) -> list[Proposal]:
    """Join a second reader's columns to the first reader's."""
    groups: dict[tuple[str, str], list[Proposal]] = {}
    for column in columns:
        if column.use == "variable":
            groups.setdefault((column.name, column.header.words), []).append(column)
    changed: dict[str, Proposal] = {}
    for group in groups.values():
        first = next((c for c in group if c.header.reader in (None, 1)), None)
        second = next((c for c in group if c.header.reader == 2), None)
        if first is None or second is None:
            continue
        changed[first.column] = first.but(variable={**first.variable, "second_reader": second.column})
        levels = tuple(dict.fromkeys([*first.variable.get("levels", ()), *second.variable.get("levels", ())]))
        if levels:
            order = list(first.concept.levels) if first.concept else []
            levels = tuple(sorted(levels, key=lambda v: order.index(v) if v in order else len(order)))
            both = {**changed[first.column].variable, "levels": levels}
            changed[first.column] = changed[first.column].but(variable=both)
        why = f"the second reader's {first.variable['label']}"
        changed[second.column] = second.but(use="second_reader", variable={}, why=why)
        for other in group:
            if other.column not in changed:
                changed[other.column] = other.left_out("unused", "a further reader; two are compared")
    return [changed.get(column.column, column) for column in columns]


def _derive(columns: list[Proposal], cells: pd.DataFrame) -> tuple[list[Proposal], list[Derived]]:
    """The extent of the tumour's box, the spacing in a list, the phases after contrast."""
    concepts = lexicon().concepts
    derived: list[Derived] = []
    names = {c.name for c in columns if c.use == "variable"}
    box = [c for c in columns if c.concept and c.concept.key == "box_extent"]
    if len(box) >= 2 and concepts["largest_box"].name not in names:
        known = min(c.share_known for c in box)
        rule = {"largest_of": [c.column for c in box]}
        derived.append(
            Derived(rule, _variable("largest_box"), tuple(c.column for c in box), "the longest side of the box", known)
        )
    for column in [c for c in columns if c.use == "derived_from" and c.variable]:
        rule = {"item_of": column.column, "item": 0}
        why = "the first number of the list"
        made = {**column.variable, "plausible": column.concept.plausible if column.concept else None}
        derived.append(Derived(rule, made, (column.column,), why, column.share_known))
    phases = next((c for c in columns if c.concept and c.concept.key == "all_phases"), None)
    if phases and concepts["phases"].name not in names:
        rule = {"difference_of": phases.column, "minus": 1}
        why = "without the phase before contrast"
        derived.append(Derived(rule, _variable("phases"), (phases.column,), why, phases.share_known))
    used = {source: d for d in derived for source in d.sources}
    return [
        c.but(variable={}, why=f"{used[c.column].variable['name']} is made of it")
        if c.column in used
        else c.left_out("unused", "nothing is made of it")
        if c.use == "derived_from"
        else c
        for c in columns
    ], derived


def _variable(concept: str) -> dict[str, Any]:
    c = lexicon().concepts[concept]
    offered = c.candidate and c.role not in ("pathology", "acquisition")
    return {"name": c.name, "type": c.type, "unit": c.unit, "label": c.label, "role": c.role, "log": c.log,
            "candidate": offered, "plausible": c.plausible}  # fmt: skip


def _copies(columns: list[Proposal], cells: pd.DataFrame) -> list[Proposal]:
    """Leave out a column whose cells are those of an earlier one, and what another column says as well."""
    seen: dict[int, str] = {}
    present = {c.concept.key for c in columns if c.use == "variable" and c.concept}
    kept = []
    for column in columns:
        if column.use == "variable":
            values = cells[column.column]
            print_ = int(pd.util.hash_pandas_object(values, index=False).sum())
            earlier = seen.get(print_)
            if earlier is not None and values.equals(cells[earlier].rename(values.name)):
                column = column.left_out("unused", f"holds the same as {earlier} in every row").doubted(
                    f"Is {column.column} a copy of {earlier} by mistake? It is the same in every row."
                )
            else:
                seen[print_] = column.column
            again = SAME_THING.get(column.concept.key if column.concept else "", ())
            twice = [name for name in again if name in present]
            if twice and column.use == "variable" and column.variable["candidate"]:
                column = column.no_candidate(f"says again what {twice[0]} says, and so describes the patients only")
        kept.append(column)
    return kept


def _unique(columns: list[Proposal]) -> list[Proposal]:
    """Variables have names of their own: of two columns for the same thing the fuller one has the plain name."""
    by_name: dict[str, list[Proposal]] = {}
    for column in columns:
        if column.use == "variable":
            by_name.setdefault(column.name, []).append(column)
    changed: dict[str, Proposal] = {}
    for name, group in by_name.items():
        if name and len(group) == 1:
            continue
        ranked = sorted(group, key=lambda c: -c.share_known)
        for number, column in enumerate(ranked if name else group, 1):
            own = f"column_{columns.index(column) + 1}" if not name else name if number == 1 else f"{name}_{number}"
            column = column.but(variable={**column.variable, "name": own})
            if name and number > 1:
                column = column.no_candidate(f"a second column for {ranked[0].column}").doubted(
                    f"Both {ranked[0].column} and {column.column} look like {ranked[0].variable['label']}; keep one."
                )
            changed[column.column] = column
    return [changed.get(column.column, column) for column in columns]
