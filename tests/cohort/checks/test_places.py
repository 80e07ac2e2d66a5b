"""Centres, dates, acquisition times, exclusions, codes in headers: where a patient stands and what settings say."""

import datetime

import pandas as pd
import pytest

from her2study.cohort.checks.cells import MOST, cell_findings, patients_of
from her2study.cohort.checks.centres import empty_classes, unknown_centres
from her2study.cohort.checks.codings import check_codings, header_codes
from her2study.cohort.checks.dates import check_dates, odd_times, short_times, unread_times
from her2study.cohort.checks.designs import check_comparisons, check_exclusions
from her2study.cohort.checks.distributions import centre_units, repeated_variables, second_reader
from her2study.study import Centres, Exclusion, Imaging, Outcome, Source, Split, Variable

SOURCE = Source(kind="folder", table="clinical.csv", date_column="day", mending="mending.yml")
CENTRES = Centres(development=("A", "B"), external=("C",))
OUTCOME = Outcome(column="her2", positive=("positive",), negative=("negative",), label="HER2-positive")


def patients(**columns):
    n = len(next(iter(columns.values())))
    return patients_of(pd.DataFrame({"patient_id": [f"p{i}" for i in range(n)], **columns}, dtype="str"), SOURCE)


def test_an_unknown_centre_is_an_error_unless_an_exclusion_names_it():
    told = patients(centre=["A", "b", None, "X"])
    assert unknown_centres(told, CENTRES)["value"].tolist() == ["b", "empty", "X"]
    rules = (
        Exclusion(reason="none", column="centre", missing=True),
        Exclusion(reason="small", column="centre", values=("X",)),
    )
    assert unknown_centres(told, CENTRES, rules)["value"].tolist() == ["b"]


@pytest.mark.parametrize(
    ("design", "told"),
    [
        ({}, ["centre 'B': all 2 included patients are not HER2-positive", "centre 'C' has no included patient"]),
        ({"external": (), "external_by": "none"}, []),
        ({"external": (), "external_by": "date", "external_from": "2021-01-01"},
         ["the external part: all 1 included patients are not HER2-positive"]),
    ],
)  # fmt: skip
def test_each_part_of_a_design_needs_both_classes(design, told):
    centre, label = pd.Series(list("AAABB")), pd.Series([1.0, 0, 1, 0, 0])
    external = pd.Series([False] * 4 + [True])
    centres = Centres(**{"development": ("A", "B"), "external": ("C",), **design})
    found = empty_classes(patients(centre=centre), centre, label, external, centres, OUTCOME)
    assert found.loc[found["severity"] == "error", "value"].tolist() == told


def test_dates_must_be_days_of_the_past_and_there_where_the_split_needs_them():
    told = patients(day=["2021-03-05", "2021-02-30", None, "2091-01-01", "1921-05-05"])
    today = datetime.date(2026, 1, 1)
    loose = check_dates(told, CENTRES, Split(), today)
    assert dict(zip(loose["value"], loose["severity"], strict=True)) == {
        "2021-02-30": "warning", "2091-01-01": "warning", "1921-05-05": "warning",
    }  # fmt: skip
    strict = check_dates(told, CENTRES, Split(internal="latest"), today)
    assert strict.loc[strict["severity"] == "error", "value"].tolist() == ["2021-02-30", "empty"]


def test_acquisition_times_that_cannot_be_seconds():
    told = patients(acquisition_times=["[0, 90, 180]", "[0, 90, 80]", "[0, 1.5, 3]", "[0, 36000]", None])
    assert unread_times(told)["value"].tolist() == ["[0, 90, 80]"]
    assert odd_times(told)["value"].tolist() == ["[0, 1.5, 3]", "[0, 36000]"]
    late = short_times(told, Imaging(late_seconds=360))
    assert late["severity"].tolist() == ["note"]  # half of them: not most
    assert late["value"][0].startswith("2 of 4")


