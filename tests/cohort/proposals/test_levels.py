"""Tests of levels: codes, words, spellings and what is not understood."""

from her2study.cohort.proposals.levels import free_levels, read_levels
from her2study.cohort.proposals.lexicon import lexicon

YES_NO = lexicon().vocabularies["yes_no"]
GRADE = lexicon().concepts["grade"]


def test_codes_of_the_header_come_before_custom():
    read = read_levels({"1": 5, "2": 3}, YES_NO, {"1": "no", "2": "yes"})
    assert read.maps == {"1": "no", "2": "yes"}
    assert not read.assumed


def test_bare_codes_are_read_by_custom_and_said_to_be():
    assert read_levels({"0": 5, "1": 3}, YES_NO, {}).assumed
    assert not read_levels({"no": 5, "1": 3}, YES_NO, {}).assumed  # most cells are words
    assert not read_levels({"1": 5, "2": 3}, GRADE.levels, {}).assumed  # grade 1 is called 1


def test_other_spellings_and_languages_are_one_level():
    read = read_levels({"Yes": 3, "ja": 1, "有": 1, "N": 4, "perhaps": 1}, YES_NO, {})
    assert read.maps == {"Yes": "yes", "ja": "yes", "有": "yes", "N": "no"}
    assert read.unknown == {"perhaps": None}


def test_the_beginning_of_a_long_answer_counts():
    menopause = lexicon().concepts["menopause"].levels
    read = read_levels({"pre (<6 months since LMP)": 3, "post": 2, "1 (yes)": 1}, menopause, {})
    assert read.maps == {"pre (<6 months since LMP)": "premenopausal", "post": "postmenopausal",
                         "1 (yes)": "postmenopausal"}  # fmt: skip
    assert read.levels == ("premenopausal", "postmenopausal")


def test_missing_words_and_codes_that_mean_missing():
    read = read_levels({"0": 5, "1": 3, "9": 1, "NP": 2}, YES_NO, {"0": "no", "1": "yes", "9": "unknown"})
    assert set(read.missing) == {"9", "NP"}


def test_numbers_that_mean_missing_are_told_from_codes():
    assert read_levels({"yes": 3, "no": 4, "999": 2, "-1": 1}, YES_NO, {}).missing == ("999", "-1")
    assert free_levels({"1": 9, "2": 9, "3": 9, "99": 6, "-9": 5}, {}, 1).missing == ("99", "-9")
    assert free_levels({"97": 9, "98": 9, "99": 9}, {}, 1).missing == ()


def test_a_misspelling_is_shown_with_what_it_resembles_and_never_read():
    shape = lexicon().concepts["margin"].levels
    read = read_levels({"spiculated": 9, "smooth": 5, "spiculatd": 1}, shape, {})
    assert read.unknown == {"spiculatd": "spiculated"}
    assert "spiculatd" not in read.maps


def test_words_that_are_levels_already_stay():
    read = read_levels({"low": 3, "intermediate": 5, "high": 2}, GRADE.levels, {}, GRADE.instead)
    assert (read.levels, read.maps) == (("low", "intermediate", "high"), {})
    assert read_levels({"low": 3, "G2": 5}, GRADE.levels, {}, GRADE.instead).maps == {"low": "1", "G2": "2"}


def test_open_levels_join_spellings_and_rare_groups_and_leave_misspellings():
    counts = {"Caucasian": 60, "caucasian": 10, "Asian": 20, "Samoan": 2, "hispanic": 3, "Asain": 1, "NK": 4}
    read = free_levels(counts, {}, 5)
    assert read.levels == ("Caucasian", "Asian", "other")
    assert read.maps == {"caucasian": "Caucasian", "hispanic": "other", "Samoan": "other"}
    assert read.unknown == {"Asain": "Asian"}
    assert read.missing == ("NK",)
