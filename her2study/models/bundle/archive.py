"""The files of a bundle in a folder and in a zip, each read and written in one way only.

The zip is stored without compression, sorted and undated, so that the same files give the same bytes everywhere and
an archive can be compared with the one that its files would give.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from her2study.types import StudyError

ENDING, ARCHIVE_ENDING = ".her2study", ".her2study.zip"

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*(/[A-Za-z0-9_][A-Za-z0-9_.\-]*)*")
"""Names of files in a bundle: no spaces, no absolute paths, no part that starts with a dot."""

UNDATED = (1980, 1, 1, 0, 0, 0)

PERMISSIONS = (stat.S_IFREG | 0o644) << 16


def to_zip(files: Mapping[str, bytes], top: str) -> bytes:
    """The one archive of these files, all in a folder ``top``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(f"{top}/{name}", UNDATED)
            member.create_system, member.external_attr = 3, PERMISSIONS
            archive.writestr(member, files[name])
    return out.getvalue()


def from_zip(path: Path) -> dict[str, bytes]:
    """The files of an archive, in memory; nothing is unpacked to disk.

    Raises
    ------
    StudyError
        It is damaged, was packed by another program, or a member's name, kind or place is not as in a bundle.
    """
    content = path.read_bytes()
    damaged = "it is damaged or was changed; get it again from whoever made it"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            for member in members:
                _check_member(member, path)
            tops = {member.filename.partition("/")[0] for member in members}
            if len(tops) != 1:
                raise StudyError(f"{path}: holds {len(tops)} folders at its top where a bundle has one; {damaged}")
            names = [member.filename.partition("/")[2] for member in members]
            files = {name: archive.read(member) for name, member in zip(names, members, strict=True)}
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, EOFError, OSError) as error:
        raise StudyError(f"{path}: {error}: {damaged}") from None
    top = tops.pop()
    own = to_zip(files, top)
    if own != content:
        place = next((i for i, (a, b) in enumerate(zip(own, content, strict=False)) if a != b), len(own))
        raise StudyError(
            f"{path}: byte {place:,} of the archive, in {_at(content, names, top, place)}, is not as `her2study "
            f"freeze` wrote it: {damaged}, or unpack it and give the folder {top}, whose files are checked one by one"
        )
    return files


def from_folder(path: Path) -> dict[str, bytes]:
    """The files of a folder, in memory.

    Raises
    ------
    StudyError
        There is a link, or something that is no plain file, or a name that no bundle has.
    """
    files: dict[str, bytes] = {}
    for folder, folders, names in os.walk(path):
        for name in sorted(folders + names):
            place = Path(folder) / name
            inside = place.relative_to(path).as_posix()
            kind = place.lstat().st_mode
            if name in folders and stat.S_ISDIR(kind):
                continue
            if not stat.S_ISREG(kind):
                raise StudyError(f"{path}: {inside} is a link or no plain file; a bundle has neither: get it again")
            if not NAME.fullmatch(inside):
                raise StudyError(f"{path}: {inside!r} does not belong to the bundle; move it elsewhere")
            files[inside] = place.read_bytes()
    return files


def check_folders(path: Path, files: Mapping[str, bytes]) -> None:
    """Refuse a folder inside that none of the files is in.

    Raises
    ------
    StudyError
        It is named.
    """
    known = {parent.as_posix() for name in files for parent in PurePosixPath(name).parents}
    for folder, folders, _ in os.walk(path):
        for name in sorted(folders):
            inside = (Path(folder) / name).relative_to(path).as_posix()
            if inside not in known:
                raise StudyError(f"{path}: the empty folder {inside} does not belong to the bundle; remove it")


def to_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files below an existing folder."""
    for name, content in files.items():
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of a file in a bundle")
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def _check_member(member: zipfile.ZipInfo, path: Path) -> None:
    """Refuse what no bundle holds before a byte of it is read."""
    problem, (top, _, inside) = None, member.filename.partition("/")
    plain = top.strip(". ") and not set(top) & set('\\:*?"<>|\0')
    if not plain or not NAME.fullmatch(inside) or member.filename != member.orig_filename:
        problem = "its name leads out of the bundle's folder or is none that a bundle has"
    elif member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
        problem = "it is compressed or encrypted: another program packed it; unpack it and give the folder"
    elif stat.S_ISLNK(member.external_attr >> 16):
        problem = "it is a link"
    if problem:
        raise StudyError(f"{path}: {member.filename!r} is refused: {problem}")


def _at(content: bytes, names: list[str], top: str, place: int) -> str:
    """Which member lies at a place of the archive, in words."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        starts = {f"{top}/{name}": archive.getinfo(f"{top}/{name}").header_offset for name in names}
        directory = archive.start_dir
    if place >= directory:
        return "the list of contents"
    before = [name for name, start in starts.items() if start <= place]
    return max(before, key=lambda name: starts[name], default="its start")
