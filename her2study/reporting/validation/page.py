"""The page of a validation: one file that needs no network, to sort, filter and print."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import her2study
from her2study.cohort.findings import AREAS, SEVERITIES
from her2study.reporting.validation import words
from her2study.reporting.validation.content import Validation

ASSETS = Path(__file__).parents[1] / "site" / "assets"
"""Style and scripts of the report's pages; importing the report itself would take seconds."""

MOST_ROWS = 400
"""Findings of one area that the page lists; all stand in findings.csv."""

COLUMNS = ("patient", "file", "row", "column", "value", "rule", "mend")


class Part(NamedTuple):
    """One area of the page: how many of each severity, and the rows to show, the worst first."""

    area: str
    title: str
    counts: dict[str, int]
    rows: list[dict[str, Any]]
    hidden: int


def validation_page(checked: Validation) -> str:
    """The whole page as HTML; the same findings give the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parts = [part for part in (_part(checked.findings, area) for area in AREAS) if part.counts]
    return environment.get_template("validation.html").render(
        checked=checked,
        parts=parts,
        severities=SEVERITIES,
        plural=words.PLURAL,
        verdict=words.verdict(checked),
        sentences=[text for text in (words.include_sentence(checked), words.exclude_sentence(checked),
                                     words.scans_sentence(checked)) if text],
        tiles=_tiles(checked),
        flow=_flow(checked.flow),
        reasons=[] if checked.flow is not None else _reasons(checked.excluded),
        sample_size=_sample_size(checked.sample_size),
        version=her2study.__version__,
        style=_asset("report.css"),
        theme=_asset("theme.js"),
        script=_asset("report.js"),
    )  # fmt: skip


def _part(findings: pd.DataFrame, area: str) -> Part:
    here = findings[findings["area"] == area]
    counts = {severity: int((here["severity"] == severity).sum()) for severity in SEVERITIES}
    shown = here.head(MOST_ROWS)
    rows = [
        {"severity": row.severity, **{name: getattr(row, name) for name in COLUMNS}}
        | {"row": "" if pd.isna(row.row) else int(row.row)}
        for row in shown.itertuples()
    ]
    present = {severity: n for severity, n in counts.items() if n}
    return Part(area, words.AREA_WORDS[area], present, rows, len(here) - len(shown))


def _tiles(checked: Validation) -> list[tuple[str, str]]:
    tiles = [(f"{checked.count(severity):,}", words.PLURAL[severity]) for severity in SEVERITIES]
    if checked.screened:
        tiles.append((f"{checked.screened:,}", "patients in the table"))
    if checked.included is not None:
        tiles += [
            (f"{checked.included:,}", "would be included"),
            (f"{len(checked.excluded):,}", "would be excluded"),
        ]
    if checked.scans_of is not None:
        tiles.append((f"{checked.scans_of:,}", "patients' scans read"))
    return tiles


def _flow(flow: pd.DataFrame | None) -> list[dict[str, Any]]:
    if flow is None:
        return []
    return [
        {"kind": row.kind, "label": row.label, "n": row.n, "positives": "" if pd.isna(row.positives) else row.positives}
        for row in flow.itertuples()
    ]


def _reasons(excluded: pd.DataFrame) -> list[tuple[str, int]]:
    return [(str(reason), int(n)) for reason, n in excluded["reason"].value_counts(sort=False).items()]


def _sample_size(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    if table is None:
        return []
    return [
        {
            "part": row.part, "rule": row.rule, "unit": row.unit, "required": _count(row.required),
            "available": _count(row.available), "met": "yes" if row.met else "no", "detail": row.detail,
        }
        for row in table.itertuples()
    ]  # fmt: skip


def _count(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _asset(name: str) -> Markup:
    """A file of the report's pages; style and scripts of this package, so safe to inline."""
    return Markup((ASSETS / name).read_text(encoding="utf-8"))
