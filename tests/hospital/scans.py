"""A breast unit with scans: forty women of two hospitals, four phases each, small enough for tests.

The women do not exist. Each has two breasts in air and one enhancing lesion, well away from where a mirror would
put it. The table is plain: what is planted here is in the files (:mod:`tests.hospital.planted_scans`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.hospital.ward import COMMON
from tests.imaging.patients import mask_path, phase_path, save

SHAPE = (64, 44, 20)
AFFINE = np.array([[-2.0, 0, 0, 51], [0, -2, 0, 35], [0, 0, 3, -30], [0, 0, 0, 1]])
TIMES = "[0, 90, 180, 360]"

TABLE = """
patient_id,centre,her2,age_years,rim,acquisition_times
S01,Lyon,positive,51,no,T
S02,Lyon,negative,47,no,T
S03,Lyon,negative,66,yes,T
S04,Lyon,positive,39,yes,T
S05,Lyon,negative,58,no,T
S06,Lyon,negative,72,no,T
S07,Lyon,positive,44,yes,T
S08,Lyon,negative,53,no,T
S09,Lyon,positive,61,yes,T
S10,Lyon,negative,49,no,T
S11,Lyon,negative,55,yes,T
S12,Lyon,positive,57,no,T
S13,Lyon,negative,63,no,T
S14,Lyon,negative,45,yes,T
S15,Lyon,positive,42,no,T
S16,Lyon,negative,70,no,T
S17,Lyon,negative,59,yes,T
S18,Lyon,positive,36,yes,T
S19,Lyon,negative,64,no,T
S20,Lyon,negative,50,no,T
S21,Nantes,positive,48,no,T
S22,Nantes,negative,68,no,T
S23,Nantes,negative,52,yes,T
S24,Nantes,positive,41,yes,T
S25,Nantes,negative,60,no,T
S26,Nantes,negative,74,no,T
S27,Nantes,positive,46,yes,T
S28,Nantes,negative,54,no,T
S29,Nantes,positive,62,yes,T
S30,Nantes,negative,43,no,T
S31,Lyon,positive,56,yes,T
S32,Lyon,negative,65,no,T
S33,Lyon,positive,38,no,T
S34,Lyon,negative,71,no,T
S35,Lyon,positive,47,yes,T
S36,Nantes,negative,57,no,T
S37,Nantes,positive,40,yes,T
S38,Nantes,negative,67,no,T
S39,Nantes,positive,53,no,T
S40,Nantes,negative,61,no,T
"""

SETTINGS: dict[str, Any] = {
    "name": "breast-unit",
    "title": "HER2 from MRI at two hospitals",
    **COMMON,
    "source": {"kind": "folder", "table": "patients.csv"},
    "outcome": {"column": "her2", "positive": ["positive"], "negative": ["negative"], "label": "HER2-positive"},
    "centres": {"development": ["Lyon"], "external": ["Nantes"]},
    "variables": {
        "age_years": {
            "type": "continuous", "unit": "years", "label": "Age", "role": "clinical", "plausible": [18, 100],
        },
        "rim": {"type": "binary", "levels": ["no", "yes"], "label": "Rim enhancement", "role": "mri_reading"},
    },
}  # fmt: skip


def patients() -> list[str]:
    """Everybody in the table, in its order."""
    return [line.split(",")[0] for line in TABLE.strip().splitlines()[1:]]


def table() -> str:
    """The clean table, as the file holds it."""
    return TABLE.lstrip().replace(",T\n", f',"{TIMES}"\n')


def phantom(number: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Four phases and the mask of one woman; every second has her lesion in the other breast."""
    rng = np.random.default_rng([11, number])
    i, j, k = np.indices(SHAPE)
    body = sum(((i - middle) / 14) ** 2 + ((j - 20) / 18) ** 2 + ((k - 10) / 12) ** 2 < 1 for middle in (16, 48)) > 0
    centre = np.array([14 if number % 2 else 50, 13, 6]) + rng.integers(-1, 2, 3)
    radii = rng.uniform((3.5, 3, 2.5), (4.5, 3.8, 3.2))
    lesion = sum(((at - c) / r) ** 2 for at, c, r in zip((i, j, k), centre, radii, strict=True)) < 1
    phases = []
    for level in (95, 230, 205, 190):
        signal = np.where(lesion, level + rng.normal(0, 6), np.where(body, 100 + 0.06 * (level - 95), 0))
        phases.append(np.abs(signal + rng.normal(0, 3, SHAPE)).round().astype(np.int16))
    return phases, lesion.astype(np.uint8)


def write_scans(source: Path) -> None:
    """Table, scans and masks of everybody, without a defect."""
    source.mkdir(parents=True, exist_ok=True)
    (source / "patients.csv").write_text(table(), encoding="utf-8")
    write_images(source, patients())


def write_images(source: Path, names: list[str]) -> None:
    """Scans and masks of so many women, in MAMA-MIA's layout."""
    (source / "segmentations" / "expert").mkdir(parents=True)
    for number, name in enumerate(names):
        (source / "images" / name).mkdir(parents=True)
        phases, lesion = phantom(number)
        for phase, voxels in enumerate(phases):
            save(phase_path(source, name, phase), voxels, AFFINE)
        save(mask_path(source, name), lesion, AFFINE)
