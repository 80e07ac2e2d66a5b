"""Cells that cannot be read, and cells that can be read and are not to be believed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2study.cohort.checks.cells import patients_of
from her2study.cohort.checks.variables import doubtful_values, value_problems
from her2study.cohort.schema import cohort_problems, typed_cohort
from her2study.study import Centres, Outcome, Source, Variable
from her2study.types import StudyError

SOURCE = Source(kind="folder", table="clinical.csv")
DIAMETER = Variable(type="continuous", unit="mm", label="Diameter", role="mri_reading")
MIDDLE = [str(v) for v in (12, 14, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30, 31, 33, 36, 40, 44, 52)]


def patients(values, column="diameter"):
    names = [f"p{i}" for i in range(len(values))]
    return patients_of(pd.DataFrame({"patient_id": names, column: values}, dtype="str"), SOURCE)


def doubts(values, variable=DIAMETER):
    return doubtful_values(patients(values), "diameter", variable, "diameter")


def test_ordinary_measurements_are_believed():
    assert doubts([*MIDDLE, None]).empty


@pytest.mark.parametrize(
    ("value", "words"),
    [("2.4", "another unit"), ("240", "another unit"), ("999", "code for missing"), ("-1", "code for missing")],
)
def test_one_strange_value_is_told_with_its_place(value, words):
    found = doubts([*MIDDLE, value])
    assert found[["patient", "row", "value", "severity"]].to_numpy().tolist() == [["p22", 24, value, "warning"]]
    assert words in found["rule"][0]


def test_the_end_of_a_tail_is_no_other_unit():
    tail = [f"{24 / 1.2**step:.3f}" for step in range(1, 16)]
    assert doubts([*MIDDLE * 4, *tail]).empty
    assert doubts([*MIDDLE * 4, *tail[:3], tail[-1]])["value"].tolist() == [tail[-1]]


def test_what_is_plausible_decides_before_any_guess():
    variable = DIAMETER.model_copy(update={"plausible": (10.0, 50.0)})
    found = doubts([*MIDDLE, "2.4"], variable)
    assert found["value"].tolist() == ["52", "2.4"]
    assert found["rule"].str.contains("plausible from 10 to 50 mm").all()


def test_a_percentage_beyond_all_is_told_without_any_setting():
    share = Variable(type="continuous", unit="%", label="Ki-67", role="pathology")
    assert doubts([*MIDDLE, "120", "1"], share)["value"].tolist() == ["120"]


@pytest.mark.parametrize(
    ("value", "mend"),
    [
        ("2,3", 'write numbers: {diameter: {decimal: ","}} in mending.yml'),
        ("2,3 cm", 'write numbers: {diameter: {decimal: ",", unit: mm, units: {cm: 10}}} in mending.yml'),
        ("23 mm", "write numbers: {diameter: {unit: mm, units: {mm: 1}}} in mending.yml"),
        (">50", "a limit is no number"),
        ("large", "map it to null"),
    ],
)
def test_a_cell_that_is_nearly_a_number_comes_with_the_line_that_mends_it(value, mend):
    found = value_problems(patients(["21", value]), "diameter", DIAMETER, "diameter")
    assert found[["severity", "row", "value"]].to_numpy().tolist() == [["error", 3, value]]
    assert mend in found["mend"][0]


def test_a_misspelt_level_is_told_with_the_nearest_one():
    rim = Variable(type="binary", levels=("no", "yes"), label="Rim", role="mri_reading")
    found = value_problems(patients(["no", "yse", None, "yes"], "rim"), "rim", rim, "rim")
    assert found["row"].tolist() == [3]
    assert found["mend"][0].startswith("did you mean 'yes'?")


CELLS = st.sampled_from(["1", "2.5", "0", "-3", "1e400", "nan", "2,5", "abc", "yes", "no", "", "positive", "neg", None])


@given(st.lists(st.tuples(CELLS, CELLS, st.sampled_from(["positive", "negative", "2+"])), min_size=2, max_size=6))
def test_what_validate_calls_an_error_is_what_stops_a_run(rows):
    """The same rules for both: no error is passed by a run, and no run stops for what is none."""
    table = pd.DataFrame(rows, columns=["diameter", "rim", "her2"], dtype="str")
    table = table.assign(patient_id=[f"p{i}" for i in range(len(rows))], centre="A")
    outcome = Outcome(column="her2", positive=("positive",), negative=("negative",), label="positive")
    variables = {
        "diameter": Variable(type="continuous", label="D", role="mri_reading", log=True),
        "rim": Variable(type="binary", levels=("no", "yes"), label="R", role="mri_reading"),
    }
    errors = cohort_problems(patients_of(table, SOURCE), outcome, variables)
    one_class = set(table["her2"]) <= {"positive"} or set(table["her2"]) <= {"negative"}
    centres = Centres(development=("A",), external_by="none")
    try:
        cohort = typed_cohort(table, SOURCE, outcome, centres, variables)
    except StudyError:
        assert len(errors) or one_class
    else:
        assert errors.empty
        assert np.isfinite(np.log(cohort["diameter"].dropna())).all()
        assert set(cohort["rim"].dropna()) <= {"no", "yes"}
