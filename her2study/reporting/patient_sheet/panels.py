"""Panels of the sheet: where a probability lies among the training patients', what drove it, the pictures."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from her2study.explain.saliency.planes import Plane
from her2study.reporting.figures.pictures import OUTLINE, coloured, grey
from her2study.reporting.lettering import fit
from her2study.reporting.patient_sheet.content import Content
from her2study.reporting.patient_sheet.page import writable
from her2study.reporting.style import CLASS_COLOURS, GREY, INK, PALE
from her2study.words import number

BINS = np.linspace(0, 1, 26)
APART = 0.055
"""Thresholds nearer to one another than that are named once."""

BAR_MM = 10.0
"""Length of the scale bar on a picture."""


def draw_place(axes: Axes, content: Content) -> None:
    """The patient's probability with its interval, the frozen thresholds, and the training patients' own scores."""
    answer = content.answer
    top = 1.0 if content.reference.empty else 0.0
    for label in (0, 1):
        values = content.reference.loc[content.reference["label"] == label, "probability"]
        if len(values):
            share, _ = np.histogram(values, BINS, weights=np.full(len(values), 1 / len(values)))
            top = max(top, 1.35 * float(share.max()))
            words = content.outcome if label else f"not {content.outcome}"
            axes.stairs(share, BINS, fill=True, color=CLASS_COLOURS[label], alpha=0.55, label=f"training: {words}")
    named = -1.0
    for verdict in content.verdicts:  # from the lowest to the highest
        axes.plot([verdict.threshold] * 2, [0, top * 0.86], color=GREY, linewidth=0.9, linestyle=(0, (3, 2)))
        if verdict.threshold - named > APART:
            named = verdict.threshold
            axes.text(named, top * 0.87, number(named, 0, percent=True) + "%", fontsize=6.5, ha="center", va="bottom",
                      color=GREY)  # fmt: skip
    if answer is not None:
        if np.isfinite(answer.low) and np.isfinite(answer.high):
            axes.axvspan(answer.low, answer.high, color=INK, alpha=0.14, linewidth=0)
        axes.plot([answer.probability] * 2, [0, top], color=INK, linewidth=1.8, label="this patient")
    axes.set(xlim=(0, 1), ylim=(0, top), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("Dashed: frozen thresholds. Shaded: interval", fontsize=7)
    axes.tick_params(labelsize=7)
    axes.legend(loc="lower center", bbox_to_anchor=(0.47, 1), ncols=3, fontsize=6.6, frameon=False, handlelength=1.4,
                columnspacing=1.0, borderaxespad=0.1)  # fmt: skip


def draw_drivers(axes: Axes, content: Content, most: int = 8) -> None:
    """Contributions as bars, the largest at the top."""
    shown = content.drivers.head(most)
    values = shown["contribution"].to_numpy(dtype=float)
    rows = np.arange(len(shown))
    reach = max(np.abs(values).max(initial=0.1), 0.1) * 1.7
    axes.barh(rows, values, height=0.55, color=[CLASS_COLOURS[int(value > 0)] for value in values])
    axes.axvline(0, color=INK, linewidth=0.8)
    for row, value in zip(rows, values, strict=True):
        side = 1 if value >= 0 else -1
        sign = "+" if value > 0 else ""
        axes.text(value + side * reach * 0.02, row, f"{sign}{number(value, 2)}", fontsize=7, va="center",
                  ha="left" if side > 0 else "right")  # fmt: skip
    labels = [
        f"{fit(row.label, 47, 7)}\n{writable(str(row.value))}{' (imputed)' if row.imputed else ''}"
        for row in shown.itertuples()
    ]
    axes.set_yticks(rows, labels, fontsize=7)
    axes.set(xlim=(-reach, reach), ylim=(len(shown) - 0.4, -0.6))
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=7)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("← against    log odds    for →", fontsize=7)


def draw_picture(axes: Axes, plane: Plane, with_heat: bool, scale_bar: bool = False) -> None:
    """One plane, with or without the map, the lesion outlined, the patient's directions at its edges."""
    picture = coloured(plane.image, plane.heat) if with_heat else grey(plane.image)
    rows, columns = plane.image.shape
    axes.imshow(picture, vmin=0, vmax=1, aspect=plane.spacing_mm[0] / plane.spacing_mm[1], interpolation="bilinear")
    if plane.mask.min() < 0.5 < plane.mask.max():
        axes.contour(plane.mask, levels=[0.5], colors=OUTLINE, linewidths=0.9)
    look = {"color": "white", "fontsize": 7, "weight": "bold"}
    left, right, top, bottom = plane.ends
    for x, y, text, side, height in (
        (0.02, 0.5, left, "left", "center"), (0.98, 0.5, right, "right", "center"), (0.5, 0.98, top, "center", "top"),
        (0.5, 0.02, bottom, "center", "bottom"),
    ):  # fmt: skip
        axes.text(x, y, text, ha=side, va=height, transform=axes.transAxes, **look)
    if scale_bar:
        length = BAR_MM / plane.spacing_mm[1]
        end, y = columns - 2.5, rows - 2.5
        axes.plot([end - length, end], [y, y], color="white", linewidth=1.6, solid_capstyle="butt")
        axes.text(end - length / 2, y - 1, f"{BAR_MM:g} mm", ha="center", va="bottom", **(look | {"fontsize": 6}))
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=PALE)
