"""A search of an import's output for anything that leads back to people."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import nibabel as nib

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "latin-1", "gb18030")

SHORTEST_BYTES = 4
"""Shorter texts stand anywhere by chance."""

NIFTI_HEADER_BYTES = 352

UID = re.compile(rb"\b[0-2]\.\d+(\.\d+){4,}")


def leaks(folder: Path, secrets: Iterable[str]) -> list[str]:
    """Where one of ``secrets`` or a UID stands: names, texts, NIfTI headers and the headers of gzip."""
    wanted = {secret.encode(code, "ignore") for secret in secrets for code in ENCODINGS}
    wanted = {text for text in wanted if len(text) >= SHORTEST_BYTES} | {
        text.lower() for text in wanted if len(text) >= SHORTEST_BYTES
    }
    found = []
    for path in sorted(folder.rglob("*")):
        parts = [path.relative_to(folder).as_posix().encode()]
        if path.is_file() and path.suffix == ".gz":
            packed = path.read_bytes()
            assert nib.load(path).header["vox_offset"] in (0, NIFTI_HEADER_BYTES)
            parts += [packed[:64], gzip.decompress(packed)[:NIFTI_HEADER_BYTES]]
        elif path.is_file():
            parts.append(path.read_bytes())
        for part in parts:
            hits = [text for text in wanted if text in part or text in part.lower()]
            found += [f"{path}: {text!r}" for text in hits]
            if match := UID.search(part):
                found.append(f"{path}: UID {match[0]!r}")
    return found
