"""``her2study validate`` and the gate of ``reproduce``: what is told, what is written, what is refused."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from her2study.cli import main
from her2study.pipeline.validate import validate_study
from her2study.study import load_study
from tests.finished import public_data
from tests.tiny import TINY_TABLE

DAMAGED = TINY_TABLE.replace("p3,A,yes,52", "p3,A,yes,5O")


def call(project, *more):
    return main(["validate", "tiny", "--data", str(project.data), *more])


def written(project):
    return pd.read_csv(project.results / "validation" / "findings.csv", encoding="utf-8-sig", keep_default_na=False)


def test_a_sound_study_passes(project, capsys):
    assert call(project) == 0
    assert "A run would go through: no errors" in capsys.readouterr().out
    assert "error" not in set(written(project)["severity"])
    assert {path.name for path in (project.results / "validation").iterdir()} == {
        "index.html", "findings.csv", "summary.json", "manifest.json",
    }  # fmt: skip


def test_an_error_is_status_1_in_lines_page_and_json(project, capsys):
    (project.data / "clinical.csv").write_text(DAMAGED)
    assert call(project, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["findings"]["error"], told["screened"], told["included"]) == (1, 1, 10, 10)
    row = written(project).query("severity == 'error'").iloc[0]
    assert row[["patient", "row", "column", "value", "patients"]].tolist() == ["p3", "4", "age_years", "5O", "real"]


def test_warnings_are_status_1_only_if_asked(project):
    assert call(project) == 0
    assert (written(project)["severity"] == "warning").any()
    assert call(project, "--strict") == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [("fold: 3", "split.fold"), ("internal_fraction: 3", "split.internal_fraction"), ("folds: [", "not valid YAML")],
)
def test_settings_that_do_not_load_are_findings(project, line, words):
    path = project.root / "papers" / "tiny" / "study.yml"
    path.write_text(path.read_text().replace("folds: 2", line, 1))
    assert call(project) == 1
    found = written(project)
    assert set(found["area"]) == {"settings"}
    assert found["value"].str.contains(words).any()


def test_a_profile_that_does_not_load_is_a_warning_of_the_others(project):
    path = project.root / "papers" / "tiny" / "study.yml"
    path.write_text(path.read_text().replace("epochs: 2", "epochs: -2"))
    assert call(project) == 0
    assert written(project).query("area == 'settings'")["severity"].tolist() == ["warning"]
    assert call(project, "--profile", "smoke") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["validate", "tinny"], "did you mean 'tiny'?"),
        (["validate", "tiny"], "needs a folder of patients"),
        (["validate", "tiny", "--data", "nowhere"], "no such folder"),
        (["validate", "tiny", "--profile", "smok"], "did you mean 'smoke'?"),
    ],
)
def test_misuse_is_status_2_and_writes_nothing(project, capsys, arguments, words):
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
    assert not project.results.exists()


def test_somebody_s_own_folder_is_not_replaced(project, capsys):
    mine = project.root / "mine"
    mine.mkdir()
    (mine / "thesis.docx").write_text("years of work")
    assert call(project, "--out", str(mine)) == 2
    assert "thesis.docx" in capsys.readouterr().err
    assert [path.name for path in mine.iterdir()] == ["thesis.docx"]


def test_a_run_refuses_errors_before_anything_is_written(project, capsys):
    (project.data / "clinical.csv").write_text(DAMAGED)
    assert main(["reproduce", "--study", "tiny", "--data", str(project.data)]) == 1
    said = capsys.readouterr().err
    assert "age_years, patient p3, row 4: 5O must be a number" in said
    assert f"her2study validate tiny --data {project.data}" in said
    assert not list(project.results.glob("*.parquet"))
    assert not (project.results / "records").exists()


def test_one_cell_is_told_once(project):
    rows = TINY_TABLE.splitlines()
    table = "\n".join([rows[0] + ",node_mm", *(row + ",5" for row in rows[1:])]).replace(
        "p3,A,yes,52,5", "p3,A,yes,52,0"
    )
    (project.data / "clinical.csv").write_text(table)
    path = project.root / "papers" / "tiny" / "study.yml"
    node = "  node_mm: {type: continuous, label: Node, role: clinical, unit: mm, log: true, plausible: [1, 60]}\n"
    path.write_text(path.read_text().replace("variables:\n", "variables:\n" + node))
    assert call(project) == 1
    assert written(project).query("patient == 'p3' and column == 'node_mm'")["rule"].tolist() == [
        "must be above 0, for it enters models as its logarithm"
    ]


def test_without_the_outcome_everything_else_is_told_all_the_same(project, capsys):
    (project.data / "clinical.csv").write_text(DAMAGED.replace("her2", "HER-2"))
    assert call(project) == 1
    found = written(project).query("severity == 'error'")
    assert found[["column", "value"]].to_numpy().tolist() == [["her2", "missing"], ["age_years", "5O"]]
    assert "Whom a run would include cannot be said yet." in capsys.readouterr().out


def test_what_stands_in_a_table_is_no_formula_in_the_report(project):
    (project.data / "clinical.csv").write_text(TINY_TABLE.replace("p3,A,yes,52", "p3,A,yes,=1+1"))
    assert call(project) == 1
    assert written(project).query("patient == 'p3'")["value"].tolist() == ["'=1+1"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "fixture"), [("hong2025", "finished"), ("mamamia", "finished_public")])
def test_a_run_does_what_was_said(name, fixture, request):
    """Whom validate includes and excludes are those of the finished run, and sound studies have no error."""
    results = request.getfixturevalue(fixture) / f"{name}-smoke"
    source = results / "source" if name == "hong2025" else Path(public_data())
    checked = validate_study(load_study(name, "smoke"), source, workers=1)
    told = pd.read_csv(results / "tables" / "cohort_flow.csv")
    assert checked.flow[["label", "n"]].to_numpy().tolist() == told[["label", "n"]].to_numpy().tolist()
    assert checked.flow["positives"].tolist()[-1] == told["positives"].tolist()[-1]
    assert checked.count("error") == 0
    assert checked.included == len(pd.read_parquet(results / "cohort.parquet"))


@pytest.mark.slow
def test_a_million_rows_take_a_minute_and_four_gigabytes(project):
    rng, n = np.random.default_rng(0), 1_000_000
    table = pd.DataFrame(
        {
            "patient_id": np.arange(n),
            "centre": rng.choice(["A", "B"], n),
            "her2": rng.choice(["yes", "no"], n),
            "age_years": rng.normal(54, 9, n).round(1),
            **{f"v{i}": rng.normal(size=n).round(3) for i in range(8)},
        }
    ).astype({"age_years": "str"})
    table.loc[999_990, "age_years"] = "sixty"
    table.to_csv(project.data / "clinical.csv", index=False)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "her2study.cli", "validate", "tiny", "--data", str(project.data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 1, done.stderr
    assert "row 999992: sixty must be a number" in done.stdout
    assert used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime < 60
    assert used.ru_maxrss < 4 * 2**20  # kilobytes
