"""Pictures of patients: wash-in with the lesion's outline, and what spoke for and against HER2-positive."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from her2study.reporting.figures.panels import tag
from her2study.reporting.journals import current
from her2study.reporting.lettering import MM_PER_POINT, fit, upwards
from her2study.reporting.style import MARK_MM, letter_on, new_figure, room_mm
from her2study.words import number

OUTLINE = "#56E0FF"
MARGIN, GAP = 2.0, 1.6

GAP_SHARE = 1 / 20
"""Width of the strip between the pictures of a patient, of a picture's."""

EVIDENCE = LinearSegmentedColormap.from_list("evidence", ["#4C8DFF", "#1B2F6B", "#000000", "#8C2A0B", "#FFA21F"])
"""Blue speaks against, orange for; black, on a grey picture transparent, neither."""


def montage(frame: pd.DataFrame) -> Figure:
    """One slice a patient, the lesion outlined."""
    figure, cells = _grid(len(frame), columns=8, head_mm=upwards(7.2))
    for axes, row in zip(cells, frame.itertuples(), strict=True):
        _show(axes, grey(_picture(row, "image")), _picture(row, "mask"))
        _title(axes, [str(row.patient_id), f"{row.centre}, {_status(row.label)}"])
    return figure


def gradcam(frame: pd.DataFrame) -> Figure:
    """Three pictures a patient: wash-in, and the same under the Grad-CAM and under the occlusion map."""
    figure, cells = _grid(len(frame), columns=3, head_mm=upwards(7.2), shape=(3 + 2 * GAP_SHARE, 1), foot_mm=14.5)
    for place, (axes, row) in enumerate(zip(cells, frame.itertuples(), strict=True)):
        image, mask, *maps = (_picture(row, name) for name in ("image", "mask", "gradcam", "occlusion"))
        gap = np.ones((image.shape[0], max(1, round(image.shape[1] * GAP_SHARE)), 3))
        parts = [grey(image), *(part for heat in maps for part in (gap, coloured(image, heat)))]
        _show(axes, np.concatenate(parts, axis=1), mask)
        for part in (1, 2):  # the same outline on each: how much of the heat is on the lesion
            _outline(axes, mask, part * (image.shape[1] + gap.shape[1]))
        about = f"{_centre(row.centre)}, {_status(row.label)}, predicted {number(row.probability)}"
        _title(axes, [f"{row.title}: {row.patient_id}", about], tag(place, len(frame)))
    height_mm = figure.get_size_inches()[1] * 25.4
    about = "Left to right: wash-in; Grad-CAM; occlusion. Outlined: the lesion. Each map has its own scale."
    figure.text(0.5, 11.6 / height_mm, about, ha="center", va="center")
    bar_axes = figure.add_axes((0.36, 6.3 / height_mm, 0.28, 1.8 / height_mm))
    bar = figure.colorbar(ScalarMappable(Normalize(-1, 1), EVIDENCE), cax=bar_axes, orientation="horizontal")
    bar.set_ticks([])
    bar.set_label("Evidence about HER2-positive")
    for x, text, side in ((-0.02, "against", "right"), (1.02, "for", "left")):
        bar_axes.text(x, 0.5, text, transform=bar_axes.transAxes, ha=side, va="center")
    bar.outline.set_visible(False)
    return figure


failure_cases = gradcam
"""The worst errors, drawn like any other case."""


def _grid(
    n: int, columns: int, head_mm: float, shape: tuple[float, float] = (1, 1), foot_mm: float = 1.0
) -> tuple[Figure, list[Axes]]:
    """Equal cells, as wide to high as ``shape``, with room for a title of two lines above each."""
    page_mm, rows = current().width_mm, math.ceil(n / columns)
    place_mm = (page_mm - 2 * MARGIN - GAP * (columns - 1)) / columns
    width = min(place_mm, ((room_mm() - foot_mm) / rows - head_mm) * shape[0] / shape[1])
    height = width * shape[1] / shape[0]
    total = rows * (height + head_mm) + foot_mm
    figure = new_figure(total)
    figure.set_layout_engine("none")
    page = total + MARK_MM
    cells = []
    for place in range(n):
        row, column = divmod(place, columns)
        left = MARGIN + column * (place_mm + GAP)
        bottom = total - (row + 1) * (height + head_mm)
        cells.append(figure.add_axes((left / page_mm, bottom / page, width / page_mm, height / page)))
    return figure, cells


def _picture(row: object, name: str) -> NDArray[np.float64]:
    """A flattened picture in its two dimensions."""
    return np.asarray(getattr(row, name), dtype=float).reshape(int(row.height), int(row.width))


def _scaled(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Brightness between the first and the last half percent, clipped to 0..1."""
    low, high = np.nanpercentile(image, [0.5, 99.5])
    return np.clip((np.nan_to_num(image, nan=low) - low) / ((high - low) or 1), 0, 1)


def grey(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """A slice ``(y, x)`` as a grey picture ``(y, x, 3)``, 0 to 1."""
    return np.repeat(_scaled(image)[..., None], 3, axis=2)


def coloured(image: NDArray[np.float64], heat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evidence from -1 to 1 over the grey picture, the more opaque the stronger."""
    heat = np.clip(np.nan_to_num(heat), -1, 1)
    opacity = (0.75 * np.abs(heat) ** 0.7)[..., None]
    return (1 - opacity) * grey(image) + opacity * EVIDENCE((heat + 1) / 2)[..., :3]


def _show(axes: Axes, picture: NDArray[np.float64], mask: NDArray[np.float64]) -> None:
    axes.imshow(picture, vmin=0, vmax=1, aspect="equal")
    _outline(axes, mask, 0)
    axes.axis("off")


def _outline(axes: Axes, mask: NDArray[np.float64], shift: int) -> None:
    """The lesion's border, if the slice has a lesion."""
    if mask.min() < 0.5 < mask.max():
        x = np.arange(mask.shape[1]) + shift
        axes.contour(x, np.arange(mask.shape[0]), mask, levels=[0.5], colors=OUTLINE, linewidths=0.7)


def _title(axes: Axes, lines: list[str], panel: str = "") -> None:
    """Lines above a picture, as wide as it is, behind the panel's letter if it has one."""
    look = {"xycoords": "axes fraction", "textcoords": "offset points"}
    indent = letter_on(axes, panel, 2.4 + upwards(8.6) * (len(lines) - 1)) if panel else 0
    width_mm = axes.get_position().width * current().width_mm - 0.6 - indent * MM_PER_POINT
    for place, line in enumerate(reversed(lines)):
        up = 2.4 + upwards(8.6) * place  # baselines at fixed heights, so that titles of a row stand level
        axes.annotate(fit(line, width_mm), (0, 1), (indent, up), **look)


def _centre(name: object) -> str:
    """A centre that is called by a letter or number alone is called a centre."""
    return f"centre {name}" if len(str(name)) <= 2 else str(name)


def _status(label: int) -> str:
    return "HER2+" if label == 1 else "HER2−"
