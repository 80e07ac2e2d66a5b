"""What drives the models: SHAP values as ranking, swarm and single cases."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from her2study.reporting.figures.panels import grid_of_panels, tag
from her2study.reporting.lettering import across, upwards, wrap
from her2study.reporting.style import (
    CLASS_COLOURS,
    GREY,
    INK,
    letter,
    model_colours,
    model_order,
    model_short,
    new_figure,
    room_mm,
)
from her2study.words import number

MOST_FEATURES = 12
"""Predictors shown a panel; the table ranks all of them."""

LOW_HIGH = LinearSegmentedColormap.from_list("low_high", ["#0072B2", "#B9B2C4", "#C8400A"])


def shap_bar(frame: pd.DataFrame) -> Figure:
    """Mean absolute SHAP value of each predictor with its interval, a panel a model."""
    models = model_order(frame["model"])
    shown = {model: frame[frame["model"] == model].sort_values("rank") for model in models}
    rows = min(MOST_FEATURES, max(len(part) for part in shown.values()))
    figure = new_figure(rows * upwards(6.4) + 18)
    for place, (axes, model) in enumerate(zip(grid_of_panels(figure, 1, len(models))[0], models, strict=True)):
        shap_bar_panel(shown[model], axes, model_colours(models)[model], len(models))
        axes.set_ylim(rows - 0.4, -0.6)  # bars equally thick in every panel
        letter(axes, tag(place, len(models)), _head(model, shown[model]["feature"]))
        axes.set_xlabel(f"Mean |SHAP value|{unit(shown[model])}{_groups(shown[model])}")
    return figure


def shap_bar_panel(frame: pd.DataFrame, axes: Axes, colour: str, panels: int = 1) -> Axes:
    """Bars of one model, the most influential on top."""
    top = frame.sort_values("rank").head(MOST_FEATURES)
    y = np.arange(len(top))
    axes.barh(y, top["mean_abs_shap"], color=colour, height=0.62)
    reach = [(top["mean_abs_shap"] - top["mean_abs_shap_low"]).clip(lower=0),
             (top["mean_abs_shap_high"] - top["mean_abs_shap"]).clip(lower=0)]  # fmt: skip
    axes.errorbar(top["mean_abs_shap"], y, xerr=reach, fmt="none", ecolor=INK, elinewidth=0.8, capsize=1.6)
    _feature_ticks(axes, top["label"], panels)
    axes.set_xlim(left=0)
    return axes


def shap_summary(frame: pd.DataFrame) -> Figure:
    """Every patient's SHAP values, a panel a model; colour is the predictor's value."""
    models = model_order(frame["model"])
    orders = {model: _influence(frame[frame["model"] == model]) for model in models}
    rows = min(MOST_FEATURES, max(len(order) for order in orders.values()))
    figure = new_figure(max(58, rows * upwards(6.6) + 20))
    cells = grid_of_panels(figure, 1, len(models))[0]
    for place, (axes, model) in enumerate(zip(cells, models, strict=True)):
        here = frame[frame["model"] == model]
        shap_summary_panel(here, axes, orders[model], len(models))
        axes.set_ylim(rows - 0.4, -0.6)
        letter(axes, tag(place, len(models)), _head(model, orders[model]))
        axes.set_xlabel(f"SHAP value{unit(here)}{_groups(here)}")
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), LOW_HIGH), ax=cells, aspect=30, pad=0.015, fraction=0.03)
    bar.set_ticks([0, 1], labels=["low", "high"])
    bar.set_label("Value of the predictor", labelpad=-8)
    bar.outline.set_visible(False)
    return figure


def shap_summary_panel(frame: pd.DataFrame, axes: Axes, order: list[str], panels: int = 1) -> Axes:
    """A swarm for each predictor: points that would overlap are stacked."""
    axes.axvline(0, color=GREY, linewidth=0.7, zorder=0)
    span = float(np.ptp(frame["shap"])) or 1.0
    labels = frame.drop_duplicates("feature").set_index("feature")["label"]
    for place, feature in enumerate(order[:MOST_FEATURES]):
        rows = frame[frame["feature"] == feature]
        x = rows["shap"].to_numpy(dtype=float)
        axes.scatter(x, place + _stacked(x, span), c=rows["value_scaled"].fillna(0.5), cmap=LOW_HIGH, vmin=0, vmax=1,
                     s=4, linewidths=0, rasterized=len(rows) > 400)  # fmt: skip
    _feature_ticks(axes, labels.loc[order[:MOST_FEATURES]], panels)
    axes.xaxis.set_major_locator(MaxNLocator(3 if panels > 1 else 5))
    return axes


def _stacked(x: np.ndarray, span: float) -> np.ndarray:
    """Offsets in -0.38..0.38 that stack equal values symmetrically around their row."""
    bins = np.round(x / (span / 90)).astype(int)
    order = np.argsort(bins, kind="stable")
    nth = pd.Series(bins[order]).groupby(bins[order]).cumcount().to_numpy()
    offset = np.empty(len(x))
    offset[order] = (nth + 1) // 2 * np.where(nth % 2, 1, -1)
    widest = np.abs(offset).max(initial=1)
    return offset * min(0.09, 0.38 / max(1, widest))


def shap_cases(frame: pd.DataFrame) -> Figure:
    """Single patients: from the average prediction to the patient's own, predictor by predictor."""
    cases = list(dict.fromkeys(zip(frame["case"], frame["patient_id"], strict=True)))[:6]
    most = min(8, int(frame.groupby(["case", "patient_id"])["feature"].nunique().max()))
    rows = math.ceil(len(cases) / 2)
    most = min(most, int(((room_mm() - 6) / rows - 21) / upwards(6)))
    figure = new_figure(rows * (most * upwards(6) + 21) + 6)
    cells = grid_of_panels(figure, rows, min(2, len(cases)))
    for place, axes in enumerate(axes for row in cells for axes in row):
        if place >= len(cases):
            axes.remove()
            continue
        case, patient = cases[place]
        shap_case_panel(frame[(frame["case"] == case) & (frame["patient_id"] == patient)], axes, most)
        letter(axes, tag(place, len(cases)), f"{case}: {patient}\n{_outcome(frame, case, patient)}")
    keys = [
        Patch(color=CLASS_COLOURS[1], label="Towards HER2-positive"),
        Patch(color=CLASS_COLOURS[0], label="Towards HER2-negative"),
        Line2D([], [], color=GREY, linewidth=0.8, linestyle=(0, (1, 1.5)), label="Average prediction"),
        Line2D([], [], color=GREY, linewidth=0.8, label="This patient"),
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=4)
    return figure


