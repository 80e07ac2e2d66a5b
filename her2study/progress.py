"""One progress bar for long work: a bar in Jupyter and terminals, a line a second for the chain.

Inside the chain the kernel has no terminal, so progress is written to the file that
``HER2STUDY_PROGRESS`` names; the pipeline reads it and prints.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def progress(items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """Yield ``items`` while showing how many of ``total`` are done."""
    if total is None:
        items = list(items)
        total = len(items)
    target = os.environ.get("HER2STUDY_PROGRESS")
    if not target:
        from tqdm.auto import tqdm

        yield from tqdm(items, desc=what, total=total, leave=False)
        return
    started, told = time.monotonic(), 0.0
    for done, item in enumerate(items):
        if time.monotonic() - told > 1:
            told = time.monotonic()
            _tell(target, {"what": what, "done": done, "total": total, "seconds": told - started})
        yield item


def _tell(target: str, state: dict) -> None:
    """Replace the progress file in one step; progress is never worth failing for."""
    try:
        with open(f"{target}.new", "w", encoding="utf-8") as file:
            json.dump(state, file)
        os.replace(f"{target}.new", target)
    except OSError:
        pass
