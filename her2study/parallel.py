"""Patients side by side: worker processes that die with the notebook and never change a result."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from her2study.progress import progress
from her2study.types import StudyError

Item = TypeVar("Item")
Result = TypeVar("Result")


def worker_count() -> int:
    """Number of worker processes: ``HER2STUDY_WORKERS``, 2 by default.

    An environment variable and not a study setting, because no result depends on it.

    Raises
    ------
    StudyError
        The variable is not a whole number of at least 1.
    """
    text = os.environ.get("HER2STUDY_WORKERS", "2")
    if not text.isdigit() or int(text) < 1:
        raise StudyError(
            f"HER2STUDY_WORKERS is {text!r}: it must be a whole number of at least 1; unset it or write 2, for example"
        )
    return int(text)


def map_patients(function: Callable[[Item], Result], items: Iterable[Item], what: str, workers: int) -> list[Result]:
    """``[function(item) for item in items]`` in worker processes, with progress.

    Parameters
    ----------
    function : callable
        A module-level function (or a partial of one): it is sent to freshly started processes.
    what : str
        Name of the work, shown beside the progress.
    workers : int
        Processes; 1 works in this process.

    Raises
    ------
    StudyError
        Whatever ``function`` raised for the first item that failed, or a worker that was killed.
    """
    items = list(items)
    if workers == 1 or len(items) < 2:
        return [function(item) for item in progress(items, what, len(items))]
    # Freshly started processes: a forked copy of a kernel with threads may deadlock.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(items)), mp_context=context, initializer=_follow_parent)
    try:
        return list(progress(pool.map(function, items, chunksize=2), what, len(items)))
    except BrokenProcessPool:
        raise StudyError(
            f"{what}: a worker process was killed, most often for lack of memory; "
            "run the same command again with HER2STUDY_WORKERS=1"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _follow_parent() -> None:
    """End this worker when the kernel ends, even by kill -9; the pool alone would leave it waiting."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
