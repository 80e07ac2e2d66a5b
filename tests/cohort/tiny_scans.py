"""A tiny dynamic scan in MAMA-MIA's layout, on any grid, and what it should read as."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

SHAPE = (11, 9, 5)  # columns, rows, slices
SECONDS = (0, 97, 194.5)


def axial() -> np.ndarray:
    """NIfTI affine (RAS) of slices stacked upwards."""
    return _affine([-0.8, 0, 0], [0, -0.75, 0], [0, 0, 2.0])


def sagittal() -> np.ndarray:
    """As the simulator's: front to back, head to foot, and slices that run to the left."""
    return _affine([0, -0.65, 0], [0, 0, -0.65], [-2.4, 0, 0])


def oblique() -> np.ndarray:
    """Turned about all three axes, anisotropic, slices from top to bottom."""
    about_x, about_z, about_y = 0.31, -0.22, 0.13
    x = [[1, 0, 0], [0, np.cos(about_x), -np.sin(about_x)], [0, np.sin(about_x), np.cos(about_x)]]
    y = [[np.cos(about_y), 0, np.sin(about_y)], [0, 1, 0], [-np.sin(about_y), 0, np.cos(about_y)]]
    z = [[np.cos(about_z), -np.sin(about_z), 0], [np.sin(about_z), np.cos(about_z), 0], [0, 0, 1]]
    turn = np.array(x) @ z @ y
    return _affine(-0.9 * turn[:, 0], -0.7 * turn[:, 1], -1.9 * turn[:, 2])


GEOMETRIES = {"axial": axial, "sagittal": sagittal, "oblique": oblique}


def tiny_source(folder: Path, patients: dict[str, str], seconds: tuple[float, ...] = SECONDS) -> Path:
    """Write a source folder with ``{patient: name of a geometry}``; the lesion has a hole and corners that touch."""
    rows = ["patient_id,acquisition_times,field_strength_t"]
    for number, (patient, geometry) in enumerate(patients.items()):
        affine = GEOMETRIES[geometry]()
        rng = np.random.default_rng(number)
        for phase in range(len(seconds)):
            image = rng.integers(0, 900, SHAPE).astype(np.int16) + 20 * phase
            _save(folder / "images" / patient / f"{patient}_{phase:04d}.nii.gz", image.astype(np.int16), affine)
        lesion = np.zeros(SHAPE, dtype=np.uint8)
        lesion[3:8, 2:7, 2:4] = 1
        lesion[5, 4, 2] = 0
        lesion[8, 7, 3] = 1
        _save(folder / "segmentations" / "expert" / f"{patient}.nii.gz", lesion, affine)
        rows.append(f'{patient},"{list(seconds)}",3.0')
    (folder / "clinical.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def _affine(*columns: object) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = np.array(columns, dtype=float).T
    affine[:3, 3] = (33.25, -41.5, 12.125)
    return affine


def _save(path: Path, voxels: np.ndarray, affine: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
