import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from her2study.imaging import volume_store
from her2study.imaging.preprocess import preprocess_patients
from her2study.imaging.volume_store import code_version, entry_key, file_hashes, load_entry, save_entry, tidy
from her2study.study import Imaging
from tests.imaging.patients import cohort_of, phase_path, write_patient

IMAGING = Imaging(crop_voxels=(16, 16, 16))
ROWS = {"channels": np.arange(24, dtype=np.float16).reshape(2, 3, 4), "mask": np.ones((3, 4), np.uint8)}
NAMES = ("P1", "P2", "P3", "P4")

WORK = """
import sys
from pathlib import Path
from her2study.imaging.preprocess import preprocess_patients
from her2study.study import Imaging
from tests.imaging.patients import cohort_of
source, store, workers = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
if __name__ == "__main__":
    preprocess_patients(cohort_of(*sys.argv[4:]), source, Imaging(crop_voxels=(16, 16, 16)), store, workers)
"""


@pytest.fixture
def source(tmp_path):
    for seed, name in enumerate(NAMES):
        write_patient(tmp_path / "source", name, levels=(100, 200 + 10 * seed, 150), seed=seed)
    return tmp_path / "source"


def _entries(store):
    return {path.name: path.read_bytes() for path in sorted(store.rglob("*.volume"))}


def test_an_entry_comes_back_as_it_was(tmp_path):
    save_entry(tmp_path, "ab12", ROWS, {"times": [90.0, float("nan")], "orientation": "LPS", "n": 3})
    arrays, notes = load_entry(tmp_path, "ab12")
    assert {name: array.tobytes() for name, array in arrays.items()} == {n: a.tobytes() for n, a in ROWS.items()}
    assert notes["orientation"] == "LPS"
    assert np.isnan(notes["times"][1])
    assert load_entry(tmp_path, "ab13") is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda b: b[:100],
        lambda b: b[:-1],
        lambda b: b"",
        lambda b: b[:300] + b"\x07" + b[301:],
        lambda b: bytes(len(b)),
    ],
    ids=["cut", "one byte less", "empty", "one byte other", "zeros"],
)
def test_a_damaged_entry_is_no_entry(tmp_path, spoil):
    save_entry(tmp_path, "ab12", ROWS, {"a": 1})
    path = next(tmp_path.rglob("*.volume"))
    path.write_bytes(spoil(path.read_bytes()))
    assert load_entry(tmp_path, "ab12") is None


def test_the_key_follows_content_settings_and_code_and_not_names(tmp_path, monkeypatch):
    def key(file, settings, module="her2study.imaging.preprocess"):
        return entry_key(file_hashes(tmp_path / "store", [file]), settings, module)

    one, copy, other = (tmp_path / name for name in ("one", "copy", "other"))
    one.write_bytes(b"scan")
    copy.write_bytes(b"scan")
    other.write_bytes(b"scam")
    first = key(one, {"spacing": 1.5})
    assert key(copy, {"spacing": 1.5}) == first
    assert len({first, key(other, {"spacing": 1.5}), key(one, {"spacing": 1.6})}) == 3
    assert key(one, {"spacing": 1.5}, "her2study.imaging.phases") != first
    monkeypatch.setattr(volume_store, "_versions", lambda: {"numpy": "0"})
    assert key(one, {"spacing": 1.5}) != first