def shap_case_panel(frame: pd.DataFrame, axes: Axes, most: int = 8) -> Axes:
    """A waterfall; small contributions beyond ``most`` are summed up in one bar."""
    ordered = frame.reindex(frame["shap"].abs().sort_values(ascending=False, kind="stable").index)
    shown = ordered if len(ordered) <= most else ordered.head(most - 1)
    labels = [f"{row.feature_label} = {row.value_label}" for row in shown.itertuples()]
    steps = list(shown["shap"].astype(float))
    if len(shown) < len(ordered):
        labels.append(f"{len(ordered) - len(shown)} others")
        steps.append(float(ordered["shap"].iloc[len(shown) :].sum()))
    base = float(frame["base_value"].iloc[0])
    starts = base + np.cumsum([0.0, *steps[::-1]])[:-1][::-1]  # the largest contribution comes last, on top
    y = np.arange(len(steps))
    axes.barh(y, steps, left=starts, color=[CLASS_COLOURS[int(step > 0)] for step in steps], height=0.62)
    ends = base, base + sum(steps)
    for end, style in zip(ends, ((0, (1, 1.5)), "-"), strict=True):
        axes.axvline(end, color=GREY, linewidth=0.7, linestyle=style, zorder=0)
    axes.set_yticks(y, labels=["\n".join(wrap(label, across(38))[:2]) for label in labels])
    axes.set_ylim(len(steps) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    reach = np.array([*starts, *(starts + steps)])
    low, span = reach.min(), float(np.ptp(reach)) or 1.0
    for at, start, step in zip(y, starts, steps, strict=True):
        text = f"+{number(step)}" if step > 0 else number(step)
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.85}
        axes.text(max(start, start + step) + 0.03 * span, at, text, va="center", ha="left", bbox=ground)
    axes.set_xlim(low - 0.05 * span, low + 1.28 * span)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel(f"Prediction{unit(frame)}")
    return axes


def _outcome(frame: pd.DataFrame, case: str, patient: str) -> str:
    row = frame[(frame["case"] == case) & (frame["patient_id"] == patient)].iloc[0]
    return f"HER2-{'positive' if row['label'] == 1 else 'negative'}; predicted {number(row['probability'])}"


def _influence(frame: pd.DataFrame) -> list[str]:
    """Features by mean absolute SHAP value, the largest first."""
    size = frame.assign(size=frame["shap"].abs()).groupby("feature", sort=False)["size"].mean()
    return list(size.sort_values(ascending=False, kind="stable").index)


def _feature_ticks(axes: Axes, labels: pd.Series, panels: int) -> None:
    axes.set_yticks(
        np.arange(len(labels)),
        labels=["\n".join(wrap(label, across(58 if panels == 1 else 38))[:2]) for label in labels],
    )
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def _head(model: str, features: object) -> str:
    total = len(set(features))
    return model_short(model) + (f" ({MOST_FEATURES} of {total} predictors)" if total > MOST_FEATURES else "")


def _groups(frame: pd.DataFrame) -> str:
    """What the number behind some labels means."""
    return "\n(+n): with n correlated features" if frame["label"].str.contains("(+", regex=False).any() else ""


def unit(frame: pd.DataFrame) -> str:
    """The unit of SHAP values in brackets, if the data says it."""
    if "unit" not in frame or frame["unit"].isna().all():
        return ""
    return f" ({str(frame['unit'].iloc[0]).replace('log-odds', 'log odds')})"
