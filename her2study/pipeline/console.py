"""What a person who waits sees: one line a step at its start and end, and a line now and then between."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

LINE_EVERY_SECONDS = 10.0
"""Several steps share the terminal, so they tell in lines, and seldom."""

LOOK_EVERY_SECONDS = 0.5


def say(line: str) -> None:
    """One line, at once."""
    print(line, flush=True)


def clock(seconds: float) -> str:
    """Seconds as ``m:ss``, ``h:mm:ss`` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def progress_line(label: str, state: dict) -> str:
    """``04_dscore_fold[2]  epochs 12/40  0:43 left``, from what :mod:`her2study.progress` wrote."""
    line = f"  {label}  {state['what']} {state['done']}/{state['total']}"
    if state["done"]:
        line += f"  {clock(state['seconds'] / state['done'] * (state['total'] - state['done']))} left"
    return line


@contextlib.contextmanager
def watch(told: Path, label: str, every_seconds: float = LINE_EVERY_SECONDS) -> Iterator[None]:
    """Print the progress that a step writes to the file ``told`` while the block runs."""
    ended = threading.Event()

    def look() -> None:
        last = ""
        while not ended.wait(every_seconds if last else min(every_seconds, LOOK_EVERY_SECONDS)):
            try:
                line = progress_line(label, json.loads(told.read_text(encoding="utf-8")))
            except (OSError, ValueError):
                continue  # nothing told yet
            if line != last:
                say(line)
                last = line

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
