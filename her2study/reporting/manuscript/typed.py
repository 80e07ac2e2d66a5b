"""What an author must not type: numbers that could be results, and words that weigh a result.

Every piece of prose of a template is looked at, the words inside ``choose(...)`` included. Allowed are digits
inside names (HER2, T1), addresses of pages, citations, and the phrases that the manuscript lists under
``constants`` with the reason why they are no results.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from jinja2 import nodes

from her2study.study import nearest
from her2study.types import StudyError

LOOKUPS = {"fig", "tab", "cell", "value", "interval", "table", "figure"}
"""Functions whose words are names and no prose."""

WEIGHING = {"choose", "judged"}
"""Functions whose words were chosen by an interval."""

NOT_PROSE = re.compile(
    r"https?://\S+"  # addresses
    r"|\[(?:[^\]]*;\s*)?-?@[^\]]*\]"  # citations
    r"|\{[#.][^}]*\}"  # attributes of headings
    r"|<!--.*?-->"
    r"|\b[A-Za-z]+\d+[A-Za-z]*\b",  # names: HER2, T1
    re.DOTALL,
)

DIGITS = re.compile(r"[−+-]?\d[\d.,]*\d%?|\d%?")

NUMBER_WORDS = re.compile(
    r"\b(?:zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|twenty|thirty|forty|fifty|sixty|"
    r"seventy|eighty|ninety|hundred|thousand|half|twice|double|(?:a|one|two|three)[ -](?:third|quarter)s?)\b",
    re.IGNORECASE,
)

VERDICTS = re.compile(
    r"\b(?:better|worse|superior|inferior|higher|lower|greater|smaller|larger|significant(?:ly)?|outperform\w*|"
    r"improv\w+|exceed\w*|surpass\w*|comparable|similar|excellent|good|poor|moderate|strong(?:ly)?|weak(?:ly)?|"
    r"no difference|not differ\w*)\b",
    re.IGNORECASE,
)
"""Words that weigh a result; in results and conclusions only an interval may choose them."""

OF_RESULTS = re.compile(r"^(#+)\s+(?:results?|conclusions?|key results?)\b", re.IGNORECASE)
HEADING = re.compile(r"^(#+)\s")


class Piece(NamedTuple):
    """Some prose, the line it starts on, and whether an interval chose it."""

    line: int
    text: str
    chosen: bool


def check_typed(tree: nodes.Template, path: Path, constants: Mapping[str, str]) -> None:
    """Refuse a template that says a number, or weighs a result, by itself.

    Raises
    ------
    StudyError
        All findings, each with file and line.
    """
    pieces = list(prose(tree))
    text = "".join(piece.text for piece in pieces)
    for phrase in constants:
        if phrase not in text:
            raise StudyError(f"{path}: the constant {phrase!r} does not occur in the text; remove it from 'constants'")
    findings = [*_typed_numbers(pieces, constants), *_weighing_words(pieces, constants)]
    if findings:
        told = [f"{path}, line {line}: {words}" for line, words in sorted(findings)]
        raise StudyError("\n  ".join(told))


def check_value_names(tree: nodes.Template, path: Path, known: Iterable[str]) -> None:
    """Refuse names of values outside any condition that ``values.json`` does not have, all at once.

    Raises
    ------
    StudyError
        Each name with file, line and the nearest name; what stands in a condition is met when it is printed.
    """
    known = set(known)
    told = [
        f"{path}, line {line}: value {name!r} is not in values.json{nearest(name, known)}"
        for line, name in _value_names(tree)
        if name not in known
    ]
    if told:
        told[-1] += " If it is new, add it in the notebook that computes it, with run.save_values."
        raise StudyError("\n  ".join(told))


def prose(node: nodes.Node, chosen: bool = False) -> Iterator[Piece]:
    """All text of a template that a reader would read, in order."""
    if isinstance(node, nodes.TemplateData):
        yield Piece(node.lineno, node.data, chosen)
    elif isinstance(node, nodes.Const):
        yield Piece(node.lineno, str(node.value), chosen)
    elif isinstance(node, nodes.Getitem):
        yield from prose(node.node, chosen)
    elif isinstance(node, nodes.Call):
        name = getattr(node.node, "name", None) or getattr(node.node, "attr", None)
        if name not in LOOKUPS:
            for part in [*node.args, *(pair.value for pair in node.kwargs if pair.key != "than")]:
                yield from prose(part, chosen or name in WEIGHING)
    elif isinstance(node, nodes.Filter):
        yield from prose(node.node, chosen)
        for part in node.args:
            if not (isinstance(part, nodes.Const) and isinstance(part.value, int)):
                yield from prose(part, chosen)
    elif isinstance(node, nodes.If):
        for part in [*node.body, *node.elif_, *node.else_]:
            yield from prose(part, chosen)
    else:
        for part in node.iter_child_nodes():
            yield from prose(part, chosen)


def _value_names(node: nodes.Node) -> Iterator[tuple[int, str]]:
    """Names after ``v.`` that are printed whatever the study has."""
    if isinstance(node, nodes.If):
        return
    if isinstance(node, nodes.Getattr) and getattr(node.node, "name", None) == "v":
        yield node.lineno, node.attr
    if isinstance(node, nodes.Getitem) and getattr(node.node, "name", None) == "v" and hasattr(node.arg, "value"):
        yield node.lineno, node.arg.value
    for part in node.iter_child_nodes():
        yield from _value_names(part)


def _typed_numbers(pieces: list[Piece], constants: Iterable[str]) -> Iterator[tuple[int, str]]:
    for piece in pieces:
        text = _blank(piece.text, constants)
        for pattern in (DIGITS, NUMBER_WORDS):
            for found in pattern.finditer(text):
                yield (
                    _line(piece, found),
                    f"{found[0]!r} is typed by hand; take it from values.json or study.yml, or, if it is no result, "
                    "list the phrase under 'constants' with the reason",
                )


def _weighing_words(pieces: list[Piece], constants: Iterable[str]) -> Iterator[tuple[int, str]]:
    """In sections of results and conclusions: words that weigh, outside of what an interval chose."""
    level, start = 0, ""
    for piece in pieces:
        if piece.chosen:
            start = ""
            continue
        for count, line in enumerate(_blank(piece.text, constants).split("\n")):
            whole = start + line if count == 0 else line
            if heading := HEADING.match(whole):
                inside = level and len(heading[1]) > level
                level = level if inside else len(heading[1]) if OF_RESULTS.match(whole) else 0
            elif level:
                for found in VERDICTS.finditer(line):
                    yield (
                        piece.line + count,
                        f"{found[0]!r} weighs a result; let choose(...) or judged(...) say it by the interval",
                    )
            start = line


def _blank(text: str, constants: Iterable[str]) -> str:
    """The text with everything that may hold digits made blank, its length unchanged."""
    text = NOT_PROSE.sub(lambda found: re.sub(r"\S", "·", found[0]), text)
    for phrase in sorted(constants, key=len, reverse=True):
        text = text.replace(phrase, re.sub(r"\S", "·", phrase))
    return text


def _line(piece: Piece, found: re.Match) -> int:
    return piece.line + piece.text.count("\n", 0, found.start())
