"""Rounding and spelling against what a careful author writes by hand."""

import math

import pytest

from her2study.reporting import words


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0321, "0.032"),
        (0.0495, "0.050"),
        (0.00099, "< 0.001"),
        (0.001, "0.001"),
        (0.99951, "> 0.999"),
        (1.0, "> 0.999"),
        (0.0, "< 0.001"),
        (math.nan, "–"),
    ],
)
def test_p_values_are_rounded_never_truncated(p, text):
    assert words.p_value(p) == text


@pytest.mark.parametrize(
    ("value", "decimals", "percent", "text"),
    [
        (0.8149, 2, False, "0.81"),
        (0.8151, 2, False, "0.82"),
        (-0.054, 2, False, "−0.05"),
        (-0.004, 2, False, "0.00"),
        (1484, 0, False, "1,484"),
        (0.8149, 1, True, "81.5"),
        (math.inf, 2, False, "–"),
        (None, 2, False, "–"),
    ],
)
def test_numbers(value, decimals, percent, text):
    assert words.number(value, decimals, percent) == text


def test_intervals():
    assert words.interval(0.8149, 0.7302, 0.8905) == "0.81 (0.73 to 0.89)"
    assert words.interval(-0.02, -0.05, 0.01) == "−0.02 (−0.05 to 0.01)"
    assert words.interval(0.5, math.nan, math.nan) == "0.50 (–)"
    assert words.interval(math.nan, 0.1, 0.2) == "–"


def test_decimals_follow_the_typical_size():
    assert words.decimals_for([312.0, 150.0]) == 0
    assert words.decimals_for([12.4, 9.0, 30.0]) == 1
    assert words.decimals_for([0.5, 1.2]) == 2
    assert words.decimals_for([0.003, 0.01]) == 3
    assert words.decimals_for([0.0, math.nan]) == 2


def test_listing():
    assert words.listing([]) == "none"
    assert words.listing(["a"]) == "a"
    assert words.listing(["a", "b", "c"]) == "a, b and c"


def test_stored_values_as_text():
    assert words.valued({"value": 0.809, "low": 0.73, "high": 0.89, "format": ".2f"}) == "0.81 (0.73 to 0.89)"
    assert words.valued({"value": -3.25, "format": ".1f", "unit": "mm"}) == "−3.2 mm"
    assert words.valued({"value": None, "format": ".3f"}) == "–"
    assert words.valued(450) == "450"
    assert words.valued("svm") == "svm"
