"""Tests of group comparisons against R (tests/oracles/baseline.R) and closed forms."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from her2study.cohort.comparison import by_ranks, compare_groups, standardised_difference
from her2study.study import Variable

GOLDEN = pd.read_csv(Path(__file__).parents[1] / "oracles" / "baseline.csv").set_index("quantity")["value"]
AGE = [41, 52, 47, 60, 38, 55, 49, 63, 58, 44, 51, 66]
NODE = [5, 9, 7, 31, 6, 8, 12, 40, 9, 6, 10, 22]
NUMBER = Variable(type="continuous", label="x", role="clinical")


def categories(*levels: str) -> Variable:
    return Variable(type="categorical", label="x", role="clinical", levels=levels)


def cut(values: list, *sizes: int) -> list[pd.Series]:
    """Consecutive groups of the given sizes."""
    ends = np.cumsum((0, *sizes))
    return [pd.Series(values[a:b], dtype="float64") for a, b in pairwise(ends)]


def from_counts(counts: list[list[int]], levels: str) -> list[pd.Series]:
    """One series of levels per column of a table of counts."""
    return [pd.Series([lv for lv, n in zip(levels, c, strict=True) for _ in range(n)]) for c in np.transpose(counts)]


@pytest.mark.parametrize(
    ("values", "sizes", "ranked", "name", "quantity"),
    [
        (AGE, (5, 7), False, "Welch's t", "welch_t"),
        (NODE, (5, 7), True, "Mann-Whitney", "mann_whitney"),
        (AGE, (4, 4, 4), False, "Welch's ANOVA", "welch_anova"),
        (NODE, (4, 4, 4), True, "Kruskal-Wallis", "kruskal_wallis"),
    ],
)
def test_tests_of_numbers_agree_with_r(values, sizes, ranked, name, quantity):
    found = compare_groups(cut(values, *sizes), NUMBER, ranked)
    assert found == (name, pytest.approx(GOLDEN[quantity], rel=1e-9))


@pytest.mark.parametrize(
    ("counts", "name", "quantity", "tolerance"),
    [
        ([[7, 2], [1, 8]], "Fisher's exact", "fisher", 1e-9),
        ([[40, 30], [25, 35]], "chi-squared", "chi_squared", 1e-9),
        ([[30, 20, 30], [25, 15, 40]], "chi-squared", "chi_squared_wide", 1e-9),
        # random tables: four standard errors at 9,999 draws
        ([[6, 2, 1], [1, 3, 2], [0, 1, 5]], "Fisher-Freeman-Halton", "freeman_halton", 0.01),
    ],
)
def test_tests_of_counts_agree_with_r(counts, name, quantity, tolerance):
    found = compare_groups(from_counts(counts, "xyz"[: len(counts)]), categories(*"xyz"[: len(counts)]), False)
    assert found == (name, pytest.approx(GOLDEN[quantity], abs=tolerance))


@pytest.mark.parametrize(
    ("sizes", "name", "quantity"),
    [((5, 7), "Mann-Whitney", "ordinal_two"), ((4, 4, 4), "Kruskal-Wallis", "ordinal_three")],
)
def test_tests_of_ordered_levels_use_their_order_and_agree_with_r(sizes, name, quantity):
    grades = ["low", "middle", "middle", "high", "low", "high", "high", "middle", "high", "high", "middle", "high"]
    ends = np.cumsum((0, *sizes))
    groups = [pd.Series(grades[a:b]) for a, b in pairwise(ends)]
    grade = Variable(type="ordinal", label="x", role="pathology", levels=("low", "middle", "high"))
    assert compare_groups(groups, grade, False) == (name, pytest.approx(GOLDEN[quantity], rel=1e-9))


def test_standardised_differences_agree_with_r():
    groups = from_counts([[10, 40], [20, 30], [30, 10]], "xyz")
    assert standardised_difference(groups, categories(*"xyz")) == pytest.approx(GOLDEN["smd_categories"], rel=1e-9)
    assert standardised_difference(cut(AGE, 5, 7), NUMBER) == pytest.approx(GOLDEN["smd_numbers"], rel=1e-9)


def test_random_tables_are_the_same_every_time():
    groups = from_counts([[6, 2, 1], [1, 3, 2], [0, 1, 5]], "xyz")
    assert compare_groups(groups, categories(*"xyz"), False) == compare_groups(groups, categories(*"xyz"), False)


def test_a_group_without_values_takes_no_part_and_is_counted_out():
    groups = [*cut(AGE, 5, 7), pd.Series([np.nan, np.nan])]
    assert compare_groups(groups, NUMBER, False) == (
        "Welch's t (2 of 3 groups)",
        pytest.approx(GOLDEN["welch_t"], rel=1e-9),
    )


@pytest.mark.parametrize("groups", [cut([1, 1, 1, 1], 2, 2), cut(AGE, 12, 0)])
def test_nothing_to_compare_is_said_and_not_computed(groups):
    name, p = compare_groups(groups, NUMBER, False)
    assert name.startswith("not tested")
    assert np.isnan(p)


def test_skewness_decides_for_ranks():
    assert GOLDEN["skewness"] > 1
    assert by_ranks(pd.Series(NODE), NUMBER)
    assert not by_ranks(pd.Series(AGE), NUMBER)
    assert by_ranks(pd.Series(AGE), NUMBER.model_copy(update={"log": True}))


def test_standardised_difference_of_numbers_is_cohens_with_pooled_variance():
    # means 2 and 4, variances 1 and 4: 2 / sqrt(2.5)
    assert standardised_difference(cut([1, 2, 3, 2, 4, 6], 3, 3), NUMBER) == pytest.approx(2 / np.sqrt(2.5))


def test_standardised_difference_of_two_levels_is_the_formula_for_proportions():
    groups = from_counts([[40, 30], [60, 20]], "xy")
    p, q = 0.6, 0.4
    expected = (p - q) / np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
    assert standardised_difference(groups, categories("x", "y")) == pytest.approx(expected)


def test_standardised_difference_does_not_depend_on_the_first_level():
    groups = from_counts([[10, 30], [20, 40], [30, 10]], "xyz")
    first = standardised_difference(groups, categories("x", "y", "z"))
    assert first == pytest.approx(standardised_difference(groups, categories("z", "x", "y")))
    assert first > 0.5


def test_standardised_difference_is_the_largest_of_all_pairs():
    groups = cut([1, 2, 3, 1, 2, 3, 2, 4, 6], 3, 3, 3)
    assert standardised_difference(groups, NUMBER) == pytest.approx(2 / np.sqrt(2.5))


def test_groups_without_a_level_in_common_are_infinitely_far_apart_whoever_stands_beside_them():
    assert np.isinf(standardised_difference(from_counts([[5, 0], [0, 5]], "xy"), categories("x", "y")))
    assert np.isinf(standardised_difference(from_counts([[5, 5, 0], [0, 0, 5]], "xy"), categories("x", "y")))
