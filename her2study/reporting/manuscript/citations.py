"""References: every citation must be in ``references.bib``, every entry must be cited."""

from __future__ import annotations

import re
from pathlib import Path

from her2study.study import nearest
from her2study.types import StudyError

ENTRY = re.compile(r"^@\w+\s*\{\s*([^,\s]+)\s*,", re.MULTILINE)
CITED = re.compile(r"(?<![\w.])@([A-Za-z][\w:-]*)")
BRACKETS = re.compile(r"\[[^\]\[]*@[^\]]*\]")


def check_citations(source: str, path: Path, bibliography: Path) -> None:
    """Compare citations with the bibliography.

    Raises
    ------
    StudyError
        There is no bibliography; a citation names no entry; an entry is there twice or never cited.
    """
    if not bibliography.is_file():
        raise StudyError(f"{bibliography} does not exist; the references of {path.name} belong there")
    text = bibliography.read_text(encoding="utf-8")
    entries = ENTRY.findall(text)
    for key in entries:
        if entries.count(key) > 1:
            raise StudyError(f"{bibliography}, line {_line(text, text.rindex(key))}: {key!r} is there twice")
    cited = set()
    for group in BRACKETS.finditer(source):
        for found in CITED.finditer(group[0]):
            cited.add(found[1])
            if found[1] not in entries:
                line = _line(source, group.start() + found.start())
                raise StudyError(
                    f"{path}, line {line}: {found[1]!r} is not in {bibliography.name}{nearest(found[1], entries)}"
                )
    unused = [key for key in entries if key not in cited]
    if unused:
        line = _line(text, text.index(unused[0]))
        raise StudyError(f"{bibliography}, line {line}: {unused[0]!r} is never cited; cite or remove it")


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
