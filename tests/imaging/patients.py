"""A tiny patient on disk in MAMA-MIA's layout, with a lesion of known size and enhancement."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

AXIAL = np.diag([-1.0, -1.2, 2.0, 1.0])  # nibabel's RAS: columns run to the left and to the back
SAGITTAL = np.array([[0, 0, 2.5, -30], [-0.8, 0, 0, 40], [0, 0.8, 0, -20], [0, 0, 0, 1]], dtype=float)
OBLIQUE = np.array(
    [[-0.9659258, 0.2588190 * 1.2, 0, 5], [-0.2588190, -0.9659258 * 1.2, 0, 7], [0, 0, 2, -9], [0, 0, 0, 1]]
)
SEMI_AXES_MM = np.array([9.0, 12.0, 7.0])  # left-right, front-back, head-foot


def ellipsoid(shape: tuple[int, int, int], affine: np.ndarray) -> np.ndarray:
    """Lesion of fixed size in millimetres around the volume's middle, on any grid ``(i, j, k)``."""
    middle = affine @ np.array([*[(n - 1) / 2 for n in shape], 1])
    index = np.stack([*np.indices(shape), np.ones(shape)])
    away_mm = np.einsum("ab,bijk->aijk", affine, index)[:3] - middle[:3, None, None, None]
    return ((away_mm / SEMI_AXES_MM[:, None, None, None]) ** 2).sum(axis=0) <= 1


def write_patient(
    source: Path,
    name: str,
    affine: np.ndarray = AXIAL,
    shape: tuple[int, int, int] = (60, 56, 36),
    levels: tuple[float, ...] = (100, 220, 190),
    seed: int = 0,
) -> None:
    """One phase per level: the lesion's signal in it, on a background of 60 with noise of 2."""
    rng = np.random.default_rng(seed)
    lesion = ellipsoid(shape, affine)
    (source / "images" / name).mkdir(parents=True)
    (source / "segmentations" / "expert").mkdir(parents=True, exist_ok=True)
    for phase, level in enumerate(levels):
        voxels = np.where(lesion, level, 60) + rng.normal(0, 2, shape)
        save(phase_path(source, name, phase), voxels.astype(np.float32), affine)
    save(mask_path(source, name), lesion.astype(np.uint8), affine)


def save(path: Path, voxels: np.ndarray, affine: np.ndarray) -> None:
    nib.save(nib.Nifti1Image(voxels, affine), path)


def cohort_of(*names: str, times: str | None = "[0, 90, 360]") -> pd.DataFrame:
    return pd.DataFrame(
        {"patient_id": names, "centre": "A", "label": np.arange(len(names)) % 2, "acquisition_times": times}
    )


def phase_path(source: Path, name: str, phase: int) -> Path:
    return source / "images" / name / f"{name}_{phase:04d}.nii.gz"


def mask_path(source: Path, name: str) -> Path:
    return source / "segmentations" / "expert" / f"{name}.nii.gz"
