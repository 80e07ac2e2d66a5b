"""Tests of pooled results against metafor (tests/oracles/pooling.R), statsmodels and what must hold always."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from statsmodels.stats.meta_analysis import combine_effects

from her2study.evaluation.pooling import (
    BETWEEN,
    NO_PREDICTION,
    NOT_POOLED,
    SEPARATED,
    TOO_FEW,
    centre_table,
    random_effects,
)
from her2study.evaluation.roc import auc_interval, delong
from her2study.types import StudyError
from tests.evaluation.golden import ORACLES, make_predictions

DATA = dict(list(pd.read_csv(ORACLES / "pooling_data.csv").groupby("set")))
GOLDEN = pd.read_csv(ORACLES / "pooling.csv").set_index(["set", "method", "test", "level", "what"])["value"]
TESTS = {"knha": {}, "adhoc": {"truncated": True}, "z": {"hartung_knapp": False}}


@pytest.mark.oracle("random_effects", by="metafor::rma")
@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("method", BETWEEN)
@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("level", [95, 90])
def test_pooling_equals_metafor(name, method, test, level):
    data = DATA[name]
    found = random_effects(data["y"], data["s"], level / 100, method, **TESTS[test])
    expected = {what: GOLDEN[name, method, test, level, what] for what in found._fields}
    assert found._asdict() == pytest.approx(expected, abs=1e-10, nan_ok=True)


@pytest.mark.oracle("random_effects", by="statsmodels combine_effects")
@pytest.mark.parametrize("name", [name for name in DATA if name != "alike"])  # there statsmodels' variance is negative
def test_dersimonian_laird_equals_statsmodels(name):
    y, s = DATA[name]["y"].to_numpy(), DATA[name]["s"].to_numpy()
    found, other = random_effects(y, s, method="DL"), combine_effects(y, s**2, method_re="dl", use_t=True)
    assert found.estimate == pytest.approx(other.mean_effect_re, abs=1e-10)
    assert found.q == pytest.approx(other.q, abs=1e-10)
    assert (found.low, found.high) == pytest.approx(other.conf_int(use_t=True)[3], abs=1e-10)


effects = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.05, 1)), min_size=2, max_size=8)


@given(effects, st.sampled_from(list(BETWEEN)), st.booleans(), st.floats(0.1, 50))
@settings(max_examples=50)
def test_pooled_values_lie_among_the_estimates_and_scale(centres, method, truncated, unit):
    y, s = np.array(centres).T
    found = random_effects(y, s, method=method, truncated=truncated)
    assert y.min() - 1e-9 <= found.estimate <= y.max() + 1e-9
    assert found.low <= found.estimate <= found.high
    assert found.tau_squared >= 0
    assert 0 <= found.i_squared < 1
    assert 0 <= found.p <= 1
    if len(y) > 2:
        assert found.prediction_low <= found.estimate <= found.prediction_high
    scaled = random_effects(unit * y, unit * s, method=method, truncated=truncated)
    assert scaled.low / unit == pytest.approx(found.low, abs=1e-6)


def test_centres_that_agree_narrow_the_plain_interval_only():
    y, s = [1.0, 1.001, 0.999], [0.2, 0.3, 0.25]
    plain, truncated, normal = (random_effects(y, s, **options) for options in ({}, *list(TESTS.values())[1:]))
    assert plain.high - plain.low < 0.01
    assert truncated.high - truncated.low > normal.high - normal.low


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], [0.1]), "two or more estimates"),
        (([1.0, 2.0], [0.1]), r"shapes \(2,\) and \(1,\)"),
        (([1.0, np.inf], [0.1, 0.1]), "estimate 1 is inf"),
        (([1.0, 2.0], [0.1, 0.0]), "estimate 1 is 2 ± 0"),
        (([1.0, 2.0], [0.1, 0.2], 0.95, "ML"), "unknown method 'ML'"),
    ],
)
def test_what_cannot_be_pooled_is_refused(arguments, message):
    with pytest.raises(StudyError, match=message):
        random_effects(*arguments)


def test_the_table_holds_each_centre_and_their_pool():
    predictions = make_predictions({"m": 1.2, "other": 0.5}, n=90)
    table = centre_table(predictions)
    assert table["model"].tolist() == ["m"] * 6 + ["other"] * 6
    own = table[table["model"] == "m"].set_index("centre")
    assert own["kind"].tolist() == ["centre"] * 4 + ["pooled", "prediction"]
    rows = dict(list(predictions[predictions["model"] == "m"].groupby("centre")))
    for centre, scored in rows.items():
        expected = auc_interval(scored["label"], scored["probability"])
        assert own.loc[centre, ["auc", "auc_low", "auc_high"]].tolist() == pytest.approx(tuple(expected))
    found = [delong(scored["label"], scored["probability"]) for scored in rows.values()]
    areas, errors = (np.array([float(values[i].ravel()[0]) for values in found]) for i in (0, 1))
    errors = np.sqrt(errors)
    pooled = random_effects(logit(areas), errors / (areas * (1 - areas)), truncated=True)
    row = own.loc["all centres"]
    assert (row["auc"], row["auc_low"], row["auc_high"]) == pytest.approx(tuple(expit(pooled[:3])))
    assert (row["i_squared"], row["p_heterogeneity"]) == pytest.approx((pooled.i_squared, pooled.p))
    assert own.loc["a new centre", "auc_low"] == pytest.approx(expit(pooled.prediction_low))
    assert row["n"] == 270


def test_centres_that_cannot_be_pooled_keep_their_row():
    predictions = make_predictions({"m": 1.2}, n=60)
    at, label = predictions["centre"], predictions["label"]
    kept = ~(at.eq("B") & label.eq(1) & predictions["patient_id"].ne("D003"))  # one positive left in B
    perfect = predictions["probability"].where(at != "C", 0.1 + 0.8 * label)
    table = centre_table(predictions.assign(probability=perfect)[kept]).set_index("centre")
    assert table.loc["B", "positives"] == 1
    assert table.loc["B", "note"] == TOO_FEW
    assert np.isnan(table.loc["B", "auc"])
    assert table.loc["C", ["auc", "note"]].tolist() == [1.0, SEPARATED]
    assert table.loc["all centres", "n"] == table.loc[["A", "D"], "n"].sum()
    assert table.loc["a new centre", "note"] == NO_PREDICTION
    assert np.isnan(table.loc["a new centre", "auc_low"])


def test_one_centre_is_not_pooled():
    predictions = make_predictions({"m": 1.2}, n=30)
    table = centre_table(predictions[predictions["centre"] == "A"])
    assert table["kind"].tolist() == ["centre", "pooled", "prediction"]
    assert table["note"].tolist() == ["", NOT_POOLED, NOT_POOLED]
    assert table["p_heterogeneity"].isna().all()
