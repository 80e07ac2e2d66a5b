"""What a lesion measures: its shape, and intensity, texture and kinetics inside it and in the tissue around it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.imaging.kinetics import (
    KINETICS,
    RIM,
    SURROUNDINGS,
    Phases,
    against_lesion,
    region_kinetics,
    rim_and_core,
)
from her2study.imaging.measured import Measured
from her2study.imaging.peritumoural import peritumoural_shell
from her2study.imaging.shape import SHAPE, lesion_shape
from her2study.imaging.texture import FAMILIES, MINIMUM_VOXELS, family_features, region_features
from her2study.parallel import map_patients
from her2study.study import Radiomics, nearest
from her2study.types import Mask, StudyError

IMAGES = ("pre", "wash_in", "wash_out", "signal_enhancement_ratio")
"""What may be measured: the three channels, and wash-in over late enhancement in every voxel."""

PHASES = IMAGES[:3]

AROUND = "peritumoural_"
"""Begins the names of features of the tissue around the lesion."""


class Lesions(NamedTuple):
    """What is measured: patients with their channels ``(n, c, z, y, x)`` and masks ``(n, z, y, x)``, row by row."""

    patients: list[str]
    channels: NDArray[np.float16]
    mask: NDArray[np.uint8]
    early_seconds: NDArray[np.float64]
    late_seconds: NDArray[np.float64]
    spacing_mm: tuple[float, float, float]
    channel_names: tuple[str, ...] = PHASES


class Lesion(NamedTuple):
    """One lesion, ready to be measured in any process; the arrays are views until then."""

    channels: NDArray[np.float16]
    positions: tuple[int, ...]
    mask: NDArray[np.uint8]
    spacing_mm: tuple[float, float, float]
    early_seconds: float
    late_seconds: float

    @property
    def phases(self) -> Phases:
        """Pre-contrast, wash-in and wash-out in single precision, with their times."""
        pre, wash_in, wash_out = (self.channels[at].astype(np.float32) for at in self.positions)
        return Phases(pre, wash_in, wash_out, self.early_seconds, self.late_seconds)


def gather_lesions(
    volumes: dict[str, NDArray],
    index: pd.DataFrame,
    spacing_mm: tuple[float, float, float],
    channel_names: tuple[str, ...] = PHASES,
) -> Lesions:
    """Lesions from the stored volumes and their index.

    Raises
    ------
    StudyError
        A channel that radiomics need is not among those stored.
    """
    absent = [name for name in PHASES if name not in channel_names]
    if absent:
        raise StudyError(f"study.yml: imaging.channels lacks {absent[0]!r}; radiomics need {', '.join(PHASES)}: add it")
    times = (index[name].to_numpy(dtype=float, na_value=np.nan) for name in ("early_seconds", "late_seconds"))
    return Lesions(
        index["patient_id"].tolist(), volumes["channels"], volumes["mask"], *times, spacing_mm, channel_names
    )


def one_lesion(lesions: Lesions, row: int, mask: Mask | None = None) -> Lesion:
    """A patient's lesion, with another mask than her own if one is given."""
    positions = tuple(lesions.channel_names.index(name) for name in PHASES)
    own = lesions.mask[row] if mask is None else mask.view(np.uint8)
    times = float(lesions.early_seconds[row]), float(lesions.late_seconds[row])
    return Lesion(lesions.channels[row], positions, own, lesions.spacing_mm, *times)


def measure_lesion(lesion: Lesion, radiomics: Radiomics) -> dict[str, float]:
    """All features of one lesion; those of a region too small or too uniform are absent."""
    phases, mask, spacing_mm = lesion.phases, np.asarray(lesion.mask) > 0, lesion.spacing_mm
    features = lesion_shape(mask, spacing_mm) | region_kinetics(phases, mask) | rim_and_core(phases, mask, spacing_mm)
    regions = {"": (mask, radiomics.families)}
    if radiomics.peritumoural_mm:
        shell = peritumoural_shell(mask, phases.pre, spacing_mm, radiomics.peritumoural_mm, radiomics.air_share)
        if shell.sum() >= MINIMUM_VOXELS:
            around = region_kinetics(phases, shell) | against_lesion(phases, shell, mask)
            features |= {AROUND + name: value for name, value in around.items()}
            regions[AROUND] = (shell, radiomics.peritumoural_families)
    for prefix, (region, families) in regions.items():
        for image in radiomics.images:
            found = region_features(getattr(phases, image), region, families, radiomics.bin_number)
            features |= {f"{prefix}{image}_{name}": value for name, value in found.items()}
    return features


