import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from her2study.parallel import map_patients, worker_count
from her2study.types import StudyError


@pytest.mark.parametrize("workers", [1, 2])
def test_results_keep_the_order_of_the_items(workers):
    assert map_patients(str.upper, ["a", "b", "c", "d", "e"], "letters", workers) == list("ABCDE")


def test_a_killed_worker_is_explained():
    with pytest.raises(StudyError, match="HER2STUDY_WORKERS=1"):
        map_patients(os._exit, [3, 3], "letters", 2)


def test_the_number_of_workers_comes_from_the_environment(monkeypatch):
    monkeypatch.delenv("HER2STUDY_WORKERS", raising=False)
    assert worker_count() == 2
    monkeypatch.setenv("HER2STUDY_WORKERS", "5")
    assert worker_count() == 5


@pytest.mark.parametrize("text", ["0", "two", "-1", "1.5", ""])
def test_a_senseless_number_of_workers_is_refused(monkeypatch, text):
    monkeypatch.setenv("HER2STUDY_WORKERS", text)
    with pytest.raises(StudyError, match="whole number"):
        worker_count()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc")
def test_workers_end_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        "import time\nfrom her2study.parallel import map_patients\n"
        "if __name__ == '__main__':\n    map_patients(time.sleep, [60] * 4, 'naps', 2)\n"
    )
    environment = os.environ | {"HER2STUDY_PROGRESS": str(tmp_path / "progress")}
    parent = subprocess.Popen([sys.executable, str(script)], env=environment, start_new_session=True)
    try:
        assert _wait(lambda: len(_napping(parent.pid)) == 2)
        workers = _napping(parent.pid)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert _wait(lambda: not any(_alive(pid) for pid in workers))
    finally:
        parent.kill()


def _napping(parent: int) -> list[int]:
    """Worker processes of ``parent`` that follow it: those with a second thread."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(pid) for pid in children if len(list(Path(f"/proc/{pid}/task").glob("*"))) > 1]


def _alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.is_file() and status.read_text().rpartition(") ")[2][0] != "Z"


def _wait(condition, seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()
