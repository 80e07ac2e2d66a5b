"""Processes that never outlive their parent, and one writer per results folder."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from her2study.types import StudyError

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> None:
    """Let the kernel of the operating system kill this process when its parent ends, even by kill -9.

    Linux only; elsewhere a parent that is killed may leave a child that ends by itself.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextlib.contextmanager
def sole_writer(folder: Path, patience_seconds: float = 30) -> Iterator[None]:
    """Hold the results folder for one run at a time.

    Waits a little, because processes of a run that was just killed may still be ending.

    Raises
    ------
    StudyError
        Another run is writing there; the message says which process.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / ".lock", "a+", encoding="utf-8")  # noqa: SIM115, closed below
    except OSError as error:
        raise StudyError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder with HER2STUDY_RESULTS"
        ) from None
    with lock:
        deadline = time.monotonic() + patience_seconds
        while not _try_lock(lock):
            if time.monotonic() > deadline:
                lock.seek(0)
                raise StudyError(
                    f"{folder}: another run ({lock.read().strip() or 'unknown process'}) is writing there; "
                    "wait until it ends, or stop it"
                )
            time.sleep(0.2)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} since {time.strftime('%H:%M:%S')}\n")
        lock.flush()
        yield


def _try_lock(lock) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Environment variables for the time of a block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
