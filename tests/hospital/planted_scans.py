"""Defects of the breast unit's scans, all planted at once, each at a woman of her own."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

from tests.hospital.judge import Planted
from tests.hospital.scans import AFFINE, SHAPE, TIMES
from tests.imaging.patients import mask_path, phase_path, save

LEAVES = "warning"
"""Her study goes on without her: a person must look, and the run need not stop."""


def scan(
    what: str, patient: str, area: str, plant: Callable[[Path, str], None], *words: str, severity: str = LEAVES
) -> Planted:
    """One woman's files."""
    return Planted(what, severity, area, patient, "", words, lambda source: plant(source, patient))


def stray(what: str, severity: str, area: str, plant: Callable[[Path], None], *words: str) -> Planted:
    """Files that belong to nobody in the table."""
    return Planted(what, severity, area, "", "", words, plant)


def _voxels(path: Path) -> np.ndarray:
    return np.asanyarray(nib.load(path).dataobj)


def _mask(change: Callable[[np.ndarray], np.ndarray], affine: np.ndarray = AFFINE) -> Callable[[Path, str], None]:
    return lambda source, name: save(
        mask_path(source, name), np.ascontiguousarray(change(_voxels(mask_path(source, name)))), affine
    )


def _phase(
    number: int, change: Callable[[np.ndarray], np.ndarray], affine: np.ndarray = AFFINE
) -> Callable[[Path, str], None]:
    return lambda source, name: save(
        phase_path(source, name, number), change(_voxels(phase_path(source, name, number))), affine
    )


def _moved(axis: int, mm: float) -> np.ndarray:
    affine = AFFINE.copy()
    affine[axis, 3] += mm
    return affine


def _remove(*numbers: int) -> Callable[[Path, str], None]:
    def plant(source: Path, name: str) -> None:
        for number in numbers:
            phase_path(source, name, number).unlink()

    return plant


def _truncate(source: Path, name: str) -> None:
    path = phase_path(source, name, 2)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _with_nan(voxels: np.ndarray) -> np.ndarray:
    spoilt = voxels.astype(np.float32)
    spoilt[3:6, 7, 2] = np.nan
    return spoilt


def _copy_phase(source: Path, name: str) -> None:
    shutil.copy(phase_path(source, name, 1), phase_path(source, name, 2))


def _four_dimensional(source: Path, name: str) -> None:
    all_phases = [_voxels(phase_path(source, name, number)) for number in range(4)]
    save(phase_path(source, name, 0), np.stack(all_phases, axis=-1), AFFINE)


def _of_another(source: Path, name: str) -> None:
    shutil.copy(phase_path(source, "S40", 0), source / "images" / name / "S40_0000.nii.gz")


def _no_scans(source: Path, name: str) -> None:
    shutil.rmtree(source / "images" / name)


def _times(text: str) -> Callable[[Path, str], None]:
    def plant(source: Path, name: str) -> None:
        path = source / "patients.csv"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(line.replace(TIMES, text) if line.startswith(name) else line for line in lines))

    return plant


def _small_letters(source: Path, name: str) -> None:
    (source / "images" / name).rename(source / "images" / name.lower())


def _in_metres(source: Path, name: str) -> None:
    affine = np.diag([1e-3, 1e-3, 1e-3, 1.0]) @ AFFINE
    for path in (*(phase_path(source, name, number) for number in range(4)), mask_path(source, name)):
        save(path, _voxels(path), affine)


def _on_air(voxels: np.ndarray) -> np.ndarray:
    air = np.zeros_like(voxels)
    air[28:34, 1:4, 1:4] = 1
    return air


def _other_breast(voxels: np.ndarray) -> np.ndarray:
    """Not quite the mirror image: a mask of its own shape in the other breast."""
    i, j, k = np.indices(SHAPE)
    middle = 18 if np.argwhere(voxels)[:, 0].mean() > SHAPE[0] / 2 else 46
    return (((i - middle) / 4) ** 2 + ((j - 20) / 3) ** 2 + ((k - 9) / 3) ** 2 < 1).astype(np.uint8)


