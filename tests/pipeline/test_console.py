import json
import time

import pytest

from her2study.pipeline.console import clock, progress_line, watch


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (61, "1:01"), (3_661, "1:01:01")])
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_progress_says_what_is_left():
    state = {"what": "epochs", "done": 12, "total": 40, "seconds": 24.0}
    assert progress_line("04_dscore_fold[2]", state) == "  04_dscore_fold[2]  epochs 12/40  0:56 left"
    assert progress_line("x", {**state, "done": 0}) == "  x  epochs 0/40"


def test_watch_prints_each_state_once_and_survives_a_half_written_file(tmp_path, capsys):
    told = tmp_path / "progress"
    told.write_text("{half")
    with watch(told, "step", every_seconds=0.02):
        time.sleep(0.1)
        told.write_text(json.dumps({"what": "epochs", "done": 1, "total": 2, "seconds": 3}))
        time.sleep(0.3)
    assert capsys.readouterr().out == "  step  epochs 1/2  0:03 left\n"
