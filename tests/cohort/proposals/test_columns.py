"""Tests of columns: what a hospital's column is taken for, and what is asked."""

from tests.cohort.proposals.tables import column, text


def test_centimetres_are_turned_into_millimetres_by_a_rule_that_is_written():
    sizes = column("Tumour size (cm)", ["2,3", "1,1", "31 mm", "4", "2.8"] * 4)
    assert sizes.variable["unit"] == "mm"
    assert sizes.mends.numbers == {"unit": "cm", "units": {"mm": 1, "cm": 10}, "decimal": ","}
    assert sizes.doubts == ()


def test_a_unit_that_the_table_does_not_name_is_a_question():
    height = column("patient_size", ["1.62", "1.70", "1.58", "1.66"] * 5)
    assert height.mends.numbers["unit"] == "m"
    assert "fit m and not cm" in height.doubts[0]


def test_a_few_centimetres_among_millimetres_are_a_question_and_not_changed():
    sizes = column("Size (mm)", [str(n) for n in range(20, 45)] + ["2.4", "3.1"])
    assert sizes.mends.numbers is None
    assert any("are they centimetres?" in words for words in sizes.doubts)
    tenths = column("Size (mm)", [f"{n / 10:.1f}" for n in range(50, 400, 7)])
    assert not any("centimetres" in words for words in tenths.doubts)


def test_cells_that_are_no_numbers_are_shown_and_left():
    ki67 = column("Ki-67 (%)", ["20", "15%", "30", ">50", "10", "12", "NP", "999"])
    assert ki67.variable["name"] == "ki67_percent"
    assert dict(ki67.mends.suggested) == {">50": None}
    assert ki67.mends.missing == ("NP", "999")
    assert "1 cell is not a number: >50" in ki67.doubts[0]


def test_what_is_known_of_receptors_depends_on_the_cells():
    assert column("ER", ["90%", "0", "80%", "5%", "100%"]).variable["name"] == "er_percent"
    coded = column("ER", ["1", "0", "1", "0"])
    assert coded.variable["levels"] == ("negative", "positive")
    assert not coded.variable["candidate"]


def test_a_column_called_her2_may_hold_scores():
    assert column("HER2", ["0", "1+", "2+", "3+"]).use == "ihc"
    assert column("HER2", ["0", "1", "2", "3"]).use == "ihc"
    assert column("HER2", ["0", "1"]).use == "outcome"
    assert column("HER2 {0 = neg, 1 = pos, 2 = borderline}", ["0", "1", "2"]).mends.maps["2"] == "equivocal"
    assert column("FISH", ["1.2", "2.8", "3.1"]).use == "ratio"


def test_what_nobody_knows_is_described_and_offered_to_no_model():
    odd = column("Favourite number", [str(n) for n in range(40)])
    assert (odd.use, odd.variable["candidate"]) == ("variable", False)
    assert "Set candidate: true" in odd.doubts[-1]


def test_a_column_is_known_by_its_words_where_its_name_says_nothing():
    kind = column("Type", ["masse", "non-masse", "masse", "masse"])
    assert kind.variable["name"] == "lesion_type"
    assert kind.mends.maps == {"masse": "mass", "non-masse": "non-mass"}


def test_the_legend_gives_codes_and_words():
    known = column("multifocal_cancer", ["1", "2", "1"], codes={"1": "no", "2": "yes"}, description="Two masses")
    assert known.mends.maps == {"1": "no", "2": "yes"}
    assert known.description == "Two masses"
    assert known.doubts == ()


def test_free_text_dates_and_empty_columns_are_left_out_with_a_reason():
    assert column("Gespräch", [f"Befund {n} unklar" for n in range(30)]).use == "text"
    assert column("Entlassung", ["01.02.2020", "13.02.2020", "05.06.2020"]).why.startswith("holds dates")
    assert column("Anything", [None, None]).why == "is empty"


def test_no_cell_is_read_as_something_that_is_not_written_down():
    values = ["Yes", "yes", "0", "NP", "yse", "1"]
    rim = column("Rim", values)
    told = set(rim.mends.maps) | set(rim.mends.missing) | set(rim.mends.suggested) | set(rim.variable["levels"])
    assert set(text(values)) <= told
