"""Figures of the study, each a function of one stored frame; see :data:`FIGURES`."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from inspect import signature
from pathlib import Path

import pandas as pd
from IPython.display import Image, display
from matplotlib.figure import Figure
from PIL import Image as Picture

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
from her2study.reporting.style import SIMULATED, journal_style, mark_simulated
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

SCREEN_DPI, TIFF_DPI = 200, 600
"""Of a notebook page; of the TIFF. The PNG has half the TIFF's."""


def draw(name: str, frame: pd.DataFrame, simulated: bool, confidence: float = 0.95) -> Figure:
    """Draw one figure from its stored frame, marked if the patients are simulated.

    ``confidence`` is that of the frame's intervals, for the words that name them; nothing is computed from it.

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
    with journal_style():
        named = {"confidence": confidence} if "confidence" in signature(FIGURES[kind]).parameters else {}
        figure = FIGURES[kind](frame.reset_index(drop=True), **named)
        if simulated:
            mark_simulated(figure)
        figure.draw_without_rendering()  # lays the panels out once, for every format alike
        figure.set_layout_engine("none")
    return figure


def show_figure(name: str, frame: pd.DataFrame, simulated: bool, confidence: float = 0.95) -> None:
    """Display one figure on a notebook page."""
    figure = draw(name, frame, simulated, confidence)
    picture = io.BytesIO()
    with journal_style():
        figure.savefig(picture, format="png", dpi=SCREEN_DPI, metadata={"Software": None})
    width = round(figure.get_size_inches()[0] * 110)
    alt = f"Figure {name.replace('_', ' ')}" + (f" ({SIMULATED.lower()})" if simulated else "")
    display(Image(picture.getvalue(), width=width, alt=alt))


def write_figure(name: str, frame: pd.DataFrame, folder: Path, simulated: bool, confidence: float = 0.95) -> list[Path]:
    """Write ``<folder>/<name>`` as .pdf, .svg, .png (300 dpi) and .tiff (600 dpi, LZW).

    The same frame gives the same bytes: files carry no dates and no random names. Fonts are embedded in
    the PDF and text stays text in the SVG.

    Returns
    -------
    list of Path
        The four files.
    """
    figure = draw(name, frame, simulated, confidence)
    paths = [Path(folder) / f"{name}.{ending}" for ending in ("pdf", "svg", "png", "tiff")]
    with journal_style():
        for path, undated in zip(paths, ({"CreationDate": None}, {"Date": None}), strict=False):
            write_atomically(path, lambda part, path=path, undated=undated: figure.savefig(
                part, format=path.suffix[1:], metadata=undated))  # fmt: skip
        pixels = _pixels(figure)
    half = pixels.reduce(2)
    write_atomically(paths[2], lambda part: half.save(part, format="PNG", dpi=(TIFF_DPI / 2,) * 2))
    write_atomically(
        paths[3], lambda part: pixels.save(part, format="TIFF", compression="tiff_lzw", dpi=(TIFF_DPI,) * 2)
    )
    return paths


def _pixels(figure: Figure) -> Picture.Image:
    """The figure at the TIFF's resolution, without transparency, in an even number of pixels."""
    raw = io.BytesIO()
    figure.savefig(raw, format="rgba", dpi=TIFF_DPI)
    width, height = (int(inches * TIFF_DPI) for inches in figure.get_size_inches())
    picture = Picture.frombuffer("RGBA", (width, height), raw.getvalue()).convert("RGB")
    return picture.crop((0, 0, width // 2 * 2, height // 2 * 2))
