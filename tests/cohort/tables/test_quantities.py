"""Tests of numbers with units."""

from decimal import Decimal

import pytest

from her2study.cohort.tables.quantities import plain_number, quantity

UNITS = {"mm": 1, "cm": 10, "m": 1000, "岁": 1}


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        ("23", ".", "23"), ("2.3", ".", "2.3"), ("2.3 cm", ".", "23"), ("2,3cm", ",", "23"),
        ("1.1 cm", ".", "11"), ("61岁", ".", "61"),
        ("0,07 m", ",", "70"), ("5 MM", ".", "5"), ("５．５ ｃｍ", ".", "55"), (" 7 mm. ", ".", "7"),
        ("-0.5", ".", "-0.5"), ("−3", ".", "-3"), ("1e3", ".", "1000"), (".5 cm", ".", "5"), ("2.3", ",", "2.3"),
        ("10.00", ".", "10"), ("0.0", ".", "0"),
    ],
)  # fmt: skip
def test_numbers_are_read_in_their_unit(text, decimal, expected):
    assert quantity(text, "mm", UNITS, decimal) == (expected, "")


def test_a_number_without_a_unit_has_the_unit_that_is_said():
    assert quantity("2,3", "cm", {"cm": 10, "mm": 1}, ",") == ("23", "")
    assert quantity("2.3", "cm") == ("2.3", "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("> 50", "a bound"), ("<5", "a bound"), ("ca. 20", "a bound"), ("约20", "a bound"), ("20-25", "a range"),
        ("20 – 25 mm", "a range"), ("23 x 18 mm", "several sizes"), ("23×18", "several sizes"), ("2,3", "a comma"),
        ("2.3 inch", "the unit 'inch', which is none of mm, cm, m, 岁"), ("5O", "not a number"),
        ("large", "not a number"), ("", "not a number"), ("1.234,5", "not a number"), ("12 mm 13 mm", "unit"),
        ("#REF!", "not a number"), ("5 ± 1", "a bound"),
    ],
)  # fmt: skip
def test_what_is_no_single_number_is_said_and_not_guessed(text, problem):
    value, told = quantity(text, "mm", UNITS)
    assert value is None
    assert problem in told


def test_plain_numbers_have_no_exponent_and_no_needless_zeros():
    assert [plain_number(Decimal(v)) for v in ("1E+2", "1.500", "-0.0", "1E-7")] == ["100", "1.5", "0", "0.0000001"]
