"""Small pieces of pages."""

from bs4 import BeautifulSoup

from her2study.reporting.site.pages import headings, scrolling, section


def test_a_wide_table_scrolls_under_its_own_name():
    html = "<div class='table-wrap'><table><caption>A &amp; <b>B</b></caption><tr><td>1</td></tr></table></div><p>x</p>"
    soup = BeautifulSoup(scrolling(html + "<table><tr><td>2</td></tr></table>", "Page"), "lxml")
    assert [region["aria-label"] for region in soup.select("div.scroll[tabindex='0'][role='region']")] == [
        "A & B",
        "Page",
    ]
    assert not soup.select(".table-wrap")
    assert [table["class"] for table in soup.find_all("table")] == [["printed"], ["printed"]]


def test_headings_are_listed_with_their_addresses():
    assert headings("<h2 id='a'>One <em>two</em></h2><h2>none</h2><h2 class='x' id=\"b\">R&amp;D</h2>") == [
        ("a", "One two"),
        ("b", "R&D"),
    ]


def test_a_page_belongs_to_the_list_it_stands_in():
    assert section("tables/roc.html") == "tables.html"
    assert section("index.html") == "index.html"
