import json
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from her2study.cli import chain, evaluate, main, parser
from her2study.cli.done import Done
from her2study.pipeline import StepFailed
from her2study.types import StudyError

PARSERS = {"": parser()} | next(action.choices for action in parser()._actions if action.choices)
COMMANDS = [name for name in PARSERS if name]


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

    monkeypatch.setattr(chain, "open_chain", fail)
    assert main(["reproduce"]) == status
    assert capsys.readouterr().err == said


def test_a_package_of_an_extra_that_is_not_installed_is_named(monkeypatch, capsys):
    monkeypatch.setattr(chain, "open_chain", lambda *_: __import__("papermill_of_another_world"))
    assert main(["reproduce"]) == 2
    said = capsys.readouterr().err
    assert "'papermill_of_another_world' is not installed" in said
    assert "pip install 'her2study[study]'" in said


def test_an_unexpected_error_is_not_hidden(monkeypatch):
    monkeypatch.setattr(chain, "open_chain", lambda *_: 1 / 0)
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
    monkeypatch.setattr(chain, "run_node", lambda _, node: ran.append(node.name))
    project.images()
    assert main(["run", "--study", "tiny", "--data", str(project.data), "04_dscore_fold", "fold=1"]) == 0
    assert ran == ["04_dscore_fold_1"]


def test_a_reader_who_leaves_early_gets_no_traceback():
    """As in ``her2study reproduce | head``."""
    talk = (
        "from her2study import cli; "
        "cli.chain._reproduce = lambda options: [print('line', flush=True) for _ in range(10**6)]"
    )
    program = f"{talk}; raise SystemExit(cli.main(['reproduce', '--study', 'hong2025']))"
    speaker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert speaker.stdout.readline() == b"line\n"
    speaker.stdout.close()
    assert speaker.stderr.read() == b""
    speaker.stderr.close()
    assert speaker.wait(60) == 141


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert all(f"    {name}" in told for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_is_a_manual_page(name, capsys):
    """A line that says what it does, every argument explained, examples that can be typed, exit statuses."""
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    blocks = ("options:", "  --json ", "examples:", "exit status:")
    places = [told.index(block) for block in blocks]
    assert places == sorted(places)
    unexplained = [action.dest for action in PARSERS[name]._actions if not action.help]
    assert not unexplained
    examples = told.split("examples:")[1].split("\n\n")[0].splitlines()[1:]
    inside = [re.sub(r'^.*\$\((.*?)\)".*$', r"\1", line) for line in examples]  # eval "$(her2study ...)"
    typed = [line.split("her2study ", 1)[1].split(" > ")[0] for line in inside if "her2study " in line]
    assert typed
    for line in typed:
        words = shlex.split(line, comments=True)
        assert PARSERS[""].parse_args(words).call


def test_json_is_one_object_and_everything_else_goes_to_standard_error():
    """Also what other processes say that the command starts."""
    talk = (
        "import os; from her2study import cli; from her2study.cli.done import Done; "
        "cli.chain._reproduce = lambda options: [print('said'), os.system('echo child'), Done(1, {'n': 3})][-1]"
    )
    program = f"{talk}; raise SystemExit(cli.main(['reproduce', '--json']))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"command": "her2study reproduce --json", "status": 1, "n": 3}
    assert sorted(done.stderr.split()) == ["child", "said"]


def test_json_of_a_mistake_says_what_and_has_its_status(capfd):
    assert main(["reproduce", "--study", "hong", "--json"]) == 2
    told = capfd.readouterr()
    answer = json.loads(told.out)
    assert answer["status"] == 2
    assert "unknown study 'hong'" in answer["error"]
    assert told.err == f"error: {answer['error']}\n"


def test_findings_are_status_1(monkeypatch):
    monkeypatch.setattr(chain, "_reproduce", lambda options: Done(1))
    assert main(["reproduce"]) == 1


def test_a_shell_completes_commands_options_and_folders(tmp_path):
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    script = subprocess.run(
        [sys.executable, "-m", "her2study.cli", "completion", "bash"], capture_output=True, text=True, check=True
    ).stdout
    (tmp_path / "predictions").mkdir()
    asked = {
        "her2study eval": ["evaluate"],
        "her2study evaluate --simul": ["--simulated"],
        "her2study evaluate --out pre": ["predictions"],
    }
    for line, wanted in asked.items():
        words = line.split()
        ask = (
            f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _shtab_her2study; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        )
        done = subprocess.run(
            ["bash", "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.stdout.split() == wanted, done.stderr


def test_help_of_evaluate_explains_both_shapes_of_a_table(capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    for words in (
        "tidy patient_id, model, label, probability",
        "wide patient_id, label",
        "never on internal or external",
    ):
        assert words in told


def evaluated(monkeypatch, *arguments):
    asked = []
    monkeypatch.setattr(evaluate, "evaluate", asked.append)
    assert main(["evaluate", "p.csv", "--out", "there", *arguments]) == 0
    return asked[0]


def test_evaluate_without_options_leaves_decisions_open(monkeypatch):
    request = evaluated(monkeypatch)
    assert (str(request.table), str(request.out), request.outcome) == ("p.csv", "there", "HER2-positive")
    assert not request.simulated
    assert request.command == "her2study evaluate p.csv --out there"
    assert request.settings["pairs"] is None
    assert request.settings["rule"] is None
    assert request.settings["resamples"] == 2000


def test_options_of_evaluate_become_settings(monkeypatch):
    options = "--pairs a:b --pairs a:c --nested a:b --threshold a=0.3 --threshold b=c=0.4 --rule sensitivity=0.95"
    more = (
        "--prevalence 0.1 --prevalence 0.3 --decision-range 0.02:0.2 --confidence 0.9 --seed 7 --simulated --workers 3"
    )
    request = evaluated(monkeypatch, *options.split(), *more.split())
    assert request.settings == {
        "pairs": (("a", "b"), ("a", "c")),
        "nested": (("a", "b"),),
        "thresholds": {"a": 0.3, "b=c": 0.4},
        "rule": "sensitivity",
        "target": 0.95,
        "prevalences": (0.1, 0.3),
        "decision_range": (0.02, 0.2),
        "confidence": 0.9,
        "seed": 7,
        "resamples": 2000,
    }
    assert request.simulated
    assert request.workers == 3


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--confidence=95", "95 must lie between 0 and 1, both excluded; for 95% write 0.95"),
        ("--confidence=high", "'high' is no number"),
        ("--resamples=0", "'0' must be a whole number of at least 1"),
        ("--seed=-1", "'-1' must be a whole number, 0 or more"),
        ("--rule=best", "'best' must be youden, sensitivity=0.9 or specificity=0.9"),
        ("--rule=sensitivity=90", "90 must lie between 0 and 1"),
        ("--threshold=0.5", "'0.5': write it as MODEL=VALUE"),
        ("--threshold=a=1.5", "a threshold is a probability from 0 to 1"),
        ("--pairs=a", "'a': write two models as A:B"),
        ("--pairs=a:a", "'a:a': write two models as A:B"),
        ("--prevalence=20", "20 must lie between 0 and 1"),
        ("--decision-range=0.5:0.1", "write LOW:HIGH with 0 < LOW < HIGH < 1"),
    ],
)
def test_an_option_of_evaluate_that_cannot_be_meant_is_explained(capsys, option, said):
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "p.csv", "--out", "there", option])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
