"""The encoding of a text file: what was said of it is checked, and what it probably is is found out.

Told apart are UTF-8, UTF-16, GB 18030 (with GBK and GB 2312 inside it) and Windows-1252 or Latin-1. Text of
another encoding is taken for one of the last three, and so the finding shows what the first words became.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from her2study.types import StudyError

NAMES = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
    "gb18030": "GB 18030 or GBK (Chinese)",
    "cp1252": "Windows-1252 (Western European)",
    "latin-1": "Latin-1 (Western European)",
}
"""Encodings that :func:`guess` knows, as people call them."""


def guess(data: bytes) -> str:
    """The encoding of a text file, by what decodes and, between Chinese and Western European, by what is likely."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if data[:4000].count(0) > len(data[:4000]) / 5:
        return "utf-16-le" if data[1::2][:2000].count(0) > data[::2][:2000].count(0) else "utf-16-be"
    if _decodes(data, "utf-8"):
        return "utf-8-sig"
    if _chinese(data):
        return "gb18030"
    return "cp1252" if _decodes(data, "cp1252") else "latin-1"


def check(data: bytes, encoding: str, path: Path) -> None:
    """Insist that a file is text of an encoding.

    Raises
    ------
    StudyError
        An unknown encoding, or a byte that is none of it, with its place and the encoding that would do.
    """
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise StudyError(
            f"source.reading.encoding of study.yml is {encoding!r}, which is no encoding; {path} is probably "
            f"{guess(data)}"
        ) from None
    try:
        data.decode(encoding)
    except UnicodeError as error:
        at = getattr(error, "start", 0)
        row = data.count(b"\n", 0, at) + 1
        found = guess(data)
        shown = words(data, found)
        raise StudyError(
            f"{path}: cannot be read as {encoding}: row {row} has the byte 0x{data[at]:02x} "
            f"(byte {at + 1} of the file), which is none of it; the file is probably {NAMES[found]}"
            f"{f', in which it says {shown}' if shown else ''}: set source.reading.encoding: {found} in study.yml, "
            "or save the file as UTF-8"
        ) from None


def words(data: bytes, encoding: str, most: int = 3) -> str:
    """The first words that are not plain ASCII, in quotation marks, for a person to judge the encoding by."""
    found: list[str] = []
    for line in data.decode(encoding, errors="replace").splitlines():
        for word in () if line.isascii() else re.split(r'[,;\t|"]', line):
            word = word.strip(" \ufeff")
            if not word.isascii() and word not in found:
                found.append(word if len(word) <= 40 else word[:40] + "...")
            if len(found) == most:
                return ", ".join(map(repr, found))
    return ", ".join(map(repr, found))


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeError:
        return False
    return True


def _chinese(data: bytes) -> bool:
    """Whether the bytes beyond ASCII come in pairs of the common Chinese characters (GB 2312).

    Accented letters stand alone between ASCII letters; read as Chinese they make rare characters.
    """
    try:
        text = data.decode("gb18030")
    except UnicodeError:
        return False
    other = [c for c in text[:2_000_000] if ord(c) > 127]
    return bool(other) and sum(map(_common, other)) / len(other) >= 0.8


def _common(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeError:
        return False
    return True
