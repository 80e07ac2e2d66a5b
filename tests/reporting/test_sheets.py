import pandas as pd

from her2study.reporting.sheets import OPEN, Grid, Sheet, sheet_html, sheet_markdown


def a_sheet(simulated=True):
    sheet = Sheet("Card", simulated)
    frame = pd.DataFrame({"model": ["dscore"], "auc": [0.8149], "auc_low": [0.7], "auc_high": [0.9]})
    sheet.add("First", "A paragraph with <b>.", ["a point", f"{OPEN}who paid."], Grid("AUC", frame, 0.9))
    sheet.add("Nothing", None, "", [], Grid("Empty", frame.iloc[:0]))
    return sheet


def test_markdown():
    assert sheet_markdown(a_sheet()).splitlines() == [
        "# Card", "", "**SIMULATED PATIENTS**", "",
        "## First", "", "A paragraph with <b>.", "", "- a point", "- Open, for the authors: who paid.", "",
        "*AUC*", "", "| Model | AUC (90% CI) |", "| --- | --- |", "| D-score | 0.81 (0.70 to 0.90) |",
    ]  # fmt: skip
    assert "SIMULATED" not in sheet_markdown(a_sheet(simulated=False))


def test_html_is_escaped_marked_and_has_headed_tables():
    html = sheet_html(a_sheet(), "card")
    assert "<p>A paragraph with &lt;b&gt;.</p>" in html
    assert "<strong>Open, for the authors:</strong> who paid." in html
    assert "<caption>AUC [SIMULATED PATIENTS]</caption>" in html
    assert "<th scope='col'>AUC (90% CI)</th>" in html
    assert html.count("<h2 id='card-") == 1, "a part without a block is left out"
    assert "SIMULATED" not in sheet_html(a_sheet(simulated=False), "card")


def test_a_bar_in_a_cell_does_not_break_a_markdown_table():
    sheet = Sheet("Card", False)
    sheet.add("Part", Grid("T", pd.DataFrame({"label": ["a|b"]})))
    assert "| a\\|b |" in sheet_markdown(sheet)
