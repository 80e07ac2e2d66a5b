"""Titles, legends and the place of figures and tables in a paper, from ``legends.yml``.

What a figure shows in words is in :mod:`her2study.reporting.alt`, computed from its data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from her2study.reporting.alt import alt_text
from her2study.study import nearest
from her2study.types import StudyError
from her2study.words import percent_of

__all__ = ["alt_text", "figure_legend", "figure_order", "figure_title", "is_main", "table_order"]


def figure_title(name: str) -> str:
    """The title of a figure: ``roc`` is ``Receiver operating characteristic curves``; pages are numbered.

    Raises
    ------
    StudyError
        The figure is not in ``legends.yml``; so with :func:`figure_legend`.
    """
    kind, page = _kind(name)
    return _entry(kind)["title"] + (f", page {page}" if page else "")


def figure_legend(name: str, confidence: float = 0.95, network: bool = True) -> str:
    """What a figure shows and how to read it: definitions and abbreviations, no results.

    ``network`` is whether the study has one; without it no legend explains the D-score.
    """
    entry, known = _entry(_kind(name)[0]), _contents()["abbreviations"]
    percent = percent_of(confidence)
    told = entry["legend"].replace("{ci}", f"{percent} confidence interval").replace("{CI}", f"{percent} CI")
    used = [short for short in entry.get("abbreviations", ()) if network or short != "D-score"]
    short = [f"{name}, {known[name]}" for name in used]
    return f"{told} {'; '.join(short)}." if short else told


def figure_order(names: Iterable[str] | None = None) -> list[str]:
    """Figures in the order of a paper, those of the main text first; all, or those of ``names``.

    Pages of one figure (``montage_all_1``) stand in order; a figure that ``legends.yml`` does not know comes last.
    """
    return _ordered([*_contents()["main"], *_contents()["supplement"]], names)


def table_order(names: Iterable[str] | None = None) -> list[str]:
    """Tables in the order of a paper, as :func:`figure_order` does it for figures."""
    tables = _contents()["tables"]
    return _ordered([*tables["main"], *tables["supplement"]], names)


def is_main(name: str, kind: Literal["figure", "table"] = "figure") -> bool:
    """Whether a figure (or a table: several share a name with a figure) belongs in the main text."""
    contents = _contents()
    return _kind(name)[0] in (contents["main"] if kind == "figure" else contents["tables"]["main"])


def _ordered(known: list[str], names: Iterable[str] | None) -> list[str]:
    if names is None:
        return known
    rank = {name: place for place, name in enumerate(known)}

    def place(name: str) -> tuple[int, str, int]:
        kind, page = _kind(name) if name not in rank else (name, "")
        return rank.get(kind, len(rank)), kind, int(page or 0)

    return sorted(set(names), key=place)


def _kind(name: str) -> tuple[str, str]:
    """``montage_all_2`` as ``("montage_all", "2")``, a figure of one page with an empty page."""
    kind, page = re.fullmatch(r"(.*?)(?:_(\d+))?", name).groups()
    return kind, page or ""


def _entry(kind: str) -> dict[str, Any]:
    contents = _contents()
    found = {**contents["main"], **contents["supplement"]}
    if kind not in found:
        raise StudyError(f"figure {kind!r} has no legend in legends.yml{nearest(kind, found)}")
    return found[kind]


@cache
def _contents() -> dict[str, Any]:
    text = files("her2study.reporting").joinpath("legends.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)
