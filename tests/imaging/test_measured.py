import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from her2study.imaging import radiomics
from her2study.imaging.measured import Measured
from her2study.imaging.radiomics import extract_radiomics
from tests.imaging.lesions import RADIOMICS, cube, invent_lesions
from tests.tiny import ROOT

MASKS = [cube(side) for side in (3, 4, 5, 6)]


@pytest.fixture
def counted(monkeypatch):
    """The patients that were really measured."""
    seen, measure = [], radiomics.measure_lesion

    def count(lesion, settings):
        seen.append(int(lesion.mask.sum()))
        return measure(lesion, settings)

    monkeypatch.setattr(radiomics, "measure_lesion", count)
    return seen


def test_what_was_measured_is_not_measured_again_and_gives_the_same_bytes(tmp_path, counted):
    lesions, kept = invent_lesions(MASKS), Measured(tmp_path)
    fresh = extract_radiomics(lesions, RADIOMICS)
    first = extract_radiomics(lesions, RADIOMICS, measured=kept)
    counted.clear()
    again = extract_radiomics(lesions, RADIOMICS, measured=kept)
    assert counted == []
    for found in (first, again):
        pd.testing.assert_frame_equal(found, fresh, check_exact=True)


def test_only_what_changed_is_measured_again(tmp_path, counted):
    lesions, kept = invent_lesions(MASKS), Measured(tmp_path)
    extract_radiomics(lesions, RADIOMICS, measured=kept)
    counted.clear()
    lesions.channels[1, 2, 0, 0, 0] += 1
    extract_radiomics(lesions, RADIOMICS, measured=kept)
    assert counted == [4**3]
    counted.clear()
    extract_radiomics(lesions._replace(late_seconds=np.array([360, 360, 360, 361.0])), RADIOMICS, measured=kept)
    assert counted == [6**3]
    counted.clear()
    extract_radiomics(lesions, RADIOMICS.model_copy(update={"perturbed_patients": 3}), measured=kept)
    assert counted == []  # decides who is measured, and not what
    extract_radiomics(lesions, RADIOMICS.model_copy(update={"bin_number": 9}), measured=kept)
    assert len(counted) == 4


def test_a_damaged_file_is_measured_again(tmp_path, counted):
    lesions, kept = invent_lesions(MASKS), Measured(tmp_path)
    first = extract_radiomics(lesions, RADIOMICS, measured=kept)
    path = sorted(tmp_path.glob("*.json"))[0]
    path.write_bytes(path.read_bytes()[:-9])
    counted.clear()
    pd.testing.assert_frame_equal(extract_radiomics(lesions, RADIOMICS, measured=kept), first, check_exact=True)
    assert len(counted) == 1


WORK = """
import sys, time
from pathlib import Path
from her2study.imaging import radiomics
from her2study.imaging.measured import Measured
from tests.imaging.lesions import RADIOMICS, cube, invent_lesions
measure = radiomics.measure_lesion
def slowly(lesion, settings):
    found = measure(lesion, settings)
    time.sleep(0.5)
    return found
radiomics.measure_lesion = slowly
lesions = invent_lesions([cube(side) for side in (3, 4, 5, 6)] * 3)
radiomics.extract_radiomics(lesions, RADIOMICS, 1, Measured(Path(sys.argv[1])))
"""


def test_killed_in_the_middle_it_goes_on_and_ends_with_the_same_bytes(tmp_path, counted):
    lesions = invent_lesions(MASKS * 3)
    expected = extract_radiomics(lesions, RADIOMICS)
    with subprocess.Popen([sys.executable, "-c", WORK, str(tmp_path)], cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        while len(list(tmp_path.glob("*.json"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    finished = len(list(Path(tmp_path).glob("*.json")))
    assert 3 <= finished < 12
    counted.clear()
    found = extract_radiomics(lesions, RADIOMICS, measured=Measured(tmp_path))
    assert len(counted) == 12 - finished
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
