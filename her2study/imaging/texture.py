"""Intensity and texture of one region of one image, after the Image Biomarker Standardisation Initiative (IBSI).

The formulas are those of MIRP (Zwanenburg et al., JOSS 2024), an implementation verified against IBSI. For the five
usual families the matrices they work on are counted here in one pass over all 13 directions, where MIRP builds a table
a direction: the same numbers in a tenth of the time. The other families go through MIRP from end to end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from mirp import extract_features
from mirp._features.base_feature import Feature
from mirp._features.cm_matrix import MatrixCM
from mirp._features.feature_generator import generate_features
from mirp._features.ih_features import DataIH
from mirp._features.rlm_matrix import MatrixRLM
from mirp._features.stat_features import DataStatistics
from mirp._features.szm_matrix import MatrixSZM
from mirp.settings.feature_parameters import FeatureExtractionSettingsClass
from numpy.typing import NDArray
from skimage.measure import label

from her2study.study import nearest
from her2study.types import Mask, StudyError

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
"""Families that depend on grey values only, with their short names in print (IBSI's)."""

MINIMUM_VOXELS = 8
"""Smaller regions have no texture: their features are missing, not guessed."""

NOT_OFFERED = ("ih_min_", "ih_max_fbn", "ih_range_", "stat_cov", "stat_qcod")
"""The first three are the same for every lesion under a fixed number of bins; the last two divide by the mean
or the median, which is near zero where a lesion neither gains nor loses contrast, and then explode."""

DIRECTIONS = [step for step in product((-1, 0, 1), repeat=3) if step > (0, 0, 0)]
"""The 13 directions to a neighbour; their opposites are counted by symmetry."""


def region_features(image: NDArray[np.float32], region: Mask, families: tuple[str, ...], bins: int) -> dict[str, float]:
    """Features of one image inside a region, under MIRP's names; empty for a tiny or uniform region.

    Parameters
    ----------
    image, region : ndarray
        ``(z, y, x)``; grey values of the region are sorted into ``bins`` levels between its extremes.
    families : tuple of str
        Of :data:`FAMILIES`.

    Raises
    ------
    StudyError
        An unknown family.
    """
    values = image[region]
    if values.size < MINIMUM_VOXELS or np.ptp(values) == 0:
        return {}
    box = tuple(slice(a.min(), a.max() + 1) for a in np.nonzero(region))
    levels = np.pad(np.where(region[box], discretise(image[box], values, bins), 0), 1)
    found: dict[str, float] = {}
    for family in families:
        if family in _COUNTED:
            data = _COUNTED[family](values, levels, bins)
            found |= {feature.table_name: _value(feature, data) for feature in family_features(family, bins)}
        else:
            found |= _through_mirp(image[box], region[box], family, bins)
    return found


def discretise(image: NDArray[np.float32], values: NDArray[np.float32], bins: int) -> NDArray[np.int64]:
    """Grey levels 1 to ``bins`` of equal width between the smallest and the largest of ``values``."""
    low, high = values.min(), values.max()
    return np.clip(np.floor(bins * 1.0 * (image - low) / (high - low)) + 1, 1, bins).astype(np.int64)


@lru_cache(maxsize=64)
def family_features(family: str, bins: int) -> tuple[Feature, ...]:
    """The features of a family that IBSI defines, as MIRP's objects with names and IBSI codes.

    Raises
    ------
    StudyError
        An unknown family.
    """
    if family not in FAMILIES:
        raise StudyError(
            f"radiomics: {family!r} is not one of the families{nearest(family, FAMILIES)} "
            f"Known families: {', '.join(FAMILIES)}."
        )
    settings = FeatureExtractionSettingsClass(
        by_slice=False,
        no_approximation=False,
        base_feature_families=family,
        base_discretisation_method="fixed_bin_number",
        base_discretisation_n_bins=bins,
    )
    kept = []
    for feature in generate_features(settings):
        feature.update_ibsi_compliance()
        feature.create_table_name()
        if feature.ibsi_compliant and not feature.table_name.startswith(NOT_OFFERED):
            kept.append(feature)
    return tuple(kept)


def cooccurrences(levels: NDArray[np.int64], bins: int) -> NDArray[np.int64]:
    """How often two levels are neighbours, ``(bins, bins)``, symmetric, all directions merged.

    ``levels`` is ``(z, y, x)``, 0 outside the region, with a margin of one voxel.
    """
    flat, inside, steps = _flat(levels)
    pairs = flat[inside, None] * (bins + 1) + flat[inside[:, None] + steps]
    counts = np.bincount(pairs.ravel(), minlength=(bins + 1) ** 2).reshape(bins + 1, bins + 1)[1:, 1:]
    return counts + counts.T


def run_lengths(levels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Level and length of every run of equal levels, in all directions; ``levels`` as above."""
    flat, inside, steps = _flat(levels)
    row, direction = np.nonzero(flat[inside[:, None] - steps] != flat[inside, None])
    start, step = inside[row], steps[direction]
    length = np.ones(len(start), np.int64)
    going = np.arange(len(start))
    while going.size:
        going = going[flat[start[going] + length[going] * step[going]] == flat[start[going]]]
        length[going] += 1
    return flat[start], length


def zone_sizes(levels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Level and size of every connected zone of equal levels; ``levels`` as above."""
    zones, number = label(levels, background=0, connectivity=3, return_num=True)
    level = np.zeros(number + 1, np.int64)
    level[zones.ravel()] = levels.ravel()
    return level[1:], np.bincount(zones.ravel(), minlength=number + 1)[1:]


def _value(feature: Feature, data: Any) -> float:
    percentile = getattr(feature, "percentile", None)  # the one formula that MIRP does not keep apart from its image
    return float(feature._compute(data) if percentile is None else np.percentile(data.image, percentile))


def _flat(levels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Levels as a vector, positions inside the region, and what a step in each direction adds to a position."""
    _, height, width = levels.shape
    flat = levels.ravel()
    return flat, np.flatnonzero(flat), np.array(DIRECTIONS) @ (height * width, width, 1)


def _statistics(values: NDArray[np.float32], levels: NDArray[np.int64], bins: int) -> DataStatistics:
    data = DataStatistics()
    data.image = values.astype(np.float64)
    data.n_voxels, data.mu, data.sigma, data.voxel_volume = values.size, data.image.mean(), data.image.std(), 1.0
    return data


def _histogram(values: NDArray[np.float32], levels: NDArray[np.int64], bins: int) -> DataIH:
    data, inside = DataIH(), levels[levels > 0]
    count = np.bincount(inside, minlength=bins + 1)[1:]
    level = np.arange(1, bins + 1)
    data.image, data.n_voxels, data.n_g = inside.astype(np.float64), inside.size, bins
    data.histogram = pd.DataFrame({"g": level, "n": count, "p": count / inside.size, "grad": np.gradient(count)})
    data.mu, data.sigma = data.image.mean(), data.image.std()
    return data


def _cooccurrence(values: NDArray[np.float32], levels: NDArray[np.int64], bins: int) -> MatrixCM:
    counts = cooccurrences(levels, bins)
    i, j = np.nonzero(counts)
    table = pd.DataFrame({"i": i + 1.0, "j": j + 1.0, "n": counts[i, j]})
    matrix = MatrixCM(distance=1, spatial_method="3d_volume_merge", matrix=table, n_voxels=counts.sum())
    matrix.set_values_from_matrix(intensity_range=(1, bins))
    return matrix


def _run_length(values: NDArray[np.float32], levels: NDArray[np.int64], bins: int) -> MatrixRLM:
    table = _table(*run_lengths(levels), name="rij")
    inside = len(DIRECTIONS) * np.count_nonzero(levels)
    matrix = MatrixRLM(spatial_method="3d_volume_merge", matrix=table, n_voxels=inside)
    matrix.set_values_from_matrix()
    return matrix


def _size_zone(values: NDArray[np.float32], levels: NDArray[np.int64], bins: int) -> MatrixSZM:
    table = _table(*zone_sizes(levels), name="sij")
    matrix = MatrixSZM(spatial_method="3d", matrix=table, n_voxels=np.count_nonzero(levels))
    matrix.set_values_from_matrix()
    return matrix


def _table(level: NDArray[np.int64], extent: NDArray[np.int64], name: str) -> pd.DataFrame:
    """How often each level comes with each length or size, as MIRP writes such a matrix."""
    base = int(extent.max()) + 1
    code, count = np.unique(level * base + extent, return_counts=True)
    return pd.DataFrame({"i": (code // base).astype(float), "j": (code % base).astype(float), name: count})


_COUNTED: dict[str, Callable[..., Any]] = {
    "statistics": _statistics,
    "intensity_histogram": _histogram,
    "cooccurrence_matrix": _cooccurrence,
    "run_length_matrix": _run_length,
    "size_zone_matrix": _size_zone,
}


def _through_mirp(image: NDArray[np.float32], region: Mask, family: str, bins: int) -> dict[str, float]:
    names = [feature.table_name for feature in family_features(family, bins)]
    with _quiet():
        table = extract_features(
            image=np.pad(image, 1),
            mask=np.pad(region, 1).astype(int),
            image_modality="mr",
            base_feature_families=family,
            base_discretisation_method="fixed_bin_number",
            base_discretisation_n_bins=bins,
        )[0]
    return {name: float(table[name].iloc[0]) for name in names}


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
