"""Every patient's preprocessed volumes, once made, under a name that says what they were made from.

The name is a hash of the files' bytes, the settings, the chosen phases' times, the code and the packages.
Nothing in the store is ever out of date: whoever asks with other files, settings or code asks for another
name. Studies and profiles that share scans share entries. An entry is written beside its place and renamed,
and ends with a check sum of itself, so that one that a crash or a bad disk left damaged is made again.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from her2study.code import meaning
from her2study.store import file_hash, write_atomically

PACKAGES = ("numpy", "scipy", "SimpleITK", "nibabel", "scikit-image")
"""Whose version may change a voxel."""

SETTLED_SECONDS = 2.0
"""A file that was changed so lately could change again without showing it; its hash is not remembered."""

UNUSED_DAYS = 60
LEFT_SECONDS = 600.0
"""An unfinished file this old is left from a run that was killed; a younger one may be another machine's."""

DIGEST_BYTES = hashlib.sha256().digest_size

Rows = Mapping[str, np.ndarray]
"""What an entry holds: arrays by name."""


def entry_key(hashes: Sequence[str], settings: Mapping[str, Any], module: str) -> str:
    """The name of an entry: a hash of all that decides its content.

    Parameters
    ----------
    hashes : sequence of str
        Of the files' bytes, from :func:`file_hashes`; their names do not matter.
    settings : mapping
        Whatever else matters, as plain JSON values.
    module : str
        The module that makes the entry; with it count all modules of ``her2study.imaging`` that it imports.
    """
    parts = [list(hashes), settings, code_version(module), _versions()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def file_hashes(folder: Path, files: Sequence[Path]) -> list[str]:
    """SHA-256 of each file; remembered in the store as long as place, size and times of the files stay as they are."""
    state, known = _state(files), remembered_hashes(folder, files)
    if known is not None:
        return known
    hashes = [file_hash(path) for path in files]
    settled_ns = (time.time() - SETTLED_SECONDS) * 1e9
    if state == _state(files) and all(changed_ns < settled_ns for *_, changed_ns in state):
        write_atomically(_note(folder, state), lambda path: path.write_text(json.dumps(hashes), encoding="ascii"))
    return hashes


def remembered_hashes(folder: Path, files: Sequence[Path]) -> list[str] | None:
    """What :func:`file_hashes` remembers, without reading any of the files."""
    try:
        known = json.loads(_note(folder, _state(files)).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    whole = isinstance(known, list) and len(known) == len(files)
    return known if whole and all(isinstance(text, str) and len(text) == 64 for text in known) else None


def save_entry(folder: Path, key: str, rows: Rows, notes: Mapping[str, Any]) -> None:
    """Store arrays and notes (JSON values, NaN included) under ``key``."""
    text = np.frombuffer(json.dumps(notes).encode(), np.uint8)
    content = save({**{name: np.ascontiguousarray(array) for name, array in rows.items()}, "notes": text})
    whole = content + hashlib.sha256(content).digest()
    write_atomically(entry_path(folder, key), lambda path: path.write_bytes(whole))


def load_entry(folder: Path, key: str) -> tuple[Rows, dict[str, Any]] | None:
    """Arrays and notes of an entry; nothing where there is none or it is damaged."""
    path = entry_path(folder, key)
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    content, digest = whole[:-DIGEST_BYTES], whole[-DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        return None
    arrays = load(content)
    return arrays, json.loads(arrays.pop("notes").tobytes())


def entry_path(folder: Path, key: str) -> Path:
    """Where an entry lies."""
    return folder / key[:2] / f"{key}.volume"


def tidy(folder: Path, used: Iterable[str]) -> None:
    """Mark entries as used today, and remove leftovers of killed runs and what nobody has used for 60 days."""
    for key in used:
        os.utime(entry_path(folder, key))
    now = time.time()
    for path in folder.glob("*/*"):
        try:
            age_seconds = now - path.stat().st_mtime
            left = path.suffix == ".part" and age_seconds > LEFT_SECONDS and not _alive(path.name.split(".")[-2])
            if left or age_seconds > UNUSED_DAYS * 24 * 3600:
                path.unlink()
        except OSError:
            continue  # another run was faster


@cache
def code_version(module: str) -> str:
    """Hash of a module's code and of every ``her2study.imaging`` module it imports; comments and docstrings do not."""
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = Path(__file__).with_name(f"{name.rpartition('.')[2]}.py")
        if name in found or not name.startswith("her2study.imaging.") or not path.is_file():
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found[name] = meaning(tree)
        for item in ast.walk(tree):
            if isinstance(item, ast.ImportFrom) and item.module:
                waiting += [item.module, *(f"{item.module}.{alias.name}" for alias in item.names)]
    return hashlib.sha256(json.dumps(sorted(found.items())).encode()).hexdigest()


@cache
def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def _state(files: Sequence[Path]) -> list[tuple[str, int, int, int, int]]:
    """Place, size, inode and both times of each: changing the bytes without any of them takes intent."""
    found = [(os.path.abspath(path), os.stat(path)) for path in files]
    return [(place, told.st_size, told.st_ino, told.st_mtime_ns, told.st_ctime_ns) for place, told in found]


def _note(folder: Path, state: list[tuple[str, int, int, int, int]]) -> Path:
    return folder / "known" / hashlib.sha256(json.dumps(state).encode()).hexdigest()


def _alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError):
        pass
    return True
