"""The Grad-CAM overlay of one patient as a picture for a report or a screen."""

from __future__ import annotations

from pathlib import Path

from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from her2study.explain.saliency.planes import Plane
from her2study.reporting.figures.pictures import EVIDENCE
from her2study.reporting.lettering import shortened
from her2study.reporting.patient_sheet.content import Content
from her2study.reporting.patient_sheet.page import sheet_style, writable
from her2study.reporting.patient_sheet.panels import draw_picture
from her2study.reporting.style import GREY, SIMULATED
from her2study.store import write_atomically
from her2study.words import number

WIDTH_MM, PICTURE_MM, HEAD_MM, FOOT_MM = 180.0, 57.0, 12.0, 12.0
DPI = 200


def write_overlay(content: Content, path: Path) -> None:
    """Write wash-in above and Grad-CAM below, in three planes, as a PNG; the same content gives the same bytes."""
    with sheet_style():
        figure = draw_overlay(content)
        about = {"Software": None, "Title": f"Grad-CAM, {content.patient}", "Description": content.predicted}
        write_atomically(path, lambda part: figure.savefig(part, format="png", dpi=DPI, metadata=about))


def draw_overlay(content: Content) -> Figure:
    """The picture as a figure."""
    height = HEAD_MM + 2 * PICTURE_MM + FOOT_MM + 2
    figure = Figure(figsize=(WIDTH_MM / 25.4, height / 25.4), facecolor="white")
    width = WIDTH_MM / 3 - 3
    for column, plane in enumerate(content.planes):
        for row in (0, 1):
            bottom = FOOT_MM + (1 - row) * (PICTURE_MM + 2)
            place = ((2 + column * (width + 2.5)) / WIDTH_MM, bottom / height, width / WIDTH_MM, PICTURE_MM / height)
            axes = figure.add_axes(place)
            draw_picture(axes, plane, with_heat=row == 1, scale_bar=row == 0)
            if row == 0:
                axes.set_title(f"{plane.name.capitalize()}, {_side(plane)}", fontsize=7.5)
    bold = {"weight": "bold"} if content.patient.isascii() else {}
    figure.text(
        2 / WIDTH_MM, 1 - 3.2 / height, shortened(writable(content.patient), 50), fontsize=10, va="center", **bold
    )
    if content.simulated:
        figure.text(1 - 2 / WIDTH_MM, 1 - 3.2 / height, f"MODEL OF {SIMULATED}", fontsize=7, color="white", ha="right",
                    va="center", weight="bold", bbox={"facecolor": GREY, "edgecolor": "none"})  # fmt: skip
    bar_axes = figure.add_axes((0.4, 7.5 / height, 0.2, 1.8 / height))
    bar = figure.colorbar(ScalarMappable(Normalize(-1, 1), EVIDENCE), cax=bar_axes, orientation="horizontal")
    bar.set_ticks([])
    bar.outline.set_visible(False)
    for x, text, side in ((-0.03, f"against {content.outcome}", "right"), (1.03, "for", "left")):
        bar_axes.text(x, 0.5, text, transform=bar_axes.transAxes, ha=side, va="center", fontsize=7)
    words = (
        "Above: wash-in, the lesion outlined. Below: Grad-CAM of the mean fold network, each patient on her own scale."
    )
    figure.text(0.5, 3 / height, words, fontsize=7, ha="center", va="center", color=GREY)
    return figure


def _side(plane: Plane) -> str:
    """Where a slice lies, from the middle of the crop, in the patient's directions."""
    if abs(plane.at_mm) < 0.5:
        return "through the middle"
    less, more = {"axial": ("below", "above"), "coronal": ("in front of", "behind")}.get(
        plane.name, ("right of", "left of")
    )
    return f"{number(abs(plane.at_mm), 0)} mm {more if plane.at_mm > 0 else less} the middle"
