"""Tests of the results folder that is whole or not there, and of what it refuses to replace."""

import json
import os

import pytest

from her2study.pipeline.folder import MANIFEST, whole_folder
from her2study.store import file_hash
from her2study.types import StudyError

ME = "this test"


def fill(out, text="1"):
    with whole_folder(out, ME) as folder:
        (folder / "a").mkdir()
        (folder / "a" / "t.csv").write_text(text)
        manifest = {"made_by": ME, "files": {"a/t.csv": file_hash(folder / "a" / "t.csv")}}
        (folder / MANIFEST).write_text(json.dumps(manifest))


def test_the_folder_appears_whole_and_alone(tmp_path):
    fill(tmp_path / "new" / "out")
    assert (tmp_path / "new" / "out" / "a" / "t.csv").read_text() == "1"
    assert os.listdir(tmp_path / "new") == ["out"]


def test_its_own_folder_is_replaced(tmp_path):
    fill(tmp_path / "out")
    (tmp_path / "out" / ".DS_Store").write_text("")
    fill(tmp_path / "out", "2")
    assert (tmp_path / "out" / "a" / "t.csv").read_text() == "2"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ZeroDivisionError])
def test_after_an_interruption_everything_is_as_before(tmp_path, fault):
    def broken(out):
        with whole_folder(out, ME) as folder:
            (folder / "half.csv").write_text("1")
            raise fault

    with pytest.raises(fault):
        broken(tmp_path / "out")
    assert os.listdir(tmp_path) == []
    fill(tmp_path / "out")
    with pytest.raises(fault):
        broken(tmp_path / "out")
    assert os.listdir(tmp_path) == ["out"]
    assert (tmp_path / "out" / "a" / "t.csv").read_text() == "1"


def test_an_empty_folder_is_used(tmp_path):
    (tmp_path / "out").mkdir()
    fill(tmp_path / "out")
    assert (tmp_path / "out" / MANIFEST).is_file()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda out: (out / "notes.txt").write_text("mine"), "notes.txt was not written by this command and would be"),
        (lambda out: (out / "a" / "t.csv").write_text("mine"), "a/t.csv was changed since this command wrote it"),
        (lambda out: (out / MANIFEST).unlink(), "is not empty and was not written by this command"),
        (lambda out: (out / MANIFEST).write_text('{"made_by": "another", "files": {}}'), "was not written by this"),
        (lambda out: (out / MANIFEST).write_text("[1]"), "was not written by this command"),
    ],
)
def test_files_of_others_are_never_replaced(tmp_path, change, message):
    out = tmp_path / "out"
    fill(out)
    change(out)
    before = sorted(path.name for path in out.rglob("*"))
    with pytest.raises(StudyError, match=message):
        fill(out, "2")
    assert sorted(path.name for path in out.rglob("*")) == before
    assert os.listdir(tmp_path) == ["out"]


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(StudyError, match="is a file; give --out a new folder"):
        fill(tmp_path / "out")
    with pytest.raises(StudyError, match="cannot be written"):
        fill(tmp_path / "out" / "below")


def test_leftovers_of_a_killed_run_are_removed_and_its_predecessor_comes_back(tmp_path, monkeypatch):
    gone = 2**22 + 1  # above every process number
    (tmp_path / f".out.{gone}.part").mkdir()
    fill(tmp_path / "out")
    assert os.listdir(tmp_path) == ["out"]
    (tmp_path / "out").rename(tmp_path / f".out.{gone}.old")
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "out", ME):
        1 / 0  # noqa: B018
    assert (tmp_path / "out" / "a" / "t.csv").read_text() == "1"
