"""Diagrams: who was studied, what was done, what the network is made of."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from her2study.reporting.figures.canvas import arrow, board, box, lines_mm, write_lines
from her2study.reporting.journals import current
from her2study.reporting.lettering import across, text_width_mm, wrap
from her2study.reporting.style import GREY, INK, PALE, room_mm
from her2study.words import spell

STAGE_COLOURS = ("#DDE7F0", "#E3EFE4", "#F7EBD8", "#F1E1E6", "#E9E4F1", "#EDEDED")
GAP, PAD = 6.0, 2.2
"""Between boxes and inside them, mm."""


def cohort_flow(frame: pd.DataFrame) -> Figure:
    """Patients screened, excluded (with reasons), included, and how they were split: a STROBE flow."""
    rows = frame.sort_values("order")
    groups = [(kind, part) for kind, part in _runs(rows)]
    heights = [_flow_height(kind, part) for kind, part in groups]
    figure, axes = board(sum(heights) + GAP * len(groups) - GAP + 4)
    top, middle = axes.get_ylim()[1] - 2, 52.0
    previous = top
    for place, ((kind, part), height) in enumerate(zip(groups, heights, strict=True)):
        if kind == "excluded":
            _excluded(axes, part, top, height, middle)
            top -= height + GAP
            continue
        if kind == "included":
            if place:
                arrow(axes, (middle, previous), (middle, top))
            _included(axes, part.iloc[0], top, height, middle)
        else:
            _spread(axes, part, top, height, previous, middle, connected=kind == "split")
        previous = top - height
        top = previous - GAP
    return figure


def _runs(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Neighbouring rows of one kind; every 'included' row is a box of its own."""
    change = (rows["kind"] != rows["kind"].shift()) | (rows["kind"] == "included")
    return [(str(part["kind"].iloc[0]), part) for _, part in rows.groupby(change.cumsum())]


def _flow_height(kind: str, part: pd.DataFrame) -> float:
    if kind == "excluded":
        return 2 * PAD + lines_mm(1 + sum(len(lines) for lines in _reasons(part)))
    if kind == "included":
        return 2 * PAD + lines_mm(1, current().sizes_pt.title)
    width = _spread_width(part) - 3
    return 2 * PAD + lines_mm(1 + max(len(wrap(spell(label), width)) for label in part["label"]))


def _reasons(part: pd.DataFrame) -> list[list[str]]:
    return [wrap(f"{row.label} (n = {row.n:,})", current().width_mm - 100) for row in part.itertuples()]


def _excluded(axes: Axes, part: pd.DataFrame, top: float, height: float, middle: float) -> None:
    left = middle + 42
    box(axes, left, top - height, current().width_mm - 2 - left, height)
    arrow(axes, (middle, top - height / 2), (left, top - height / 2))
    y = write_lines(axes, left + 2, top - PAD, [f"Excluded (n = {part['n'].sum():,})"], weight="bold")
    for lines in _reasons(part):
        y = write_lines(axes, left + 2, y, lines)


def _included(axes: Axes, row: pd.Series, top: float, height: float, middle: float) -> None:
    text, size = f"{row['label']} (n = {row['n']:,})", current().sizes_pt.title
    half = min(middle - 2, max(36, text_width_mm(text, size) / 2 + PAD))
    box(axes, middle - half, top - height, 2 * half, height, PALE)
    axes.text(middle, top - height / 2, text, ha="center", va="center", fontsize=size)


def _spread_width(part: pd.DataFrame) -> float:
    return min(56.0, (current().width_mm - 4 - 3 * (len(part) - 1)) / len(part))


def _spread(
    axes: Axes, part: pd.DataFrame, top: float, height: float, previous: float, middle: float, connected: bool
) -> None:
    """A row of boxes; splits hang on a common line below the included patients."""
    width = _spread_width(part)
    total = len(part) * width + 3 * (len(part) - 1)
    alone = connected and len(part) == 1  # stands below the box that it continues
    lefts = (middle - width / 2 if alone else (current().width_mm - total) / 2) + (width + 3) * np.arange(len(part))
    centres = lefts + width / 2
    if connected:
        bus = (previous + top) / 2 + 0.5
        axes.plot([middle, middle], [previous, bus], color=INK, linewidth=0.7)
        axes.plot([min(middle, *centres), max(middle, *centres)], [bus, bus], color=INK, linewidth=0.7)
    else:
        x, y = current().width_mm / 2, top + GAP / 2 - 0.6
        axes.text(x, y, "Included patients by centre", ha="center", va="center", color=GREY)
    for left, centre, row in zip(lefts, centres, part.itertuples(), strict=True):
        if connected:
            arrow(axes, (centre, bus), (centre, top))
        box(axes, left, top - height, width, height, PALE if connected else "white")
        write_lines(axes, centre, top - PAD, [*wrap(spell(row.label), width - 3), f"n = {row.n:,}"], ha="center")