def test_code_counts_with_what_it_imports_and_without_its_comments(tmp_path, monkeypatch):
    for name, text in {
        "volume_store": "",
        "a": "from her2study.imaging.b import f",
        "b": "f = 1",
        "c": "g = 1",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setattr(volume_store, "__file__", str(tmp_path / "volume_store.py"))

    def version():
        code_version.cache_clear()
        return code_version("her2study.imaging.a")

    first = version()
    (tmp_path / "c.py").write_text("g = 2")
    (tmp_path / "b.py").write_text("f = 1  # one")
    assert version() == first
    (tmp_path / "b.py").write_text("f = 2")
    assert version() != first
    code_version.cache_clear()


def test_hashes_are_remembered_until_the_file_changes(tmp_path, monkeypatch):
    file, store = tmp_path / "scan", tmp_path / "store"
    file.write_bytes(b"one")
    first = file_hashes(store, [file])
    assert not list(store.rglob("known/*"))  # changed a moment ago: it may change again unseen
    monkeypatch.setattr(volume_store, "SETTLED_SECONDS", -1e6)
    assert file_hashes(store, [file]) == first
    monkeypatch.setattr(volume_store, "file_hash", lambda path: pytest.fail("read again"))
    assert file_hashes(store, [file]) == first
    monkeypatch.undo()
    stamp = file.stat()
    file.write_bytes(b"two")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # same size and date
    assert file_hashes(store, [file]) != first


def test_a_damaged_note_of_hashes_is_read_again(tmp_path, monkeypatch):
    file, store = tmp_path / "scan", tmp_path / "store"
    file.write_bytes(b"one")
    monkeypatch.setattr(volume_store, "SETTLED_SECONDS", -1e6)
    first = file_hashes(store, [file])
    for text in ("", "[", '["abc"]', json.dumps(first * 2), "3"):
        next(store.rglob("known/*")).write_text(text)
        assert file_hashes(store, [file]) == first


def test_leftovers_and_what_nobody_uses_are_removed(tmp_path):
    for key in ("aa11", "aa22"):
        save_entry(tmp_path, key, ROWS, {})
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left, mine = (tmp_path / "aa" / f"aa33.volume.{pid}.part" for pid in (gone.pid, os.getpid()))
    young = left.with_name(f"aa44.volume.{gone.pid}.part")  # of another machine, perhaps
    for path in (left, mine, young):
        path.write_bytes(b"half")
    for path in (left, mine):
        os.utime(path, (time.time() - 700,) * 2)
    for path in (tmp_path / "aa").glob("*.volume"):
        os.utime(path, (0, 0))
    tidy(tmp_path, ["aa22"])
    assert sorted(path.name for path in (tmp_path / "aa").iterdir()) == sorted(["aa22.volume", mine.name, young.name])


def test_a_second_run_and_another_study_read_what_is_there(source, tmp_path, monkeypatch):
    store = tmp_path / "store"
    first = preprocess_patients(cohort_of(*NAMES), source, IMAGING, store)
    monkeypatch.setattr("her2study.imaging.preprocess.preprocess_patient", lambda *_: pytest.fail("made again"))
    second = preprocess_patients(cohort_of("P4", "P2"), source, IMAGING, store)
    assert second.channels.tobytes() == first.channels[[1, 3]].tobytes()
    assert second.mask.tobytes() == first.mask[[1, 3]].tobytes()
    for name in ("index", "quality"):
        pd.testing.assert_frame_equal(getattr(second, name), getattr(first, name).iloc[[1, 3]].reset_index(drop=True))


def test_a_replaced_scan_and_a_damaged_entry_are_made_again(source, tmp_path):
    store = tmp_path / "store"
    first = preprocess_patients(cohort_of(*NAMES), source, IMAGING, store)
    before = _entries(store)
    for path in store.rglob("*.volume"):
        path.write_bytes(path.read_bytes()[:-50])
    preprocess_patients(cohort_of(*NAMES), source, IMAGING, store)
    assert _entries(store) == before
    phase_path(source, "P1", 1).write_bytes(phase_path(source, "P2", 1).read_bytes())
    third = preprocess_patients(cohort_of(*NAMES), source, IMAGING, store)
    assert third.channels[0].tobytes() != first.channels[0].tobytes()
    assert third.channels[1:].tobytes() == first.channels[1:].tobytes()


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_killed_anywhere_and_started_again_gives_the_same_bytes(source, tmp_path, workers):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    preprocess_patients(cohort_of(*NAMES), source, IMAGING, whole)
    script = tmp_path / "work.py"
    script.write_text(WORK)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(["."]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(script), str(source), str(cut), workers, *NAMES]
    work = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        until = time.monotonic() + 60
        while not list(cut.rglob("*.volume")) and work.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
    finally:
        os.killpg(work.pid, signal.SIGKILL)
        work.wait()
    done = _entries(cut)
    assert 0 < len(done) < len(NAMES), "it was not killed in the middle"
    assert done.items() <= _entries(whole).items()  # what is there is whole
    again = preprocess_patients(cohort_of(*NAMES), source, IMAGING, cut)
    assert _entries(cut) == _entries(whole)
    assert len(again.rows()) == len(NAMES)
