"""What stands in a column: how many cells, which words, numbers with their units, dates; all by distinct value."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from her2study.cohort.proposals.headers import UNITS
from her2study.cohort.proposals.levels import is_missing_word
from her2study.cohort.proposals.lexicon import lexicon

_NUMBER = re.compile(r"([-+]?\d+(?:[.,]\d+)?)\s*([^\W\d_]+\d?|%|°|[a-z/]+[²³23]?)?\.?", re.IGNORECASE)
_DATE = re.compile(r"(\d{1,4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,4})\s*日?(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?")
_LIST = re.compile(r"\[.*\]")


@dataclass(frozen=True)
class Numbers:
    """Cells that are numbers.

    ``by_text`` maps text to number, as written and without regard to the unit; ``unit_of`` maps text to the unit in
    the cell, as written; ``broken`` are texts that are no numbers, with their counts.
    """

    by_text: dict[str, float]
    unit_of: dict[str, str]
    comma: bool
    broken: dict[str, int]

    @property
    def units(self) -> dict[str, str]:
        """Units in cells, as written, with the spelling of the study."""
        return {raw: UNITS[raw.casefold()] for raw in dict.fromkeys(self.unit_of.values())}


@dataclass(frozen=True)
class Dates:
    """Cells that are dates: the order of day, month and year, whether that is sure, and cells that are none."""

    order: str
    sure: bool
    excel_days: bool
    broken: dict[str, int]


@dataclass(frozen=True)
class Content:
    """Distinct values with their counts, the most frequent first."""

    n: int
    counts: dict[str, int]

    @property
    def known(self) -> int:
        """Cells that are not empty."""
        return sum(self.counts.values())

    def without(self, values: tuple[str, ...]) -> Content:
        """The same without some values."""
        return Content(self.n, {value: count for value, count in self.counts.items() if value not in values})


def content_of(cells: pd.Series) -> Content:
    """Count the distinct values of a column of text."""
    counts = cells.value_counts()
    return Content(len(cells), {str(value): int(count) for value, count in counts.items()})


def numbers_of(content: Content, least: float = 0.8) -> Numbers | None:
    """The numbers of a column, if at least a share ``least`` of its cells are numbers; words for missing aside."""
    values, units, broken, comma = {}, {}, {}, False
    for text, count in content.counts.items():
        found = _NUMBER.fullmatch(text)
        unit = (found[2] or "") if found else ""
        if found and (not unit or unit.casefold() in UNITS):
            values[text] = float(found[1].replace(",", "."))
            comma |= "," in found[1]
            if unit:
                units[text] = unit
        elif not is_missing_word(text):
            broken[text] = count
    good = sum(content.counts[text] for text in values)
    total = good + sum(broken.values())
    return Numbers(values, units, comma, broken) if total and good >= least * total else None


def missing_numbers(numbers: Numbers, plausible: tuple[float, float] | None) -> tuple[str, ...]:
    """Codes such as 999 and -1 that cannot be meant as numbers: outside the plausible range, or far from the rest."""
    codes = lexicon().missing_numbers
    rest = [value for text, value in numbers.by_text.items() if text not in codes]
    if not rest:
        return ()
    low, high = min(rest), max(rest)
    if plausible:
        return tuple(t for t, v in numbers.by_text.items() if t in codes and not plausible[0] <= v <= plausible[1])
    return tuple(t for t, v in numbers.by_text.items() if t in codes and ((v < 0 <= low) or v > 3 * max(high, 1)))


def dates_of(content: Content, named_so: bool) -> Dates | None:
    """The dates of a column, if nearly all of its cells are dates; days since 1900 only where the header says date."""
    orders = {"ymd": 0, "dmy": 0, "mdy": 0, "either": 0}
    days, broken = 0, {}
    for text, count in content.counts.items():
        found = _DATE.fullmatch(text)
        if found:
            a, b, c = (int(part) for part in found.groups())
            if len(found[1]) == 4 and 1 <= b <= 12 and 1 <= c <= 31:
                orders["ymd"] += count
            elif len(found[1]) <= 2 and len(found[3]) in (2, 4) and max(a, b) <= 31 and 0 < min(a, b) <= 12:
                orders["either" if max(a, b) <= 12 else "dmy" if a > 12 else "mdy"] += count
            else:
                broken[text] = count
        elif named_so and re.fullmatch(r"\d{5}(\.\d+)?", text) and 20000 <= float(text) <= 60000:
            days += count
        elif not is_missing_word(text):
            broken[text] = count
    good, wrong = days + sum(orders.values()), sum(broken.values())
    if not good or good < 0.8 * (good + wrong) or (days == good and not named_so):
        return None
    sure = orders["either"] == 0 or bool(orders["dmy"]) != bool(orders["mdy"])
    if not (orders["dmy"] or orders["mdy"] or orders["either"]):
        return Dates("ymd", True, days > 0, broken)
    order = "mdy" if orders["mdy"] > orders["dmy"] else "dmy"
    return Dates(order, sure, days > 0, broken)


def list_length(text: str) -> int | None:
    """How many items a list in a cell has, ``[0, 97, 194]`` has 3; nothing for other cells."""
    return len([part for part in text[1:-1].split(",") if part.strip()]) if _LIST.fullmatch(text) else None


def looks_identifying(content: Content) -> str | None:
    """Why the values of a column name persons or their records, if they do; judged by their shape alone."""
    values = list(content.counts)
    if len(values) < 5 or len(values) < 0.7 * content.known:
        return None
    share = lambda pattern: sum(bool(re.fullmatch(pattern, v)) for v in values) / len(values)  # noqa: E731
    if share(r"\d+(\.\d+){5,}") > 0.8:
        return "numbers of the original files (DICOM UIDs), by which a scan is found in an archive"
    if share(r"[\u4e00-\u9fff·]{2,4}") > 0.8:
        return "looks like names of persons"
    if share(r"[^\W\d_][^\W\d_'’\-]+\s*[,，]\s*[^\W\d_][^\W\d_]*[^\d_,]*") > 0.8:
        return "looks like names of persons"
    if share(r"[^@\s]+@[^@\s]+\.\w+") > 0.8:
        return "e-mail addresses"
    if share(r"\+?[\d\s()/-]{9,}") > 0.8 and share(r"\d{5}(\.\d+)?") < 0.5 and share(r"[\d.]*\.[\d]*") < 0.5:
        return "long numbers, such as telephone, insurance or record numbers"
    return None
