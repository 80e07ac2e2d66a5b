import re

import pandas as pd
import pytest

from her2study.reporting.data_sheet import data_sheet
from her2study.reporting.sheets import sheet_markdown
from her2study.study import load_study


def settings(name):
    return load_study(name, "smoke").model_dump(mode="json")


def assumptions():
    rows = [
        ("outcome", "rim", "1.25", "log odds", "strong enough", "assumed"),
        ("outcome", "log_diameter", "0.35", "log odds", "larger", "10.1371/x"),
        ("scanner", "noise", "3", None, "usual", "assumed"),
    ]
    return pd.DataFrame(rows, columns=["group", "name", "value", "unit", "reason", "source"])


def test_a_simulated_cohort_says_how_it_was_made():
    text = sheet_markdown(data_sheet(settings("hong2025"), {"assumptions": assumptions()}, images=True))
    assert "3 values were planted, each with a reason: 1 rest on a publication, 2 are assumed." in text
    assert "| Rim | 1.25 | log odds | strong enough | assumed |" in text
    assert "125 screened patients were drawn with the seed 392501" in text
    assert "Centre A 44 (development)" in text
    assert "Centre D 16 (external validation)" in text
    assert "Open, for the authors" not in text, "of simulated patients everything is known"
    assert "**SIMULATED PATIENTS**" in text


def test_of_real_patients_it_says_what_is_open():
    text = sheet_markdown(data_sheet(settings("mamamia"), {"assumptions": assumptions()}, images=False))
    assert text.count("Open, for the authors: ") == 5
    assert "planted" not in text
    assert "SIMULATED" not in text
    assert "no images" in text
    assert "resampled" not in text


def test_variables_have_their_missing_share_over_centres():
    missing = pd.DataFrame({"variable": ["age_years", "age_years"], "centre": ["A", "B"], "percent": [0.0, 12.5]})
    text = sheet_markdown(data_sheet(settings("hong2025"), {"missingness": missing}, images=True))
    assert "| Age | Clinical, continuous | years | yes | no | 0.0 to 12.5 |" in text
    assert re.search(r"\| Histological grade \|.*\| no \| no \|", text), "pathology is not offered to models"


def test_permuted_labels_are_confessed():
    plain = settings("hong2025")
    plain["outcome"]["permute"] = True
    assert "shuffled within centres on purpose" in sheet_markdown(data_sheet(plain, {}, images=True))


def test_the_choice_of_phases_follows_the_settings():
    plain = settings("hong2025")
    plain["imaging"] |= {"phase_choice": "interpolated", "early_seconds": 77.0}
    text = sheet_markdown(data_sheet(plain, {}, images=True))
    assert "77 and 360 s" in text
    assert "interpolated" in text
    assert "nearest" not in text


@pytest.mark.parametrize(("name", "fixture"), [("hong2025", "finished"), ("mamamia", "finished_public")])
def test_of_a_finished_run(name, fixture, request):
    results = request.getfixturevalue(fixture) / f"{name}-smoke"
    tables = {path.stem: pd.read_csv(path).drop(columns="patients") for path in (results / "tables").glob("*.csv")}
    text = sheet_markdown(data_sheet(settings(name), tables, (results / "qc.parquet").is_file()))
    assert not re.search(r"\bnan\b|None", text)
    screened = tables["cohort_flow"].iloc[0]["n"]
    assert f"| Patients | Screened | {screened:,} |" in text
