import re

import pytest

from her2study.reporting.figures import FIGURES
from her2study.reporting.legends import _contents, figure_legend, figure_order, figure_title, is_main, table_order
from her2study.reporting.printed.titles import TITLES
from her2study.types import StudyError


def test_every_figure_has_one_place_a_title_and_a_legend():
    assert sorted(figure_order()) == sorted(FIGURES)
    titles = [figure_title(name) for name in FIGURES]
    assert len(set(titles)) == len(titles)
    for name in FIGURES:
        legend = figure_legend(name, 0.9)
        assert legend.endswith(".")
        assert "{" not in legend
        assert "95%" not in legend, "a legend names the confidence that it is given"


def test_the_interval_of_a_legend_is_the_studys():
    assert "90% confidence interval" in figure_legend("roc", 0.9)
    assert "97.5% CI" in figure_legend("calibration", 0.975)


@pytest.mark.parametrize("name", FIGURES)
def test_a_legend_explains_the_abbreviations_that_it_uses(name):
    text, _, explained = figure_legend(name).partition(_first_abbreviation(name))
    for short in _contents()["abbreviations"]:
        if re.search(rf"(?<![\w-]){re.escape(short)}(?![\w-])", text):
            assert f"{short}, " in _first_abbreviation(name) + explained, short


def _first_abbreviation(name):
    entry = {**_contents()["main"], **_contents()["supplement"]}[name]
    known = _contents()["abbreviations"]
    first = (entry.get("abbreviations") or [None])[0]
    return f"{first}, {known[first]}" if first else "\0"


def test_a_study_without_a_network_is_not_told_of_the_dscore():
    assert "D-score" in figure_legend("roc")
    assert "D-score" not in figure_legend("roc", network=False)
    assert figure_legend("score_distribution", network=False).endswith("out of fold.")


def test_pages_of_a_figure_are_numbered_and_in_order():
    assert figure_title("montage_all_2") == f"{figure_title('montage_all')}, page 2"
    assert figure_legend("montage_all_2") == figure_legend("montage_all")
    names = ["of_somebody_else", "montage_all_10", "montage_all_2", "roc", "network"]
    assert figure_order(names) == ["roc", "network", "montage_all_2", "montage_all_10", "of_somebody_else"]


def test_every_table_has_one_place():
    order = table_order()
    assert len(set(order)) == len(order)
    assert set(TITLES) <= set(order)
    assert table_order(["audit", "performance", "mine"]) == ["performance", "audit", "mine"]


def test_figures_and_tables_of_one_name_have_places_of_their_own():
    assert is_main("calibration")
    assert not is_main("calibration", "table")
    assert is_main("performance", "table")
    assert not is_main("montage_all_1")
    assert not is_main("of_somebody_else")


def test_an_unknown_figure_is_named_with_the_nearest_known_one():
    with pytest.raises(StudyError, match=r"'rok' has no legend.*did you mean 'roc'"):
        figure_legend("rok")
