"""An unfinished fit on disk, so that a killed training goes on where it was, to the same bytes.

One safetensors file holds the tensors, with everything else as JSON in its header: it is replaced in
one step, so whoever is killed leaves the older or the newer state, never half of one. Nothing is
pickled. The state belongs to a fingerprint of all that decides the fit; another fit ignores it.
"""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from her2study.code import meaning
from her2study.store import write_atomically

FILE = "checkpoint.safetensors"

EVERY_SECONDS = 20.0
"""How much work a kill may cost; saving takes a few milliseconds."""


class Checkpoint:
    """The state of one fit in a folder of its own.

    Parameters
    ----------
    folder : Path or None
        Scratch space of this fit, removed by :meth:`remove`; without it nothing is kept.
    fingerprint : str
        Of everything that decides the fit, see :func:`fingerprint`.
    """

    def __init__(self, folder: Path | None, fingerprint: str) -> None:
        self._folder = folder
        self._fingerprint = fingerprint
        self._saved = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """The state saved last, or none if there is none of this very fit."""
        path = self._folder / FILE if self._folder else None
        if path is None or not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                header = file.metadata() or {}
                if header.get("fingerprint") != self._fingerprint:
                    return None
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        except (SafetensorError, OSError):
            return None  # not written by us, or damaged: training starts anew
        return _join(json.loads(header["state"]), tensors)

    def save_when_due(self, state: Callable[[], Mapping[str, Any]]) -> None:
        """Save ``state()``, nested dicts and lists of tensors and plain values, if the last one is old enough."""
        if self._folder is None or time.monotonic() - self._saved < EVERY_SECONDS:
            return
        tensors: dict[str, Tensor] = {}
        text = json.dumps(_part(state(), tensors))
        header = {"fingerprint": self._fingerprint, "state": text}
        write_atomically(self._folder / FILE, lambda path: save_file(tensors, path, metadata=header))
        self._saved = time.monotonic()

    def remove(self) -> None:
        """Forget the state: the fit is done."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def fingerprint(*parts: Any) -> str:
    """SHA-256 of arrays, bytes and plain values, and of the code and the version of torch that use them."""
    digest = hashlib.sha256(torch.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(meaning(ast.parse(path.read_text(encoding="utf-8"))).encode())
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(json.dumps(part, sort_keys=True, default=str).encode())
        digest.update(b"|")
    return digest.hexdigest()


def _part(value: Any, tensors: dict[str, Tensor]) -> Any:
    """``value`` as JSON, its tensors moved to ``tensors``.

    Strides are kept: kernels sum in the order of memory, and another order may give other last digits.
    """
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().contiguous()
        return {"tensor": name, "strides": list(value.stride())}
    if isinstance(value, Mapping):  # as pairs: JSON would turn the numbers that are keys into text
        return {"pairs": [[key, _part(item, tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return [_part(item, tensors) for item in value]
    return value


def _join(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The inverse of :func:`_part`; tuples come back as lists."""
    if isinstance(value, dict) and "tensor" in value:
        stored = tensors[value["tensor"]]
        return torch.empty_strided(stored.shape, value["strides"], dtype=stored.dtype).copy_(stored)
    if isinstance(value, dict):
        return {key: _join(item, tensors) for key, item in value["pairs"]}
    if isinstance(value, list):
        return [_join(item, tensors) for item in value]
    return value
