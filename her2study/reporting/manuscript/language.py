"""The template language of a manuscript: few words, and none that lets an author choose what a result says.

``{{ v.name }}`` prints a value with its interval, ``{{ s.section.setting }}`` a setting, ``{{ cell(...) }}`` a cell
of a table; ``{{ fig('roc') }}`` and ``{{ tab('performance') }}`` refer by name; ``{{ choose(...) }}`` takes the
words that the interval calls for. ``{% if has.figure('gradcam') %}`` keeps a sentence for studies that have it.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes

from her2study import words
from her2study.reporting.manuscript.material import Material, Settings, Value, Values, look_up
from her2study.reporting.manuscript.numbering import Numbering
from her2study.reporting.manuscript.phrases import choose, filters, judged, setting, share
from her2study.study import nearest
from her2study.types import StudyError

ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const,
    nodes.Call, nodes.Keyword, nodes.Filter, nodes.Concat, nodes.If, nodes.Not, nodes.And, nodes.Or,
)  # fmt: skip
"""All that a template may be made of: no loops, no arithmetic, no comparison, no variables of its own."""


class Has:
    """``has`` of the template: whether a study came to have a value, a table or a figure."""

    def __init__(self, material: Material) -> None:
        self._material = material

    def value(self, name: str) -> bool:
        """Whether a value exists and could be estimated."""
        return self._material.values.get(name, {}).get("value") is not None

    def interval(self, name: str) -> bool:
        """Whether a value exists and has an interval."""
        return self._material.values.get(name, {}).get("low") is not None

    def table(self, name: str) -> bool:
        """Whether a table exists."""
        return name in self._material.tables

    def figure(self, name: str) -> bool:
        """Whether a figure was drawn."""
        return name in self._material.figure_data


def parse(source: str, path: Path) -> nodes.Template:
    """The template as a tree, checked for what the language does not have.

    Raises
    ------
    StudyError
        With file and line: bad syntax, or an expression that is not allowed.
    """
    try:
        tree = _environment({}, filters(0.95)).parse(source, name=str(path))
    except jinja2.TemplateSyntaxError as error:
        raise StudyError(f"{path}, line {error.lineno}: {error.message}") from None
    line = 1
    for node in _walk(tree):
        line = getattr(node, "lineno", None) or line
        if not isinstance(node, ALLOWED):
            raise StudyError(
                f"{path}, line {line}: {type(node).__name__.lower()} is not part of the manuscript's language; "
                "it has values, lookups, choose() and if"
            )
    return tree


def render(source: str, path: Path, material: Material, numbering: Numbering) -> str:
    """The template filled; figures and tables are numbered as they are first mentioned.

    Raises
    ------
    StudyError
        With file and line: an unknown value, setting, table, figure or function, or a value without an interval
        where words depend on it.
    """
    environment = _environment(_functions(material, numbering), filters(material.confidence))
    try:
        code = environment.compile(source, str(path), str(path))
        template = jinja2.Template.from_code(environment, code, environment.globals)
        return template.render()
    except (StudyError, jinja2.TemplateError, TypeError) as error:
        line = _line(error, path)
        raise StudyError(f"{path}, line {line}: {_message(error, environment)}") from None


def _functions(material: Material, numbering: Numbering) -> dict[str, Any]:
    def cell(table: str, column: str, **where: Any) -> Value:
        numbering.looked_up.add(table)
        return look_up(material.tables, table, column, where)

    return {
        "v": Values(material.values),
        "s": Settings(material.settings),
        "has": Has(material),
        "fig": numbering.figures,
        "tab": numbering.tables,
        "cell": cell,
        "choose": choose,
        "judged": judged,
        "setting": setting,
        "share": share,
    }


def _environment(functions: Mapping[str, Any], printers: Mapping[str, Callable]) -> jinja2.Environment:
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        optimized=False,
    )
    environment.globals = dict(functions)
    environment.filters = dict(printers)
    environment.tests = {}
    return environment


def _finalize(printed: Any) -> Any:
    """How what stands in braces becomes text; a setting without decimals loses its ``.0``."""
    if isinstance(printed, bool) or printed is None:
        raise StudyError(f"{printed} is no text to print")
    if isinstance(printed, float | int):
        return f"{printed:,g}" if abs(printed) < 1e6 else f"{printed:,.0f}"
    if isinstance(printed, list | tuple):
        return words.listing([_finalize(item) for item in printed])
    if isinstance(printed, Value) and isinstance(printed.value, bool):
        raise StudyError(f"value {printed.name!r} is {printed.value} and no text to print; use it in an if")
    return printed


def _walk(node: nodes.Node) -> Any:
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)


def _line(error: BaseException, path: Path) -> int:
    """The template's line on which an error arose; Jinja writes it into the traceback."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines else 1


def _message(error: BaseException, environment: jinja2.Environment) -> str:
    if isinstance(error, StudyError):
        return str(error)
    told = str(getattr(error, "message", None) or error)
    unknown = re.match(r"'(\w+)' is undefined|No filter named '(\w+)'", told)
    if unknown and unknown[1]:
        return f"unknown word {unknown[1]!r}{nearest(unknown[1], environment.globals)}"
    if unknown:
        return f"unknown filter {unknown[2]!r}{nearest(unknown[2], environment.filters)}"
    return told
