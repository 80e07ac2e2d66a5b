"""Where a nomogram's scales stand: in proportion, on the page, no words over one another."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from her2study.models.frozen import predict_frozen
from her2study.models.nomogram import nomogram, patient_points
from her2study.reporting.site.nomogram_plan import LETTER, axes_of, plan
from tests.reporting.site.made import MODELS, all_kinds, frozen_model

PLANS = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])


@PLANS
def test_ticks_stand_in_proportion_to_their_points(narrow):
    axes = nomogram(all_kinds())
    for line in plan(axes, narrow).lines:
        own = axes.loc[axes["variable"] == line.name, "points"].sort_values()
        expected = line.left + (line.right - line.left) * own / line.points
        if len(own):
            assert [tick.x for tick in line.ticks] == pytest.approx(list(expected))


@PLANS
@pytest.mark.parametrize("name", ["all_kinds", "unseen", "one_class"])
def test_nothing_overlaps_or_leaves_the_page(narrow, name):
    drawing = plan(nomogram(MODELS[name]()), narrow)
    for line in drawing.lines:
        for row in {tick.row for tick in line.ticks}:
            spans = [
                (tick.text_x - len(tick.text) * LETTER / 2, tick.text_x + len(tick.text) * LETTER / 2)
                for tick in line.ticks
                if tick.text and tick.row == row
            ]
            assert all(low >= 0 and high <= drawing.width for low, high in spans), line.name
            assert all(a[1] < b[0] for a, b in itertools.pairwise(sorted(spans))), line.name
    assert drawing.lines[-1].y + 16 < drawing.height
    assert all(a.y + 30 < b.y for a, b in itertools.pairwise(drawing.lines))


@PLANS
def test_categories_are_always_named_and_numbers_may_go_unprinted(narrow):
    lines = {line.name: line for line in plan(nomogram(all_kinds()), narrow).lines}
    assert {tick.text for tick in lines["grade"].ticks} == {"low", "intermediate", "high"}
    assert any(not tick.text for tick in lines["age_years"].ticks)  # a short scale


def test_lines_come_from_the_points_down_to_the_probability():
    names = [line.name for line in plan(nomogram(frozen_model("age_years", "node")), False).lines]
    assert names == ["points", "age_years", "node", "total_points", "total"]


def test_long_names_are_broken_beside_a_wide_scale():
    frame = nomogram(frozen_model("age_years"))
    long = frame.assign(
        label=frame["label"].replace("Age (years)", "Largest diameter of the largest axillary node (mm)")
    )
    line = plan(long, narrow=False).lines[1]
    assert len(line.label) > 1
    assert max(map(len, line.label)) * LETTER < line.left


def test_a_probability_that_no_total_reaches_has_no_tick():
    frame = nomogram(frozen_model("skewness"))
    none = pd.concat([frame[frame["variable"] != "total"]])
    assert plan(none, narrow=False).lines[-1].ticks == []


def test_probabilities_that_lie_close_get_ticks_of_their_own():
    model = frozen_model("grade")
    assert len(nomogram(model).query("variable == 'total'")) < 4
    axes = axes_of(model, None)
    total = axes[axes["variable"] == "total"]
    assert len(total) >= 4
    people = pd.DataFrame({"grade": ["low", "intermediate", "high"]})
    order = patient_points(model, people).argsort()
    expected = np.interp(
        patient_points(model, people)[order], total["points"], total["value"], left=np.nan, right=np.nan
    )
    inside = ~np.isnan(expected)
    assert inside.any()
    assert predict_frozen(model, people)[order][inside] == pytest.approx(expected[inside], abs=0.001)


def test_a_predictor_without_a_range_has_no_nomogram():
    model = frozen_model("age_years")
    model["variables"]["age_years"]["range"] = None
    assert axes_of(model, None) is None
