"""Planted defects and what validate says of them: each must have a finding of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching


class Planted(NamedTuple):
    """One defect and the facts that its finding must hold.

    ``severity`` and ``area`` may name several, apart by bars, where good checks differ; ``column`` must be part of
    what the finding names as its column; ``words`` must stand anywhere in it, capitals or not; ``row`` is the
    file's.
    """

    what: str
    severity: str
    area: str
    patient: str
    column: str
    words: tuple[str, ...]
    plant: Callable[[Any], None]
    row: int | None = None


def fits(planted: Planted, findings: pd.DataFrame) -> np.ndarray:
    """Which findings tell this defect: ``(n,)`` logical."""
    text = findings.astype("str").fillna("").agg(" ".join, axis=1).str.casefold()
    fit = findings["severity"].isin(planted.severity.split("|")) & findings["area"].isin(planted.area.split("|"))
    if planted.patient:
        fit &= findings["patient"].str.strip() == planted.patient
    if planted.column:
        fit &= findings["column"].str.contains(planted.column, regex=False)
    if planted.row:
        fit &= findings["row"] == str(planted.row)
    for word in planted.words:
        fit &= text.str.contains(word.casefold(), regex=False)
    return fit.to_numpy(dtype=bool)


def untold(planted: list[Planted], findings: pd.DataFrame) -> list[str]:
    """Defects for which no finding of their own is left when findings are shared out as well as can be."""
    if not len(findings):
        return [one.what for one in planted]
    fit = np.stack([fits(one, findings) for one in planted])
    match = maximum_bipartite_matching(csr_matrix(fit), perm_type="column")
    return [one.what for one, found in zip(planted, match, strict=True) if found < 0]


def read_findings(results: Path, study: str) -> pd.DataFrame:
    """The CSV that a person opens after ``validate``."""
    return pd.read_csv(
        results / study / "validation" / "findings.csv", dtype="str", keep_default_na=False, encoding="utf-8-sig"
    )


def errors(findings: pd.DataFrame) -> list[str]:
    """Errors in one line each, for a test to show."""
    return [" · ".join(filter(None, row)) for row in findings[findings["severity"] == "error"].astype("str").to_numpy()]
