"""What the header of a column says: its name, unit, codes and reader, as in ``HER2 {0 = neg, 1 = pos}``."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

UNITS = {
    "mm": "mm", "cm": "cm", "ml": "ml", "cc": "cc", "cm3": "cm3", "cm³": "cm3", "mm3": "mm3", "mm³": "mm3",
    "kg": "kg", "g": "g", "lb": "lb", "lbs": "lbs", "m": "m", "years": "years", "year": "years", "yrs": "years",
    "yr": "years", "y": "years", "jahre": "years", "ans": "years", "anni": "years", "años": "years", "岁": "years",
    "%": "%", "percent": "%", "t": "T", "tesla": "T", "ms": "ms", "msec": "ms", "s": "s", "sec": "s", "seconds": "s",
    "kg/m2": "kg/m²", "kg/m²": "kg/m²", "ng/ml": "ng/ml", "u/ml": "U/ml", "days": "days", "months": "months",
    "degrees": "degrees", "°": "degrees", "毫米": "mm", "厘米": "cm", "公斤": "kg",
}  # fmt: skip
"""Units as headers and cells write them, in the spelling of the study."""

_CODE = re.compile(
    r"(?:^|[,;/|、，；\s])\s*([-+]?\d{1,4}\+?|[A-Za-z])\s*[=:：＝]\s*([^,;|、，；]+?)"
    r"\s*(?=$|[,;|、，；]|\s[-+]?\d{1,4}\s*[=:])"
)
_READER = re.compile(
    r"(?:^|[\s_\-./(（,])(?:(?:reader|rater|observer|radiologist|reviewer|leser|lecteur|lector|lettore|obs|r|阅片者"
    r"|医师|读片者)[\s_\-.]*([1-9]|one|two|i{1,2}|a|b|一|二))(?=$|[\s_\-./)）,])"
    r"|(?<![a-z])(first|second|1st|2nd)[\s_\-]*(?:reader|rater|observer|reading|radiologist)",
    re.IGNORECASE,
)
_NUMBERS = dict.fromkeys(("one", "first", "1st", "i", "a", "一"), 1) | dict.fromkeys(
    ("two", "second", "2nd", "ii", "b", "二"), 2
)


@dataclass(frozen=True)
class Header:
    """A header taken apart.

    ``words`` is what is left of the lower header for the lexicon; ``upper`` the same of the row above it, if any;
    ``bare`` the lower header without reader and anything in brackets, as written.
    """

    raw: str
    words: str
    bare: str
    upper: str
    unit: str | None
    codes: dict[str, str]
    reader: int | None


def read_header(name: str) -> Header:
    """Take a header apart; of two header rows, ``upper / lower``, the lower one names the column."""
    upper, _, lower = name.rpartition(" / ")
    codes: dict[str, str] = {}
    unit = None
    text = lower
    for inside in re.findall(r"[{\[(（【]([^{}\[\]()（）【】]*)[}\])）】]", text):
        if found := read_codes(inside):
            codes |= found
        elif unit is None and inside.strip().casefold() in UNITS:
            unit = UNITS[inside.strip().casefold()]
        else:
            continue
        text = re.sub(r"[{\[(（【]" + re.escape(inside) + r"[}\])）】]", " ", text)
    if not codes and (found := read_codes(text)):  # HER2 0=neg 1=pos, without brackets
        codes = found
        text = re.split(r"[-+]?\d{1,4}\+?\s*[=:：＝]", text, maxsplit=1)[0]
    reader = _reader(text) or _reader(upper)
    text, above = _READER.sub(" ", text), _READER.sub(" ", upper)
    words = plain(text)
    if unit is None and len(parts := words.split()) > 1 and parts[-1] in UNITS and len(parts[-1]) > 1:
        unit = UNITS[parts[-1]]
        words = " ".join(parts[:-1])
    bare = " ".join(re.sub(r"[{\[(（【][^{}\[\]()（）【】]*[}\])）】]", " ", text).split(" / ")[-1].split()).strip(
        " -_:"
    )
    if unit and bare.casefold().endswith(f"_{unit.casefold()}"):
        bare = bare[: -len(unit) - 1]
    return Header(name, words or plain(above), bare or above, plain(above) if words else "", unit, codes, reader)


def read_codes(text: str) -> dict[str, str]:
    """``{"0": "neg", "1": "pos"}`` from ``0 = neg, 1 = pos``; empty unless there are at least two."""
    found = {code.strip(): word.strip(" .'\"") for code, word in _CODE.findall(text)}
    return {code: word for code, word in found.items() if word} if len(found) > 1 else {}


@lru_cache(maxsize=65536)
def plain(text: str) -> str:
    """Lower-case words without accents, signs and camelCase: ``TumourSize_mm`` is ``tumour size mm``."""
    text = re.sub(r"([a-z])([A-Z][a-z])", r"\1 \2", text.replace("³", "3").replace("²", "2"))
    folded = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss"))
    kept = "".join(c for c in folded if not unicodedata.combining(c))
    kept = unicodedata.normalize("NFC", kept)
    return " ".join(re.findall(r"[a-z0-9]+|[^\W\d_a-z]+|%", kept))


def slug(text: str) -> str:
    """A name for a variable: small letters, digits and underscores, not starting with a digit; may be empty."""
    name = "_".join(re.findall(r"[a-z0-9]+", plain(text)))
    return f"v_{name}" if name[:1].isdigit() else name


def _reader(text: str) -> int | None:
    found = _READER.search(text)
    if not found:
        return None
    word = (found[1] or found[2]).casefold()
    return int(word[0]) if word[0].isdigit() else _NUMBERS[word]
