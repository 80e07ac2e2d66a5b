from xml.etree import ElementTree

import numpy as np
import pytest

from her2study.reporting.explorer.svg import Plot, row

NAMESPACE = "{http://www.w3.org/2000/svg}"


def drawn(plot: Plot) -> ElementTree.Element:
    return ElementTree.fromstring(plot.svg("a <plot> & more"))


def test_the_corners_of_the_data_are_the_corners_of_the_panel():
    plot = Plot((10, 20), (0, 5), width=200, height=150)
    assert plot.px([10, 20]).tolist() == [plot.left, 200 - 14]
    assert plot.py([0, 5]).tolist() == [150 - 44, 30]


def test_data_beyond_the_range_stays_in_the_panel():
    plot = Plot((0, 1), (0, 1))
    assert plot.px(7) == plot.px(1)
    assert plot.py(-3) == plot.py(0)


def test_it_is_well_formed_and_says_what_it_shows():
    plot = Plot((0, 1), (0, 1), "A & B", "x < y", "up").line([0, 1], [0, 1], "#000").dots(0.5, 0.5, "#111")
    plot.box((0, 0.5), (0, 0.5), "#222").band([0, 1], [0, 0], [1, 1], "#333").text(0, 0, "<b>").upright(0.5)
    root = drawn(plot)
    assert root.get("aria-label") == "a <plot> & more"
    texts = [node.text for node in root.iter("text")]
    assert {"A & B", "x < y", "<b>"} <= set(texts)
    assert len(list(root.iter("circle"))) == 1


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [(0, 1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]), (0, 100, ["0", "20", "40", "60", "80", "100"])],
)
def test_marks_are_round_numbers(low, high, marks):
    texts = [node.text for node in drawn(Plot((low, high), (0, 1), yticks={})).iter("text")]
    assert [text for text in texts if text in marks] == marks


def test_negative_marks_have_a_true_minus():
    texts = [node.text for node in drawn(Plot((-1, 1), (0, 1))).iter("text")]
    assert "−0.5" in texts
    assert not any("-" in (text or "") for text in texts)


def test_panels_stand_in_a_row():
    assert row("a", "b") == '<div class="her2-row">ab</div>'
    assert np.isfinite(Plot((0, 1), (0, 1)).px(0.5))
