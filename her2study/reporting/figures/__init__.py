"""Figures of the study, each a function of one stored frame; see :data:`FIGURES`."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import partial
from inspect import signature
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image as Picture

from her2study.reporting.alt import alt_text
from her2study.reporting.figures import (
    calibration,
    centres,
    decision,
    dependence,
    explanation,
    flow,
    learning,
    montage,
    nomogram,
    pictures,
    roc,
    rows,
    scores,
)
from her2study.reporting.journals import Journal, load_journal
from her2study.reporting.style import journal_style, mark_simulated
from her2study.store import write_atomically
from her2study.study import nearest
from her2study.types import StudyError

FIGURES: dict[str, Callable[..., Figure]] = {
    "cohort_flow": flow.cohort_flow,
    "workflow": flow.workflow,
    "network": flow.network,
    "montage": pictures.montage,
    "montage_all": montage.montage_all,
    "learning_curves": learning.learning_curves,
    "algorithms_roc": roc.algorithms_roc,
    "roc": roc.roc,
    "precision_recall": roc.precision_recall,
    "calibration": calibration.calibration,
    "decision_curve": decision.decision_curve,
    "decision_difference": decision.decision_difference,
    "confusion": scores.confusion,
    "score_distribution": scores.score_distribution,
    "forest": rows.forest,
    "nomogram": nomogram.nomogram,
    "correlation": nomogram.correlation,
    "shap_summary": explanation.shap_summary,
    "shap_bar": explanation.shap_bar,
    "shap_dependence": dependence.shap_dependence,
    "shap_cases": explanation.shap_cases,
    "gradcam": pictures.gradcam,
    "saliency_sanity": rows.saliency_sanity,
    "subgroups": rows.subgroups,
    "centres": centres.centres,
    "failure_cases": pictures.failure_cases,
}
"""Stable names of the study's figures, in the order of a paper.

Each takes its frame, and ``confidence`` where the figure names an interval. A figure of several pages is
stored page by page, as ``montage_all_1``, ``montage_all_2`` and so on.
"""

SCREEN_DPI = 200
"""Of a notebook page."""

EQUALLY_WIDE = {"Liberation Sans": "Arial"}
"""Where the second is installed, text of the first may be shown in it without moving."""

MOST_ROUNDS = 6
"""Of the layout; two are usual."""

UNDATED = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}


def draw(
    name: str, frame: pd.DataFrame, simulated: bool, confidence: float = 0.95, journal: Journal | None = None
) -> Figure:
    """Draw one figure from its stored frame, marked if the patients are simulated.

    ``confidence`` is that of the frame's intervals, for the words that name them; nothing is computed from it.
    Without a ``journal`` the figure has the default look.

    Raises
    ------
    StudyError
        The name is not one of :data:`FIGURES`, or the frame has no rows.
    """
    kind = re.sub(r"_\d+$", "", name)
    if kind not in FIGURES:
        raise StudyError(f"unknown figure {name!r}{nearest(name, FIGURES)} Known figures: {', '.join(FIGURES)}.")
    if frame.empty:
        raise StudyError(f"figure {name!r}: its data has no rows, so nothing would be shown; run its notebook again")
    with journal_style(journal):
        named = {"confidence": confidence} if "confidence" in signature(FIGURES[kind]).parameters else {}
        figure = FIGURES[kind](frame.reset_index(drop=True), **named)
        if simulated:
            mark_simulated(figure)
        _lay_out(figure)
    return figure


def _lay_out(figure: Figure) -> None:
    """Place the panels once, for every format alike; panels of a fixed shape need some rounds until they rest."""
    places = np.empty((0, 4))
    for _ in range(MOST_ROUNDS if figure.get_layout_engine() else 1):
        figure.draw_without_rendering()
        before, places = places, np.array([axes.get_position().bounds for axes in figure.axes])
        if before.shape == places.shape and np.abs(before - places).max() < 1e-3:
            break
    figure.set_layout_engine("none")


def show_figure(name: str, frame: pd.DataFrame, simulated: bool, confidence: float = 0.95) -> None:
    """Display one figure on a notebook page."""
    from IPython.display import Image, display  # only on a notebook page: who applies a model has no notebooks

    figure = draw(name, frame, simulated, confidence)
    picture = io.BytesIO()
    with journal_style():
        figure.savefig(picture, format="png", dpi=SCREEN_DPI, metadata={"Software": None})
    width = round(figure.get_size_inches()[0] * 110)
    alt = f"Figure {name.replace('_', ' ')}: {alt_text(name, frame, simulated)}"
    display(Image(picture.getvalue(), width=width, alt=alt))


def write_figure(
    name: str,
    frame: pd.DataFrame,
    folder: Path,
    simulated: bool,
    confidence: float = 0.95,
    journal: Journal | None = None,
) -> list[Path]:
    """Write ``<folder>/<name>`` in the journal's kinds of files.

    By default these are .pdf, .svg, .png (300 dpi) and .tiff (600 dpi, LZW).

    The same frame gives the same bytes: files carry no dates and no random names. Fonts are embedded in
    the PDF and text stays text in the SVG.

    Returns
    -------
    list of Path
        The files.
    """
    journal = journal or load_journal()
    figure = draw(name, frame, simulated, confidence, journal)
    paths = {ending: Path(folder) / f"{name}.{ending}" for ending in (*journal.vector, *journal.raster_dpi)}
    with journal_style(journal):
        for ending in journal.vector:
            write_atomically(paths[ending], partial(_save_vector, figure, ending, journal))
        finest = max(journal.raster_dpi.values(), default=0)
        pixels = _pixels(figure, finest) if finest else None
    for ending, dpi in journal.raster_dpi.items():
        write_atomically(paths[ending], partial(_save, pixels, ending, finest, dpi))
    return list(paths.values())


def _save_vector(figure: Figure, kind: str, journal: Journal, path: Path) -> None:
    """Write PDF or SVG; an SVG also names the font that the journal wants if its letters are as wide as those used."""
    figure.savefig(path, format=kind, metadata=UNDATED[kind])
    twin = EQUALLY_WIDE.get(journal.font)
    if kind == "svg" and twin in journal.fonts:
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(f"'{journal.font}'", f"{twin}, '{journal.font}'"), encoding="utf-8")


def _pixels(figure: Figure, dpi: int) -> Picture.Image:
    """The figure at a resolution, without transparency, in an even number of pixels."""
    raw = io.BytesIO()
    figure.savefig(raw, format="rgba", dpi=dpi)
    width, height = (int(inches * dpi) for inches in figure.get_size_inches())
    picture = Picture.frombuffer("RGBA", (width, height), raw.getvalue()).convert("RGB")
    return picture.crop((0, 0, width // 2 * 2, height // 2 * 2))


def _save(pixels: Picture.Image, kind: str, dpi: int, wanted_dpi: int, path: Path) -> None:
    """Write pixels as PNG or TIFF (LZW), at the resolution they have or a lower one."""
    if wanted_dpi < dpi:
        whole = dpi % wanted_dpi == 0
        size = tuple(round(side * wanted_dpi / dpi) for side in pixels.size)
        pixels = pixels.reduce(dpi // wanted_dpi) if whole else pixels.resize(size, Picture.Resampling.LANCZOS)
    options = {"compression": "tiff_lzw"} if kind == "tiff" else {}
    pixels.save(path, format=kind.upper(), dpi=(wanted_dpi, wanted_dpi), **options)
