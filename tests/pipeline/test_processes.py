import os
import signal
import subprocess
import sys
import time

import pytest

from her2study.pipeline.processes import environment, sole_writer
from her2study.types import StudyError

HOLD = """
import sys, time
from pathlib import Path
from her2study.pipeline.processes import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""

PARENT = """
import subprocess, sys, time
from her2study.pipeline.processes import die_with_parent
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], preexec_fn=die_with_parent)
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_second_writer_is_told_who_holds_the_folder(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with holder, holder.stdout as said:
        assert said.readline() == "held\n"
        with pytest.raises(StudyError, match=f"another run .process {holder.pid} since"), sole_writer(tmp_path, 0):
            pass
        holder.kill()
        with sole_writer(tmp_path, 10):  # a killed run holds nothing
            pass


def test_a_folder_that_cannot_be_made_is_a_message(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match="HER2STUDY_RESULTS"), sole_writer(tmp_path / "file" / "results"):
        pass


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="parents are followed on Linux only")
def test_a_child_ends_with_its_killed_parent():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    with parent, parent.stdout as said:
        child = int(said.readline())
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 10
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_environment_is_put_back(monkeypatch):
    monkeypatch.setenv("HER2STUDY_A", "before")
    monkeypatch.delenv("HER2STUDY_B", raising=False)
    with environment({"HER2STUDY_A": "within", "HER2STUDY_B": "within"}):
        assert os.environ["HER2STUDY_A"] == os.environ["HER2STUDY_B"] == "within"
    assert os.environ["HER2STUDY_A"] == "before"
    assert "HER2STUDY_B" not in os.environ
