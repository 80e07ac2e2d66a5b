"""Study pseudonyms and the key that leads back, which lies outside everything that is shared."""

from __future__ import annotations

import csv
import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from her2study.store import write_atomically
from her2study.types import StudyError

COLUMNS = ("patient_id", "original_patient_id", "source_folder", "salt")


@dataclass(frozen=True)
class Key:
    """The salt, the pseudonym of every original identifier, and where its files were last seen."""

    salt: str
    pseudonyms: dict[str, str]
    folders: dict[str, str]

    def digest(self, text: str) -> str:
        """A salted hash: says whether something is the same, and nothing else to whoever lacks the key."""
        return hashlib.sha256(f"{self.salt}\0{text}".encode()).hexdigest()


def read_key(path: Path) -> Key | None:
    """The key of an earlier import; None if there is none.

    Raises
    ------
    StudyError
        The file is no key, or two patients share a pseudonym in it.
    """
    if not path.exists():
        return None
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        salts = {row["salt"] for row in rows}
        pseudonyms = {row["original_patient_id"]: row["patient_id"] for row in rows}
        folders = {row["original_patient_id"]: row["source_folder"] or "" for row in rows}
    except (OSError, ValueError, KeyError, csv.Error):
        salts, pseudonyms, folders = set(), {}, {}
    if len(salts) != 1 or not all(salts):
        raise StudyError(
            f"{path} is no key of import-dicom (columns {', '.join(COLUMNS)}, one salt): restore it from a copy, or "
            "name another file with --key"
        )
    if len(set(pseudonyms.values())) < len(rows):
        raise StudyError(f"{path}: a patient or a pseudonym stands in it twice; restore it from a copy")
    return Key(salts.pop(), pseudonyms, folders)


def extend_key(key: Key | None, folders: Mapping[str, str]) -> Key:
    """The key with a pseudonym for every patient in ``folders``.

    Patients known keep theirs. New ones are numbered on, in the order of a salted hash of their identifiers, which
    is unrelated to names, dates or the order of files.
    """
    salt = key.salt if key else secrets.token_hex(16)
    pseudonyms = dict(key.pseudonyms) if key else {}
    bare = Key(salt, {}, {})
    last = max((int(name[1:]) for name in pseudonyms.values() if name[1:].isdigit()), default=0)
    new = sorted(set(folders) - set(pseudonyms), key=bare.digest)
    pseudonyms |= {original: f"P{last + i + 1:04d}" for i, original in enumerate(new)}
    return Key(salt, pseudonyms, {**(key.folders if key else {}), **folders})


def write_key(path: Path, key: Key) -> None:
    """Write the key, readable by its owner only, in one step."""
    write_atomically(path, lambda part: _write(part, key))


def _write(part: Path, key: Key) -> None:
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for original, pseudonym in sorted(key.pseudonyms.items(), key=lambda item: (len(item[1]), item[1])):
            table.writerow([pseudonym, original, key.folders.get(original, ""), key.salt])
        file.flush()
        os.fsync(file.fileno())
