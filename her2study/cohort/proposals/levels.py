"""Which level a cell means: its codes, the words of the lexicon, spellings that differ in case or accents."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from her2study.cohort.proposals.lexicon import lexicon

CLOSE = 0.8
"""Likeness (difflib) above which a rare word is shown as a possible misspelling."""


@dataclass(frozen=True)
class Reading:
    """What was made of the values of a column of levels.

    ``maps`` are raw values that are read as another word; ``missing`` mean missing; ``unknown`` are understood by
    nobody, each with the level it resembles, or none; ``assumed`` says that codes were read by custom alone.
    """

    levels: tuple[str, ...]
    maps: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    unknown: dict[str, str | None] = field(default_factory=dict)
    assumed: bool = False


def is_missing_word(value: str) -> bool:
    """Whether a cell says in words that nothing is known: NP, unknown, 不详."""
    return value.casefold() in lexicon().missing_words or key(value) in lexicon().missing_words


def read_levels(
    counts: Mapping[str, int], known: Mapping[str, Sequence[str]], codes: Mapping[str, str], instead: Sequence = ()
) -> Reading:
    """Read values whose levels the lexicon knows.

    Parameters
    ----------
    counts : mapping
        Value to the number of cells that hold it.
    known : mapping
        Level to its words, the reference first.
    codes : mapping
        What the header or the legend says of codes: ``{"0": "neg"}``.
    instead : sequence
        Other sets of levels that stay as they are if they cover every value (low, intermediate, high).
    """
    said = [value for value in counts if not is_missing_word(codes.get(value, "")) and not is_missing_word(value)]
    for other in instead:
        if set(map(key, said)) <= set(map(key, other)):
            known = dict.fromkeys(other, ())
    words = {key(word): level for level, names in known.items() for word in (level, *names)}
    maps: dict[str, str] = {}
    missing, unknown, coded = [], {}, 0
    for value in counts:
        word = codes.get(value, value)
        level = words.get(key(word)) or next((words[part] for part in _parts(word) if part in words), None)
        if level is None and (is_missing_word(word) or is_missing_word(value) or value in lexicon().missing_numbers):
            missing.append(value)
        elif level is None:
            close = difflib.get_close_matches(key(word), list(words), 1, CLOSE) if len(word) > 3 else []
            unknown[value] = words[close[0]] if close else None
        elif value != level:
            maps[value] = level
            coded += counts[value] * (value not in codes and re.fullmatch(r"-?\d+", value) is not None)
    present = set(maps.values()) | (set(counts) & set(known))
    levels = tuple(level for level in known if level in present)
    if len(levels) < 2:
        levels = tuple(known) if len(known) == 2 else tuple(level for level in known if level in levels)
    custom = any(_custom(value, level) for value, level in maps.items()) and coded > 0.5 * sum(counts.values())
    return Reading(levels, maps, tuple(missing), unknown, custom)


def free_levels(counts: Mapping[str, int], codes: Mapping[str, str], rare: int) -> Reading:
    """Read values of a column that the lexicon does not know, or whose levels it leaves open.

    Spellings that differ in case, accents or spaces become the most frequent one; levels of fewer than ``rare``
    patients are joined as ``other`` if at least two others stay; a rare word that resembles a frequent one is unknown.
    """
    groups: dict[str, dict[str, int]] = {}
    missing = []
    for value, n in counts.items():
        word = codes.get(value, value)
        if is_missing_word(word) or is_missing_word(value) or (value == word and _stands_out(value, counts)):
            missing.append(value)
        else:
            groups.setdefault(key(word), {})[value] = n
    total = {name: sum(values.values()) for name, values in groups.items()}
    frequent = [name for name in total if total[name] >= rare]
    maps: dict[str, str] = {}
    unknown: dict[str, str | None] = {}
    levels: list[str] = []
    small: list[str] = []
    for name in sorted(total, key=lambda name: -total[name]):  # stable: ties in the order of the file
        best = max(groups[name], key=groups[name].__getitem__)
        level = codes.get(best, best)
        close = difflib.get_close_matches(name, [other for other in frequent if other != name], 1, CLOSE)
        if name in frequent or len(frequent) < 2:
            levels.append(level)
            maps |= {value: level for value in groups[name] if value != level}
        elif close and len(name) > 3:
            unknown |= {value: next(v for v in groups[close[0]]) for value in groups[name]}
        else:
            small += list(groups[name])
    joined = next((level for level in levels if key(level) == "other"), "other")
    if small:
        maps |= {value: joined for value in small if value != joined}
        levels = [*levels, joined] if joined not in levels else levels
    if all(re.fullmatch(r"-?\d+(\.\d+)?", level) for level in levels):
        levels.sort(key=float)
    return Reading(tuple(levels), maps, tuple(missing), unknown)


def _stands_out(value: str, counts: Mapping[str, int]) -> bool:
    """Whether a code such as 999 or -1 is far from the other codes, or stands among words."""
    if value not in lexicon().missing_numbers:
        return False
    others = [v for v in counts if v not in lexicon().missing_numbers]
    codes = [float(v) for v in others if re.fullmatch(r"-?\d+", v)]
    return not codes or float(value) < min(codes) or float(value) > 3 * max(codes)


@lru_cache(maxsize=65536)
def key(value: str) -> str:
    """A value without case, accents, underscores and outer punctuation; signs such as ``+`` stay."""
    folded = unicodedata.normalize("NFKD", value.casefold().replace("ß", "ss"))
    text = unicodedata.normalize("NFC", "".join(c for c in folded if not unicodedata.combining(c)))
    text = re.sub(r"[_\s]+", " ", text).strip(" .;,:'\"")
    return re.sub(r"(?<=[^\W\d])-(?=[^\W\d])", " ", text)


def _parts(value: str) -> list[str]:
    """The beginning of a longer answer, and what stands in brackets: ``pre (<6 months)``, ``1 (yes)``, ``1: yes``."""
    head = re.split(r"\s*[(:;,，（=]", value, maxsplit=1)[0]
    inside = re.findall(r"[(（]([^()（）]+)[)）]", value)
    tail = re.split(r"\s*[:=]\s*", value, maxsplit=1)[1:]
    return [key(part) for part in (*tail, head, *inside) if part.strip() and part != value]


def _custom(value: str, level: str) -> bool:
    """Whether a bare code got its meaning by custom: the 1 of a column of yes and no, not the 1 of T1."""
    return re.fullmatch(r"-?\d+", value) is not None and value not in level
