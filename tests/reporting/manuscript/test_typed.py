"""Hand-typed numbers and hand-chosen verdicts are caught, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from her2study.reporting.manuscript import language
from her2study.reporting.manuscript.typed import check_typed, check_value_names
from her2study.types import StudyError

PATH = Path("manuscript.md")


def check(source: str, **constants: str) -> None:
    check_typed(language.parse(source, PATH), PATH, {key.replace("_", " "): why for key, why in constants.items()})


@pytest.mark.parametrize(
    "source",
    [
        "The HER2 status and T1-weighted images of her2study.",
        "As others found [@doe2020; @roe1999, p. 3].",
        "See https://doi.org/10.1000/123 for more.",
        "{{ v.auc | digits(2) }} and {{ cell('decision', 'net_benefit', threshold=0.2) | percent(1) }}",
        "{{ fig('montage_all_1') }} {{ v['odds_ratio_1'] }}",
        "{{ choose(v.a, than=0.5, above='a', below='b', unclear='c') }}",
        "First, and second; third and last: one reader.",
    ],
)
def test_what_may_stand(source):
    check(source)


@pytest.mark.parametrize(
    ("source", "line", "word"),
    [
        ("An AUC\nof 0.81 was found.", 2, "0.81"),
        ("a\n\nIn 45% of patients", 3, "45%"),
        ("{{ v.a }}\n{{ v.b }} and 7 more", 2, "7"),
        ("{{ '0.9' }}", 1, "0.9"),
        ("{{ 0.9 }}", 1, "0.9"),
        ("x\n{{ choose(v.a, better='up by 3', worse='b', unclear='c') }}", 2, "3"),
        ("{{ v.a ~ ' of 12' }}", 1, "12"),
        ("{% if has.value('a') %}\nseen in 8\n{% endif %}", 2, "8"),
        ("We saw seven patients.", 1, "seven"),
        ("About a third of them.", 1, "a third"),
        ("{{ v.a | counted('of 3 women') }}", 1, "3"),
    ],
)
def test_a_typed_number_is_caught(source, line, word):
    with pytest.raises(StudyError, match=rf"manuscript.md, line {line}: '{word}' is typed by hand"):
        check(source)


def test_all_findings_are_told_at_once():
    with pytest.raises(StudyError) as error:
        check("An AUC of 0.81\nin 140 patients")
    assert "'0.81'" in str(error.value)
    assert "line 2: '140'" in str(error.value)


def test_a_constant_is_allowed_by_its_phrase_only():
    check("A two-sided test.", **{"two-sided": "kind of test"})
    with pytest.raises(StudyError, match="'two' is typed"):
        check("A two-sided test of two models.", **{"two-sided": "kind of test"})


def test_an_unused_constant_is_told():
    with pytest.raises(StudyError, match="constant '3D' does not occur"):
        check("Nothing.", **{"3D": "kind of network"})


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("# Results\n\nThe model was better.", 3),
        ("# Results\n\n## Discrimination\n\n{{ v.a }} was significantly higher", 5),
        ("# A\n\n## Conclusion\n\nAn excellent score", 5),
    ],
)
def test_a_verdict_by_hand_is_caught_in_results(source, line):
    with pytest.raises(StudyError, match=rf"line {line}: '.*' weighs a result"):
        check(source)


@pytest.mark.parametrize(
    "source",
    [
        "# Introduction\n\nBetter models are wanted.",
        "# Results\n\n{{ choose(v.a, better='better', worse='worse', unclear='similar') }}",
        "# Results\n\n{{ judged(v.a, holds='improved', fails='worse', untested='x') }}",
        "# Results\n\nx\n\n# Discussion\n\nA good question.",
    ],
)
def test_elsewhere_and_by_an_interval_such_words_may_stand(source):
    check(source)


def test_unknown_values_are_told_together_with_the_nearest_names():
    tree = language.parse("{{ v.auc }}\n{{ v.acu }}\n{% if has.value('x') %}{{ v.x }}{% endif %}\n{{ v['pp'] }}", PATH)
    with pytest.raises(StudyError) as error:
        check_value_names(tree, PATH, ["auc", "p"])
    told = str(error.value)
    assert "line 2: value 'acu' is not in values.json; did you mean 'auc'?" in told
    assert "line 4: value 'pp'" in told
    assert "'x'" not in told
