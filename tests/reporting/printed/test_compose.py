"""Sheets against tables made by hand."""

import numpy as np
import pandas as pd
import pytest

from her2study.reporting.printed import compose, table_notes, table_title
from her2study.reporting.printed.sheet import Note, letters, paragraphs
from tests.reporting.printed.frames import BASELINE, DELONG, PERFORMANCE


def texts(sheet):
    return [tuple(cell.text for cell in row.cells) for row in sheet.rows]


def heads(sheet):
    return [head.text for head in sheet.heads]


def notes(sheet):
    return {note.mark: note.text for note in sheet.notes if note.mark}


def test_splits_become_rows_and_models_stand_in_a_papers_order():
    first = compose("performance", PERFORMANCE, simulated=True)[0]
    assert first.caption == "Performance of all models [SIMULATED PATIENTS]"
    assert heads(first) == ["Model", "AUC (95% CI)"]
    assert texts(first) == [
        ("Development (out-of-fold), n = 248, 80 with the outcome",),
        ("Combined", "0.90 (0.85 to 0.95)"),
        ("Support vector machine", "–"),
        ("External validation, n = 140, 47 with the outcome",),
        ("Combined", "0.81 (0.73 to 0.89)"),
        ("Support vector machine", "0.70 (0.60 to 0.80)"),
    ]
    assert [row.group for row in first.rows] == [True, False, False, True, False, False]


def test_a_wide_table_is_several_sheets_that_lose_no_column():
    sheets = compose("performance", PERFORMANCE, simulated=False)
    assert [heads(sheet)[1:] for sheet in sheets] == [
        ["AUC (95% CI)"], ["Brier score (95% CI)"], ["Threshold", "True positives"],
    ]  # fmt: skip
    assert sheets[1].caption == "Performance of all models, continued: further measures"
    assert texts(sheets[2])[1] == ("Combined", "< 0.001", "70")


def test_sizes_that_differ_within_a_group_stay_a_column():
    uneven = PERFORMANCE.assign(n=[140, 139, 248, 248])
    first = compose("performance", uneven, simulated=False)[0]
    assert heads(first) == ["Model", "n", "AUC (95% CI)"]
    assert texts(first)[0] == ("Development (out-of-fold), 80 with the outcome",)


def test_ungrouped_rows_say_all_and_keep_the_values_behind():
    first = compose("performance", PERFORMANCE, simulated=False, grouped=False)[0]
    assert heads(first) == ["Split", "Model", "n", "Positive", "AUC (95% CI)"]
    assert not any(row.group for row in first.rows)
    assert first.rows[2].cells[0].text == "External validation"
    assert first.rows[2].cells[4].raw == 0.8149


def test_notes_of_rows_become_footnotes_of_the_cell_they_are_about():
    sheet = compose("delong", DELONG, simulated=False)[0]
    assert "Note" not in heads(sheet)
    marked = {row.cells[3].text: notes(sheet).get(row.cells[3].mark) for row in sheet.rows if not row.group}
    assert marked == {"–": "Not tested: nested.", "0.200": "p too small.", "< 0.001": None}


def test_marks_are_letters_in_reading_order_each_explained_once():
    sheet = compose("delong", DELONG, simulated=False)[0]
    used = [head.mark for head in sheet.heads if head.mark]
    used += [cell.mark for row in sheet.rows for cell in row.cells if cell.mark]
    assert list(dict.fromkeys(used)) == [letters(place) for place in range(len(set(used)))]
    assert list(notes(sheet)) == list(dict.fromkeys(used))


def test_an_abbreviation_is_spelt_out_where_it_is_used_and_only_there():
    said = compose("delong", DELONG, simulated=False)[0].notes[-1].text
    assert said.startswith("Abbreviations: AUC, area under the receiver operating characteristic curve; CI, confidence")
    assert "PPV" not in said
    assert "magnetic" in compose("x", pd.DataFrame({"a": ["MRIs of HER2-positive", "b"]}), False)[0].notes[-1].text


def test_a_dash_is_explained_where_there_is_one():
    with_dash, without = DELONG, DELONG[2:]
    assert any(note.text.startswith("–:") for note in compose("delong", with_dash, False)[0].notes)
    assert not any(note.text.startswith("–:") for note in compose("delong", without, False)[0].notes)


def test_columns_without_a_value_are_left_out_and_named():
    empty = DELONG.assign(z=np.nan)
    sheet = compose("delong", empty, simulated=False)[0]
    assert "z" not in heads(sheet)
    assert "Left out, because no row has a value: z." in [note.text for note in sheet.notes]


def test_what_all_rows_share_is_said_once_below():
    frame = pd.DataFrame({"model": ["svm", "svm"], "resamples": [200, 200], "measure": ["auc", "slope"], "x": [1, 2]})
    sheet = compose("new_table", frame, simulated=False)[0]
    assert heads(sheet) == ["Measure", "X"]
    assert {"Model: Support vector machine.", "Resamples: 200."} <= {note.text for note in sheet.notes}


