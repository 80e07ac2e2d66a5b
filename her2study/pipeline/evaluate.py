"""``her2study evaluate``: a table of predictions in, a folder with the whole evaluation of a paper out.

``her2study validate-external`` writes the same for a frozen model's predictions, which come as a frame.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import her2study
from her2study.parallel import map_patients
from her2study.pipeline.console import say
from her2study.pipeline.folder import MANIFEST, check_replaceable, whole_folder
from her2study.store import file_hash
from her2study.types import PREDICTION_COLUMNS

if TYPE_CHECKING:  # scipy and matplotlib take seconds, and a command must start at once
    from her2study.evaluation.reading import Reading
    from her2study.evaluation.scope import Settings
    from her2study.evaluation.suite import Outcome

MADE_BY = "her2study evaluate"

CURVES_A_PAGE, ROWS_A_PAGE, COLUMNS_A_PAGE, LINES_A_PAGE = 6, 4, 3, 38
"""What one page can show and still be read: curves in a panel, rows and columns of panels, lines of text."""

CURVES = ("roc", "precision_recall", "decision_curve")
PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "statsmodels", "matplotlib", "seaborn", "pyarrow", "openpyxl")


@dataclass(frozen=True)
class Request:
    """What the user asked for; ``settings`` are keyword arguments of :class:`her2study.evaluation.scope.Settings`.

    With ``predictions``, rows of the predictions contract, nothing is read: ``table`` then only names them, and
    ``notes`` are the sentences that the start page tells of them. ``heading`` replaces the page's own.
    """

    table: Path
    out: Path
    outcome: str = "HER2-positive"
    simulated: bool = False
    workers: int = 1
    command: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    predictions: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    heading: str = ""


@dataclass(frozen=True)
class Evaluation:
    """Everything the start page tells."""

    request: Request
    sha256: str
    predictions: pd.DataFrame
    plan: Settings
    notes: tuple[str, ...]
    decisions: tuple[str, ...]
    tables: list[Outcome]
    figures: list[Outcome]
    pages: dict[str, tuple[str, pd.DataFrame]]

    def table(self, name: str) -> pd.DataFrame:
        """The rows of a table, none if it was left out."""
        return next(outcome.frame for outcome in self.tables if outcome.name == name)

    def figure(self, name: str) -> pd.DataFrame:
        """The data of a figure, none if it was left out."""
        return next(outcome.frame for outcome in self.figures if outcome.name == name)


def evaluate(request: Request) -> Path:
    """Write the evaluation of ``request.table`` to the folder ``request.out`` and return it.

    The folder appears when everything is in it, and replaces one that this command wrote before. The same
    table and settings give the same tables, byte for byte, whatever the number of workers.

    Raises
    ------
    StudyError
        The table or a setting is wrong, or the folder holds somebody's own files. Nothing is written then.
    """
    check_replaceable(request.out, MADE_BY)
    evaluation = compute_evaluation(request)
    with whole_folder(request.out, MADE_BY) as folder:
        write_evaluation(evaluation, folder)
        (folder / MANIFEST).write_text(_manifest(evaluation, folder), encoding="utf-8")
    written = [outcome for outcome in evaluation.tables if not outcome.reason]
    left = len(evaluation.tables) + len(evaluation.figures) - len(written) - len(_drawn(evaluation))
    say(f"{len(written)} tables and {len(evaluation.pages)} figures in {request.out}; start with summary.md")
    if left:
        say(f"{left} left out, since these predictions do not allow them; summary.md says why")
    return request.out


def compute_evaluation(request: Request) -> Evaluation:
    """Read, check, decide what is compared, and compute every table and every figure's data.

    Raises
    ------
    StudyError
        The predictions or a setting are wrong.
    """
    from her2study.evaluation.scope import Settings, make_plan
    from her2study.evaluation.suite import FIGURES, TABLES

    reading, sha256 = _read(request)
    plan, decisions = make_plan(reading.predictions, Settings(models=reading.models, **request.settings))
    say(f"{request.table}: {reading.predictions['patient_id'].nunique()} patients, {len(plan.models)} models")
    for note in (*reading.notes, *decisions):
        say(f"  {note}")
    names = [("tables", name) for name in TABLES] + [("figures", name) for name in FIGURES]
    found = map_patients(partial(_compute, reading.predictions, plan), names, "statistics", request.workers)
    tables, figures = found[: len(TABLES)], found[len(TABLES) :]
    pages: dict[str, tuple[str, pd.DataFrame]] = {}
    for outcome in figures:
        pages |= pages_of(outcome.name, outcome.frame, plan.models)
    told = (reading.notes, tuple(decisions))
    return Evaluation(request, sha256, reading.predictions, plan, *told, tables, figures, pages)


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Tables, figures and pages into an empty folder that exists; a manifest is the caller's."""
    from her2study.pipeline.start_page import sentences_page, start_page

    request = evaluation.request
    for name in ("tables", "figure_data", "figures"):
        (folder / name).mkdir()
    for outcome in evaluation.tables:
        write_csv(folder / "tables", outcome, request.simulated)
    for outcome in evaluation.figures:
        write_csv(folder / "figure_data", outcome, request.simulated)
    write_figures(folder / "figures", evaluation.pages, request, evaluation.plan.confidence)
    (folder / "summary.md").write_text(start_page(evaluation), encoding="utf-8")
    (folder / "sentences.md").write_text(sentences_page(evaluation), encoding="utf-8")


