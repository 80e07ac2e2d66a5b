"""Tests of dates as people type them, against the calendars of Python and openpyxl."""

import datetime

import pytest
from openpyxl.utils.datetime import from_excel

from her2study.cohort.tables.dates import FIRST_DAY, LAST_DAY, iso_date


@pytest.mark.parametrize(
    "form",
    ["%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d %b %Y", "%d-%b-%Y", "%B %d, %Y", "%Y%m%d", "%Y/%m/%d", "%Y年%m月%d日",
     "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M"],
)  # fmt: skip
@pytest.mark.parametrize("day", [datetime.datetime(2020, 3, 1), datetime.datetime(1999, 12, 31, 23, 59)])
def test_forms_of_one_day_are_one_date(form, day):
    assert iso_date(day.strftime(form), "dmy") == (day.date().isoformat(), "", False)


def test_the_order_decides_between_day_and_month():
    assert [iso_date("3/4/2021", order)[0] for order in ("dmy", "mdy")] == ["2021-04-03", "2021-03-04"]
    assert iso_date("21/4/3", "ymd")[0] == "2021-04-03"
    assert iso_date("2021-04-03", "mdy")[0] == "2021-04-03"  # a year in front is a year in front


@pytest.mark.parametrize("days", [FIRST_DAY, 36526, 43891, LAST_DAY])
def test_days_of_excel(days):
    assert iso_date(str(days), excel_days=True) == (from_excel(days).date().isoformat(), "", False)
    assert iso_date(f"{days}.5", excel_days=True)[0] == from_excel(days).date().isoformat()
    assert iso_date(str(days))[1] == "is a number and not a date"


@pytest.mark.parametrize(
    ("text", "order", "problem"),
    [
        ("31.02.2020", "dmy", "no day of the calendar"), ("13/25/2020", "dmy", "no month 25"),
        ("3/4/2021", "ymd", "year at the end"), ("2020", "dmy", "not a whole date"), ("20/4/3", "dmy", "one digit"),
        ("2020-03", "ymd", "not a whole date"),
        ("03/2020", "dmy", "not a whole date"), ("spring 2020", "dmy", "not a date"), ("12", "dmy", "not a date"),
        ("1 Foo 2020", "dmy", "not a date"), ("20209999", "ymd", "no month 99"),
    ],
)  # fmt: skip
def test_what_is_no_day_is_said(text, order, problem):
    value, told, _ = iso_date(text, order, excel_days=True)
    assert value is None
    assert problem in told


@pytest.mark.parametrize(
    ("text", "expected"), [("1.3.20", "2020-03-01"), ("1.3.49", "2049-03-01"), ("1.3.50", "1950-03-01")]
)
def test_a_year_of_two_digits_is_marked_as_assumed(text, expected):
    assert iso_date(text, "dmy") == (expected, "", True)


def test_months_of_other_languages():
    texts = ["1. März 2020", "1 mars 2020", "1 MAR 2020", "1 juin 2020", "3 Okt. 2020", "2 août 2019", "1 ene 2021"]
    assert [iso_date(t, "dmy")[0] for t in texts] == [
        "2020-03-01", "2020-03-01", "2020-03-01", "2020-06-01", "2020-10-03", "2019-08-02", "2021-01-01",
    ]  # fmt: skip
