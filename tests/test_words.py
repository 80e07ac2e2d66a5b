"""Rounding and spelling against what a careful author writes by hand."""

import math

import pytest

from her2study import words


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0321, "0.032"),
        (0.0495, "0.050"),
        (0.0496, "0.050"),
        (0.0625, "0.063"),
        (0.0045, "0.005"),
        (0.00096, "< 0.001"),
        (0.00099999, "< 0.001"),
        (0.001, "0.001"),
        (0.00149, "0.001"),
        (0.0015, "0.002"),
        (0.9985, "0.999"),
        (0.999, "0.999"),
        (0.9992, "> 0.999"),
        (0.9996, "> 0.999"),
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
        (0.125, 2, False, "0.13"),
        (0.135, 2, False, "0.14"),
        (-0.125, 2, False, "−0.13"),
        (2.5, 0, False, "3"),
        (0.145, 0, True, "15"),
        (1e22, 2, False, "10,000,000,000,000,000,000,000.00"),
        (5e-324, 2, False, "0.00"),
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


def test_rounding_agrees_with_exact_arithmetic():
    """Every thousandth, halves included, against integers."""
    for thousandths in range(2000):
        text = f"{(thousandths + 5) // 10 / 100:.2f}"
        assert words.number(thousandths / 1000, 2) == text


@pytest.mark.parametrize(("confidence", "text"), [(0.95, "95%"), (0.9, "90%"), (0.975, "97.5%"), (0.999, "99.9%")])
def test_confidence(confidence, text):
    assert words.percent_of(confidence) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("random_forest", "Random forest"),
        ("inner_auc", "Inner AUC"),
        ("auc", "AUC"),
        ("p_dscore", "P D-score"),
        ("nnU-Net", "nnU-Net"),
        ("hosmer_test", "Hosmer test"),
        ("", ""),
    ],
)
def test_names(name, text):
    assert words.spell(name) == text


def test_listing():
    assert words.listing([]) == "none"
    assert words.listing(["a"]) == "a"
    assert words.listing(["a", "b", "c"]) == "a, b and c"


def test_stored_values_as_text():
    assert words.valued({"value": 0.809, "low": 0.73, "high": 0.89, "format": ".2f"}) == "0.81 (0.73 to 0.89)"
    assert words.valued({"value": -3.25, "format": ".1f", "unit": "mm"}) == "−3.3 mm"
    assert words.valued({"value": None, "format": ".3f"}) == "–"
    assert words.valued({"value": 0.00002, "format": "p"}) == "< 0.001"
    assert words.valued({"value": None, "format": "p"}) == "–"
    assert words.valued({"value": 1234, "format": ",d"}) == "1,234"
    assert words.valued(450) == "450"
    assert words.valued("svm") == "svm"
    assert words.valued({"value": "HER2-positive", "format": ""}) == "HER2-positive"  # a hyphen is no minus
