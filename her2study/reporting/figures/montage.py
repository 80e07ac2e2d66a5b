"""Every patient of the study on a few pages, for an eye that has a minute."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from her2study.reporting.figures.canvas import board
from her2study.reporting.journals import current
from her2study.reporting.lettering import across, fit, upwards
from her2study.reporting.style import INK, room_mm

OUTLINE, FLAGGED = "#56E0FF", "#E8590C"
COLUMNS = 10
MARGIN, GAP, NAME, HEADING, FOOT = 2.0, 1.4, 3.4, 5.2, 5.0
"""Millimetres: around the page, between pictures, for a patient's name, for a centre's heading, for the legend."""


def montage_all(frame: pd.DataFrame) -> Figure:
    """One page: a small picture a patient, the lesion outlined, framed and named in orange where there is a finding."""
    heads = frame.drop_duplicates("row").sort_values("row").set_index("row")["heading"]
    starts = heads != heads.shift()
    name, heading = upwards(NAME), upwards(HEADING)
    pitch = (current().width_mm - 2 * MARGIN + GAP) / COLUMNS
    side = min(pitch - GAP, (room_mm() - FOOT - starts.sum() * heading) / len(heads) - name)
    height = len(heads) * (side + name) + starts.sum() * heading + FOOT
    figure, axes = board(height)
    top = height
    for row, text in heads.items():
        if starts[row]:
            look = {"fontsize": current().sizes_pt.label, "weight": "bold", "va": "baseline"}
            axes.text(MARGIN, top - heading + 1.6, text, **look)
            top -= heading
        for patient in frame[frame["row"] == row].itertuples():
            _cell(axes, patient, MARGIN + patient.column * pitch, top - name - side, side)
        top -= side + name
    _legend(axes)
    axes.set(xlim=(0, current().width_mm), ylim=(0, height))
    return figure


def _cell(axes: Axes, patient: object, left: float, bottom: float, side: float) -> None:
    """One patient: name, picture, outline and, where there is a finding, what it is."""
    shape = (int(patient.height), int(patient.width))
    image, mask = (np.asarray(part, dtype=float).reshape(shape) for part in (patient.image, patient.mask))
    scale = side / max(shape)
    width, height = shape[1] * scale, shape[0] * scale
    left, bottom = left + (side - width) / 2, bottom + (side - height) / 2
    extent = (left, left + width, bottom, bottom + height)
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto", zorder=1)
    if mask.min() < 0.5 < mask.max():
        x = left + (np.arange(shape[1]) + 0.5) * scale
        y = bottom + height - (np.arange(shape[0]) + 0.5) * scale
        axes.contour(x, y, mask, levels=[0.5], colors=OUTLINE, linewidths=0.5, zorder=2)
    size = current().sizes_pt.smallest
    name = fit(str(patient.patient_id), side, size)
    axes.text(left, bottom + height + 0.9, name, fontsize=size, color=FLAGGED if patient.flag else INK, va="baseline")
    if patient.flag:
        axes.add_patch(Rectangle((left, bottom), width, height, fill=False, edgecolor=FLAGGED, linewidth=1.1, zorder=3))
        words = {"facecolor": "black", "edgecolor": "none", "alpha": 0.65, "boxstyle": "square,pad=0.1"}
        text = fit(patient.flag, side - 1.2, size)
        axes.text(left + 0.7, bottom + 0.8, text, fontsize=size, color="#FFB077", va="baseline", bbox=words, zorder=4)


def _legend(axes: Axes) -> None:
    size, finding = current().sizes_pt.small, "finding, named in the picture"
    axes.add_patch(Rectangle((MARGIN, 1.4), 3, 2.2, fill=False, edgecolor=FLAGGED, linewidth=1.1))
    axes.text(MARGIN + 4.2, 2.5, finding, fontsize=size, va="center_baseline")
    line = across(52)
    axes.plot([line, line + 4], [2.5, 2.5], color=OUTLINE, linewidth=1.2)
    text = "lesion mask. Early enhancement, slice with most lesion; black: none, white: 150% or more"
    axes.text(line + 5.2, 2.5, text, fontsize=size, va="center_baseline")
