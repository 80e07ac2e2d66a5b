"""One step with a real kernel: what is kept and said when it succeeds and when it fails."""

import json
import os
import signal

import nbformat
import pytest

from her2study.pipeline import StepFailed, open_chain, run_node
from her2study.pipeline.node import load_failures
from her2study.pipeline.records import load_record
from her2study.types import StudyError
from tests.tiny import TINY_NOTEBOOKS

IMPORT_ERROR = "from her2study.types import StudyError"


@pytest.fixture
def chain(project):
    return open_chain("tiny", "full", str(project.data))


def test_success_leaves_an_executed_notebook_and_a_record(project, chain, capsys):
    project.notebook(
        "01_cohort", TINY_NOTEBOOKS["01_cohort"], "import os; print(os.environ['OMP_NUM_THREADS'], os.getcwd())"
    )
    run_node(chain, chain.nodes["01_cohort"])
    record = load_record(chain, "01_cohort")
    assert set(record["written"]) == {"cohort.parquet"}
    assert list(record["source"]) == [str(project.data / "clinical.csv")]
    assert record["settings"].keys() == {"source", "split"}
    assert {"her2study.store", "her2study.types"} <= record["code"].keys()
    assert "pandas" in record["packages"]
    executed = nbformat.read(project.results / "notebooks" / "01_cohort.ipynb", as_version=4)
    assert executed.cells[-1].outputs[0].text == f"1 {project.root}\n"
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "start      01_cohort"
    assert lines[-1].startswith("done       01_cohort  0:")
    run_node(chain, chain.nodes["01_cohort"])
    assert capsys.readouterr().out == "unchanged  01_cohort\n"
    leftovers = {path.name for path in project.results.rglob("*")} & {"01_cohort.unfinished.ipynb", "journal"}
    assert not leftovers


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        (f"{IMPORT_ERROR}; raise StudyError('row 3: no')", 2, "row 3: no\n(found by 01_cohort.ipynb, cell 4)"),
        ("x = 1\ny = x / 0", 1, "01_cohort.ipynb, cell 4 failed:"),
        (f"import os; os.kill(os.getpid(), {signal.SIGKILL})", 1, "01_cohort.ipynb: DeadKernelError"),
    ],
)
def test_failure_keeps_the_notebook_under_another_name(project, chain, code, status, said):
    project.notebook("01_cohort", 'run.save_frame("cohort", pd.DataFrame({"a": [1]}))\n' + code)
    with pytest.raises(StepFailed) as caught:
        run_node(chain, chain.nodes["01_cohort"])
    message = str(caught.value)
    assert message.startswith(said)
    assert caught.value.status == status
    if status == 2:
        assert "Traceback" not in message
    if "failed:" in said:
        assert "ZeroDivisionError: division by zero" in message
        assert "\x1b" not in message
    assert load_record(chain, "01_cohort") is None
    assert [str(failure) for failure in load_failures(chain)] == [message]
    assert not (project.results / "notebooks" / "01_cohort.ipynb").exists()
    kept = project.results / "notebooks" / "failed" / "01_cohort.ipynb"
    assert json.loads(kept.read_text())["cells"]
    assert str(kept) in message

    project.notebook("01_cohort", TINY_NOTEBOOKS["01_cohort"])
    run_node(chain, chain.nodes["01_cohort"])
    assert not kept.exists()
    assert load_failures(chain) == []


def test_a_parameter_the_notebook_does_not_know_stops_before_anything_runs(project, chain):
    project.notebook("01_cohort", "x = 1", parameters='study_nam: str = "tiny"\nprofile: str = ""\ndata: str = ""\n')
    with pytest.raises(StudyError, match="unknown parameter 'study_name'; did you mean 'study_nam'"):
        run_node(chain, chain.nodes["01_cohort"])
    assert not (project.results / "notebooks").exists()


def test_the_persons_environment_is_untouched(project, chain):
    before = dict(os.environ)
    run_node(chain, chain.nodes["01_cohort"])
    assert dict(os.environ) == before
