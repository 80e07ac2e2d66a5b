"""Tests of headers: units, codes, readers and words in them."""

import pytest

from her2study.cohort.proposals.headers import plain, read_codes, read_header, slug


@pytest.mark.parametrize(
    ("header", "words", "unit"),
    [
        ("Tumour size (mm)", "tumour size", "mm"),
        ("TumourSize_cm", "tumour size", "cm"),
        ("Age [years]", "age", "years"),
        ("年龄(岁)", "年龄", "years"),
        ("MRI reader 1 / Node short axis (mm)", "node short axis", "mm"),
        ("Ki-67 (%)", "ki 67", "%"),
        ("HER2 (IHC)", "her2 ihc", None),
    ],
)
def test_units_are_taken_out_of_headers(header, words, unit):
    read = read_header(header)
    assert (read.words, read.unit) == (words, unit)


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        ("HER2 {0 = neg, 1 = pos, 2 = borderline}", {"0": "neg", "1": "pos", "2": "borderline"}),
        ("Margin (1: smooth; 2: irregular; 3: spiculated)", {"1": "smooth", "2": "irregular", "3": "spiculated"}),
        ("Menopause 0=pre 1=post", {"0": "pre", "1": "post"}),
        ("绝经 (0=否，1=是)", {"0": "否", "1": "是"}),
        ("Size (mm)", {}),
        ("time = start", {}),  # one equation is no list of codes
    ],
)
def test_codes_are_taken_out_of_headers(header, codes):
    assert read_header(header).codes == codes


@pytest.mark.parametrize(
    ("header", "reader", "words"),
    [
        ("margin_reader2", 2, "margin"),
        ("Rim R1", 1, "rim"),
        ("Reader 2 / Shape", 2, "shape"),
        ("Second reader: oedema", 2, "oedema"),
        ("Tumour 2", None, "tumour 2"),
        ("ER2", None, "er2"),
    ],
)
def test_the_reader_is_told_from_the_reading(header, reader, words):
    read = read_header(header)
    assert (read.reader, read.words) == (reader, words)


def test_words_lose_accents_and_signs_and_names_are_fit_for_settings():
    assert plain("Âge_(ans) – Größe") == "age ans grosse"
    assert slug("Grand axe (mm)") == "grand_axe_mm"
    assert slug("2nd size") == "v_2nd_size"
    assert slug("病灶") == ""


def test_a_single_code_is_no_legend():
    assert read_codes("0 = no") == {}
