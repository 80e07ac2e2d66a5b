"""A small made-up study for manuscripts: values, tables, one figure, a template. No result of any study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from her2study.reporting.manuscript import Material
from her2study.reporting.values import gather_values
from her2study.study import Section

VALUES = {
    "patients_screened": 12,
    "patients_included": 10,
    "patients_excluded": 2,
    "positives": 4,
    "auc_combined_external": {"value": 0.8149, "low": 0.731, "high": 0.892, "format": ".3f"},
    "auc_without_interval": {"value": 0.7, "format": ".3f"},
    "difference_better": {"value": 0.1, "low": 0.02, "high": 0.18, "format": ".3f"},
    "difference_worse": {"value": -0.1, "low": -0.18, "high": -0.02, "format": ".3f"},
    "difference_unclear": {"value": 0.03, "low": -0.05, "high": 0.11, "format": ".3f"},
    "sensitivity": {"value": 0.75, "low": 0.5, "high": 0.9, "format": ".3f"},
    "p_small": {"value": 0.0004, "format": "p"},
    "null_model": False,
    "best_model": "random_forest",
    "verdict_centres": "holds",
    "terms of log(x)": {"value": 1.5, "low": 1.1, "high": 2.0, "format": ".2f"},
}

FLOW = pd.DataFrame(
    [
        (0, "included", "Screened", 12, None),
        (1, "excluded", "No lesion mask", 2, None),
        (2, "included", "Included", 10, 4),
        (3, "split", "Development", 6, 2),
        (4, "split", "External validation", 4, 2),
        (5, "centre", "Centre A", 6, 2),
        (6, "centre", "Centre B", 4, 2),
    ],
    columns=["order", "kind", "label", "n", "positives"],
)

PERFORMANCE = pd.DataFrame(
    {
        "split": ["development", "external"],
        "model": ["combined", "combined"],
        "n": [6, 4],
        "positives": [2, 2],
        "auc": [0.75, 0.8149],
        "auc_low": [0.6, 0.731],
        "auc_high": [0.9, 0.892],
        "tp": [1, 2],
        "fp": [1, 0],
        "fn": [1, 0],
        "tn": [3, 2],
        "sensitivity": [0.5, 1.0],
        "sensitivity_low": [0.1, 0.34],
        "sensitivity_high": [0.9, 1.0],
    }
)

ROC = pd.DataFrame(
    {
        "split": ["external"] * 3,
        "model": ["combined"] * 3,
        "fpr": [0.0, 0.3, 1.0],
        "tpr": [0.0, 0.8, 1.0],
        "auc": [0.8149] * 3,
        "auc_low": [0.731] * 3,
        "auc_high": [0.892] * 3,
    }
)

HEAD = """\
---
title: A study of nobody
running_title: A study of nobody
authors: [A. Author]
keywords: [test]
---
"""

BODY = """
# Abstract

**Results.** The AUC was {{ v.auc_combined_external }} in {{ share(v.positives, v.patients_included) }}.

# Results

See {{ fig('roc') }} and {{ tab('performance') }}. We agree with others [@doe2020].
"""

BIBLIOGRAPHY = """\
@article{doe2020,
  author = {Doe, Jane and Roe, Richard and Poe, Edgar and Moe, Ann}, title = {{A paper on MRI}},
  journal = {Journal of Tests}, year = {2020}, volume = {3}, pages = {1--9}, doi = {10.1000/test}
}
"""


class Numbers(Section):
    """Some settings."""

    confidence: float = 0.95
    folds: int = 5
    spacing_mm: tuple[float, ...] = (1.5, 1.5, 2.0)
    rule: str = "youden"


def make_material(folder: Path, simulated: bool = True, **values: Any) -> Material:
    """The made-up study, its one figure drawn into ``folder``; ``values`` replace those above."""
    draw_figure(folder, "roc")
    return Material(
        values=gather_values(VALUES | values),
        tables={"cohort_flow": FLOW, "performance": PERFORMANCE},
        figure_data={"roc": ROC},
        figures=folder,
        settings={"statistics": Numbers()},
        simulated=simulated,
        confidence=0.95,
    )


def draw_figure(folder: Path, name: str) -> None:
    """A line as PDF and PNG."""
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(6.85, 2))
    figure.subplots().plot([0, 1])
    figure.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None})
    figure.savefig(folder / f"{name}.png", dpi=50)


def write_template(folder: Path, body: str = BODY, head: str = HEAD, bibliography: str = BIBLIOGRAPHY) -> Path:
    """``manuscript.md`` and ``references.bib`` in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "references.bib").write_text(bibliography, encoding="utf-8")
    path = folder / "manuscript.md"
    path.write_text(head + body, encoding="utf-8")
    return path
