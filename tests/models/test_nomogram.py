"""Points of the nomogram add up to the model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from her2study.models.frozen import predict_frozen
from her2study.models.logistic import fit_frozen
from her2study.models.nomogram import nomogram, patient_points, point_scale, points_to_probability
from tests.models.invented import VARIABLES, oracle_patients

PATIENTS = oracle_patients()
FROZEN = fit_frozen(PATIENTS, VARIABLES, list(VARIABLES), "clinical")


def test_points_reproduce_the_probability_exactly():
    points = patient_points(FROZEN, PATIENTS)
    probability = points_to_probability(point_scale(FROZEN), points)
    assert probability == pytest.approx(predict_frozen(FROZEN, PATIENTS), rel=1e-12)


def test_reading_the_printed_axes_gives_the_model():
    """A patient on the second tick of every axis: add the printed points, look up the probability below."""
    axes = nomogram(FROZEN)
    own, total = axes[axes["variable"] != "total"], axes[axes["variable"] == "total"]
    tick = own.groupby("variable", sort=False).nth(1).set_index("variable")
    patient = pd.DataFrame(
        {
            "age_years": [tick.loc["age_years", "value"]],
            "node_mm": [tick.loc["node_mm", "value"]],
            **{name: [tick.loc[name, "value_label"]] for name in ("rim", "shape", "curve")},
        }
    )
    read = np.interp(tick["points"].sum(), total["points"], np.log(total["value"] / (1 - total["value"])))
    model = predict_frozen(FROZEN, patient)[0]
    assert read == pytest.approx(np.log(model / (1 - model)), abs=1e-9)


def test_scale_runs_from_zero_to_a_hundred():
    axes = nomogram(FROZEN)
    own = axes[axes["variable"] != "total"]
    assert own["points"].max() == pytest.approx(100)
    assert own.groupby("variable")["points"].min().tolist() == pytest.approx([0] * 5)
    assert own.loc[own["variable"] == "shape", "value_label"].tolist() == ["oval", "round", "irregular"]
    node = own.loc[own["variable"] == "node_mm", "value"].tolist()
    assert node[0] <= PATIENTS["node_mm"].min() < node[1]
    assert node[-2] < PATIENTS["node_mm"].max() <= node[-1]
    assert set(node) <= {1, 2, 3, 5, 7, 10, 20, 30, 50, 70}
    assert axes.loc[axes["variable"] == "total", "points"].is_monotonic_increasing


def test_a_null_model_has_no_axes():
    assert nomogram(fit_frozen(PATIENTS, VARIABLES, [], "clinical"))["variable"].isin(["total"]).all()
