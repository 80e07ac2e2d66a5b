"""A nomogram for a page: its axes, and where lines, ticks and words stand; a template draws it as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from her2study.models.nomogram import nomogram, point_scale, points_to_probability, total_points

LETTER, ROW = 7.4, 14.0
"""Mean width of a letter of a tick and height of a row of them, in units of the drawing."""


class Tick(NamedTuple):
    """A tick at ``x`` from the left, its text ``row`` rows below the line; empty where its neighbours tell it."""

    x: float
    text: str
    text_x: float
    row: int


class Line(NamedTuple):
    """One scale at height ``y``, drawn from ``start`` to ``end``; 0 points are at ``left``, ``points`` at ``right``."""

    name: str
    label: list[str]
    y: float
    left: float
    right: float
    points: float
    start: float
    end: float
    ticks: list[Tick]


class Plan(NamedTuple):
    """A drawing: its size and its lines, from the points down to the probability."""

    narrow: bool
    width: float
    height: float
    lines: list[Line]
    label_x: float


FEWEST = 4
"""With fewer ticks the scale of the probability gets ticks of its own: a model whose probabilities lie close."""


def axes_of(frozen: Mapping[str, Any], stored: pd.DataFrame | None) -> pd.DataFrame | None:
    """Axes of this very model, stored ones if they are its own, else from :func:`her2study.models.nomogram.nomogram`.

    None where a predictor has no training range. A probability with too few ticks gets finer ones.
    """
    if not all(variable["levels"] or variable["range"] for variable in frozen["variables"].values()):
        return None
    same = stored is not None and set(stored["variable"]) - {"total"} == set(frozen["variables"])
    axes = stored if same else nomogram(frozen)
    own = axes[axes["variable"] != "total"]
    if own.empty or len(axes) - len(own) >= FEWEST:
        return axes
    scale, most = point_scale(frozen), own.groupby("variable")["points"].max().sum()
    low, high = points_to_probability(scale, np.array([0.0, most]))
    ticks = MaxNLocator(nbins=7, steps=[1, 2, 5, 10]).tick_values(low, high)
    rows = [
        ("total", "Probability", float(p), f"{p:.4g}", float(total_points(scale, p)))
        for p in ticks[(ticks >= low) & (ticks <= high) & (ticks > 0) & (ticks < 1)]
    ]
    return pd.concat([own, pd.DataFrame(rows, columns=list(axes.columns))], ignore_index=True)


def points_by_predictor(axes: pd.DataFrame | None) -> list[tuple[str, list[dict[str, Any]]]]:
    """Each predictor's label and its ticks, for readers without JavaScript."""
    if axes is None:
        return []
    own = axes[axes["variable"] != "total"]
    return [(str(rows["label"].iloc[0]), rows.to_dict("records")) for _, rows in own.groupby("variable", sort=False)]


def plan(axes: pd.DataFrame, narrow: bool) -> Plan:
    """Place the axes of :func:`her2study.models.nomogram.nomogram`.

    Returns lines named ``points``, each variable, ``total_points`` and ``total`` (the probability).
    """
    width, left, right = (360.0, 18.0, 338.0) if narrow else (780.0, 212.0, 756.0)
    gap = 66.0 if narrow else 48.0
    own = axes[axes["variable"] != "total"]
    total = axes[axes["variable"] == "total"].sort_values("points")
    scale = max(100.0, float(np.ceil(own["points"].max() / 10) * 10))
    most = max(1.0, float(own.groupby("variable")["points"].max().sum()))
    steps = [size for size in (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000) if most / size <= (7 if narrow else 12)]
    step = steps[0] if steps else most
    end = float(np.ceil(most / step) * step)

    raw = [("points", "Points", [(p, f"{p:g}") for p in np.arange(0, scale + 1, 20 if narrow else 10)], scale)]
    for name, rows in own.groupby("variable", sort=False):
        ticks = sorted(zip(rows["points"], rows["value_label"].astype(str), strict=True))
        raw.append((str(name), str(rows["label"].iloc[0]), ticks, scale))
    raw.append(("total_points", "Total points", [(p, f"{p:g}") for p in np.arange(0, end + step / 2, step)], end))
    ticks = list(zip(total["points"], total["value_label"].astype(str), strict=True))
    raw.append(("total", "Probability", ticks, end))

    y, lines = (48.0 if narrow else 34.0), []
    for name, label, ticks, limit in raw:
        places = [left + (right - left) * points / limit for points, _ in ticks]
        reach = [left, left + (right - left) * most / limit] if name == "total" else places  # it has few ticks
        start, stop = min(reach), max(reach)
        placed = _ticks(places, [text for _, text in ticks], width)
        words = [label] if narrow else wrap(label, int((left - 20) / LETTER))
        lines.append(Line(name, words, y, left, right, limit, start, stop, placed))
        y += gap + ROW * max((tick.row for tick in placed), default=0)
    return Plan(narrow, width, y - gap + 34, lines, left if narrow else 4.0)


def _ticks(places: list[float], texts: list[str], width: float) -> list[Tick]:
    """Words in the first row that has room; numbers without room in the first row go unprinted."""
    numbers = all(_is_number(text) for text in texts)
    ends: dict[int, float] = {}
    ticks = []
    for x, text in zip(places, texts, strict=True):
        half = len(text) * LETTER / 2
        middle = min(max(x, half + 2), width - half - 2)
        row = 0
        while middle - half <= ends.get(row, -np.inf) + 5:
            row += 1
        if row and numbers:
            ticks.append(Tick(x, "", x, 0))
        else:
            ends[row] = middle + half
            ticks.append(Tick(x, text.replace("-", "−") if numbers else text, middle, row))
    return ticks


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).isdigit()