def test_an_exclusion_that_removes_nobody_is_a_warning_only_where_a_spelling_is_near():
    told = patients(quality=["good", "non diagnostic"])
    gone = pd.DataFrame(columns=["patient_id", "centre", "reason"])
    rules = (
        Exclusion(reason="poor", column="quality", values=("non-diagnostic",)),
        Exclusion(reason="male", column="quality", values=("male",)),
    )
    found = check_exclusions(told, rules, gone)
    assert dict(zip(found["value"].str.split("'").str[1], found["severity"], strict=True)) == {
        "poor": "warning", "male": "note",
    }  # fmt: skip


def test_a_model_that_nobody_makes_cannot_be_compared():
    found = check_comparisons(patients(x=["1"]), ("svm",), (("combined", "clinicall"), ("svm", "dscore")))
    assert found["value"].tolist() == ["statistics.comparisons names 'clinicall'"]
    assert "'clinical'" in found["mend"][0]


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        ("Rim {0 = no, 1 = yes}", {"0": "no", "1": "yes"}),
        ("HER2 {0 = neg, 1 = pos, 2 = borderline}", {"0": "neg", "1": "pos", "2": "borderline"}),
        ("绝经 (0=否；1=是)", {"0": "否", "1": "是"}),
        ("Diameter (mm)", {}),
    ],
)
def test_codes_are_read_from_headers(header, codes):
    assert header_codes(header) == codes


def test_codes_mended_against_their_header_are_told(tmp_path):
    mending = 'columns:\n  "Rim {0 = no, 1 = yes}": {"0": "yes", "1": "no"}\n  "HER2 {0 = neg}": {"0": "negative"}\n'
    (tmp_path / "mending.yml").write_text(mending)
    found = check_codings(patients(x=["1"]), SOURCE, tmp_path)
    assert found["column"].tolist() == ["Rim {0 = no, 1 = yes}"] * 2
    assert found["severity"].tolist() == ["warning"] * 2


def test_the_centre_with_another_unit_is_the_odd_one_out():
    adc = Variable(type="continuous", label="ADC", role="mri_reading", column="adc")
    values = [1.0, 1.1, 1.2, 0.9, 1.05] * 2 + [1000, 1100, 900, 950, 1050]
    told = patients(adc=[str(v) for v in values])
    found = centre_units(told, "adc", adc, "adc", pd.Series(list("AAAAABBBBBCCCCC")))
    assert found["value"].tolist() == ["centre C: the middle is 1000, elsewhere 1.05"]


def test_two_candidates_that_say_the_same():
    values = [str(v) for v in range(30)]
    same = {
        name: Variable(type="continuous", label=name, role="clinical", column=column)
        for name, column in {"mm": "mm", "cm": "cm", "other": "other"}.items()
    }
    told = patients(mm=values, cm=[str(int(v) / 10) for v in values], other=values[::3] * 3)
    found = repeated_variables(told, same)
    assert found["value"].tolist() == ["variables.cm is variables.mm, but perhaps for a factor"]


def test_of_very_many_cells_the_first_are_listed_and_the_rest_is_counted():
    told = patients(x=["a"] * (MOST + 7))
    found = cell_findings(told, told.of("x") == "a", "x", "variables", "must be b", "write b")
    assert len(found) == MOST + 1
    assert found["value"].iloc[-1] == "7 more cells likewise"


def test_two_readers_a_factor_apart():
    reading = Variable(type="continuous", unit="mm", label="D", role="mri_reading", column="one", second_reader="two")
    first = [str(20 + i) for i in range(25)]
    slip = [*first[:-1], "140"]
    told = patients(one=[*first[:-1], "21"], two=slip)
    found = second_reader(told, "diameter", reading)
    assert found[["patient", "column", "value"]].to_numpy().tolist() == [["p24", "two", "140 against 21"]]
    copied = second_reader(patients(one=first, two=first), "diameter", reading)
    assert copied["value"].tolist() == ["the same as one in all 25 patients"]
    centimetres = second_reader(patients(one=first, two=[str(float(v) / 10) for v in first]), "diameter", reading)
    assert centimetres["value"].tolist() == ["0.1 times one in the middle"]
