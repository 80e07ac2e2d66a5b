"""Tests of Markdown start pages as pages for a browser."""

import re
from html.parser import HTMLParser

from her2study.reporting.text_page import text_page

PAGE = """\
# Validation of a & b

Two lines
of **bold** words, `code <x>` and [all](evaluation/summary.md).

## Who judges?

| Model | AUC (95% CI) | p |
| --- | --- | --- |
| a \\| b | 0.50 (0.40 to 0.60) | < 0.001 |
| <script>alert(1)</script> | – | – |

- first
- second, [here](tables/flow.csv)

![ROC curves](figures/roc.png)
"""


class Shape(HTMLParser):
    """The tags of a page, the words in its main part, and where its links lead."""

    def __init__(self, page):
        super().__init__()
        self.open, self.links, self.cells, self.inside = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("href", "src")]
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells.append(data)


def test_every_kind_of_block_becomes_its_element():
    page = text_page(PAGE)
    shape = Shape(page)
    assert shape.open == []
    assert shape.cells == [
        *("Model", "AUC (95% CI)", "p", "a | b", "0.50 (0.40 to 0.60)", "< 0.001"),
        *("<script>alert(1)</script>", "–", "–"),
    ]
    assert "<title>Validation of a &amp; b</title>" in page
    assert "<p>Two lines of <strong>bold</strong> words, <code>code &lt;x&gt;</code> and" in page
    assert '<h2 id="who-judges">Who judges?</h2>' in page
    assert page.count("<li>") == 3  # two bullets and the list of contents
    assert page.count('<td class="number">') == 4


def test_links_to_markdown_lead_to_the_page_beside_and_none_leaves_the_folder():
    links = Shape(text_page(PAGE)).links
    assert {"evaluation/summary.html", "tables/flow.csv", "figures/roc.png", "#who-judges"} <= set(links)
    assert not [link for link in links if re.match(r"(https?:)?//", link)]


def test_simulated_patients_are_marked_on_screen_and_in_print():
    marked, real = (re.sub(r"(?s)<script>.*?</script>", "", text_page(PAGE, simulated)) for simulated in (True, False))
    assert marked.count("SIMULATED PATIENTS") == 3  # title, banner, head of each printed sheet
    assert "SIMULATED" not in real
