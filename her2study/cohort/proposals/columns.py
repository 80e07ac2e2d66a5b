"""One column of a table: its type, unit, role, coding, plausible range, what is missing, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from her2study.cohort.proposals.content import (
    Content,
    Numbers,
    content_of,
    dates_of,
    list_length,
    looks_identifying,
    missing_numbers,
    numbers_of,
)  # fmt: skip
from her2study.cohort.proposals.headers import Header, read_header, slug
from her2study.cohort.proposals.levels import Reading, free_levels, is_missing_word, key, read_levels
from her2study.cohort.proposals.lexicon import Concept, find_concept, lexicon
from her2study.cohort.proposals.proposal import Mends, Proposal
from her2study.words import listing

FEW_LEVELS = 12
"""Words that may be the levels of one variable; more are free text."""

LEVEL_USES = ("outcome", "ihc", "ish", "exclusion")
NUMBER_USES = ("ratio", "copies")

ROLE_WORDS = {
    "mri_reading": ("mri", "mr", "dce", "enhancement", "dwi", "radiology", "imaging", "lesion", "磁共振", "影像"),
    "pathology": ("pathology", "histology", "biopsy", "ihc", "immunohistochemistry", "path", "病理", "免疫组化"),
    "acquisition": ("protocol", "acquisition", "sequence", "scanner", "technique", "扫描"),
    "clinical": ("clinical", "patient", "history", "demographics", "临床", "病史"),
}


def propose_column(
    column: str, file: str, cells: pd.Series, codes: Mapping[str, str] | None = None, description: str | None = None
) -> Proposal:
    """Propose what a column is.

    Parameters
    ----------
    cells : Series
        Text, missing cells missing.
    codes, description :
        What the legend of the workbook says of the column; codes in the header itself come first.
    """
    header = read_header(column)
    content = content_of(cells)
    header_codes = {**(codes or {}), **header.codes}
    concept = _by_content(find_concept(header), content, header_codes)
    base = Proposal(column, file, header, concept, content, concept.use if concept else "variable")
    base = base.but(description=description, why=(concept.why if concept else "") or "")
    if not content.known:
        return base.left_out("unused", "is empty")
    if not concept and (words := looks_identifying(content)):
        return base.left_out("identifying", words)
    if base.use in ("date",):
        return _date(base)
    if base.use in LEVEL_USES:
        return _levels(base, concept.levels, header_codes)
    if base.use in NUMBER_USES:
        numbers = numbers_of(content, 0.0) or Numbers({}, {}, False, {})
        return _numbers(base, numbers, concept.plausible)
    if base.use != "variable":
        return base
    return _variable(base, header_codes)


def _by_content(concept: Concept | None, content: Content, codes: Mapping[str, str]) -> Concept | None:
    """A column called HER2 may hold scores (0, 1+, 2+, 3+), one called FISH the ratio."""
    known = lexicon().concepts
    if concept and concept.use == "outcome" and not codes:
        scores = {value.replace(" ", "") for value in content.counts}
        if scores & {"1+", "2+", "3+"} or ({"0", "1", "2", "3"} >= scores - {"missing"} and "3" in scores):
            return known["her2_ihc"]
    if concept and concept.use == "ish" and (numbers := numbers_of(content)) and not _whole(numbers):
        return known["her2_ratio"]
    return concept


def _variable(base: Proposal, codes: dict[str, str]) -> Proposal:
    """A column that may describe the patient: a number, a word, or neither."""
    concept, content = base.concept, base.content
    settings = _settings(base.header, concept)
    dates = dates_of(content, False)
    if dates and (not concept or concept.type != "continuous"):
        return base.left_out("text", "holds dates, which are no predictors")
    numbers = numbers_of(content)
    if concept and concept.type == "continuous":
        if not numbers and all(list_length(value) for value in list(content.counts)[:20]):
            return base.but(use="derived_from", variable=settings, why="a list in each cell")
        if not numbers:
            return base.left_out("unused", f"should hold numbers ({concept.label}), and most cells are none")
        return _numbers(base.but(variable=settings), numbers, concept.plausible)
    if concept:
        if concept.numeric and numbers and not codes and _measured(numbers):
            numeric = {**settings, **concept.numeric, "type": "continuous"}
            return _numbers(base.but(variable=numeric), numbers, tuple(concept.numeric["plausible"]))
        return _levels(base.but(variable=settings), concept.levels, codes)
    if not codes and (meant := _by_words(content)):
        found = base.but(concept=meant, variable=_settings(base.header, meant), why=meant.why or "")
        return _levels(found, meant.levels, codes).doubted(
            f"Its name says little; by its words it is taken for {meant.label}. Correct the line if not."
        )
    unsure = base.but(variable=settings, why="not recognised")
    if numbers and not codes and (len(numbers.by_text) > FEW_LEVELS or not _whole(numbers)):
        unsure = _numbers(unsure, numbers, None)
    elif len(content.counts) > FEW_LEVELS:
        return base.left_out("text", f"{len(content.counts):,} different texts: free text, or a number of its own")
    else:
        unsure = _levels(unsure, {}, codes)
    return unsure.no_candidate("not recognised, and so described but offered to no model").doubted(
        "What is it? Set candidate: true if it was known before the HER2 result, or remove the line."
    )


def _by_words(content: Content) -> Concept | None:
    """The one variable of the lexicon whose words are all that a column holds."""
    words = [value for value in content.counts if not is_missing_word(value)]
    if not 2 <= len(words) <= FEW_LEVELS or max(map(len, words), default=0) < 4 or any(w.isdigit() for w in words):
        return None
    open_ = [c for c in lexicon().concepts.values() if c.use == "variable" and c.levels and not c.vocabulary]
    fits = [c for c in open_ if not (read := read_levels(content.counts, c.levels, {})).unknown and
            len(set(read.maps.values()) | (set(words) & set(c.levels))) > 1]  # fmt: skip
    return fits[0] if len(fits) == 1 else None


def _settings(header: Header, concept: Concept | None) -> dict[str, Any]:
    if concept:
        found = {"name": concept.name, "type": concept.type, "unit": concept.unit, "label": concept.label}
        return {**found, "role": concept.role, "log": concept.log, "candidate": _offered(concept)}
    words = header.words.split()
    hints = [role for role, hint in ROLE_WORDS.items() if set(hint) & {*words, *header.upper.split()}]
    label = " ".join(header.bare.replace("_", " ").split()) or header.raw
    unit = header.unit
    name = slug(header.bare) + (f"_{slug(unit)}" if unit and slug(unit) else "")
    return {"name": name, "unit": unit, "label": label[:1].upper() + label[1:], "role": (hints or ["clinical"])[0],
            "candidate": True}  # fmt: skip


def _offered(concept: Concept) -> bool:
    return concept.candidate and concept.role not in ("pathology", "acquisition")


def _numbers(base: Proposal, numbers: Numbers, plausible: tuple[float, float] | None) -> Proposal:
    """A column of measured numbers."""
    own = base.variable.get("unit")
    doubts = []
    bare = base.header.unit or own
    if guessed := _guessed_unit(numbers, base.concept, plausible, base.header.unit):
        bare = guessed
        doubts.append(f"The table names no unit; its numbers fit {bare} and not {own}. Correct mending.yml if not.")
    factors, foreign = _factors(numbers, base.concept, own, bare)
    if foreign:
        doubts.append(f"The unit {foreign[0]} cannot be turned into {own}; correct the cells or the unit.")
    rules: dict[str, Any] = {}
    if any(factor != 1 for factor in factors.values()) or numbers.unit_of:
        rules = {"unit": bare or next(iter(factors)), "units": factors}
    if numbers.comma:
        rules["decimal"] = ","
    unit_of = numbers.unit_of
    sizes = {t: v * factors.get(unit_of.get(t, bare), 1) for t, v in numbers.by_text.items()}
    missing = missing_numbers(Numbers(sizes, {}, False, {}), plausible)
    words = tuple(text for text in base.content.counts if is_missing_word(text))
    unseen = tuple(text for text in numbers.broken if key(text) in lexicon().unseen_words)
    if unseen:
        doubts.append(f"{_some(list(unseen))}: read as missing. If it means 0, say so in mending.yml (columns).")
    left = {text: size for text, size in sizes.items() if text not in missing}
    outside = [text for text, size in left.items() if plausible and not plausible[0] <= size <= plausible[1]]
    if outside:
        span = f"{plausible[0]:g} to {plausible[1]:g}" + (f" {own}" if own else "")
        cells = _cells(base, outside, "beyond what is plausible")
        doubts.append(f"{cells} ({span}): {_some(outside)}. Check them in the table.")
    if guess := _mixed_centimetres(left, base, own, rules):
        doubts.append(guess)
    broken = [text for text in numbers.broken if text not in unseen]
    if broken:
        doubts.append(f"{_cells(base, broken, 'not a number')}: {_some(broken)}. Correct the table or mending.yml.")
    variable = dict(base.variable)
    if variable:
        variable |= {"type": "continuous", "plausible": plausible}
        variable["log"] = bool(variable.get("log")) and bool(left) and min(left.values()) > 0
    mends = Mends(missing=(*words, *missing, *unseen), numbers=rules or None, suggested=dict.fromkeys(broken))
    return base.but(variable=variable, mends=mends, doubts=(*base.doubts, *doubts))


def _factors(
    numbers: Numbers, concept: Concept | None, own: str | None, bare: str | None
) -> tuple[dict[str, float], list[str]]:
    """Factor of every unit to the study's own, cells' units as written; and those that cannot be turned into it."""
    known = {own: 1.0, **(concept.units if concept else {})}
    named = {**({own: own} if own else {}), **({bare: bare} if bare else {}), **numbers.units}
    foreign = [raw for raw, unit in named.items() if unit not in known and own]
    return {raw: known.get(unit, 1.0) for raw, unit in named.items() if raw not in foreign}, foreign


def _guessed_unit(
    numbers: Numbers, concept: Concept | None, plausible: tuple[float, float] | None, named: str | None
) -> str | None:
    """Another unit, where the header names none, if numbers are plausible in it and not in the usual one."""
    if named or numbers.unit_of or not plausible or not concept or not numbers.by_text:
        return None
    codes = missing_numbers(numbers, plausible)
    values = pd.Series([value for text, value in numbers.by_text.items() if text not in codes])
    if values.empty or values.between(*plausible).mean() > 0.7:
        return None
    fits = [unit for unit, factor in concept.units.items() if (values * factor).between(*plausible).mean() > 0.9]
    return fits[0] if fits else None


def _mixed_centimetres(left: Mapping[str, float], base: Proposal, unit: str | None, rules: Mapping) -> str | None:
    """A question where a few sizes without unit would fit the others if they were centimetres."""
    if unit != "mm" or rules.get("units") or len(left) < 10:
        return None
    middle = pd.Series(left).median()
    decimals = [text for text in left if re.search(r"[.,]\d", text)]
    small = [text for text in decimals if left[text] < 10 and left[text] * 4 < middle]
    if not small or len(small) > 0.4 * len(left) or len(decimals) - len(small) > 0.3 * (len(left) - len(small)):
        return None
    return (
        f"{_cells(base, small, 'small and written with decimals')} ({_some(small)}) where the others are about "
        f"{middle:g} mm: are they centimetres? Correct them in the table, or one by one under corrections."
    )


def _levels(base: Proposal, known: Mapping[str, tuple[str, ...]], codes: dict[str, str]) -> Proposal:
    """A column of words or codes."""
    counts = base.content.counts
    if known:
        read = read_levels(counts, known, codes, base.concept.instead if base.concept else ())
    else:
        read = free_levels(counts, codes, max(5, round(base.content.n / 100)) if len(counts) > 3 else 1)
        if set(read.levels) <= {"0", "1"}:
            maps = {"0": "no", "1": "yes"}
            read = Reading(("no", "yes"), maps, read.missing, read.unknown, True)
    variable = dict(base.variable)
    doubts = []
    if read.assumed:
        pairs = ", ".join(f"{raw} is {word}" for raw, word in sorted(read.maps.items()) if re.fullmatch(r"-?\d+", raw))
        doubts.append(f"The table does not say what its codes mean; by custom {pairs}. Correct mending.yml if not.")
    if read.unknown:
        shown = [f"{raw!r}" + (f" (close to {like})" if like else "") for raw, like in read.unknown.items()]
        cells = _cells(base, list(read.unknown), "not understood")
        doubts.append(f"{cells}: {_some(shown)}. Correct the table or mending.yml.")
    if variable:
        variable["levels"] = read.levels
        kind = variable.get("type") or ("binary" if len(read.levels) == 2 else "categorical")
        if kind == "binary" and len(read.levels) > 2:
            kind = "categorical"
        variable["type"] = "binary" if len(read.levels) == 2 and kind == "ordinal" else kind
        variable.pop("unit", None)
        if variable.get("log") is not None:
            variable["log"] = False
        if not (base.concept and base.concept.type) and all(re.fullmatch(r"-?\d+", level) for level in read.levels):
            doubts.append(f"The codes {listing(read.levels)} are read as groups without order; name them in "
                          "mending.yml.")  # fmt: skip
    mends = Mends(read.maps, read.missing, suggested=read.unknown, coded=bool(codes))
    base = base.but(variable=variable, mends=mends, doubts=(*base.doubts, *doubts))
    if variable and len(read.levels) < 2:
        return base.left_out("unused", f"is {read.levels[0] if read.levels else 'unreadable'} for everybody")
    return base


def _date(base: Proposal) -> Proposal:
    dates = dates_of(base.content, True)
    if not dates:
        return base.left_out("text", "should hold dates, and most cells are none")
    missing = tuple(value for value in base.content.counts if is_missing_word(value))
    rules = {"order": dates.order, **({"excel_days": True} if dates.excel_days else {})}
    iso = all(re.fullmatch(r"\d{4}-\d{2}-\d{2}( .*)?", value) for value in base.content.counts if value not in missing)
    base = base.but(mends=Mends(missing=missing, dates=None if iso else rules, suggested=dict.fromkeys(dates.broken)))
    if not dates.sure:
        base = base.doubted("No date says whether day or month comes first; day first is assumed (mending.yml, dates).")
    if dates.broken:
        base = base.doubted(f"{_cells(base, list(dates.broken), 'not a date')}: {_some(list(dates.broken))}.")
    return base


def _measured(numbers: Numbers) -> bool:
    """Whether numbers are measurements, of a column that may also hold codes."""
    return "%" in numbers.units or len(numbers.by_text) > 4 or max(numbers.by_text.values()) > 9 or not _whole(numbers)


def _whole(numbers: Numbers) -> bool:
    return all(value.is_integer() for value in numbers.by_text.values())


def _cells(base: Proposal, values: list[str], what: str) -> str:
    n = sum(base.content.counts[value] for value in values)
    return (
        f"1 cell is {what}"
        if n == 1
        else f"{n:,} cells are {what.replace('not a ', 'not ', 1)}" + ("s" if what.startswith("not a ") else "")
    )


def _some(values: list[str], most: int = 5) -> str:
    more = len(values) - most
    return ", ".join(values[:most]) + (f" and {more} more" if more > 0 else "")
