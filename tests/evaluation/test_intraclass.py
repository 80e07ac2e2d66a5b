"""Tests of the intraclass correlation against R (tests/oracles/agreement.R) and what must hold always."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2study.evaluation.intraclass import ICC_MODELS, icc
from her2study.types import StudyError
from tests.evaluation.golden import ORACLES

GOLDEN = pd.read_csv(ORACLES / "agreement.csv").set_index(["set", "what"])["value"]
RATINGS = {
    name: rows.pivot_table(index="patient", columns="reader", values="value").to_numpy()
    for name, rows in pd.read_csv(ORACLES / "agreement_ratings.csv").groupby("set")
}


def golden(name: str, what: str) -> list[float]:
    return [GOLDEN[name, what + end] for end in ("", "_low", "_high")]


@pytest.mark.oracle("icc", by="psych::ICC")
@pytest.mark.parametrize("name", RATINGS)
@pytest.mark.parametrize("model", ICC_MODELS)
@pytest.mark.parametrize("tail", ["0.05", "0.1"])
def test_icc_equals_r(name, model, tail):
    short = ICC_MODELS[model].replace("(", "").replace(",1)", "").replace(",k)", "k")  # psych's: ICC2, ICC2k
    found = icc(RATINGS[name], model, 1 - float(tail))
    assert tuple(found) == pytest.approx(golden(name, f"{short}_{tail}"), abs=1e-12)


@pytest.mark.oracle("icc", by="Shrout and Fleiss 1979, table 4")
def test_icc_of_the_published_example():
    published = dict(zip(ICC_MODELS, (0.17, 0.29, 0.71, 0.44, 0.62, 0.91), strict=True))
    for model, expected in published.items():
        assert icc(RATINGS["shrout"], model).estimate == pytest.approx(expected, abs=0.005)


@given(st.integers(2, 9), st.integers(2, 4), st.sampled_from(list(ICC_MODELS)), st.integers(0, 10**6))
@settings(max_examples=50)
def test_icc_ignores_the_unit_and_lies_in_its_interval(n, readers, model, seed):
    ratings = np.random.default_rng(seed).normal(size=(n, readers)) + np.arange(n)[:, None]
    found, other_unit = icc(ratings, model), icc(10 + 2.5 * ratings, model)
    assert tuple(found) == pytest.approx(tuple(other_unit), rel=1e-6, abs=1e-8, nan_ok=True)
    known = [value for value in (found.low, found.estimate, found.high) if not np.isnan(value)]
    assert known == pytest.approx(sorted(known))
    assert max(known, default=0) <= 1


@pytest.mark.parametrize("model", ICC_MODELS)
def test_icc_at_its_limits(model):
    readings = np.array([1.1, 2.2, 4.4])
    assert tuple(icc(np.column_stack([readings, readings]), model)) == pytest.approx((1, 1, 1))
    assert np.isnan(icc(np.full((4, 2), 3.3), model)).all()
    assert np.isnan(icc([[1.0, 2.0]], model)).all()
    shifted = icc(np.column_stack([readings, readings + 1]), model).estimate
    assert shifted == pytest.approx(1) if "consistency" in model else shifted < 1
    alike = icc(np.tile([1.1, 2.3], (5, 1)), model)
    assert np.isnan(alike.estimate) or "one-way" in model


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0, 2.0]], "two-way"), "unknown model 'two-way'"),
        (([1.0, 2.0],), r"shape \(2,\)"),
        (([[1.0, 2.0], [np.nan, 1.0]],), "row 1 lacks a reading"),
        (([["mass", "mass"]],), "are no numbers"),
    ],
)
def test_icc_refuses(arguments, message):
    with pytest.raises(StudyError, match=message):
        icc(*arguments)
