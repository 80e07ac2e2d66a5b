"""Estimates in rows: odds ratios, AUC by subgroup, saliency checks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MultipleLocator, NullLocator

from her2study.reporting.figures.panels import chosen_models, ci, strip_text
from her2study.reporting.figures.stacks import plot_area, sheet, stack
from her2study.reporting.journals import current
from her2study.reporting.lettering import MM_PER_POINT, across, fit, upwards, wrap
from her2study.reporting.style import (
    ACCENT,
    GREY,
    INK,
    PALE,
    model_colours,
    model_order,
    model_shorts,
    split_label,
    split_order,
)  # fmt: skip
from her2study.words import ABSENT, interval, number, p_value

ANALYSES = {"univariable": "Univariable", "multivariable": "Multivariable"}
ODDS_TICKS = (1, 0.1, 10, 0.5, 2, 5, 0.2, 20, 0.05)
"""Preferred first."""
ROW_MM, LINE_MM = 5.2, 7 * 1.25 * MM_PER_POINT
MARKERS = ("o", "s", "D", "^")


def forest(frame: pd.DataFrame, confidence: float = 0.95) -> Figure:
    """Odds ratios with intervals on a log axis, each analysis beside its numbers."""
    analyses = [a for a in ANALYSES if (frame["analysis"] == a).any()]
    keys = frame[["variable", "label"]].drop_duplicates().reset_index(drop=True)
    width, label_mm = current().width_mm, across(42 if len(analyses) > 1 else 62)
    labels = [wrap(label, label_mm - 3) for label in keys["label"]]
    figure, top, y, bottom = stack(
        [max(upwards(ROW_MM), upwards(len(lines) * LINE_MM) + 1.4) for lines in labels], head_mm=13
    )
    page = sheet(figure)
    for lines, at in zip(labels, y, strict=True):
        page.text(2, at, "\n".join(lines), va="center", linespacing=1.15)
    page.text(2, top + 3, "Predictor", va="center", weight="bold")
    page.plot([2, width - 2], [top, top], color=GREY, linewidth=0.7)
    text_mm, p_mm, gap = across(29), across(10), 2.5
    plot_mm = (width - label_mm - 2) / len(analyses) - text_mm - p_mm - gap
    limits = _odds_limits(frame)
    for place, analysis in enumerate(analyses):
        left = label_mm + place * (plot_mm + text_mm + p_mm + gap)
        found = keys.merge(frame[frame["analysis"] == analysis], on=["variable", "label"], how="left")
        axes = plot_area(figure, left, plot_mm, bottom, top)
        forest_panel(found, axes, y, limits)
        look = {"ha": "center", "va": "center", "weight": "bold", "fontsize": current().sizes_pt.title}
        page.text(left + plot_mm / 2, top + 7, ANALYSES[analysis], **look)
        head = f"OR ({ci(confidence)})"
        page.text(left + plot_mm + text_mm / 2 + 1, top + 3, head, ha="center", va="center", weight="bold")
        page.text(left + plot_mm + text_mm + p_mm, top + 3, "p", ha="right", va="center", weight="bold", style="italic")
        for row, at in zip(found.itertuples(), y, strict=True):
            texts = (ABSENT, "") if pd.isna(row.odds_ratio) else (_odds_text(row), p_value(row.p))
            page.text(left + plot_mm + text_mm / 2 + 1, at, texts[0], ha="center", va="center")
            page.text(left + plot_mm + text_mm + p_mm, at, texts[1], ha="right", va="center")
    return figure


def forest_panel(frame: pd.DataFrame, axes: Axes, y: np.ndarray, limits: tuple[float, float]) -> Axes:
    """Odds ratios at heights ``y``; an arrow where an interval leaves the axis."""
    low, high = limits
    axes.axvline(1, color=GREY, linewidth=0.8)
    for row, at in zip(frame.itertuples(), y, strict=True):
        if not np.isfinite(row.odds_ratio):
            continue
        reach = [np.clip(bound, low, high) for bound in (row.odds_ratio_low, row.odds_ratio_high)]
        if np.isfinite(reach).all():
            axes.plot(reach, [at, at], color=INK, linewidth=1)
            for bound, end, marker in zip((row.odds_ratio_low, row.odds_ratio_high), limits, "<>", strict=True):
                if (bound < low) if marker == "<" else (bound > high):
                    axes.plot(end, at, marker=marker, color=INK, markersize=3.5, clip_on=False)
        if low <= row.odds_ratio <= high:
            axes.plot(row.odds_ratio, at, marker="s", color=INK, markersize=4)
    axes.set(xscale="log", xlim=limits, xlabel="Odds ratio (log scale)", yticks=[])
    axes.xaxis.set_major_locator(FixedLocator(_odds_ticks(low, high)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.spines["left"].set_visible(False)
    return axes


def _odds_limits(frame: pd.DataFrame) -> tuple[float, float]:
    """Ends of the axis: all estimates and intervals within a factor of 20."""
    ends = frame[["odds_ratio_low", "odds_ratio_high", "odds_ratio"]].to_numpy(dtype=float)
    ends = np.clip(ends[np.isfinite(ends)], 0.05, 20)
    return float(min(0.45, *ends / 1.1, 1)), float(max(2.2, *ends * 1.1, 1))


def _odds_ticks(low: float, high: float) -> list[float]:
    """Round ticks, at most about six, 1 always among them."""
    chosen: list[float] = []
    for tick in ODDS_TICKS:
        room = all(abs(np.log(tick / other)) > np.log(high / low) / 6.5 for other in chosen)
        if low <= tick <= high and room:
            chosen.append(tick)
    return sorted(chosen)


def _odds_text(row: object) -> str:
    large = row.odds_ratio_high > 999
    if not large:
        return interval(row.odds_ratio, row.odds_ratio_low, row.odds_ratio_high)
    return f"{number(row.odds_ratio)} ({number(row.odds_ratio_low)} to > 999)"


def subgroups(frame: pd.DataFrame, confidence: float = 0.95) -> Figure:
    """AUC by subgroup, a column a split; p is for the interaction of model and subgroup."""
    splits, models, found = split_order(frame["split"]), chosen_models(frame["model"], 3), model_order(frame["model"])
    colours, names = model_colours(found), model_shorts(found)
    colours = {model: colours[model] for model in models}
    frame = frame[frame["model"].isin(models)]
    lines = _subgroup_lines(frame)
    each = max(upwards(4.4), 2.1 * len(models) + 0.9)
    figure, top, y, bottom = stack([upwards(5.4) if head else each for head, *_ in lines], head_mm=13, foot_mm=15)
    page = sheet(figure)
    width, label_mm, n_mm, gap = current().width_mm, across(40), across(15), 3
    plot_mm = (width - label_mm - 3) / len(splits) - n_mm - gap
    limits = _auc_limits(frame)
    page.plot([2, width - 2], [top, top], color=GREY, linewidth=0.7)
    for (head, _, label), at in zip(lines, y, strict=True):
        weight = "bold" if head else "normal"
        page.text(2 if head else 5, at, fit(label, label_mm - 6, weight=weight), va="center", weight=weight)
    for place, split in enumerate(splits):
        left = label_mm + place * (plot_mm + n_mm + gap)
        here = frame[frame["split"] == split]
        axes = plot_area(figure, left, plot_mm, bottom, top)
        subgroup_panel(here, axes, lines, y, colours)
        axes.set_xlim(limits)  # one scale for all splits
        axes.set_xlabel(f"AUC ({ci(confidence)})")
        page.text(left, top + 8, split_label(split), va="center", weight="bold", fontsize=current().sizes_pt.label)
        page.text(left + plot_mm + n_mm, top + 3, "positive / n", ha="right", va="center", weight="bold")
        for (head, subgroup, label), at in zip(lines, y, strict=True):
            rows = here[(here["subgroup"] == subgroup) & (head | (here["label"] == label))]
            if head:
                _interactions(page, rows, colours, left, plot_mm + n_mm, at)
            elif len(rows):
                text = f"{rows.iloc[0]['positives']:.0f} / {rows.iloc[0]['n']:.0f}"
                page.text(left + plot_mm + n_mm, at, text, ha="right", va="center")
    keys = [Line2D([], [], color=colours[m], marker=MARKERS[i], markersize=3.5, label=names[m])
            for i, m in enumerate(models)]  # fmt: skip
    page.legend(handles=keys, loc="lower center", ncols=len(models), bbox_to_anchor=(0.5, 0))
    if frame["p_interaction"].notna().any():
        page.text(2, top + 3, "Beside a heading: p for interaction", va="center", color=GREY)
    if len(models) < len(found):
        strip_text(figure, f"{len(models)} of {len(found)} models; the table has all")
    return figure


def _interactions(
    page: Axes, rows: pd.DataFrame, colours: dict[str, str], left: float, width: float, at: float
) -> None:
    """The p value of each model for the interaction with a subgroup, behind its marker on the subgroup's heading."""
    for place, (model, colour) in enumerate(colours.items()):
        p = rows.loc[rows["model"] == model, "p_interaction"].dropna()
        if len(p):
            x = left + width * place / len(colours) + 2
            page.plot(x, at, marker=MARKERS[place], color=colour, markersize=3.2)
            ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
            page.text(x + 1.4, at, p_value(p.iloc[0]), va="center", bbox=ground)


