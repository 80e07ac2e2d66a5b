"""Finished measurements on disk, named by their content: whoever is killed does not measure them again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from her2study.store import write_atomically

PACKAGES = ("mirp", "numpy", "pandas", "scipy", "scikit-image")
"""Libraries whose version may change a number."""


class Measured:
    """A folder with one small JSON file for each measured lesion; floats keep every digit.

    A file's name is the SHA-256 of everything that decides its content: voxels, mask, spacing, times, settings, the
    code of this package's measuring modules and the versions of the libraries behind them. A file that is there is
    therefore right, for any study that uses the folder, and a change of any of these makes a new one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, lesion: tuple, settings: str, measure: Callable[[], dict[str, float]]) -> dict[str, float]:
        """What was measured of this lesion with these settings before, or else ``measure()``, which is then kept."""
        path = self._folder / f"{_key(lesion, settings)}.json"
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # not there, or not written by us
            found = measure()
            text = json.dumps(found)
            write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))
            return found


def _key(lesion: tuple, settings: str) -> str:
    digest = hashlib.sha256(f"{_code()}{settings}".encode())
    for part in _flat(lesion):
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(f"{part!r};".encode())
    return digest.hexdigest()


def _flat(value: Any) -> Iterable[Any]:
    if isinstance(value, tuple):
        for part in value:
            yield from _flat(part)
    else:
        yield value


@lru_cache(maxsize=1)
def _code() -> str:
    """Measuring code and library versions, as text."""
    here = Path(__file__).parent
    modules = [here / f"{name}.py" for name in ("kinetics", "peritumoural", "radiomics", "shape", "texture")]
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return versions + "".join(path.read_text(encoding="utf-8") for path in modules)
