"""What is known of the columns of breast MRI tables: ``lexicon.yml``, and which entry a header means."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from her2study.cohort.proposals.headers import Header, plain

LEAST_SHARE = 0.5
"""Share of a header's letters that a name must make up, unless the entry counts anywhere."""

CLOSE = 0.87
"""Likeness of a misspelt header to a name (difflib), 1 being the same."""


@dataclass(frozen=True)
class Concept:
    """One entry of the lexicon; see the head of ``lexicon.yml`` for the fields."""

    key: str
    names: tuple[str, ...] = ()
    use: str = "variable"
    anywhere: bool = False
    name: str | None = None
    label: str | None = None
    role: str | None = None
    type: str | None = None
    unit: str | None = None
    plausible: tuple[float, float] | None = None
    log: bool = False
    candidate: bool = True
    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    vocabulary: str | None = None
    instead: tuple[tuple[str, ...], ...] = ()
    numeric: dict[str, Any] | None = None
    units: dict[str, float] = field(default_factory=dict)
    excluded: dict[str, str] = field(default_factory=dict)
    into: str | None = None
    why: str | None = None


@dataclass(frozen=True)
class Lexicon:
    """All concepts, in the order of the file, and the words that mean missing."""

    concepts: dict[str, Concept]
    missing_words: frozenset[str]
    missing_numbers: frozenset[str]
    unseen_words: frozenset[str]
    vocabularies: dict[str, dict[str, tuple[str, ...]]]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lexicon that comes with the package."""
    text = (files("her2study.cohort.proposals") / "lexicon.yml").read_text(encoding="utf-8")
    raw = yaml.safe_load(text)
    vocabularies = {name: _levels(levels) for name, levels in raw["vocabularies"].items()}
    concepts = {}
    for key, entry in raw["concepts"].items():
        levels = entry.get("levels", {})
        given = {
            **entry,
            "names": tuple(entry["names"]),
            "levels": vocabularies[levels] if isinstance(levels, str) else _levels(levels),
            "vocabulary": levels if isinstance(levels, str) else None,
            "instead": tuple(tuple(names) for names in entry.get("instead", ())),
            "plausible": tuple(entry["plausible"]) if "plausible" in entry else None,
        }
        concepts[key] = Concept(key=key, **given)
    words = frozenset(word.casefold() for word in raw["missing_words"])
    unseen = frozenset(str(word).casefold() for word in raw["unseen_words"])
    return Lexicon(concepts, words, frozenset(raw["missing_numbers"]), unseen, vocabularies)


@lru_cache(maxsize=1)
def _names() -> tuple[tuple[str, Concept], ...]:
    """Every name in plain words with its concept, the longest first."""
    pairs = {(plain(name), concept.key) for concept in lexicon().concepts.values() for name in concept.names}
    known = lexicon().concepts
    return tuple((name, known[key]) for name, key in sorted(pairs, key=lambda pair: (-len(pair[0]), pair)))


def find_concept(header: Header) -> Concept | None:
    """The entry that a header means: its words, with its unit or the row above, or misspelt; or none."""
    bare = plain(header.bare)
    for words in (f"{header.words} {header.unit}", header.words, bare, f"{header.upper} {header.words}".strip()):
        if found := _exact(words):
            return found
    if found := _contained(header.words) or _contained(bare):
        return found
    close = difflib.get_close_matches(header.words, [name for name, _ in _names() if len(name) > 5], 1, CLOSE)
    return _exact(close[0]) if close and len(header.words) > 5 else None


def _exact(words: str) -> Concept | None:
    return next((concept for name, concept in _names() if name == words), None)


def _contained(words: str) -> Concept | None:
    """The longest name that stands in a header as whole words (Chinese: as a part)."""
    padded, letters = f" {words} ", len(words.replace(" ", ""))
    for name, concept in _names():
        chinese = not name.isascii()
        if (name in words if chinese else f" {name} " in padded) and (
            concept.anywhere or len(name.replace(" ", "")) >= LEAST_SHARE * letters
        ):
            return concept
    return None


def _levels(raw: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {str(level): tuple(str(word) for word in words) for level, words in raw.items()}
