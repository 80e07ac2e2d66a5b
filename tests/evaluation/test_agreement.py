"""Tests of reader agreement against R (tests/oracles/agreement.R), published examples and what must hold always."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2study.evaluation.agreement import NO_PAIRS, ONE_READER, ONE_VALUE, agreement_table, kappa
from her2study.evaluation.intraclass import ABSOLUTE, icc
from her2study.study import Variable
from her2study.types import StudyError
from tests.evaluation.golden import ORACLES

GOLDEN = pd.read_csv(ORACLES / "agreement.csv").set_index(["set", "what"])["value"]
READINGS = dict(list(pd.read_csv(ORACLES / "agreement_readings.csv").groupby("set")))
WEIGHTS = (None, "linear", "quadratic")
small_readings = st.integers(2, 12).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 3), min_size=n, max_size=n)] * 2)
)


def golden(name: str, what: str) -> list[float]:
    return [GOLDEN[name, what + end] for end in ("", "_low", "_high")]


@pytest.mark.oracle("kappa", by="psych::cohen.kappa; interval by the delta method in R")
@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_kappa_equals_r(name, weights):
    found = kappa(READINGS[name]["first"], READINGS[name]["second"], weights)
    assert tuple(found) == pytest.approx(golden(name, weights or "plain"), abs=1e-12)
    if weights is None:
        assert tuple(found) == pytest.approx(golden(name, "psych_plain"), abs=1e-12)


@pytest.mark.oracle("kappa", by="the example SexualFun of R's vcd, published to four digits")
@pytest.mark.parametrize(("weights", "expected", "error"), [(None, 0.1293, 0.06860), ("linear", 0.2374, 0.07832)])
def test_kappa_of_the_published_example(weights, expected, error):
    counts = np.array([[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]])
    first, second = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    found = kappa(first, second, weights)
    assert found.estimate == pytest.approx(expected, abs=5e-5)
    assert (found.high - found.estimate) / 1.959964 == pytest.approx(error, abs=5e-6)


def test_the_distance_of_a_level_that_nobody_used_counts():
    first, second = [0, 1, 3, 3, 0, 1], [0, 3, 3, 1, 1, 1]
    closed_up = [2 if value == 3 else value for value in first], [2 if value == 3 else value for value in second]
    assert kappa(first, second, "quadratic").estimate != pytest.approx(kappa(*closed_up, "quadratic").estimate)
    assert kappa(first, second).estimate == pytest.approx(kappa(*closed_up).estimate)


@given(small_readings, st.sampled_from(WEIGHTS))
@settings(max_examples=40)
def test_kappa_is_symmetric_bounded_and_within_its_interval(readings, weights):
    found, swapped = kappa(*readings, weights), kappa(*readings[::-1], weights)
    assert tuple(found) == pytest.approx(tuple(swapped), abs=1e-7, nan_ok=True)  # a zero variance has a root of 1e-8
    assert np.isnan(found.estimate) or -1 <= found.estimate <= 1
    assert np.isnan(found.low) or -1 <= found.low <= found.estimate <= found.high <= 1
    same = kappa(readings[0], readings[0], weights)
    assert same.estimate == 1 if len(set(readings[0])) > 1 else np.isnan(same.estimate)


def test_kappa_where_there_is_nothing_to_measure():
    assert np.isnan(kappa(["a", "a"], ["a", "a"])).all()
    assert np.isnan(kappa(["a"], ["b"])).all()
    constant = kappa(["a", "a", "a"], ["a", "b", "a"])
    assert constant.estimate == 0
    assert np.isnan(constant.low)
    assert tuple(kappa(["a", "b"], ["a", "b"])) == (1, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a", "b"], ["a"]), r"shapes are \(2,\) and \(1,\)"),
        ((["a", None], ["a", "b"]), "row 1 lacks a reading"),
        ((["a", "b"], ["a", "b"], "linear"), "are no numbers"),
        (([0, 1], [0, 1], "cubic"), "unknown weights 'cubic'"),
    ],
)
def test_kappa_refuses(arguments, message):
    with pytest.raises(StudyError, match=message):
        kappa(*arguments)


def reading(kind: str, *levels: str) -> Variable:
    return Variable(type=kind, label=kind.capitalize(), role="mri_reading", levels=levels)


@pytest.fixture
def cohort() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "shape": ["oval", "round", "oval", "round", None],
            "shape__reader2": ["oval", "round", "round", "round", "oval"],
            "curve": ["low", "high", "middle", "low", "high"],
            "curve__reader2": ["low", "high", "low", None, "middle"],
            "size": [10.0, 20.0, 30.0, 15.0, np.nan],
            "size__reader2": [11.0, 22.0, 30.0, 17.0, 4.0],
            "rim": ["no"] * 5,
            "rim__reader2": ["no"] * 5,
            "mass": ["no"] * 5,
            "mass__reader2": ["no", "no", "yes", "no", "no"],
            "node": [1.0, *[np.nan] * 4],
            "node__reader2": [2.0, *[np.nan] * 4],
            "age": [40.0, 50.0, 60.0, 70.0, 80.0],
        }
    )


VARIABLES = {
    "shape": reading("categorical", "oval", "round"),
    "curve": reading("ordinal", "low", "middle", "high"),
    "size": reading("continuous"),
    "rim": reading("binary", "no", "yes"),
    "mass": reading("binary", "no", "yes"),
    "node": reading("continuous"),
    "age": reading("continuous"),
}


def test_each_variable_that_two_readers_read_has_its_statistic(cohort):
    table = agreement_table(cohort, VARIABLES).set_index("variable")
    assert list(table.index) == ["shape", "curve", "size", "rim", "mass", "node"]
    assert table.loc["shape", "statistic"] == "Cohen's kappa"
    assert table.loc["shape", "agreement"] == pytest.approx(kappa([0, 1, 0, 1], [0, 1, 1, 1]).estimate)
    assert table.loc["shape", "identical_percent"] == 75
    assert table.loc["curve", "statistic"] == "quadratic-weighted kappa"
    assert table.loc["curve", "agreement"] == pytest.approx(kappa([0, 2, 1, 2], [0, 2, 0, 1], "quadratic").estimate)
    assert table.loc["size", "statistic"] == f"ICC(2,1), {ABSOLUTE}"
    pairs = cohort[["size", "size__reader2"]].dropna()
    assert table.loc["size", ["agreement", "agreement_low", "agreement_high"]].tolist() == pytest.approx(
        tuple(icc(pairs))
    )
    assert table["n"].tolist() == [4, 4, 4, 5, 5, 1]


def test_bias_and_limits_of_agreement_are_bland_and_altmans(cohort):
    row = agreement_table(cohort, VARIABLES).set_index("variable").loc["size"]
    difference = np.array([1.0, 2.0, 0.0, 2.0])
    assert row["bias"] == 1.25
    reach = 1.959964 * difference.std(ddof=1)
    assert (row["agreement_limit_low"], row["agreement_limit_high"]) == pytest.approx((1.25 - reach, 1.25 + reach))


def test_what_cannot_be_measured_is_said(cohort):
    table = agreement_table(cohort, VARIABLES).set_index("variable")
    assert table["note"].to_dict() == {
        "shape": "", "curve": "", "size": "", "rim": ONE_VALUE, "mass": ONE_READER, "node": NO_PAIRS,
    }  # fmt: skip
    assert table.loc[table["note"] != "", "agreement"].isna().all()
    assert table.loc["rim", "identical_percent"] == 100
    assert table.loc["mass", "identical_percent"] == 80


def test_a_study_with_one_reader_has_an_empty_table(cohort):
    table = agreement_table(cohort, {"age": VARIABLES["age"]})
    assert table.empty
    assert "agreement_low" in table