def subgroup_panel(frame: pd.DataFrame, axes: Axes, lines: list[tuple], y: np.ndarray, colours: dict[str, str]) -> Axes:
    """AUC of each model at each level, for one split."""
    axes.axvline(0.5, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    for (head, subgroup, label), at in zip(lines, y, strict=True):
        if head:
            continue
        rows = frame[(frame["subgroup"] == subgroup) & (frame["label"] == label)]
        if len(rows) and rows["auc"].isna().all():
            ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
            axes.text(0.52, at, "too few", color=GREY, va="center", bbox=ground)
        for place, (model, colour) in enumerate(colours.items()):
            for row in rows[rows["model"] == model].itertuples():
                height = at - (place - (len(colours) - 1) / 2) * 2.1
                axes.plot([row.auc_low, row.auc_high], [height, height], color=colour, linewidth=1)
                axes.plot(row.auc, height, marker=MARKERS[place], color=colour, markersize=3.2)
    axes.set(xlim=_auc_limits(frame), yticks=[])
    axes.xaxis.set_major_locator(MultipleLocator(0.2))
    axes.spines["left"].set_visible(False)
    return axes


def _auc_limits(frame: pd.DataFrame) -> tuple[float, float]:
    """Ends of an axis for every AUC and the lower ends of their intervals."""
    ends = frame[["auc_low", "auc"]].to_numpy(dtype=float)
    low = np.nanmin(ends) if np.isfinite(ends).any() else 0.5
    return max(0, min(0.4, np.floor(low * 5) / 5)) - 0.02, 1.02


def _subgroup_lines(frame: pd.DataFrame) -> list[tuple[bool, str, str]]:
    """Headings and levels in order: (is a heading, subgroup, text)."""
    lines = []
    for subgroup in dict.fromkeys(frame["subgroup"]):
        lines.append((True, subgroup, str(subgroup)[:1].upper() + str(subgroup)[1:].replace("_", " ")))
        lines += [
            (False, subgroup, label) for label in dict.fromkeys(frame.loc[frame["subgroup"] == subgroup, "label"])
        ]
    return lines


def saliency_sanity(frame: pd.DataFrame, confidence: float = 0.95) -> Figure:
    """Each check of the maps with its interval, beside the value that a meaningless map would have."""
    width = current().width_mm
    labels = [wrap(label, across(62)) for label in frame["label"]]
    figure, top, y, bottom = stack(
        [max(upwards(6.4), upwards(len(lines) * LINE_MM) + 2) for lines in labels], head_mm=7, foot_mm=17
    )
    page = sheet(figure)
    axes = plot_area(figure, across(68), width - across(100), bottom, top)
    ends = frame[["value", "low", "high", "reference"]].to_numpy(dtype=float)
    span = np.nanmin([0, np.nanmin(ends)]), np.nanmax([1, np.nanmax(ends)])
    groups = frame["check"].ne(frame["check"].shift())
    for row, lines, at, new in zip(frame.itertuples(), labels, y, groups, strict=True):
        if new and at != y[0]:
            page.plot([2, width - 2], [at + ROW_MM * 0.62] * 2, color=PALE, linewidth=0.7)
        page.text(2, at, "\n".join(lines), va="center", linespacing=1.15)
        axes.plot([row.low, row.high], [at, at], color=INK, linewidth=1)
        axes.plot(row.value, at, marker="o", color=INK, markersize=4)
        axes.plot(row.reference, at, marker="|", color=ACCENT, markersize=9, markeredgewidth=1.6)
        page.text(width - 2, at, interval(row.value, row.low, row.high), ha="right", va="center")
    page.text(2, top + 3, "Check", va="center", weight="bold")
    page.text(width - 2, top + 3, f"Value ({ci(confidence)})", ha="right", va="center", weight="bold")
    page.plot([2, width - 2], [top, top], color=GREY, linewidth=0.7)
    axes.set(
        xlim=(span[0] - 0.03, span[1] + 0.03),
        xlabel="Rank correlation, share of the evidence, or difference",
        yticks=[],
    )
    axes.spines["left"].set_visible(False)
    keys = [
        Line2D([], [], color=INK, marker="o", markersize=4, label="The maps of the D-score"),
        Line2D([], [], color=ACCENT, marker="|", linestyle="", markersize=9, markeredgewidth=1.6,
               label="Reference: a map that says nothing"),
    ]  # fmt: skip
    page.legend(handles=keys, loc="lower center", ncols=2, bbox_to_anchor=(0.5, 0))
    return figure
