"""A results folder that is there whole or not at all, and never in place of somebody's own files."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from her2study.store import file_hash
from her2study.types import StudyError

MANIFEST = "manifest.json"

LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""Files that desktops leave in folders by themselves."""


@contextlib.contextmanager
def whole_folder(out: Path, made_by: str) -> Iterator[Path]:
    """A new folder beside ``out`` to write into; when the block ends well it takes the place of ``out``.

    If the block fails or is interrupted, the new folder is removed and ``out`` is as it was.

    Raises
    ------
    StudyError
        As :func:`check_replaceable`; or the folder cannot be written.
    """
    check_replaceable(out, made_by)
    with replaced_folder(out) as part:
        yield part


@contextlib.contextmanager
def replaced_folder(out: Path) -> Iterator[Path]:
    """As :func:`whole_folder`, where only the chain writes: what lies there is replaced without a question."""
    out = out.absolute()
    _remove_leftovers(out)
    part, old = _beside(out, os.getpid(), "part"), _beside(out, os.getpid(), "old")
    try:
        try:
            part.mkdir(parents=True)
        except OSError as error:
            raise StudyError(
                f"{out}: cannot be written ({error.strerror}); change its permissions or choose another folder"
            ) from None
        yield part
        if out.exists():
            out.rename(old)
        part.rename(out)
    except BaseException:
        if old.exists() and not out.exists():
            old.rename(out)
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def check_replaceable(out: Path, made_by: str) -> None:
    """Refuse a folder with anything in it that this command did not write.

    Raises
    ------
    StudyError
        ``out`` is a file, or holds files that its manifest does not list or that were changed since.
    """
    mend = "give --out a new folder, or move the file away"
    if not out.exists():
        return
    if not out.is_dir():
        raise StudyError(f"{out} is a file; {mend}")
    present = sorted(path for path in out.rglob("*") if path.is_file() and path.name not in LITTER)
    if not present:
        return
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        known = manifest["files"] if manifest["made_by"] == made_by else {}
    except (OSError, ValueError, TypeError, KeyError):
        known = {}
    if not known:
        raise StudyError(f"{out} is not empty and was not written by this command (it holds {present[0].name}); {mend}")
    for path in present:
        name = path.relative_to(out).as_posix()
        if name != MANIFEST and known.get(name) != file_hash(path):
            words = "was changed since this command wrote it" if name in known else "was not written by this command"
            raise StudyError(f"{out}: {name} {words} and would be lost; {mend}")


def _beside(out: Path, process: int, ending: str) -> Path:
    return out.with_name(f".{out.name}.{process}.{ending}")


def _remove_leftovers(out: Path) -> None:
    """What a run that was killed could not remove; a set-aside folder comes back if nothing took its place."""
    for left in sorted(out.parent.glob(f".{out.name}.*.*")):
        process, _, ending = left.name.removeprefix(f".{out.name}.").partition(".")
        if not process.isdigit() or ending not in ("part", "old") or _alive(int(process)):
            continue
        if ending == "old" and not out.exists():
            left.rename(out)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # somebody else's
    return True
