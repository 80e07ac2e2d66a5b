"""AUC of each centre, pooled over centres, and what to expect of a centre like them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from her2study.reporting.figures.panels import chosen_models, ci, strip_text
from her2study.reporting.figures.stacks import plot_area, sheet, stack
from her2study.reporting.journals import current
from her2study.reporting.lettering import across, fit, text_width_mm, upwards
from her2study.reporting.style import (
    GREY,
    INK,
    PALE,
    model_colours,
    model_label,
    model_order,
    room_mm,
    split_label,
)
from her2study.words import ABSENT, interval, number, p_value

FRAME_MM = 30.5
"""Of a page, what head and axis need."""

ROW_MM, LEAST_ROW_MM = 5.2, 3.1
LABEL_MM, COUNT_MM, NUMBERS_MM = 46, 24, 44
"""Columns of text, in the default journal's letters; the plot has the rest of the page."""

SUMMARY = {"pooled": "Pooled", "prediction": "Prediction interval"}


def centres(frame: pd.DataFrame, confidence: float = 0.95) -> Figure:
    """A block of centres for each model, with the pooled AUC as a diamond and the prediction interval as a bar."""
    shown, left_out = _what_fits(frame)
    blocks = list(shown.groupby(["model", "split"], sort=False))
    count = sum(len(rows) + 1 for _, rows in blocks)
    row_mm = min(upwards(ROW_MM), max(upwards(LEAST_ROW_MM), _most_mm() / count))
    figure, top, y, bottom = stack([row_mm] * count, head_mm=8)
    label_mm, width = across(LABEL_MM + COUNT_MM), current().width_mm
    page, axes = sheet(figure), plot_area(figure, label_mm, width - label_mm - across(NUMBERS_MM), bottom, top)
    many = len(set(shown["split"])) > 1
    _head(page, top, confidence)
    heights, colours = iter(y), model_colours(frame["model"])
    for (model, split), rows in blocks:
        at = next(heights)
        title = model_label(model) + (f", {split_label(split)}" if many else "")
        facts = _heterogeneity(rows)
        room = width - 6 - text_width_mm(facts)
        page.text(2, at, fit(title, room, weight="bold"), va="center", weight="bold")
        page.text(width - 2, at, facts, ha="right", va="center", color=GREY)
        if at != y[0]:
            page.plot([2, width - 2], [at + row_mm / 2] * 2, color=PALE, linewidth=0.7)
        for row in rows.itertuples():
            _row(page, axes, row, next(heights), row_mm, colours[model])
    ends = shown[["auc_low", "auc"]].to_numpy(dtype=float)
    low = np.nanmin(ends) if np.isfinite(ends).any() else 0.5
    axes.axvline(0.5, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    axes.set(xlim=(max(0, min(0.4, np.floor(low * 5) / 5)) - 0.02, 1.02), xlabel="AUC", yticks=[])
    axes.spines["left"].set_visible(False)
    strip_text(figure, left_out)
    return figure


def _head(page: Axes, top: float, confidence: float) -> None:
    page.text(2, top + 3, "Centre", va="center", weight="bold")
    width = current().width_mm
    page.text(across(LABEL_MM + COUNT_MM) - 5, top + 3, "positive / n", ha="right", va="center", weight="bold")
    page.text(width - 2, top + 3, f"AUC ({ci(confidence)})", ha="right", va="center", weight="bold")
    page.plot([2, width - 2], [top, top], color=GREY, linewidth=0.7)


def _row(page: Axes, axes: Axes, row: object, at: float, row_mm: float, colour: str) -> None:
    """One centre, the pooled AUC or the prediction interval: name and counts, mark, numbers."""
    name, weight = SUMMARY.get(row.kind, str(row.centre)), "normal" if row.kind == "centre" else "bold"
    page.text(5, at, fit(name, across(LABEL_MM) - 6, weight=weight), va="center", weight=weight)
    if row.kind != "prediction" and pd.notna(row.n):
        counts = f"{number(row.positives, 0)} / {number(row.n, 0)}"
        page.text(across(LABEL_MM + COUNT_MM) - 5, at, counts, ha="right", va="center")
    page.text(current().width_mm - 2, at, _numbers(row), ha="right", va="center", weight=weight)
    if not np.isfinite([row.auc_low, row.auc_high]).all():
        if row.kind == "centre" and np.isfinite(row.auc):
            axes.plot(row.auc, at, marker="s", color=colour, markersize=3.5, markerfacecolor="white")
        return
    if row.kind == "pooled":
        half = 0.36 * row_mm
        axes.fill([row.auc_low, row.auc, row.auc_high, row.auc], [at, at + half, at, at - half], color=colour)
    elif row.kind == "prediction":
        axes.plot([row.auc_low, row.auc_high], [at, at], color=colour, linewidth=3, alpha=0.4, solid_capstyle="butt")
    else:
        axes.plot([row.auc_low, row.auc_high], [at, at], color=INK, linewidth=1)
        axes.plot(row.auc, at, marker="s", color=colour, markersize=3.8)


def _numbers(row: object) -> str:
    """``0.81 (0.73 to 0.89)``; a prediction interval has no estimate of its own."""
    if row.kind != "prediction":
        return interval(row.auc, row.auc_low, row.auc_high)
    bounds = [number(row.auc_low), number(row.auc_high)]
    return ABSENT if ABSENT in bounds else f"({' to '.join(bounds)})"


def _heterogeneity(rows: pd.DataFrame) -> str:
    """How much the centres differ beyond chance, or why they are not pooled."""
    facts = rows[["tau_squared", "i_squared", "p_heterogeneity"]].dropna()
    if len(facts):
        tau, share, p = facts.iloc[0]
        return f"I² {number(share, 0, percent=True)}%, τ² {number(tau, 3)}, p for heterogeneity {p_value(p)}"
    notes = rows.loc[rows["kind"] == "pooled", "note"].dropna() if "note" in rows else pd.Series(dtype=str)
    return str(notes.iloc[0]) if len(notes) else ""


def _what_fits(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Models that fit a page, and centres if those of a single model do not; what was left out in words."""
    found = model_order(frame["model"])
    sizes = range(len(found), 1, -1)
    most = next((n for n in sizes if _rows_of(frame, chosen_models(found, n)) * upwards(ROW_MM) <= _most_mm()), 1)
    models = chosen_models(found, most)
    order = {model: place for place, model in enumerate(models)}
    shown = frame[frame["model"].isin(models)].sort_values("model", key=lambda names: names.map(order), kind="stable")
    words = [f"{len(models)} of {len(found)} models"] if len(models) < len(found) else []
    room = int(_most_mm() / upwards(LEAST_ROW_MM)) - (_rows_of(shown, models) - len(shown))
    if len(shown) > room:
        size = shown["n"].where(shown["kind"] == "centre", np.inf)  # what sums the centres up always stays
        kept = shown[size.rank(method="first", ascending=False) <= room]
        several, all_of_them = ((part["kind"] == "centre").sum() for part in (kept, shown))
        words, shown = [*words, f"the {several} largest of {all_of_them} centres"], kept
    return shown, f"{', '.join(words)}; the table has all" if words else ""


def _most_mm() -> float:
    """Height that the journal leaves for all rows."""
    return room_mm() - FRAME_MM


def _rows_of(frame: pd.DataFrame, models: list[str]) -> int:
    """Rows that models need, each block with a heading."""
    here = frame[frame["model"].isin(models)]
    return len(here) + here.groupby(["model", "split"]).ngroups