def test_the_first_table_of_a_paper():
    sheet = compose("baseline", BASELINE, simulated=True)[0]
    assert sheet.title == "Characteristics of the patients, by cohort"
    assert heads(sheet) == [
        "Characteristic", "Development (n = 6)", "External validation (n = 4)", "All patients (n = 10)", "Missing", "p",
        "SMD",
    ]  # fmt: skip
    assert texts(sheet) == [
        ("Age, years; mean (SD)", "6.0 (2.0)", "4.0 (2.0)", "10.0 (2.0)", "0", "0.200", "0.30"),
        ("Lump; n (%)", "", "", "", "2", "< 0.001", "0.10"),
        ("\u2003no", "3 (50.0%)", "1 (50.0%)", "7 (50.0%)", "", "", ""),
        ("\u2003yes", "2 (50.0%)", "2 (50.0%)", "2 (50.0%)", "", "", ""),
    ]
    assert notes(sheet)[sheet.rows[1].cells[5].mark] == "Fisher's exact."


def test_rows_that_can_be_sorted_name_the_variable_of_a_level():
    first = compose("baseline", BASELINE, simulated=False, grouped=False)[0]
    assert [row[0] for row in texts(first)] == ["Age, years; mean (SD)", "Lump; n (%)", "Lump: no", "Lump: yes"]


def test_a_model_keeps_its_authors_capitals_as_the_name_of_a_group():
    frame = pd.DataFrame({"model": ["knn"], "split": ["all"], "centre": ["A"], "auc": [0.5], "kind": ["centre"]})
    assert texts(compose("centres", frame, simulated=False)[0])[0] == ("k-nearest neighbours",)


def test_thousands_have_commas_in_the_first_table_too():
    many = BASELINE.assign(text=BASELINE["text"].replace({"10.0 (2.0)": "1016 (75.0%)"}))
    sheet = compose("baseline", many.assign(group_n=1484), simulated=False)[0]
    assert heads(sheet)[3] == "All patients (n = 1,484)"
    assert texts(sheet)[0][3] == "1,016 (75.0%)"


def test_missing_values_by_centre_name_the_complete_variables():
    frame = pd.DataFrame(
        [("a", "Age", "A", 10, 0, 0.0), ("a", "Age", "B", 30, 0, 0.0), ("b", "Lump", "A", 10, 1, 10.0),
         ("b", "Lump", "B", 30, 0, 0.0)],
        columns=["variable", "label", "centre", "n", "missing", "percent"],
    )  # fmt: skip
    sheet = compose("missingness", frame, simulated=False)[0]
    assert heads(sheet) == ["Characteristic", "A (n = 10)", "B (n = 30)", "All (n = 40)"]
    assert texts(sheet) == [("Lump", "1 (10.0%)", "0 (0.0%)", "1 (2.5%)")]
    assert "Recorded in all patients: Age." in [note.text for note in sheet.notes]


def test_a_confidence_of_the_study_stands_in_the_heads():
    assert "AUC (90% CI)" in heads(compose("performance", PERFORMANCE, False, confidence=0.9)[0])


@pytest.mark.parametrize(
    "columns", [["model"], ["split"], ["split", "model"], ["split", "auc"], ["model", "tp"], ["n"]]
)
def test_any_selection_of_columns_can_be_printed(columns):
    for sheet in compose("performance", PERFORMANCE[columns], simulated=False):
        assert sheet.heads
        assert all(row.group or len(row.cells) == len(sheet.heads) for row in sheet.rows)


def test_a_table_unknown_here_is_printed_by_its_name():
    assert table_title("my_own_table") == "My own table"
    sheet = compose("my_own_table", pd.DataFrame({"split": ["internal"], "odd_measure": [0.25]}), False)[0]
    assert texts(sheet) == [("Internal validation",), ("0.25",)]


def test_the_frame_is_not_changed():
    before = PERFORMANCE.copy(deep=True)
    compose("performance", PERFORMANCE, simulated=True)
    pd.testing.assert_frame_equal(PERFORMANCE, before)


def test_notes_as_sentences_say_whose_they_are():
    said = table_notes("performance", PERFORMANCE)
    assert "AUC: Interval by DeLong's method." in said
    assert said[-1].startswith("Abbreviations: ")
    assert len(said) == len(set(said))


def test_letters_go_on_after_z():
    assert [letters(place) for place in (0, 25, 26, 27)] == ["a", "z", "aa", "bb"]


def test_lettered_notes_share_a_paragraph():
    one, a, b, last = Note("One."), Note("A.", "a"), Note("B.", "b"), Note("Last.")
    assert paragraphs([one, a, b, last]) == [[one], [a, b], [last]]