def workflow(frame: pd.DataFrame) -> Figure:
    """The study as columns of boxes, one column a stage, read from left to right."""
    rows = frame.sort_values("order")
    stages = list(dict.fromkeys(rows["stage"]))
    gap = 5.0
    width = (current().width_mm - 4 - gap * (len(stages) - 1)) / len(stages)
    cells = {stage: [_step(row, width) for row in rows[rows["stage"] == stage].itertuples()] for stage in stages}
    tall = {stage: sum(height for *_, height in steps) + 2.5 * (len(steps) - 1) for stage, steps in cells.items()}
    figure, axes = board(max(tall.values()) + 13)
    top = axes.get_ylim()[1] - 1
    for place, stage in enumerate(stages):
        left = 2 + place * (width + gap)
        colour = STAGE_COLOURS[place % len(STAGE_COLOURS)]
        axes.text(
            left + width / 2, top - 3, stage, ha="center", va="center", fontsize=current().sizes_pt.title, weight="bold"
        )
        axes.plot([left, left + width], [top - 6.2, top - 6.2], color=GREY, linewidth=0.7)
        if place:
            arrow(axes, (left - gap + 0.6, top - 3), (left - 0.6, top - 3))
        y = top - 9
        for heading, detail, height in cells[stage]:
            box(axes, left, y - height, width, height, colour, "none")
            after = write_lines(axes, left + 1.6, y - 1.6, heading, weight="bold")
            write_lines(axes, left + 1.6, after, detail)
            y -= height + 2.5
    return figure


def _step(row: object, width: float) -> tuple[list[str], list[str], float]:
    """A box's heading and detail, wrapped, and its height."""
    heading = wrap(row.label, width - 3.2, weight="bold")
    detail = wrap(row.detail, width - 3.2) if str(row.detail) else []
    return heading, detail, 3.2 + lines_mm(len(heading) + len(detail))


def network(frame: pd.DataFrame) -> Figure:
    """The layers from input to logit: a bar as wide as the grid, beside output shape and parameters.

    Layers of one ``branch`` stand behind one another; each branch starts from the input.
    """
    rows = frame.sort_values("order").reset_index(drop=True)
    sizes = [[int(size) for size in re.findall(r"\d+", str(output))] for output in rows["output"]]
    grids = np.array([size[-1] if len(size) > 1 else 1 for size in sizes], dtype=float)
    widths = 4 + 34 * grids / grids.max()
    named, shaped = 44, 44 + across(33)  # where columns of text start, or end, mm
    counted = shaped + across(43)
    told = counted + 4
    layers = [wrap(spell(layer), across(30)) for layer in rows["layer"]]
    details = [wrap(_detail(detail), current().width_mm - told - 2) for detail in rows["detail"]]
    step, first = max(8.2, 1.6 + lines_mm(max(len(lines) for lines in layers + details))), 9.0
    step = min(step, (room_mm() - first - 8) / len(rows))
    again = (rows["branch"].diff() > 0) & (rows["branch"] > 1)
    figure, axes = board(first + step * len(rows) + 8)
    top = axes.get_ylim()[1] - 1
    for head, x in {"Layer": named, "Output": shaped, "Parameters": counted, "Detail": told}.items():
        side = "right" if head == "Parameters" else "left"
        axes.text(x, top - 3, head, ha=side, va="center_baseline", weight="bold")
    axes.plot([2, current().width_mm - 2], [top - 6.2, top - 6.2], color=GREY, linewidth=0.7)
    for place, row in rows.iterrows():
        y = top - first - step * (place + 0.5)
        face = STAGE_COLOURS[0] if place in (0, len(rows) - 1) else STAGE_COLOURS[1]
        box(axes, 22 - widths[place] / 2, y - 2.2, widths[place], 4.4, face)
        if place and not again[place]:
            arrow(axes, (22, y + step - 2.2), (22, y + 2.2))
        parameters = f"{row['parameters']:,}" if row["parameters"] else "–"
        output = str(row["output"]).replace(" x ", " × ")
        for x, lines, side in (
            (named, layers[place], "left"), (shaped, [output], "left"), (counted, [parameters], "right"),
            (told, details[place], "left"),
        ):  # fmt: skip
            write_lines(axes, x, y + lines_mm(len(lines)) / 2, lines, ha=side)
    total = f"{rows['parameters'].sum():,} in all"
    axes.text(counted, 3.5, total, ha="right", va="center_baseline", weight="bold")
    note = "Width of a bar: side of the grid. Output: channels × z × y × x."
    if again.any():
        axes.text(told, 3.5, "No arrow: from the input again.", va="center_baseline", color=GREY)
    axes.text(2, 3.5, note, va="center_baseline", color=GREY)
    return figure


def _detail(text: object) -> str:
    """Details as a reader writes them: ``3×3×3`` and ``wash-in``."""
    return re.sub(r"(?<=[a-z])_(?=[a-z])", "-", str(text).replace("x3x3", "×3×3"))
