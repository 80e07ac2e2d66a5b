"""Tests of McNemar's test and of paired differences, against R and published examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from her2study.evaluation.paired import mcnemar, mcnemar_table, paired_difference
from her2study.types import StudyError
from tests.evaluation.decisions_golden import AT, GOLDEN, PAIRED, SETS, columns
from tests.evaluation.golden import make_predictions

calls = st.lists(st.tuples(*[st.booleans()] * 3), min_size=1, max_size=40)


def check(test, name: str, what: str) -> None:
    """One test, done both ways, beside R's binom.test, mcnemar.test and Newcombe's formula."""
    exact, corrected = test(True), test(False)
    for number in ("only_a", "only_b", "difference", "low", "high"):
        assert getattr(exact, number) == pytest.approx(GOLDEN[name, f"{what} {number}"], abs=1e-12)
    assert exact.p == pytest.approx(GOLDEN[name, f"{what} exact p"], rel=1e-12)
    assert np.isnan(exact.statistic)
    statistic, p = (GOLDEN[name, f"{what} corrected {number}"] for number in ("statistic", "p"))
    # R has no answer for models that always agree
    assert corrected.statistic == pytest.approx(0.0 if np.isnan(statistic) else statistic, abs=1e-12)
    assert corrected.p == pytest.approx(1.0 if np.isnan(p) else p, rel=1e-10)
    assert test(None).exact == (exact.only_a + exact.only_b < 25)


@pytest.mark.oracle("mcnemar", by="mcnemar.test and binom.test of R, Newcombe 1998")
@pytest.mark.parametrize("name", SETS)
def test_mcnemar_of_patients_equals_r(name):
    labels, a, b = columns(name)
    groups = {"accuracy": labels >= 0, "sensitivity": labels == 1, "specificity": labels == 0}
    for what, group in groups.items():
        arrays = labels[group], a[group] >= AT, b[group] >= AT
        check(lambda exact, arrays=arrays: mcnemar(*arrays, exact=exact), name, what)


@pytest.mark.oracle("mcnemar", by="mcnemar.test and binom.test of R, Newcombe 1998")
@pytest.mark.parametrize("cells", PAIRED)
def test_mcnemar_of_tables_equals_r(cells):
    first, second = np.repeat([[1, 1, 0, 0], [1, 0, 1, 0]], [int(c) for c in cells.split("/")], axis=1)
    check(lambda exact: mcnemar(np.ones(len(first)), first, second, exact=exact), "tables", cells)


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [((36, 12, 2, 0), 0.0569, 0.3404), ((59, 6, 16, 80), -0.1186, -0.0046), ((14, 5, 0, 22), 0.011, 0.226)],
    ids=["Newcombe 1998", "Fagerland 2017 (Cavo)", "Altman 2000, table 6.2"],
)
def test_intervals_equal_the_printed_ones(cells, low, high):
    interval = paired_difference(*cells)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5.01e-4 if low == 0.011 else 5.01e-5)


def test_exact_below_25_discordant_patients():
    def only(a: int, b: int):
        return mcnemar(np.ones(a + b), np.r_[np.ones(a), np.zeros(b)], np.r_[np.zeros(a), np.ones(b)])

    assert only(10, 14).exact
    assert not only(10, 15).exact
    assert only(10, 15).statistic == pytest.approx(16 / 25)


@settings(max_examples=50)
@given(calls, st.booleans())
def test_any_calls_have_an_interval_and_swapping_the_models_turns_the_sign(rows, exact):
    labels, a, b = np.array(rows).T
    one, other = mcnemar(labels, a, b, exact=exact), mcnemar(labels, b, a, exact=exact)
    assert -1 <= one.low <= one.difference <= one.high <= 1
    assert 0 < one.p <= 1
    assert one.low < one.high
    np.testing.assert_allclose([one.difference, one.low, one.high], [-other[i] for i in (2, 4, 3)], atol=1e-12)
    np.testing.assert_allclose([one.statistic, one.p], [other.statistic, other.p])


def test_table_compares_each_pair_at_its_thresholds_and_adjusts_within_the_split():
    predictions = make_predictions({"a": 2.0, "b": 0.3, "c": 1.0})
    table = mcnemar_table(predictions, {"a": 0.5, "b": 0.4, "c": 0.3}, [("a", "b"), ("a", "c"), ("a", "absent")])
    assert len(table) == 3 * 2 * 3
    assert table.groupby("measure")["n"].first().to_dict() == {"accuracy": 60, "sensitivity": 20, "specificity": 40}
    for _, split in table.groupby("split"):
        np.testing.assert_allclose(split["p_holm"], multipletests(split["p"], method="holm")[1])
    row = table.iloc[0]
    own = predictions[(predictions["split"] == "development") & (predictions["label"] == 1)]
    called = {m: own.loc[own["model"] == m, "probability"].to_numpy() >= t for m, t in (("a", 0.5), ("b", 0.4))}
    assert (row["split"], row["measure"]) == ("development", "sensitivity")
    assert row["difference"] == pytest.approx(called["a"].mean() - called["b"].mean())


def test_no_pair_gives_an_empty_table_with_its_columns():
    table = mcnemar_table(make_predictions({"a": 1.0}), {"a": 0.5}, [("a", "absent")])
    assert table.empty
    assert {"difference_low", "p_holm"} <= set(table.columns)


def test_bad_calls_are_named():
    with pytest.raises(StudyError, match=r"row 1: called_b is 0\.7; it must be 0 or 1"):
        mcnemar([0, 1], [0, 1], [0, 0.7])
    with pytest.raises(StudyError, match=r"shapes \(2,\), \(2,\), \(3,\)"):
        mcnemar([0, 1], [0, 1], [0, 1, 1])
    with pytest.raises(StudyError, match="at least one patient"):
        mcnemar([], [], [])
    with pytest.raises(StudyError, match="model 'b' has no threshold"):
        mcnemar_table(make_predictions({"a": 1.0, "b": 1.0}), {"a": 0.5}, [("a", "b")])
