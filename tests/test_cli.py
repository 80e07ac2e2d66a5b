import pytest

from her2study import cli
from her2study.cli import main
from her2study.pipeline import StepFailed
from her2study.types import StudyError


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (StudyError("row 3: no"), 2, "error: row 3: no\n"),
        (StepFailed("01_cohort.ipynb, cell 4 failed", 1), 1, "error: 01_cohort.ipynb, cell 4 failed\n"),
        (KeyboardInterrupt(), 130, "stopped; the same command continues where this one stopped\n"),
    ],
)
def test_expected_errors_are_one_message_and_a_status(monkeypatch, capsys, raised, status, said):
    def fail(*_):
        raise raised

    monkeypatch.setattr(cli, "open_chain", fail)
    assert main(["reproduce"]) == status
    assert capsys.readouterr().err == said


def test_an_unexpected_error_is_not_hidden(monkeypatch):
    monkeypatch.setattr(cli, "open_chain", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["reproduce"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["04_dscore_fold", "fodl=1"], "unknown parameter 'fodl'; did you mean 'fold'?"),
        (["04_dscore_fold", "fold=one"], "parameter fold='one' is not of the declared type int"),
        (["04_dscore_fold", "1"], "parameter '1': write it as NAME=VALUE"),
        (["12_nothing"], "unknown step '12_nothing'"),
    ],
)
def test_a_step_that_cannot_be_meant_is_explained(project, capsys, arguments, said):
    project.images()
    assert main(["run", "--study", "tiny", "--data", str(project.data), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (project.results / "records").exists()


def test_one_step_runs_by_itself(project, capsys, monkeypatch):
    ran = []
    monkeypatch.setattr(cli, "run_node", lambda chain, node: ran.append(node.name))
    project.images()
    assert main(["run", "--study", "tiny", "--data", str(project.data), "04_dscore_fold", "fold=1"]) == 0
    assert ran == ["04_dscore_fold_1"]


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "reproduce" in capsys.readouterr().out
