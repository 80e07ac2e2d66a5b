"""SHAP values against the values of the predictors."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from pandas.api.types import is_numeric_dtype

from her2study.reporting.figures.explanation import unit
from her2study.reporting.figures.panels import grid_of_panels, tag
from her2study.reporting.journals import current
from her2study.reporting.lettering import across, fit, text_width_mm, wrap
from her2study.reporting.style import GREY, SPARE_COLOURS, letter, model_short, new_figure

CENTRE_COLOURS = SPARE_COLOURS[:8]
"""Not those of the paper's models, which mean the models in every figure."""

CENTRE_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def shap_dependence(frame: pd.DataFrame) -> Figure:
    """SHAP value against the predictor's value, a panel a predictor, colour and marker by centre."""
    keys = list(dict.fromkeys(zip(frame["model"], frame["feature"], strict=True)))[:9]
    columns = min(4 if len(keys) in (4, 7, 8) else 3, len(keys))
    rows = math.ceil(len(keys) / columns)
    figure = new_figure(52 * rows + 8)
    cells = grid_of_panels(figure, rows, columns)
    several = len({model for model, _ in keys}) > 1
    centres = sorted(frame["centre"].astype(str).unique())
    for place in range(rows * columns):
        axes = cells[place // columns][place % columns]
        if place >= len(keys):
            axes.remove()
            continue
        model, feature = keys[place]
        here = frame[(frame["model"] == model) & (frame["feature"] == feature)]
        shap_dependence_panel(here, axes, centres)
        letter(axes, tag(place, len(keys)), model_short(model) if several else "")
        axes.set_xlabel(
            "\n".join(wrap(here.iloc[0]["label"], current().width_mm / columns - 16, current().sizes_pt.label))
        )
        axes.set_ylabel(f"SHAP value{unit(here)}" if place % columns == 0 or several else "")
    handles = [_centre_key(centres, place) for place in range(len(centres))]
    figure.legend(handles=handles, title="Centre", loc="outside lower center", ncols=min(8, len(centres)))
    return figure


def shap_dependence_panel(frame: pd.DataFrame, axes: Axes, centres: list[str]) -> Axes:
    """One predictor; categories and two-valued predictors are spread a little so that points are seen."""
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    values, names = _positions(frame)
    distinct = np.unique(values[np.isfinite(values)])
    jitter = 0.0
    if names or len(distinct) <= 3:
        golden = np.modf(np.arange(len(values)) * 0.618034)[0] - 0.5  # even and the same at every drawing
        jitter = golden * 0.25 * (np.diff(distinct).min() if len(distinct) > 1 else 1)
        labels = [fit(name, across(24)) for name in names] or [f"{value:g}" for value in distinct]
        axes.set_xticks(distinct, labels=labels)
        if max(text_width_mm(label) for label in labels) > 34 / len(labels):
            axes.tick_params(axis="x", rotation=30)
            for label in axes.get_xticklabels():
                label.set_ha("right")
        axes.set_xlim(distinct.min() - 0.5, distinct.max() + 0.5)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(3))
    for place, centre in enumerate(centres):
        chosen = (frame["centre"].astype(str) == centre).to_numpy()
        look = {"color": CENTRE_COLOURS[place % 8], "marker": CENTRE_MARKERS[place % 8], "s": 7, "linewidths": 0}
        axes.scatter((values + jitter)[chosen], frame["shap"].to_numpy(dtype=float)[chosen], alpha=0.75, **look)
    return axes


def _positions(frame: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Where values lie on the axis, and names of the places if the values are categories."""
    known = frame.dropna(subset="value")
    if "value_label" in frame and not _numbers(known["value_label"]):
        levels = known.drop_duplicates("value").sort_values("value")
        return frame["value"].to_numpy(dtype=float), [str(name) for name in levels["value_label"]]
    if is_numeric_dtype(frame["value"]):
        return frame["value"].to_numpy(dtype=float), []
    codes, names = pd.factorize(frame["value"].astype(str), sort=True)
    return codes.astype(float), [str(name) for name in names]


def _numbers(labels: pd.Series) -> bool:
    """Whether printed values are all numbers; thousands have a comma."""
    return bool(pd.to_numeric(labels.astype(str).str.replace(",", ""), errors="coerce").notna().all())


def _centre_key(centres: list[str], place: int) -> Line2D:
    look = {"color": CENTRE_COLOURS[place % 8], "marker": CENTRE_MARKERS[place % 8], "linestyle": "", "markersize": 4}
    return Line2D([], [], label=centres[place], **look)
