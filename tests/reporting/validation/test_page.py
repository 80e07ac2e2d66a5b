"""The page and the lines of a validation: offline, complete, safe, and marked."""

import re

import pandas as pd

from her2study.cohort.findings import AREAS, findings
from her2study.reporting.validation.content import Validation
from her2study.reporting.validation.page import MOST_ROWS, validation_page
from her2study.reporting.validation.words import AREA_WORDS, groups, place, summary_lines

NASTY = "<script>alert(1)</script>"


def finding(**cells):
    return {"severity": "error", "area": "variables", "file": "clinical.csv", "rule": "must be a number",
            "mend": "correct it", **cells}  # fmt: skip


def checked(rows, simulated=False, **more):
    return Validation("mine", "My study", "full", simulated, "/data", findings(rows), 10, 5, 8, **more)


def read(page):
    """What a reader sees of a page."""
    return re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.DOTALL)


def test_the_page_needs_no_network_and_runs_nothing_of_the_table():
    page = validation_page(checked([finding(patient=NASTY, value=NASTY, column=NASTY)]))
    assert NASTY not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    assert not re.findall(r"@import|url\((?!['\"]?data:)", page)


def test_every_area_has_its_words_and_its_part_of_the_page():
    assert set(AREA_WORDS) == set(AREAS)
    page = validation_page(checked([finding(area=area, value=f"value-{area}") for area in AREAS]))
    for area in AREAS:
        assert f'<h2 id="{area}">' in page
        assert f"value-{area}" in page


def test_what_the_page_leaves_out_is_counted():
    page = validation_page(checked([finding(row=i, value=f"v{i}") for i in range(MOST_ROWS + 3)]))
    assert page.count('<tr class="error">') == MOST_ROWS
    assert "3 more of this kind" in page


def test_simulated_patients_are_marked_everywhere_and_others_nowhere():
    marked, plain = (read(validation_page(checked([], simulated=simulated))) for simulated in (True, False))
    assert marked.count("SIMULATED") >= 2
    assert "SIMULATED" not in plain
    assert "SIMULATED" in next(summary_lines(checked([], simulated=True)))


def test_alike_findings_are_one_group_the_worst_first():
    rows = [finding(severity="note", area="table"), *(finding(row=i, value="x") for i in (3, 9)), finding(area="file")]
    found = [(group.severity, group.area, len(group.rows)) for group in groups(findings(rows))]
    assert found == [("error", "file", 1), ("error", "variables", 2), ("note", "table", 1)]


def test_the_terminal_says_what_where_why_and_what_to_do():
    text = "\n".join(summary_lines(checked([finding(patient="P7", row=8, column="age", value="5O")])))
    assert "age, patient P7, row 8: 5O must be a number" in text
    assert "> correct it" in text
    assert "A run would stop: 1 error, no warnings and no notes." in text
    assert "A run would include 8 of 10 patients, once the errors are mended." in text


def test_a_place_names_only_what_there_is():
    row = findings([finding(column="age")]).iloc[0]
    assert place(row) == "clinical.csv, age"
    assert place(row, "clinical.csv") == "age"


def test_the_same_findings_make_the_same_page():
    flow = pd.DataFrame({"order": [0], "kind": ["included"], "label": ["Screened"], "n": [10], "positives": [pd.NA]})
    one, other = (validation_page(checked([finding()], flow=flow)) for _ in range(2))
    assert one == other
    assert "Screened" in one
