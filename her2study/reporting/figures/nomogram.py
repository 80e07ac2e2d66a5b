"""The nomogram, and how features correlate."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from her2study.reporting.figures.canvas import board
from her2study.reporting.journals import current
from her2study.reporting.lettering import across, fit, text_width_mm, upwards, wrap
from her2study.reporting.style import DIVERGING, GREY, INK, PALE, legible_on, new_figure, room_mm

LEFT_MM, RIGHT_MM = 52.0, 6.0
"""Left of the scales, for their names (in the default journal's letters), and right of them."""

LABEL_MM = 36.0
Tick = tuple[float, str]
"""Points and what stands there."""


def nomogram(frame: pd.DataFrame) -> Figure:
    """Read each predictor's points, add them up, read the probability below the total."""
    own = frame[frame["variable"] != "total"]
    total = frame[frame["variable"] == "total"].sort_values("points")
    scale = max(100.0, float(np.ceil(own["points"].max() / 10) * 10)) if len(own) else 100.0
    reach = own.groupby("variable")["points"].max().sum()
    end = max(1.0, float(reach), float(total["points"].max()) if len(total) else 1.0)
    step = next(size for size in (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000) if end / size <= 12)
    end = float(np.ceil(end / step) * step)

    lines = [("Points", [(p, f"{p:g}") for p in np.arange(0, scale + 1, 10)], scale)]
    for name in dict.fromkeys(own["variable"]):
        rows = own[own["variable"] == name].sort_values("points")
        ticks = list(zip(rows["points"], rows["value_label"].astype(str), strict=True))
        lines.append((str(rows.iloc[0]["label"]), ticks, scale))
    lines.append(("Total points", [(p, f"{p:g}") for p in np.arange(0, end + step / 2, step)], end))
    label = str(total.iloc[0]["label"]) if len(total) else "Probability"
    lines.append((label, list(zip(total["points"], total["value_label"].astype(str), strict=True)), end))

    placed = [_levels(ticks, limit) for _, ticks, limit in lines]
    crowded = max((abs(level) for levels in placed for level in levels if level), default=1) > 1
    gap = min(upwards(16.0 if crowded else 12.5), (room_mm() - 14) / (len(lines) - 1))
    figure, axes = board(gap * (len(lines) - 1) + 14)
    y = axes.get_ylim()[1] - 6
    for x in _places([(p, "") for p in np.arange(0, scale + 1, 10)], scale):
        axes.plot([x, x], [y - 5, y - gap * (len(lines) - 3) - 4], color=PALE, linewidth=0.5, zorder=0)
    for (label, ticks, limit), levels in zip(lines, placed, strict=True):
        _scale(axes, y, label, ticks, limit, levels)
        y -= gap
    return figure


def _places(ticks: list[Tick], limit: float) -> list[float]:
    """Where ticks stand on the page, mm from its left edge."""
    left, right = across(LEFT_MM), current().width_mm - RIGHT_MM
    return [left + (right - left) * points / limit for points, _ in ticks]


def _levels(ticks: list[Tick], limit: float) -> list[int]:
    """On which side and how far from the line each label stands; 0 if a number has no room.

    Numbers may go unprinted, since their neighbours tell them; categories never.
    """
    numbers = all(_is_number(text) for _, text in ticks)
    ends: dict[int, float] = {}
    levels = []
    for x, (_, text) in zip(_places(ticks, limit), ticks, strict=True):
        half = text_width_mm(text) / 2
        sides = (-1, 1) if numbers else (-1, 1, -2, 2)
        free = [side for side in sides if x - half > ends.get(side, -np.inf) + 1.2]
        level = free[0] if free else 0 if numbers else -2
        levels.append(level)
        ends[level] = max(x, across(LEFT_MM) - 12 + half) + half
    return levels


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).isdigit()


def _scale(axes: Axes, y: float, label: str, ticks: list[Tick], limit: float, levels: list[int]) -> None:
    """One line of the nomogram with its name, ticks and labels."""
    weight = "bold" if label in ("Points", "Total points") else "normal"
    lines = wrap(label, across(LABEL_MM), weight=weight)
    axes.text(2, y, "\n".join(lines), va="center", weight=weight, linespacing=1.15)
    places = _places(ticks, limit)
    if places:
        axes.plot([min(places), max(places)], [y, y], color=INK, linewidth=0.9, solid_capstyle="butt")
    for x, (_, text), level in zip(places, ticks, levels, strict=True):
        side, far = int(np.sign(level)) or -1, upwards(3.0) * max(0, abs(level) - 1)
        axes.plot([x, x], [y, y + side * (1.4 + far)], color=INK, linewidth=0.8 if level else 0.5)
        if level:
            left = max(x, across(LEFT_MM) - 12 + text_width_mm(text) / 2)  # clear of the scale's name
            axes.text(left, y + side * (1.9 + far), text, ha="center", va="top" if side < 0 else "bottom")


def correlation(frame: pd.DataFrame) -> Figure:
    """Correlations between features, every pair twice, in the order of the data."""
    import seaborn as sns  # only here: who applies a frozen model has no seaborn

    order = list(dict.fromkeys(frame["feature_a"]))
    matrix = frame.pivot_table(index="feature_a", columns="feature_b", values="r", dropna=False)
    matrix = matrix.loc[order, order].to_numpy(dtype=float)
    names = frame.drop_duplicates("feature_a").set_index("feature_a").loc[order, "label_a"]
    small, large = len(order) <= 14, len(order) > 30
    cell = max(min(8.5, 86 / max(1, len(order))), min(2.95, 114 / len(order)))
    cell = min(cell, (room_mm() - across(78)) / len(order))
    every = int(np.ceil(upwards(2.8) / cell))  # rows too thin for a label each
    labels = [fit(str(name), across(36 if large else 52)) if i % every == 0 else "" for i, name in enumerate(names)]
    figure = new_figure(cell * len(order) + across(78), min(current().width_mm, cell * len(order) + across(94)))
    axes = figure.subplots()
    axes.set_anchor("N")
    sns.heatmap(
        matrix, ax=axes, vmin=-1, vmax=1, cmap=DIVERGING, square=True, linewidths=0.4 if small else 0,
        annot=small, fmt=".1f", annot_kws={"fontsize": current().sizes_pt.text}, xticklabels=labels, yticklabels=labels,
        cbar_kws={"shrink": 0.6, "label": "Correlation coefficient", "aspect": 18, "pad": 0.02},
    )  # fmt: skip
    axes.set_xticklabels(axes.get_xticklabels(), rotation=90)
    axes.set_yticklabels(axes.get_yticklabels(), rotation=0)
    axes.tick_params(length=0)
    mesh = axes.collections[0]
    for text in axes.texts:
        text.set_color(legible_on(mesh.cmap(mesh.norm(float(text.get_text())))))
        text.set_text(text.get_text().replace("-0.0", "0.0").replace("-", "−"))
    mesh.colorbar.outline.set(linewidth=0.5, edgecolor=GREY)
    return figure
