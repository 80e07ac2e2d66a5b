"""Killed anywhere, the same command ends with the bytes of a run that was left alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path

import pytest

from her2study.cohort.simulated.dicom import write_dicom
from tests.cohort.tiny_scans import tiny_source

PATIENTS = {f"A{number}": "axial" for number in range(6)}


@pytest.fixture(scope="module")
def export(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    source = tiny_source(folder / "source", PATIENTS)
    write_dicom(source, PATIENTS, folder / "export", "ge", masks="rtstruct")
    return folder / "export"


@pytest.fixture(scope="module")
def undisturbed(export, tmp_path_factory) -> Path:
    """An import that nobody stopped; its key lies beside it."""
    scans = tmp_path_factory.mktemp("undisturbed") / "scans"
    assert command(export, scans).wait(timeout=60) == 0
    return scans


def command(export: Path, scans: Path, workers: int = 1) -> subprocess.Popen:
    words = [sys.executable, "-m", "her2study.cli", "import-dicom", str(export), str(scans), "--workers", str(workers)]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def seen(scans: Path, sign: str) -> int:
    """Files whose path matches, while another process moves them about."""
    walked = [Path(folder, name).relative_to(scans) for folder, _, names in os.walk(scans) for name in names]
    return sum(fnmatch(path.as_posix(), sign) for path in walked)


def contents(scans: Path) -> dict[str, bytes]:
    """Every file that a user or a later run reads; not the lock, which is empty or holds a process number."""
    paths = [path for path in scans.rglob("*") if path.is_file() and not path.name.endswith(".lock")]
    return {path.relative_to(scans).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    ("sign", "count", "workers"),
    [
        pytest.param(".import/part/*", 1, 1, id="at the first file"),
        pytest.param("images/P0003/*.nii.gz", 1, 2, id="half-way with two workers"),
        pytest.param("images/*/*.nii.gz", 1, 1, id="at the first patient", marks=pytest.mark.slow),
        pytest.param("segmentations/expert/*", 5, 1, id="at the last patients", marks=pytest.mark.slow),
    ],
)
def test_killed_and_started_again_gives_the_same_bytes(export, undisturbed, tmp_path, sign, count, workers):
    scans = tmp_path / "scans"
    shutil.copy(undisturbed.with_name("scans-key.csv"), tmp_path)
    running = command(export, scans, workers)
    deadline = time.monotonic() + 60
    while seen(scans, sign) < count and running.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    before = contents(scans)
    assert before != contents(undisturbed), "it was killed too late to test anything"
    assert command(export, scans).wait(timeout=60) == 0
    assert contents(scans) == contents(undisturbed)


def test_half_written_files_of_a_killed_run_are_removed(undisturbed, export, tmp_path):
    scans = tmp_path / "scans"
    shutil.copytree(undisturbed, scans)
    shutil.copy(undisturbed.with_name("scans-key.csv"), tmp_path)
    for name in (".import/P0005.json.123.part", "import_report.csv.123.part"):
        (scans / name).write_bytes(b"half")
    assert command(export, scans).wait(timeout=60) == 0
    assert contents(scans) == contents(undisturbed)


@pytest.mark.slow
def test_the_key_written_before_a_kill_is_kept(export, tmp_path):
    scans = tmp_path / "scans"
    running = command(export, scans)
    key = tmp_path / "scans-key.csv"
    while not key.exists() and running.poll() is None:
        time.sleep(0.001)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    written = key.read_bytes()
    assert command(export, scans).wait(timeout=60) == 0
    assert key.read_bytes() == written
