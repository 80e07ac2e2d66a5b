"""The template language: what it prints, by whom words are chosen, and what it refuses with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from her2study.reporting.manuscript import language
from her2study.reporting.manuscript.numbering import Numbering
from her2study.types import StudyError
from tests.reporting.manuscript.maker import make_material

PATH = Path("manuscript.md")


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return make_material(tmp_path_factory.mktemp("figures"))


@pytest.fixture
def fill(material):
    def filled(source: str) -> str:
        language.parse(source, PATH)
        return language.render(source, PATH, material, Numbering(material.figure_data, material.tables))

    return filled


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ v.auc_combined_external }}", "0.815 (0.731 to 0.892)"),
        ("{{ v.auc_combined_external | ci }}", "0.815 (95% CI 0.731 to 0.892)"),
        ("{{ v.auc_combined_external | ci(2) }}", "0.81 (95% CI 0.73 to 0.89)"),
        ("{{ v.auc_combined_external | digits(2) }}", "0.81 (0.73 to 0.89)"),
        ("{{ v.auc_combined_external | estimate }}", "0.815"),
        ("{{ v.auc_combined_external | reach }}", "0.731 to 0.892"),
        ("{{ v.sensitivity | percent }}", "75.0% (50.0 to 90.0)"),
        ("{{ v['terms of log(x)'] }}", "1.50 (1.10 to 2.00)"),
        ("{{ v.p_small | p }}", "*p* < 0.001"),
        ("{{ v.patients_screened | counted('woman', 'women') }}", "12 women"),
        ("{{ v.patients_excluded | spelt | sentence }}", "Two"),
        ("{{ share(v.positives, v.patients_included) }}", "4 of 10 (40.0%)"),
        ("{{ v.best_model | model }}", "the random forest"),
        ("{{ v['auc_combined_' ~ 'external'] | estimate }}", "0.815"),
        ("{{ s.statistics.confidence | percent }}", "95%"),
        ("{{ s.statistics.folds }}", "5"),
        ("{{ s.statistics.spacing_mm | times }}", "1.5 × 1.5 × 2"),
        ("{{ setting(s.statistics.rule, youden='Youden', other='x') }}", "Youden"),
        ("{{ cell('performance', 'auc', split='external') }}", "0.81 (0.73 to 0.89)"),
        ("{{ cell('performance', 'n', split='external') }}", "4"),
        ("{{ judged(v.verdict_centres, holds='yes', fails='no', untested='?') }}", "yes"),
        ("{% if has.figure('roc') %}drawn{% endif %}{% if has.figure('x') %}never{% endif %}", "drawn"),
        ("{% if not v.null_model %}a model{% else %}none{% endif %}", "a model"),
    ],
)
def test_what_is_printed(fill, source, text):
    assert fill(source) == text


@pytest.mark.parametrize(("name", "words"), [("better", "up"), ("worse", "down"), ("unclear", "open")])
def test_the_interval_chooses_the_words(fill, name, words):
    assert fill(f"{{{{ choose(v.difference_{name}, better='up', worse='down', unclear='open') }}}}") == words


def test_the_reference_need_not_be_zero(fill):
    source = "{{ choose(v.auc_combined_external, than=0.5, above='over', below='under', unclear='open') }}"
    told = [fill(source.replace("0.5", than)) for than in ("0.5", "0.8", "0.9")]
    assert told == ["over", "open", "under"]


def test_figures_and_tables_are_numbered_as_mentioned(material):
    numbering = Numbering({"roc", "forest", "calibration"}, {"performance"})
    source = "{{ fig('forest') }}, {{ fig('roc', 'forest') }}, {{ tab('performance') }}, {{ fig('calibration') }}"
    text = language.render(source, PATH, material, numbering).replace("\u00a0", " ")
    assert text == "Figure 1, Figures 2 and 1, Table 1, Figure 3"
    assert numbering.mentioned["figure"] == ["forest", "roc", "calibration"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "a\n\nb {{ v.auc_combined_externl }}",
            "line 3: value 'auc_combined_externl' is not in values.json; did you mean",
        ),
        ("a\n{{ fig('rok') }}", "line 2: this study has no figure 'rok'; did you mean 'roc'?"),
        ("{{ tab('performanc') }}", "line 1: this study has no table 'performanc'; did you mean 'performance'?"),
        ("{{ chose(v.difference_better) }}", "line 1: unknown word 'chose'; did you mean 'choose'?"),
        ("{{ v.sensitivity | percnt }}", "line 1: unknown filter 'percnt'; did you mean 'percent'?"),
        ("\n{{ s.statistics.confidense }}", "line 2: study.yml has no setting 's.statistics.confidense'; did you mean"),
        ("{{ s.statistics }}", "is a section of study.yml"),
        ("{{ cell('performance', 'acu', split='external') }}", "has no column 'acu'; did you mean 'auc'?"),
        ("{{ cell('performance', 'auc', split='outside') }}", "has 0 rows with split='outside'"),
        ("{{ cell('performance', 'auc', model='combined') }}", "has 2 rows with model='combined'; name exactly one"),
        (
            "{{ choose(v.auc_without_interval, better='a', worse='b', unclear='c') }}",
            "has no interval to choose words by",
        ),
        ("{{ choose(v.difference_better, better='a', unclear='c') }}", "give words for better and worse"),
        ("{{ v.auc_without_interval | ci }}", "has no interval to print"),
        ("{{ v.null_model }}", "is False and no text to print"),
        ("{% if v.auc_combined_external %}good{% endif %}", "would choose words by an estimate"),
        (
            "{{ judged(v.best_model, holds='a', fails='b', untested='c') }}",
            "and no verdict; verdicts are named verdict_<claim>",
        ),
        ("{{ share(v.patients_screened, v.positives) }}", "is no part of"),
        ("{{ setting(s.statistics.rule, labels='a') }}", "no words for 'youden'"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(fill, source, told):
    with pytest.raises(StudyError) as error:
        fill(source)
    assert str(error.value).startswith("manuscript.md, line ")
    assert told in str(error.value)


@pytest.mark.parametrize(
    "source",
    [
        "{% set auc = 0.9 %}",
        "{% for x in v %}{% endfor %}",
        "{{ 'good' if v.auc_combined_external else 'bad' }}",
        "{% if v.patients_screened > 3 %}many{% endif %}",
        "{{ v.positives + 1 }}",
        "{{ [1, 2] }}",
        "{% include 'other' %}",
        "{{ v.positives is defined }}",
    ],
)
def test_nothing_lets_an_author_compute_or_compare(source):
    with pytest.raises(StudyError, match=r"manuscript.md, line 2: .*not part of the manuscript's language"):
        language.parse("\n" + source, PATH)


def test_broken_syntax_is_told_with_its_line():
    with pytest.raises(StudyError, match=r"manuscript.md, line 3: "):
        language.parse("a\n\n{{ v.auc", PATH)


def test_a_changed_value_changes_the_sentence(tmp_path):
    told = []
    for low in (0.02, -0.02):
        value = {"value": 0.1, "low": low, "high": 0.2, "format": ".2f"}
        material = make_material(tmp_path, difference_better=value)
        source = (
            "{{ choose(v.difference_better, better='up', worse='down', unclear='open') }} {{ v.difference_better }}"
        )
        told.append(language.render(source, PATH, material, Numbering((), ())))
    assert told == ["up 0.10 (0.02 to 0.20)", "open 0.10 (−0.02 to 0.20)"]
