"""Tests of who is who: patient and centre columns, and which row stands for a patient."""

import pytest

from her2study.cohort.proposals.columns import propose_column
from her2study.cohort.proposals.people import choose_centre, choose_patient, choose_rows
from her2study.cohort.proposals.relations import relate
from her2study.types import StudyError
from tests.cohort.proposals.tables import cohort, sheet


def columns(table):
    return [propose_column(name, "t.csv", table.cells[name]) for name in table.cells]


def test_the_folders_of_the_images_tell_the_patient_column():
    table = sheet(cohort() | {"Scan": [f"XY{i}" for i in range(60)]})
    assert choose_patient(columns(table), table.cells).column == "Patient"
    assert choose_patient(columns(table), table.cells, [f"XY{i}" for i in range(50)]).column == "Scan"


def test_a_number_of_the_row_is_no_patient():
    women = ["W1", "W1", "W2", "W3", "W4"]
    table = sheet({"No": ["1", "2", "3", "4", "5"], "Hospital number": women, "Age": ["40", "40", "50", "60", "70"]})
    found = choose_patient(columns(table), table.cells)
    assert found.column == "Hospital number"
    assert "pseudonym" in found.doubts[0]


def test_without_a_patient_column_the_message_says_what_to_call_it():
    table = sheet({"Age": ["40", "50"], "HER2": ["0", "1"]})
    with pytest.raises(StudyError, match="call the column with one name or number a patient 'patient_id'"):
        choose_patient(columns(table), table.cells)


def test_the_fuller_column_of_few_values_is_the_centre():
    table = sheet({"dataset": ["A", "B", "A", "B"], "site": ["1", None, None, "4"], "MRI": ["a", "b", "c", "d"]})
    found = choose_centre(columns(table), None)
    assert (found.column, found.why) == ("dataset", "tells where each patient comes from, more fully than site")
    with pytest.raises(StudyError, match="--centre: the table has no column 'Site'; did you mean 'site'"):
        choose_centre(columns(table), "Site")


def rows(**more):
    table = sheet({"Patient": ["A", "A", "B", "C"], **more})
    related = relate(columns(table), table.cells)
    return choose_rows(related.columns, table.cells, "Patient")


def test_two_lesions_two_visits_and_two_women():
    age, size = ["50", "50", "60", "70"], ["10", "25", "30", "40"]
    side = ["left", "right", "left", "left"]
    lesions = rows(Age=age, Side=side, **{"Size (mm)": size})
    assert (lesions.keep, lesions.by, lesions.patients) == ("largest", "Size (mm)", 1)
    dates = ["2020-01-01", "2020-06-01", "2020-02-02", "2020-03-03"]
    visits = rows(Age=age, **{"MRI date": dates})
    assert (visits.keep, visits.by) == ("first", "MRI date")
    women = rows(Age=["50", "71", "60", "70"], **{"Size (mm)": size})
    assert women.keep == "only"
    assert "the rows of 1 of them disagree on Age" in women.why
    assert rows(Age=age).keep == "first"  # the same row twice
    assert rows(Age=age, Remark=["x", "y", "", ""]).keep == "only"  # nothing says which
