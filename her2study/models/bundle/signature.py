"""The signature of a bundle: the SHA-256 of every file, and one fingerprint of them all.

It shows that nothing changed since the bundle was written. Whoever changes a file can sign anew; the fingerprint is
then another one. So compare the fingerprint with the one that the authors published.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import her2study
from her2study.types import StudyError

FORMAT = 1
"""Raise it when an older version would read a bundle wrongly; older versions then refuse it."""

SIGNATURE = "SIGNATURE.json"


def sign(files: Mapping[str, bytes], written_by: str = her2study.__version__) -> dict[str, bytes]:
    """The files with their signature added."""
    if SIGNATURE in files:
        raise ValueError(f"{SIGNATURE} is made from the other files and cannot be one of them")
    entries = {name: _entry(files[name]) for name in sorted(files)}
    return {**files, SIGNATURE: _text(entries, FORMAT, written_by)}


def check(files: Mapping[str, bytes], where: str) -> str:
    """The fingerprint of a bundle's files, once each of them is as it was signed.

    Parameters
    ----------
    where : str
        What was read, for messages.

    Raises
    ------
    StudyError
        A file is changed, missing or added (it is named), or a newer version wrote the bundle.
    """
    if SIGNATURE not in files:
        raise StudyError(f"{where} has no {SIGNATURE}, so it is no bundle; name what `her2study freeze` wrote")
    told = _told(files[SIGNATURE], where)
    check_format(told["format"], told["written_by"], where)
    if _text(told["files"], told["format"], told["written_by"]) != files[SIGNATURE]:
        raise _changed(where, SIGNATURE, "was changed")
    for name in sorted(set(told["files"]) | set(files) - {SIGNATURE}):
        if name not in files:
            raise _changed(where, name, "is missing")
        if name not in told["files"]:
            raise _changed(where, name, "was added", f"move {name} out of the bundle, or get the bundle again")
        if _entry(files[name]) != told["files"][name]:
            raise _changed(where, name, "was changed")
    return told["fingerprint"]


def check_format(number: int, written_by: str, where: str) -> None:
    """Refuse a bundle of a newer format.

    Raises
    ------
    StudyError
        Naming the version to install.
    """
    if number <= FORMAT:
        return
    raise StudyError(
        f"{where}: {SIGNATURE}: the bundle is of format {number}, written by her2study {written_by}; this is "
        f"her2study {her2study.__version__}, which reads format {FORMAT}: install her2study {written_by} or later"
    )


def _told(signature: bytes, where: str) -> dict[str, Any]:
    try:
        told = json.loads(signature)
        if told["format"] > FORMAT:  # whatever else a newer signature may hold
            return {"written_by": "of a newer version", **told}
        return {name: told[name] for name in ("format", "written_by", "fingerprint")} | {"files": dict(told["files"])}
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _changed(where, SIGNATURE, "was changed") from None


def _changed(where: str, name: str, what: str, mend: str = "get the bundle again from whoever made it") -> StudyError:
    return StudyError(f"{where}: {name} {what} since the bundle was signed; nothing of it is used: {mend}")


def _text(entries: Mapping[str, Any], number: int, written_by: str) -> bytes:
    """The signature file: there is one way only to write it."""
    body = {"format": number, "written_by": written_by, "files": entries}
    fingerprint = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return (json.dumps({"fingerprint": fingerprint, **body}, indent=1) + "\n").encode()


def _entry(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
