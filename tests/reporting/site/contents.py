"""Small contents of a report, made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from her2study.reporting.site import Content, Step

SETTINGS: dict[str, Any] = {
    "name": "tiny",
    "title": "Can tiny be told from small?",
    "paper": {"citation": "Nobody et al. Nowhere 2020", "doi": "10.1/none", "public": "nothing"},
    "seed": 1,
    "outcome": {"label": "HER2-positive"},
    "source": {"kind": "simulated"},
    "centres": {"development": ["A"], "external": ["B"]},
    "statistics": {"confidence": 0.95},
}

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text>AUC</text></svg>'

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

PERFORMANCE = pd.DataFrame(
    [
        ("clinical", "external", 40, 12, 0.62, 0.44, 0.80),
        ("combined", "external", 40, 12, 0.81, 0.66, 0.96),
        ("clinical", "development", 90, 30, 0.64, 0.52, 0.76),
        ("combined", "development", 90, 30, 0.80, 0.70, 0.90),
    ],
    columns=["model", "split", "n", "positives", "auc", "auc_low", "auc_high"],
)

CLAIMS = pd.DataFrame(
    [
        ("patients", "It has 40 patients.", "40", "patients", 40.0, None, None, "holds", "It has 40."),
        ("better", "It is better.", "above", "difference in AUC", 0.1, -0.1, 0.3, "does not hold", "Inconclusive."),
    ],
    columns=[
        "id", "claim", "published", "measure", "reproduced", "reproduced_low", "reproduced_high", "verdict", "reason",
    ],
)  # fmt: skip

AUDIT = pd.DataFrame(
    [
        ("scores out of fold", 90.0, None, None, "passed", "none from a model that saw the patient"),
        ("leave one centre out, random_forest, centre A", 0.5, 0.3, 0.7, "attention", "not above 0.5"),
    ],
    columns=["check", "value", "low", "high", "verdict", "detail"],
)

ROC = pd.DataFrame(
    {"split": "external", "model": "combined", "fpr": [0.0, 0.5, 1.0], "tpr": [0.0, 0.9, 1.0], "auc": 0.81,
     "auc_low": 0.66, "auc_high": 0.96}
)  # fmt: skip


def notebook(path: Path, *cells: dict) -> Path:
    """An executed notebook as papermill leaves it: with parameters, and with times of its run."""
    book = nbformat.v4.new_notebook(metadata={"papermill": {"start_time": str(path)}})
    book.cells = [
        nbformat.v4.new_markdown_cell("# 09 · How good?\n\nA question, and *prose*."),
        nbformat.v4.new_code_cell("profile: str = 'full'", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("profile = 'smoke'", metadata={"tags": ["injected-parameters"]}),
        *cells,
    ]
    for number, cell in enumerate(book.cells):
        cell["id"] = f"cell-{number}"
        cell.metadata["papermill"] = {"duration": 1.5, "start_time": "2031-01-01T01:02:03"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)
    return path


def output(data: dict[str, str], **metadata: Any) -> dict:
    """A code cell that displayed something."""
    shown = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    return nbformat.v4.new_code_cell("show()", outputs=[shown])


def full_content(folder: Path, simulated: bool = True, **changes: Any) -> Content:
    """A report of two tables of the paper, one drawn figure and one notebook that made them."""
    drawn = folder / "figures"
    drawn.mkdir(parents=True)
    for ending in ("svg", "pdf", "png", "tiff"):
        (drawn / f"roc.{ending}").write_text(SVG)
    picture = output({"image/png": PIXEL}, **{"image/png": {"alt": "Figure roc: one curve."}})
    path = notebook(folder / "notebooks" / "09_evaluation.ipynb", picture)
    written = ("tables/performance.csv", "figure_data/roc.parquet")
    step = Step("09_evaluation", "09_evaluation", path, "2031-01-01T01:02:03+00:00", 65.4, 120, {"numpy": "2.0"},
                {"her2study.store": "abc"}, written, 3)  # fmt: skip
    known: dict[str, Any] = {
        "settings": {**SETTINGS, "source": {"kind": "simulated" if simulated else "folder"}},
        "profile": "smoke",
        "simulated": simulated,
        "tables": {"performance": PERFORMANCE, "claims": CLAIMS, "audit": AUDIT},
        "figures": {"roc": ROC},
        "figures_folder": drawn,
        "steps": [Step("simulate", "simulate"), step],
        "numbers": {"patients_included": 130, "auc_combined_external": {"value": 0.81, "format": ".2f"}},
        "versions": {"her2study": "0.0", "Python": "3"},
    }
    return Content(**{**known, **changes})
