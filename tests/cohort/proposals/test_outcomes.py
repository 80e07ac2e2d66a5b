"""Tests of the outcome: recorded status, guideline, any other column, and what cannot be one."""

import pytest

from her2study.cohort.proposals.columns import propose_column
from her2study.cohort.proposals.outcomes import choose_outcome, outcome_labels
from her2study.types import StudyError
from tests.cohort.proposals.tables import sheet


def chosen(table, named=None):
    table = sheet(table)
    columns = [propose_column(c, "t.csv", table.cells[c]) for c in table.cells]
    choice, kept = choose_outcome(columns, named)
    return choice, {c.column: c for c in kept}, outcome_labels(table.cells, choice, kept)


def test_equivocal_and_missing_leave_and_are_never_negative():
    choice, _, labels = chosen({"HER2 {0 = neg, 1 = pos, 2 = borderline}": ["0", "1", "2", None]})
    assert (choice.settings["positive"], choice.settings["negative"]) == (["positive"], ["negative"])
    assert [rule.get("values") or rule["missing"] for rule in choice.exclusions] == [["equivocal"], True]
    assert labels.dropna().tolist() == [0, 1]


def test_scores_and_hybridisation_make_the_outcome_by_the_guideline():
    ihc = ["0", "1+", "2+", "2+", "2+", "3+", None, None]
    fish = [None, None, "neg", "amplified", None, None, None, None]
    status = ["neg", "neg", "neg", "pos", "neg", "pos", "pos", None]
    choice, kept, labels = chosen({"IHC": ihc, "FISH": fish, "HER2": status})
    assert choice.settings["her2"] == {"ihc": "IHC", "ish": "FISH", "status": "HER2", "guideline": "ASCO/CAP 2023"}
    # a score of 2+ without hybridisation is equivocal, whatever was recorded
    assert labels.isna().tolist() == [False, False, False, False, True, False, False, True]
    assert labels.dropna().tolist() == [0, 0, 0, 1, 1, 1]
    assert kept["HER2"].use == "outcome"


def test_a_decimal_comma_in_the_ratio_is_read():
    choice, _, labels = chosen({"IHC": ["2+", "2+"], "HER2/CEP17": ["2,6", "1,2"], "HER2 copies": ["8,1", "2,2"]})
    assert choice.settings["her2"]["ratio"] == "HER2/CEP17"
    assert labels.tolist() == [1, 0]


def test_the_user_may_name_any_column_of_two_answers():
    choice, kept, labels = chosen({"HER2": ["0", "1", "1"], "Relapse": ["yes", "no", "no"]}, "Relapse")
    assert choice.settings["label"] == "Relapse: positive"
    assert labels.tolist() == [1, 0, 0]
    assert kept["HER2"].why == "HER2, which is not the outcome here"


@pytest.mark.parametrize(
    ("table", "named", "said"),
    [
        ({"Age": ["40"]}, None, "no column looks like HER2; name the column with the outcome: --outcome COLUMN"),
        ({"HER2": ["0", "0"]}, None, "has one answer only (negative)"),
        ({"HER2": ["0", "1"]}, "HER-2", "--outcome: the table has no column 'HER-2'; did you mean 'HER2'?"),
        ({"HER2": ["1", "2"]}, None, "for example  HER2 {1 = negative, 2 = positive}"),
        (
            {"HER2": ["0", "1", "1"], "Town": ["Oslo", "Bern", "Rome"]},
            "Town",
            "more than two answers (Oslo, Bern, Rome)",
        ),
        ({"HER2": ["0", "1"], "Age": ["40.5", "50.5"]}, "Age", "'Age' is no column of two answers"),
    ],
)
def test_what_cannot_be_an_outcome_is_explained(table, named, said):
    with pytest.raises(StudyError) as error:
        chosen(table, named)
    assert said in str(error.value)
