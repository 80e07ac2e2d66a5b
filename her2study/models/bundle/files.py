"""A bundle on disk: sealed, written, and read again only if every byte is as it was sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from her2study.models.bundle.archive import (
    ARCHIVE_ENDING,
    ENDING,
    check_folders,
    from_folder,
    from_zip,
    to_folder,
    to_zip,
)
from her2study.models.bundle.contents import Bundle, from_files, to_files, weights_file
from her2study.models.bundle.signature import SIGNATURE, check, sign
from her2study.types import StudyError


def seal(
    bundle: Bundle, weights: Sequence[Mapping[str, np.ndarray]] = (), beside: Mapping[str, bytes] | None = None
) -> dict[str, bytes]:
    """All files of a bundle, signed.

    Parameters
    ----------
    bundle : Bundle
        Its fields; ``files`` and ``fingerprint`` are made here.
    weights : sequence of dict
        Arrays of each fold's network, as :func:`~her2study.models.network.weights_to_arrays` gives them.
    beside : mapping
        Further files by name: exports, model card, template.
    """
    from safetensors.numpy import save

    if len(weights) != bundle.folds:
        raise ValueError(f"{len(weights)} networks where the bundle has {bundle.folds}")
    files = to_files(bundle)
    for fold, arrays in enumerate(weights):
        files[weights_file(fold)] = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    files |= beside or {}
    return sign({name: files[name] for name in sorted(files)})


def write_bundle(files: Mapping[str, bytes], name: str, folder: Path) -> tuple[Path, Path]:
    """Write ``<name>.her2study/`` and ``<name>.her2study.zip`` into a folder where neither stands yet.

    Parameters
    ----------
    files : mapping
        From :func:`seal`.
    """
    place, archive = folder / f"{name}{ENDING}", folder / f"{name}{ARCHIVE_ENDING}"
    place.mkdir(parents=True)
    to_folder(files, place)
    archive.write_bytes(to_zip(files, place.name))
    return place, archive


def read_bundle(path: Path | str, fingerprint: str | None = None) -> Bundle:
    """Read a bundle from its folder or its zip; all its files are checked first, and none of them is executed.

    Parameters
    ----------
    fingerprint : str, optional
        The one that the authors published, or its first characters (8 or more): another bundle is refused.

    Raises
    ------
    StudyError
        It is no bundle, a byte of it was changed, added or removed (the file is named), a newer version wrote it,
        or it is another bundle than the one asked for.
    """
    path = Path(path)
    if not path.exists():
        raise StudyError(f"{path} does not exist; name the folder or the zip that `her2study freeze` wrote")
    if path.is_dir():
        _check_place(path)
        files = from_folder(path)
    else:
        files = from_zip(path)
    found = check(files, str(path))
    if path.is_dir():
        check_folders(path, files)
    if fingerprint is not None and (len(fingerprint) < 8 or not found.startswith(fingerprint.lower())):
        raise StudyError(
            f"{path}: its fingerprint is {found}, not {fingerprint}: this is another bundle; get the one you mean"
        )
    return from_files(files, found, str(path))


def _check_place(path: Path) -> None:
    """A folder that holds a bundle is not one: say where it lies."""
    if (path / SIGNATURE).is_file():
        return
    inside = sorted([*path.glob(f"*{ENDING}"), *path.glob(f"*{ARCHIVE_ENDING}")])
    meant = f"; did you mean {inside[0]}?" if inside else "; name what `her2study freeze` wrote"
    raise StudyError(f"{path} is no bundle: it has no {SIGNATURE}{meant}")
