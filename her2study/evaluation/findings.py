"""One line of the audit: what was checked, what was found, what follows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

PASSED, ATTENTION, INFORMATION, NOT_TESTED = "passed", "attention", "information", "not tested"
VERDICTS = (PASSED, ATTENTION, INFORMATION, NOT_TESTED)
"""``attention`` asks a person to look; it is no failure by itself."""


class Finding(NamedTuple):
    """A row of the audit table; ``value``, ``low`` and ``high`` are missing where the check has no number."""

    check: str
    value: float
    low: float
    high: float
    verdict: str
    detail: str


def audit_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """The audit as a table: ``check, value, low, high, verdict, detail``, in the order given."""
    table = pd.DataFrame(list(findings), columns=list(Finding._fields))
    return table.astype({"value": "float64", "low": "float64", "high": "float64"})
