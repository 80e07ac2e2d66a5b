"""Tests of the lexicon: that it is consistent, and finds what headers mean."""

import pytest

from her2study.cohort.proposals.headers import plain, read_header
from her2study.cohort.proposals.levels import key
from her2study.cohort.proposals.lexicon import find_concept, lexicon
from her2study.study import Variable

CONCEPTS = list(lexicon().concepts.values())


@pytest.mark.parametrize("concept", [c for c in CONCEPTS if c.use == "variable"], ids=lambda c: c.key)
def test_every_variable_is_one_that_a_study_may_have(concept):
    levels = tuple(concept.levels) or (("a", "b") if concept.type != "continuous" else ())
    variable = Variable(
        type=concept.type, label=concept.label, role=concept.role, unit=concept.unit, levels=levels,
        log=concept.log, plausible=concept.plausible,
    )  # fmt: skip
    assert variable.label
    assert concept.name.isidentifier()
    if concept.numeric:
        Variable(type="continuous", role=concept.role, **{k: v for k, v in concept.numeric.items() if k != "name"})


def test_no_name_means_two_things_and_no_word_two_levels():
    names = [plain(name) for concept in CONCEPTS for name in {plain(n) for n in concept.names}]
    assert sorted({name for name in names if names.count(name) > 1}) == []
    for concept in CONCEPTS:
        words = [key(w) for level, more in concept.levels.items() for w in {key(level), *map(key, more)}]
        assert sorted({w for w in words if words.count(w) > 1}) == [], concept.key


def test_what_is_left_out_of_models_says_why():
    assert [c.key for c in CONCEPTS if c.use in ("leak", "identifying", "scan", "text") and not c.why] == []


@pytest.mark.parametrize(
    ("header", "meant"),
    [
        ("HER2", "her2"),
        ("c-erbB-2", "her2"),
        ("HER2 (IHC)", "her2_ihc"),
        ("anti_her2_neu_therapy", "anti_her2"),
        ("HER2 FISH", "her2_ish"),
        ("病理 / HER2/CEP17", "her2_ratio"),
        ("Menopasual status", "menopause"),  # misspelt
        ("bilateral_mri", "both_breasts"),
        ("bilateral_breast_cancer", "bilateral_cancer"),
        ("days_to_recurrence", "follow_up"),
        ("NAC before MRI", "prior_treatment"),
        ("pixel_spacing", "pixel_spacing"),
        ("肿瘤大小(mm)", "diameter"),
        ("住院号", "hospital_number"),
        ("Âge (ans)", "age"),
        ("window_width", "scan_facts"),
        ("width_mm", "box_extent"),
        ("ADC (10-3 mm2/s)", "adc"),
        ("Favourite colour", None),
        ("Agent of the insurance", None),
    ],
)
def test_headers_are_understood(header, meant):
    found = find_concept(read_header(header))
    assert (found.key if found else None) == meant
