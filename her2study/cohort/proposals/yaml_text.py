"""YAML written line by line, so that every line can have its comment."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import yaml

WIDTH = 116


def flow(value: Any) -> str:
    """A value on one line, quoted where YAML would read something else: ``[low, "no"]``."""
    text = yaml.safe_dump(
        [_plain(value)], default_flow_style=True, allow_unicode=True, width=10**9, sort_keys=False
    ).strip()
    return text[1:-1].replace("'no'", '"no"').replace("'yes'", '"yes"')


def entry(key: str, value: Any, indent: int = 2, comment: str = "") -> str:
    """``key: value`` with a comment behind it."""
    return f"{' ' * indent}{flow(key)}: {flow(value)}" + (f"  # {comment}" if comment else "")


def comment(text: str, indent: int = 0, mark: str = "#") -> list[str]:
    """A comment over as many lines as it needs; line breaks within are spaces."""
    pad = f"{' ' * indent}{mark} "
    return textwrap.wrap(
        " ".join(text.split()), WIDTH, initial_indent=pad, subsequent_indent=f"{' ' * indent}# ", break_on_hyphens=False
    )


def heading(title: str, text: str = "") -> list[str]:
    """A heading of the form with what it is about."""
    line = f"# {title} "
    return ["", line + "-" * (WIDTH - len(line)), *(comment(text) if text else [])]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