def extract_radiomics(
    lesions: Lesions, radiomics: Radiomics, workers: int = 1, measured: Measured | None = None
) -> pd.DataFrame:
    """Features of every patient; the result does not depend on ``workers``.

    A feature that no lesion has is dropped; single missing values stay missing, to be imputed inside
    each fold. Nothing else is dropped or scaled here, for that would be learning from all patients.

    Parameters
    ----------
    measured : Measured, optional
        Where finished lesions are kept and found again.

    Returns
    -------
    DataFrame
        ``patient_id`` and one float64 column a feature: ``shape_*``, ``kinetic_*``, ``<image>_<feature>``, and
        ``peritumoural_`` before the last two for the tissue around the lesion.
    """
    own = (one_lesion(lesions, row) for row in range(len(lesions.patients)))
    table = measure_lesions(own, radiomics, "lesions", workers, measured).dropna(axis="columns", how="all")
    table.insert(0, "patient_id", pd.Series(lesions.patients, dtype="str"))
    return table


def measure_lesions(
    lesions: Iterable[Lesion], radiomics: Radiomics, what: str, workers: int, measured: Measured | None
) -> pd.DataFrame:
    """One row a lesion, in order, and one column for each feature of the dictionary."""
    names = feature_dictionary(radiomics)["feature"]  # refuses unknown settings before anything is measured
    work = partial(_recall_or_measure, radiomics=radiomics, measured=measured)
    return pd.DataFrame(map_patients(work, lesions, what, workers), columns=list(names), dtype=np.float64)


def _recall_or_measure(lesion: Lesion, radiomics: Radiomics, measured: Measured | None) -> dict[str, float]:
    """Measure, unless the same lesion was measured with the same settings and code before."""
    if measured is None:
        return measure_lesion(lesion, radiomics)
    settings = radiomics.model_dump_json(exclude={"perturbed_patients", "perturbations", "perturbation_mm"})
    content = (*lesion.phases, lesion.mask, lesion.spacing_mm)
    return measured.recall(content, settings, partial(measure_lesion, lesion, radiomics))


def feature_dictionary(radiomics: Radiomics) -> pd.DataFrame:
    """Every feature on offer: ``feature, label, family, image, region, definition, ibsi_id``, in column order.

    Raises
    ------
    StudyError
        An unknown image or family.
    """
    unknown = [image for image in radiomics.images if image not in IMAGES]
    if unknown:
        raise StudyError(
            f"study.yml: radiomics.images names {unknown[0]!r}{nearest(unknown[0], IMAGES)} "
            f"Known images: {', '.join(IMAGES)}."
        )
    rows = [(name, label, "shape", "mask", "tumour", text, ibsi) for name, (label, text, ibsi) in SHAPE.items()]
    rows += _kinetic_rows(KINETICS | RIM, "", "tumour")
    rows += _texture_rows(radiomics.images, radiomics.families, radiomics.bin_number, "", "tumour")
    if radiomics.peritumoural_mm:
        rows += _kinetic_rows(KINETICS | SURROUNDINGS, AROUND, "peritumoural")
        around = radiomics.peritumoural_families
        rows += _texture_rows(radiomics.images, around, radiomics.bin_number, AROUND, "peritumoural")
    return pd.DataFrame(rows, columns=["feature", "label", "family", "image", "region", "definition", "ibsi_id"])


def _kinetic_rows(kinetics: dict[str, tuple[str, str]], prefix: str, region: str) -> list[tuple[str, ...]]:
    return [
        (prefix + name, _label(label, region), "kinetics", "all phases", region, text, "")
        for name, (label, text) in kinetics.items()
    ]


def _texture_rows(
    images: tuple[str, ...], families: tuple[str, ...], bins: int, prefix: str, region: str
) -> list[tuple[str, ...]]:
    rows = []
    for image in images:
        for family in families:
            shown = f"{image.replace('_', '-')} {FAMILIES.get(family, '')}".strip()
            for feature in family_features(family, bins):
                text = feature.name.partition(" - ")[2].strip()
                rows.append((
                    f"{prefix}{image}_{feature.table_name}",
                    _label(f"{shown}: {text}", region),
                    family, image, region,
                    f"{family.replace('_', ' ')}: {text}",
                    feature.ibsi_id,
                ))  # fmt: skip
    return rows


def _label(text: str, region: str) -> str:
    """A label in print: ``Wash-in GLCM: contrast``, ``Peritumoural wash-in GLCM: contrast``."""
    if region == "tumour":
        return text[:1].upper() + text[1:]
    plain = text if text[1:2].isupper() else text[:1].lower() + text[1:]
    return f"Peritumoural {plain}"
