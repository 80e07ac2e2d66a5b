"""Tests of columns together: readers, derived columns, copies, what is nearly empty."""

from her2study.cohort.proposals.columns import propose_column
from her2study.cohort.proposals.relations import relate
from tests.cohort.proposals.tables import sheet

N = 40


def related(**columns):
    table = sheet(columns)
    found = relate([propose_column(c, "t.csv", table.cells[c]) for c in table.cells], table.cells)
    return {c.column: c for c in found.columns}, found.derived


def test_the_second_reader_joins_the_first():
    words = ["oval", "round"] * (N // 2)
    found, _ = related(**{"shape_reader1": words, "shape_reader2": ["irregular", *words[1:]], "shape_reader3": words})
    first = found["shape_reader1"].variable
    assert (first["name"], first["second_reader"]) == ("shape", "shape_reader2")
    assert first["levels"] == ("oval", "round", "irregular")  # of both readers, in the lexicon's order
    assert found["shape_reader2"].use == "second_reader"
    assert found["shape_reader3"].why == "a further reader; two are compared"


def test_boxes_lists_and_phases_are_made_into_variables():
    _, derived = related(
        width_mm=["10"] * N, height_mm=["12"] * N, pixel_spacing=["[0.7, 0.7]"] * N, num_phases=["6"] * N
    )
    assert [d.rule for d in derived] == [
        {"largest_of": ["width_mm", "height_mm"]},
        {"item_of": "pixel_spacing", "item": 0},
        {"difference_of": "num_phases", "minus": 1},
    ]


def test_copies_near_empty_and_near_constant_columns_are_taken_back():
    ages = [str(30 + i) for i in range(N)]
    few = ["yes" if i == 3 else "no" for i in range(N)]
    found, _ = related(Age=ages, Alter=list(ages), Oedema=few, Rim=["no"] * N, BPE=["mild"] + [None] * (N - 1))
    assert found["Alter"].why == "holds the same as Age in every row"
    assert not found["Oedema"].variable["candidate"]
    assert "all but 1 patients" in found["Oedema"].why
    assert found["Rim"].use == "unused"
    assert found["BPE"].use == "unused"


def test_what_says_the_same_is_offered_once():
    numbers = [str(40 + i) for i in range(N)]
    found, _ = related(Weight=numbers, BMI=[str(20 + i / 10) for i in range(N)])
    assert not found["Weight"].variable["candidate"]
    assert found["BMI"].variable["candidate"]


def test_two_columns_of_one_meaning_have_two_names():
    sizes = [str(10 + i) for i in range(N)]
    found, _ = related(**{"Size (mm)": [None, *sizes[1:]], "Diameter (mm)": sizes[::-1]})
    assert found["Diameter (mm)"].name == "largest_diameter_mm"
    assert found["Size (mm)"].name == "largest_diameter_mm_2"
    assert not found["Size (mm)"].variable["candidate"]