def write_figures(
    folder: Path, pages: Mapping[str, tuple[str, pd.DataFrame]], request: Request, confidence: float
) -> None:
    """Every page of :func:`pages_of` as files in a folder that exists."""
    draw = partial(_draw, folder, request.simulated, confidence)
    map_patients(draw, [(stem, *page) for stem, page in pages.items()], "figures", request.workers)


def _read(request: Request) -> tuple[Reading, str]:
    """The predictions and the SHA-256 of what they were read from."""
    from her2study.evaluation.predictions import Origin, check_predictions
    from her2study.evaluation.reading import Reading, read_predictions

    if request.predictions is None:
        return read_predictions(request.table), file_hash(request.table)
    check_predictions(request.predictions, Origin(str(request.table)))
    rows = request.predictions.loc[:, list(PREDICTION_COLUMNS)]
    reading = Reading(
        rows.sort_values(["model", "patient_id"], ignore_index=True), tuple(rows["model"].unique()), request.notes
    )
    return reading, hashlib.sha256(rows.to_csv(index=False).encode()).hexdigest()


def _compute(predictions: pd.DataFrame, plan: Settings, item: tuple[str, str]) -> Outcome:
    """One table or one figure's data, in whichever process."""
    from her2study.evaluation.suite import FIGURES, TABLES, compute

    kind, name = item
    return compute(name, predictions, plan, TABLES if kind == "tables" else FIGURES)


def _draw(folder: Path, simulated: bool, confidence: float, page: tuple[str, str, pd.DataFrame]) -> None:
    """Write the files of one page of a figure."""
    from her2study.reporting.figures import write_figure

    stem, name, frame = page
    aside = folder / f".{stem}"
    for path in write_figure(name, frame, aside, simulated, confidence):
        path.rename(folder / f"{stem}{path.suffix}")
    aside.rmdir()


def pages_of(name: str, frame: pd.DataFrame, models: Sequence[str]) -> dict[str, tuple[str, pd.DataFrame]]:
    """A figure's data cut into pages that can be read, ``{file: (figure, rows)}``; no model is left out.

    Models come in the order of ``models``, pairs in that of the frame. The first page has the figure's own name,
    further ones a number: ``roc``, ``roc_2``.
    """
    if frame.empty:
        return {}
    strategies = frame["model"].str.startswith("treat_") if name == "decision_curve" else pd.Series(False, frame.index)
    keys = ["model_a", "model_b"] if "model_a" in frame else ["model"]
    subject = frame[keys].apply(tuple, axis=1)
    subjects = list(dict.fromkeys(subject[~strategies]))
    if keys == ["model"]:
        subjects.sort(key=lambda names: list(models).index(names[0]))
    size = _subjects_a_page(name, frame, len(subjects))
    chunks = [subjects[start : start + size] for start in range(0, len(subjects), size)]
    return {
        name if place == 0 else f"{name}_{place + 1}": (name, frame[subject.isin(chunk) | strategies])
        for place, chunk in enumerate(chunks)
    }


def _subjects_a_page(name: str, frame: pd.DataFrame, subjects: int) -> int:
    if name in CURVES:
        return CURVES_A_PAGE
    if name == "centres":  # a block of rows a model
        return max(1, LINES_A_PAGE // (len(frame) // subjects + 1))
    alone = len(set(frame["split"])) == 1  # then the panels stand side by side
    return ROWS_A_PAGE * (COLUMNS_A_PAGE if alone and name != "decision_difference" else 1)


def write_csv(folder: Path, outcome: Outcome, simulated: bool) -> None:
    """One table with ten significant digits, as the tables of a study."""
    if not outcome.reason:
        marked = outcome.frame.assign(patients="SIMULATED") if simulated else outcome.frame
        marked.to_csv(folder / f"{outcome.name}.csv", index=False, float_format="%.10g", lineterminator="\n")


def _drawn(evaluation: Evaluation) -> Sequence[Outcome]:
    return [outcome for outcome in evaluation.figures if not outcome.reason]


def _manifest(evaluation: Evaluation, folder: Path) -> str:
    """What was made from what, with what: no dates, so that the same input gives the same bytes."""
    request = evaluation.request
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {
        "made_by": MADE_BY,
        **versions(),
        "command": request.command,
        "input": {"file": str(request.table), "sha256": evaluation.sha256},
        "outcome": request.outcome,
        "patients": "SIMULATED" if request.simulated else "not marked as simulated",
        "settings": settings_of(evaluation.plan),
        "read": list(evaluation.notes),
        "decided": list(evaluation.decisions),
        "left_out": {
            kind: {outcome.name: outcome.reason for outcome in outcomes if outcome.reason}
            for kind, outcomes in (("tables", evaluation.tables), ("figures", evaluation.figures))
        },
        "files": {path.relative_to(folder).as_posix(): file_hash(path) for path in files},
    }
    return json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"


def versions() -> dict[str, Any]:
    """Of this package, Python and the packages that numbers and figures depend on."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return {
        "her2study": her2study.__version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": found,
    }


def settings_of(plan: Settings) -> dict[str, Any]:
    """The finished plan as plain values."""
    return dataclasses.asdict(plan)
