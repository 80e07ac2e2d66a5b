"""The items of a checklist with the status that the evidence gives them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from her2study.reporting.checklists.evidence import Evidence
from her2study.study import nearest
from her2study.types import StudyError
from her2study.words import listing

CHECKLISTS = ("tripod_ai", "claim")

ANSWERED, OPEN, NOT_APPLICABLE = "answered", "open", "not applicable"
STATUSES = (ANSWERED, OPEN, NOT_APPLICABLE)


class Answer(NamedTuple):
    """One item: what is asked (our paraphrase), its status, where it is answered or what is still to be said."""

    item: str
    section: str
    topic: str
    asks: str
    status: str
    text: str
    places: tuple[str, ...]


def fill(name: str, evidence: Evidence) -> list[Answer]:
    """All items of a checklist of :data:`CHECKLISTS`, in its order.

    Raises
    ------
    StudyError
        The checklist is not known.
    """
    return [_answer(item, evidence) for item in checklist(name)["items"]]


@cache
def checklist(name: str) -> dict[str, Any]:
    """The checklist as its file has it."""
    if name not in CHECKLISTS:
        raise StudyError(f"unknown checklist {name!r}{nearest(name, CHECKLISTS)} Known: {', '.join(CHECKLISTS)}.")
    return yaml.safe_load(files(__package__).joinpath(f"{name}.yml").read_text(encoding="utf-8"))


def _answer(item: dict[str, Any], evidence: Evidence) -> Answer:
    head = (item["item"], item["section"], item["topic"], item["asks"])
    for condition, reason in item.get("unless", {}).items():
        if not evidence.conditions[condition]:
            return Answer(*head, NOT_APPLICABLE, f"not applicable because {reason}", ())
    needed = item.get("answered", [])
    missing = [place for place in needed if not evidence.exists(place)]
    there = tuple(place for place in (*needed, *item.get("also", [])) if evidence.exists(place))
    if "open" in item:  # only people can answer it, whatever exists
        return Answer(*head, OPEN, f"open: for the authors to {item['open']}", there)
    if missing:
        absent = listing([evidence.label(place) for place in missing])
        return Answer(*head, OPEN, f"open: for the authors; these results lack {absent}", there)
    return Answer(*head, ANSWERED, item["says"], there)


def counted(answers: Sequence[Answer]) -> str:
    """``Of 44 items 28 are answered in these results, 16 are open for the authors.``"""
    counts = {status: sum(answer.status == status for answer in answers) for status in STATUSES}
    parts = [
        f"{counts[ANSWERED]} are answered in these results",
        f"{counts[OPEN]} are open for the authors",
        *([f"{counts[NOT_APPLICABLE]} do not apply"] if counts[NOT_APPLICABLE] else []),
    ]
    return f"Of {len(answers)} items {listing(parts)}."
