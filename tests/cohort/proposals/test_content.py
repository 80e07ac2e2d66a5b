"""Tests of content: numbers, dates and identifying values, told by their cells."""

import pytest

from her2study.cohort.proposals.content import (
    content_of,
    dates_of,
    list_length,
    looks_identifying,
    missing_numbers,
    numbers_of,
)
from tests.cohort.proposals.tables import text


def of(*values):
    return content_of(text(values))


def test_numbers_with_units_commas_and_things_that_are_none():
    numbers = numbers_of(of("2,3 cm", "23", "31 mm", "18 mm", "NP", ">50"), 0.5)
    assert numbers.by_text == {"2,3 cm": 2.3, "23": 23, "31 mm": 31, "18 mm": 18}
    assert numbers.units == {"cm": "cm", "mm": "mm"}
    assert numbers.comma
    assert numbers.broken == {">50": 1}
    assert numbers_of(of("a", "b", "1")) is None


def test_999_means_missing_where_it_cannot_be_a_value():
    ages = numbers_of(of("45", "52", "999", "-1", "99"))
    assert set(missing_numbers(ages, (18, 100))) == {"999", "-1"}  # somebody may be 99
    free = numbers_of(of("4", "7", "999", "-1"))
    assert set(missing_numbers(free, None)) == {"999", "-1"}
    signed = numbers_of(of("-4", "-1", "3"))
    assert missing_numbers(signed, None) == ()


@pytest.mark.parametrize(
    ("values", "order", "sure"),
    [
        (("2020/03/01", "2021/12/31"), "ymd", True),
        (("31.12.2020", "01.02.2021"), "dmy", True),
        (("12/31/2020", "01/02/2021"), "mdy", True),
        (("01/02/2020", "03/04/2021"), "dmy", False),
        (("2020年3月1日", "2021年12月31日"), "ymd", True),
    ],
)
def test_the_order_of_day_and_month_is_told_by_the_dates(values, order, sure):
    found = dates_of(of(*values), True)
    assert (found.order, found.sure) == (order, sure)


def test_days_of_excel_are_dates_only_where_the_header_says_date():
    days = of("43891", "43950", "2020-03-01")
    assert dates_of(days, True).excel_days
    assert dates_of(of("43891", "43950"), False) is None
    assert dates_of(of("12", "13"), True) is None


def test_values_that_name_persons_are_seen_by_their_shape():
    assert looks_identifying(of("王小红", "李芳", "张伟伟", "刘洋", "陈静", "杨光")) == "looks like names of persons"
    assert looks_identifying(of(*[f"1.3.6.1.4.1.145.{i}" for i in range(9)])).startswith("numbers of the original")
    assert looks_identifying(of("Müller, Zoë", "Côté, Maëlle", "Noël, Anne", "Açard, Léa", "Benoît, A."))
    assert looks_identifying(of(*[f"{i}.25" for i in range(20)])) is None
    assert looks_identifying(of("mass", "mass", "non-mass", "mass", "mass", "mass")) is None


def test_items_of_a_list_are_counted():
    assert (list_length("[0, 97, 194]"), list_length("[]"), list_length("0, 97")) == (3, 0, None)
