"""`her2study figures`: the figures of a finished study for a journal, beside those of the default look."""

import shlex
import subprocess

import pytest

from her2study.cli import main
from her2study.pipeline import journal_figures, open_chain, steps
from her2study.reporting import journals
from tests.reporting.figure_frames import figure_frames
from tests.tiny import ROOT


@pytest.fixture
def drawn(project, monkeypatch):
    """The tiny study as if finished, with one small figure."""
    monkeypatch.setattr(journal_figures, "check_finished", lambda chain: None)
    monkeypatch.setenv("HER2STUDY_WORKERS", "1")
    chain = open_chain("tiny", "smoke", str(project.data))
    frame = figure_frames(n=6, models=("clinical",), splits=("external",), pictures=2, folds=2)["confusion"]
    chain.run.save_figure_data("confusion", frame)
    return chain


def command(chain, journal):
    return ["figures", "--study", "tiny", "--profile", "smoke", "--data", chain.data, "--journal", journal]


def test_figures_for_a_journal_stand_beside_the_usual_ones(drawn, capsys, monkeypatch):
    monkeypatch.setattr(journals, "installed_font", lambda families: "DejaVu Sans")
    folder = drawn.run.folder / "figures" / "nature"
    folder.mkdir(parents=True)
    for name in ("gone.pdf", "notes.txt"):
        (folder / name).write_text("")
    assert main(command(drawn, "nature")) == 0
    told = capsys.readouterr().out
    assert told.count("Nature asks for Arial, which is not installed here; its figures are set in DejaVu Sans") == 1
    assert f"1 figure for Nature in {folder} (pdf, svg, png 300 dpi, tiff 600 dpi)" in told
    assert sorted(path.name for path in folder.iterdir()) == [
        *(f"confusion.{kind}" for kind in ("pdf", "png", "svg", "tiff")),
        "notes.txt",  # whose it is we do not know
    ]
    written = steps.figures(drawn)
    assert sorted(written) == [f"figures/confusion.{kind}" for kind in ("pdf", "png", "svg", "tiff")]


def test_an_unknown_journal_is_told_before_anything_is_drawn(drawn, capsys):
    assert main(command(drawn, "natrue")) == 2
    assert "unknown journal 'natrue'; did you mean 'nature'?" in capsys.readouterr().err
    assert not (drawn.run.folder / "figures").exists()


def test_unfinished_results_are_refused_with_the_mending_command(project, capsys):
    chain = open_chain("tiny", "smoke", str(project.data))
    assert main(command(chain, "nature")) == 2
    said = capsys.readouterr().err
    assert "results are not finished" in said
    assert "make reproduce STUDY=tiny PROFILE=smoke" in said


@pytest.mark.parametrize(
    ("journal", "called"), [("", "run figures"), ("JOURNAL=radiology", "figures --journal radiology")]
)
def test_make_figures_with_and_without_a_journal(journal, called):
    command = ["make", "-n", "figures", *shlex.split(journal)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"her2study {called} --study" in said.replace('"', "")