def _two_labels(voxels: np.ndarray) -> np.ndarray:
    labels = voxels.copy()
    places = np.argwhere(labels)
    labels[tuple(places[: len(places) // 2].T)] = 2
    return labels


def _swap_first_two(source: Path, name: str) -> None:
    first, second = phase_path(source, name, 0), phase_path(source, name, 1)
    before, after = first.read_bytes(), second.read_bytes()
    first.write_bytes(after)
    second.write_bytes(before)


def _no_bytes(source: Path, name: str) -> None:
    phase_path(source, name, 3).write_bytes(b"")


def _same_as_s22(source: Path, name: str) -> None:
    for number in range(4):
        shutil.copy(phase_path(source, "S22", number), phase_path(source, name, number))
    shutil.copy(mask_path(source, "S22"), mask_path(source, name))


def _unknown_woman(source: Path) -> None:
    shutil.copytree(source / "images" / "S40", source / "images" / "X77")
    for path in (source / "images" / "X77").iterdir():
        path.rename(path.with_name(path.name.replace("S40", "X77")))


def _mask_of_nobody(source: Path) -> None:
    shutil.copy(mask_path(source, "S40"), mask_path(source, "X88"))


def _letter(source: Path) -> None:
    (source / "images" / "compte rendu S31.pdf").write_bytes(b"%PDF-1.4\n")


def _mask_not_packed(source: Path, name: str) -> None:
    path = mask_path(source, name)
    path.with_name(f"{name}.nii").write_bytes(gzip.decompress(path.read_bytes()))
    path.unlink()


def _unpacked(source: Path, name: str) -> None:
    for number in range(4):
        path = phase_path(source, name, number)
        path.with_name(path.name.removesuffix(".gz")).write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()


PLANTED = [
    scan("a mask turned left to right", "S01", "masks|geometry", _mask(lambda v: v[::-1]), "left"),
    scan("a phase missing", "S02", "phases", _remove(1), "S02_0001"),
    scan("one phase after contrast", "S03", "phases", _remove(2, 3)),
    scan("a mask of another shape", "S04", "geometry|masks", _mask(lambda v: v[:-2]), "62", "64"),
    scan("a mask pushed aside", "S05", "geometry|masks", _mask(lambda v: v, _moved(1, 21)), "21"),
    scan("an empty mask", "S06", "masks", _mask(lambda v: v * 0)),
    scan("no mask", "S07", "masks", lambda source, name: mask_path(source, name).unlink(), "S07.nii.gz"),
    scan("half a file", "S08", "images|phases|file", _truncate, "S08_0002"),
    scan("voxels that are no numbers", "S09", "images|phases", _phase(3, _with_nan), "S09_0003", "3 voxels"),
    scan("one phase stored twice", "S10", "phases", _copy_phase, "S10_0001", "S10_0002"),
    scan("all phases in one file", "S11", "images|geometry|phases", _four_dimensional, "S11_0000", "(64, 44, 20, 4)"),
    scan("another woman's scan among hers", "S12", "images|phases|identifiers", _of_another, "S40_0000"),
    scan("no scans", "S13", "images", _no_scans),
    scan("three times for four phases", "S14", "phases", _times("[0, 90, 180]"), "[0, 90, 180]"),
    scan("a folder in small letters", "S15", "images|identifiers", _small_letters, "s15"),
    scan("a scan in metres", "S16", "geometry", _in_metres, "0.002"),
    scan("a phase on another grid", "S17", "geometry|phases", _phase(2, lambda v: v[:, :, 1:]), "S17_0002", "19"),
    scan("a mask on air", "S18", "masks|geometry", _mask(_on_air)),
    scan("a mask on the wrong breast", "S19", "masks|geometry", _mask(_other_breast)),
    scan("two values in a mask", "S20", "masks", _mask(_two_labels), "2", severity="warning|note"),
    scan("an empty phase", "S21", "phases|images", _phase(1, lambda v: v * 0), "S21_0001"),
    scan("one woman's scan under two names", "S23", "images|identifiers|phases", _same_as_s22, "S22"),
    scan("phases in the wrong order", "S24", "phases", _swap_first_two),
    scan("lesion and background exchanged", "S25", "masks|geometry", _mask(lambda v: 1 - v)),
    scan("times out of order", "S26", "phases", _times("[0, 180, 90, 360]"), "[0, 180, 90, 360]"),
    scan("a file without a byte", "S27", "images|phases|file", _no_bytes, "S27_0003"),
    scan("a mask turned head to foot", "S28", "masks|geometry", _mask(lambda v: v[:, :, ::-1]), "head to foot"),
    scan("times in minutes", "S29", "phases", _times("[0, 1.5, 3, 6]"), "[0, 1.5, 3, 6]"),
    scan("a mask with another file ending", "S30", "masks", _mask_not_packed, "S30.nii"),
    scan("phases that are not packed", "S36", "images|phases", _unpacked, "S36_0000.nii"),
    stray("scans of nobody in the table", "warning|note", "images|identifiers", _unknown_woman, "X77"),
    stray("a mask of nobody in the table", "warning|note", "masks|identifiers", _mask_of_nobody, "X88"),
    stray("a letter among the scans", "note|warning", "images|file", _letter, "compte rendu S31.pdf"),
]
