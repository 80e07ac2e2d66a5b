"""The whole chain through Snakemake, on the tiny study: finished work is kept whatever happens."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from her2study.cli import main
from tests.tiny import TINY_NOTEBOOKS

SLOW_CELL = "import time; time.sleep(300)"


def start(project, *more):
    """The command as a process of its own, with its output kept."""
    command = [sys.executable, "-m", "her2study.cli", "reproduce", "--study", "tiny", "--data", str(project.data)]
    return subprocess.Popen(
        [*command, "--cores", "2", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=project.root,
        preexec_fn=heed_ctrl_c,
    )


def heed_ctrl_c():
    """A shell lets its background jobs ignore Ctrl-C, and these tests may be one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def reproduce(project, *more):
    """Run to the end; status, output and errors."""
    process = start(project, *more)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def artefacts(project):
    """Content of every table and frame."""
    paths = [path for kind in ("*.parquet", "*.csv") for path in project.results.rglob(kind)]
    return {str(path.relative_to(project.results)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def records(project):
    return {path.stem: path.stat().st_mtime_ns for path in (project.results / "records").glob("*.json")}


def kernels_of(project):
    """Processes that work for this project."""
    return [
        p
        for p in psutil.process_iter(["environ"])
        if (p.info["environ"] or {}).get("HER2STUDY_RESULTS") == str(project.root / "results")
        and p.pid != os.getpid()
        and p.status() != psutil.STATUS_ZOMBIE
    ]


@pytest.mark.slow
def test_killed_at_any_moment_the_same_command_finishes_the_work(project, tmp_path_factory):
    project.notebook("09_evaluation", SLOW_CELL, TINY_NOTEBOOKS["09_evaluation"])
    process = start(project)
    deadline = time.monotonic() + 120
    notebooks = project.results / "notebooks"
    while not (notebooks / "09_evaluation.unfinished.ipynb").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    while kernels_of(project) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert kernels_of(project) == []
    finished = records(project)
    assert set(finished) == {"01_cohort", "06_baselines", "07_clinical"}

    project.notebook("09_evaluation", TINY_NOTEBOOKS["09_evaluation"])
    status, out, err = reproduce(project)
    assert (status, err) == (0, "")
    assert "6 of 9 steps are due" in out
    assert "  rows 20" in out.splitlines()
    assert {name: when for name, when in records(project).items() if name in finished} == finished
    interrupted = artefacts(project)

    status, out, _ = reproduce(project)
    assert status == 0
    assert "nothing to do" in out
    assert artefacts(project) == interrupted

    (project.root / "results").rename(project.root / "interrupted")
    assert reproduce(project)[0] == 0
    assert artefacts(project) == interrupted

    manifest = json.loads((project.results / "manifest.json").read_text())
    assert manifest["artefacts"]["predictions.parquet"]["made_by"] == "09_evaluation"
    assert manifest["steps"]["07_clinical"]["settings"]["clinical"]["keep_p"] == 0.05
    assert manifest["packages"]["pandas"]
    assert manifest["patients"] == "real"


@pytest.mark.slow
def test_a_failing_notebook_is_explained_once_and_others_are_finished(project):
    project.notebook(
        "06_baselines", "from her2study.types import StudyError\nraise StudyError('clinical.csv, row 3: no')"
    )
    status, out, err = reproduce(project)
    assert status == 2
    assert err.splitlines()[:2] == ["error: clinical.csv, row 3: no", "(found by 06_baselines.ipynb, cell 4)"]
    assert "Traceback" not in out + err
    assert "FAILED     06_baselines" in out
    assert "01_cohort" in records(project)

    project.notebook("06_baselines", "1 / 0")
    status, out, err = reproduce(project)
    assert status == 1
    assert "ZeroDivisionError: division by zero" in err
    assert "start      01_cohort" not in out


@pytest.mark.slow
def test_ctrl_c_ends_everything_and_says_how_to_go_on(project):
    project.notebook("01_cohort", SLOW_CELL)
    process = start(project)
    deadline = time.monotonic() + 60
    while not (project.results / "notebooks" / "01_cohort.unfinished.ipynb").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "stopped; the same command continues where this one stopped\n"
    while kernels_of(project) and time.monotonic() < deadline + 30:
        time.sleep(0.1)
    assert kernels_of(project) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--study", "tinny"], "did you mean 'tiny'?"),
        (["--profile", "smok"], "unknown profile 'smok'; did you mean 'smoke'?"),
        (["--data", "nowhere"], "DATA="),
        (["--data", ""], "needs a folder of patients"),
    ],
)
def test_a_wrong_argument_is_one_message_and_status_2(project, capsys, arguments, said):
    status = main(["reproduce", "--study", "tiny", "--data", str(project.data), *arguments])
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err
    assert not project.results.exists()


def test_a_wrong_parameter_of_a_later_notebook_stops_before_the_first(project, capsys):
    project.notebook("11_claims", parameters="study_name: str = ''\nprofile: str = ''\ndta: str = ''\n")
    assert main(["reproduce", "--study", "tiny", "--data", str(project.data)]) == 2
    assert "11_claims.ipynb: unknown parameter 'data'; did you mean 'dta'?" in capsys.readouterr().err
    assert not project.results.exists()
