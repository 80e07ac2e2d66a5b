"""How a command ended, for the shell and for machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FINE, FINDINGS, MISUSE = 0, 1, 2
"""Exit statuses: done; done, with something to look at or a step that failed; wrong use."""


@dataclass(frozen=True)
class Done:
    """``status`` and the ``facts`` that ``--json`` prints: plain values, paths as text."""

    status: int = FINE
    facts: Mapping[str, Any] = field(default_factory=dict)
