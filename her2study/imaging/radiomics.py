"""What a lesion measures: IBSI features of its wash-in and wash-out maps, its shape and its kinetics.

Texture and intensity come from MIRP (Zwanenburg et al., JOSS 2024). MIRP's own morphology takes over a
second a lesion, so shape is measured here from the same mesh, after the IBSI definitions.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import pandas as pd
from mirp import extract_features
from mirp._features.feature_generator import generate_features  # the only place that knows names and IBSI ids
from mirp.settings.feature_parameters import FeatureExtractionSettingsClass
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from skimage.measure import marching_cubes, mesh_surface_area

from her2study.imaging.preprocess import CHANNELS
from her2study.parallel import map_patients
from her2study.study import Radiomics, nearest
from her2study.types import Channels, Mask, StudyError

FAMILIES = {
    "statistics": "",
    "intensity_histogram": "histogram",
    "intensity_volume_histogram": "IVH",
    "cooccurrence_matrix": "GLCM",
    "run_length_matrix": "GLRLM",
    "size_zone_matrix": "GLSZM",
    "distance_zone_matrix": "GLDZM",
    "grey_tone_difference_matrix": "NGTDM",
    "grey_level_dependence_matrix": "NGLDM",
}
"""MIRP families that depend on grey values only, with their short names in print (IBSI's); geometry is measured by
:func:`lesion_shape`."""

MINIMUM_VOXELS = 8
"""Smaller lesions have a shape but no texture: their intensity features are missing, not guessed."""

NOT_OFFERED = ("ih_min_", "ih_max_fbn", "ih_range_", "stat_cov", "stat_qcod")
"""The first three are the same for every lesion under a fixed number of bins; the last two divide by the mean
or the median, which is near zero where a lesion neither gains nor loses contrast, and then explode."""

SHAPE = {
    "shape_volume_ml": ("Volume", "volume of the surface mesh, ml", "RNU0"),
    "shape_surface_to_volume_per_mm": ("Surface to volume", "mesh area over mesh volume, 1/mm", "2PR5"),
    "shape_sphericity": ("Sphericity", "area of a sphere of the same volume over mesh area", "QCFX"),
    "shape_maximum_diameter_mm": ("Maximum diameter", "largest distance of two mesh vertices, mm", "L0JK"),
    "shape_major_axis_mm": ("Major axis", "4 sqrt(largest variance of voxel positions), mm", "TDIC"),
    "shape_elongation": ("Elongation", "minor over major axis", "Q3CK"),
    "shape_flatness": ("Flatness", "least over major axis", "N17B"),
}
KINETICS = {
    "kinetic_signal_enhancement_ratio": (
        "Signal enhancement ratio",
        "mean wash-in over mean late enhancement; above 1 the lesion washes out",
    ),
    "kinetic_washout_fraction": (
        "Wash-out fraction",
        "part of the lesion whose signal falls by over 10% from the early to the late phase",
    ),
    "kinetic_rim_to_core_ratio": (
        "Rim-to-core ratio",
        "mean wash-in of the lesion's outer half over that of its inner half, by depth",
    ),
}


def lesion_shape(lesion: Mask, spacing_mm: tuple[float, float, float]) -> dict[str, float]:
    """Shape after the IBSI reference manual (arXiv 1612.07003, section 3.1).

    Parameters
    ----------
    lesion : Mask
        ``(z, y, x)``.
    spacing_mm : tuple
        Voxel size along ``(z, y, x)``.
    """
    vertices, faces, _, _ = marching_cubes(np.pad(lesion, 1).astype(np.float32), 0.5, spacing=spacing_mm)
    vertices = vertices.astype(np.float64)
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    volume_mm3 = abs(np.einsum("ij,ij->", a, np.cross(b, c))) / 6
    area_mm2 = mesh_surface_area(vertices, faces)
    positions_mm = np.argwhere(lesion) * spacing_mm
    variances = np.linalg.eigvalsh(np.cov(positions_mm.T)) if len(positions_mm) > 1 else np.zeros(3)
    least, minor, major = np.sqrt(np.maximum(variances, 0))
    values = (
        volume_mm3 / 1000,
        area_mm2 / volume_mm3,
        (36 * np.pi * volume_mm3**2) ** (1 / 3) / area_mm2,
        pdist(vertices[ConvexHull(vertices).vertices]).max(),
        4 * major,
        minor / major if major > 0 else np.nan,
        least / major if major > 0 else np.nan,
    )
    return dict(zip(SHAPE, map(float, values), strict=True))


def lesion_kinetics(channels: Channels, lesion: Mask) -> dict[str, float]:
    """Kinetics of the whole lesion and its rim; the mean enhancement itself is ``wash_in_stat_mean``."""
    pre, wash_in, wash_out = (channel[lesion].astype(np.float64) for channel in channels)
    early = pre + wash_in
    late_enhancement = (wash_in + wash_out).mean()
    depth = ndimage.distance_transform_edt(np.pad(lesion, 1))[1:-1, 1:-1, 1:-1][lesion]
    rim = depth <= np.median(depth)
    core_enhancement = wash_in[~rim].mean() if (~rim).any() else 0.0
    values = (
        wash_in.mean() / late_enhancement if late_enhancement > 0 else np.nan,
        (wash_out < -0.1 * early).mean(),
        wash_in[rim].mean() / core_enhancement if core_enhancement > 0 else np.nan,
    )
    return dict(zip(KINETICS, map(float, values), strict=True))


def lesion_features(image: NDArray[np.float32], lesion: Mask, radiomics: Radiomics) -> dict[str, float]:
    """MIRP features of one image inside the lesion, under MIRP's names; empty for a tiny or uniform lesion."""
    values = image[lesion]
    if values.size < MINIMUM_VOXELS or np.ptp(values) == 0:
        return {}
    box = tuple(slice(max(a.min() - 1, 0), a.max() + 2) for a in np.nonzero(lesion))
    with _quiet():
        table = extract_features(
            image=np.ascontiguousarray(image[box]),
            mask=lesion[box].astype(int),
            image_modality="mr",
            base_feature_families=list(radiomics.families),
            base_discretisation_method="fixed_bin_number",
            base_discretisation_n_bins=radiomics.bin_number,
        )[0]
    return {name: float(table[name].iloc[0]) for name in _mirp_names(radiomics)["feature"]}


def patient_features(
    patient: tuple[Channels, Mask], radiomics: Radiomics, spacing_mm: tuple[float, float, float]
) -> dict[str, float]:
    """All features of one patient: shape, kinetics, then every image of the settings."""
    channels, lesion = patient[0].astype(np.float32), patient[1].astype(bool)
    features = lesion_shape(lesion, spacing_mm) | lesion_kinetics(channels, lesion)
    for image in radiomics.images:
        found = lesion_features(channels[CHANNELS.index(image)], lesion, radiomics)
        features |= {f"{image}_{name}": value for name, value in found.items()}
    return features


def extract_radiomics(
    patients: list[str],
    channels: NDArray[np.float16],
    mask: NDArray[np.uint8],
    radiomics: Radiomics,
    spacing_mm: tuple[float, float, float],
    workers: int = 1,
) -> pd.DataFrame:
    """Features of every patient; the result does not depend on ``workers``.

    A feature that no lesion has is dropped; single missing values stay missing, to be imputed inside
    each fold. Nothing else is dropped or scaled here, for that would be learning from all patients.

    Returns
    -------
    DataFrame
        ``patient_id`` and one float64 column a feature, ``<image>_<feature>``, ``shape_*`` or ``kinetic_*``.
    """
    unknown = [image for image in radiomics.images if image not in CHANNELS]
    if unknown:
        raise StudyError(
            f"radiomics.images names {unknown[0]!r}; known images are {', '.join(CHANNELS)}: mend study.yml"
        )
    work = partial(patient_features, radiomics=radiomics, spacing_mm=spacing_mm)
    rows = map_patients(work, zip(channels, mask, strict=True), "lesions", workers)
    names = feature_dictionary(radiomics)["feature"]
    features = pd.DataFrame(rows, columns=list(names), dtype=np.float64).dropna(axis="columns", how="all")
    features.insert(0, "patient_id", pd.Series(patients, dtype="str"))
    return features


def feature_dictionary(radiomics: Radiomics) -> pd.DataFrame:
    """Every feature on offer: ``feature, label, family, image, definition, ibsi_id``, in column order."""
    rows = [(name, label, "shape", "mask", text, ibsi) for name, (label, text, ibsi) in SHAPE.items()]
    rows += [(name, label, "kinetics", "all phases", text, "") for name, (label, text) in KINETICS.items()]
    mirp = _mirp_names(radiomics)
    for image in radiomics.images:
        shown = image.replace("_", "-").capitalize()
        rows += [
            (f"{image}_{row.feature}", f"{shown} {row.short}".strip() + f": {row.text}", row.family, image,
             f"{row.family.replace('_', ' ')}: {row.text}", row.ibsi_id)
            for row in mirp.itertuples()
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=["feature", "label", "family", "image", "definition", "ibsi_id"])


def _mirp_names(radiomics: Radiomics) -> pd.DataFrame:
    """``feature, family, short, text, ibsi_id`` of the MIRP features of the settings that have an IBSI reference."""
    rows = []
    for family in radiomics.families:
        if family not in FAMILIES:
            raise StudyError(
                f"radiomics.families names {family!r}, which is not one of the families{nearest(family, FAMILIES)} "
                f"Known families: {', '.join(FAMILIES)}."
            )
        settings = FeatureExtractionSettingsClass(
            by_slice=False,
            no_approximation=False,
            base_feature_families=family,
            base_discretisation_method="fixed_bin_number",
            base_discretisation_n_bins=radiomics.bin_number,
        )
        for feature in generate_features(settings):
            feature.update_ibsi_compliance()
            feature.create_table_name()
            if feature.ibsi_compliant and not feature.table_name.startswith(NOT_OFFERED):
                text = feature.name.partition(" - ")[2]
                rows.append((feature.table_name, family, FAMILIES[family], text, feature.ibsi_id))
    return pd.DataFrame(rows, columns=["feature", "family", "short", "text", "ibsi_id"])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep MIRP from configuring this process's root logger and from telling each step."""
    root = logging.getLogger()
    silent = logging.NullHandler()
    root.addHandler(silent)  # basicConfig leaves a logger with a handler alone
    before = root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)
        root.removeHandler(silent)
