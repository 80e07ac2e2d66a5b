"""Tissue and uptake maps of a breast with its lesion, whose centre is the origin.

The image latent shows itself only here and only through four signatures of the patient: kinetics
(Ktrans, kep), texture (heterogeneity of Ktrans), spiculation (length of spicules) and vascularity
(peritumoural halo, feeding vessels).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from her2study.cohort.simulated.fields import Axes, smooth_field, tubes
from her2study.cohort.simulated.planted import Assumptions

Map: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Breast:
    """Shares of a voxel by tissue, ``(z, y, x)``; what is missing to 1 is air."""

    fat: Map
    gland: Map
    muscle: Map
    skin: Map
    blood: Map
    gland_ktrans_per_min: Map

    @property
    def body(self) -> Map:
        """Share that is not air."""
        return self.fat + self.gland + self.muscle + self.skin


@dataclass(frozen=True)
class Lesion:
    """The lesion within ``box`` of the grid: shares, uptake and the expert's outline."""

    box: tuple[slice, slice, slice]
    share: Map
    ktrans_per_min: Map
    kep_per_min: Map
    halo_share: Map
    halo_ktrans_per_min: float
    halo_kep_per_min: float
    mask: NDArray[np.bool_]


def make_lesion(axes: Axes, patient: pd.Series, a: Assumptions, rng: np.random.Generator) -> Lesion:
    """Grow a patient's lesion on the grid.

    A mass is an ellipsoid with lobes and spicules, with a thick ring round a poorly enhancing core
    if ``rim``; a non-mass lesion is an elongated envelope of clumps.
    """
    shape, uptake = a.shape, a.uptake
    radius, non_mass = patient["diameter_mm"] / 2, bool(patient["non_mass"])
    undulation = shape.non_mass_lobulation if non_mass else shape.lobulation
    reach = radius * (1 + 2 * undulation) + shape.spicule_limit_mm + 2 * uptake.halo_width_mm
    box = tuple(slice(*np.searchsorted(axis, [-reach, reach])) for axis in axes)
    near: Axes = tuple(axis[part] for axis, part in zip(axes, box, strict=True))
    ratios = rng.uniform(*(shape.non_mass_axis_ratio if non_mass else shape.axis_ratio), 2)
    semi_axes = radius * np.array([1.0, *ratios])
    smooth, direction = _ellipsoid_distance(near, semi_axes, _rotation(rng))
    lobes = smooth_field(near, shape.lobulation_scale * radius, rng)
    smooth = smooth - np.float32(undulation * radius) * lobes
    spicules = _spicules(direction, patient["signature_spiculation"], a, rng)
    distance = smooth if non_mass else smooth - spicules
    share = _soft(distance, shape.edge_mm)
    halo_share, halo_ktrans = _halo(near, distance, patient["signature_vascularity"], a, rng)
    smoothing = [shape.outline_smoothing_mm / float(axis[1] - axis[0]) for axis in near]
    mask = gaussian_filter(share, smoothing, truncate=3) > 0.5
    if non_mass:
        clumps = smooth_field(near, shape.clump_scale_mm, rng)
        share = share * (1 - np.float32(shape.clump_strength) * _soft(clumps, shape.clump_softness))

    ktrans, kep = _uptake_maps(near, smooth, semi_axes.min(), patient, a, rng)
    middle = _median_uptake(patient["signature_kinetics"], a)
    return Lesion(box, share, ktrans, kep, halo_share, halo_ktrans * middle[0], middle[1], mask)


def make_breast(axes: Axes, patient: pd.Series, a: Assumptions, rng: np.random.Generator) -> Breast:
    """Grow fat, gland, skin, pectoral muscle and vessels around the lesion."""
    breast, uptake = a.breast, a.uptake
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    radius, decades = patient["diameter_mm"] / 2, (patient["age_years"] - a.person.age_mean_years) / 10
    curvature = rng.uniform(*breast.skin_curvature_mm)
    depth = max(rng.uniform(*breast.skin_depth_mm), radius + breast.subcutaneous_fat_mm)
    # the skin is a sphere about a point that lies behind the lesion, more or less obliquely
    tilt_z, tilt_x = rng.uniform(-1, 1, 2) * breast.skin_tilt
    centre_z, centre_y, centre_x = (curvature - depth) * np.array([tilt_z, np.sqrt(1 - tilt_z**2 - tilt_x**2), tilt_x])
    to_skin = curvature - np.sqrt((z - centre_z) ** 2 + (y - centre_y) ** 2 + (x - centre_x) ** 2).astype(np.float32)
    wall = max(rng.uniform(*breast.chest_wall_mm), radius + breast.skin_thickness_mm)
    behind = (y - wall + (x**2 + z**2) / (2 * breast.chest_wall_curvature_mm)).astype(np.float32)

    edge = a.shape.edge_mm
    muscle = _soft(-behind, edge)
    body = np.maximum(_soft(-to_skin, edge), muscle)
    skin = body * (1 - muscle) * _soft(to_skin - breast.skin_thickness_mm, edge)
    lobes, strands = (smooth_field(axes, scale, rng) for scale in breast.parenchyma_scales_mm)
    density = breast.density_mean + breast.density_sd * rng.standard_normal() + breast.density_age_per_decade * decades
    near = np.exp(-(z**2 + y**2 + x**2) / (radius + breast.subcutaneous_fat_mm) ** 2)
    level = lobes + breast.strands * strands + density + breast.gland_around_lesion * near
    level = np.minimum(level, to_skin / breast.subcutaneous_fat_mm - 1)
    gland = (body - skin - muscle).clip(0) * _soft(-level.astype(np.float32), breast.parenchyma_softness)

    background = uptake.gland_log_sd * rng.standard_normal() + uptake.gland_age_per_decade * decades
    mottle = smooth_field(axes, breast.parenchyma_scales_mm[1] / 2, rng)
    gland_ktrans = np.float32(uptake.gland_ktrans_per_min * np.exp(background)) * np.exp(
        np.float32(uptake.gland_mottle) * mottle
    )
    blood = _vessels(axes, radius, patient["signature_vascularity"], a, rng) * body * (1 - muscle)
    return Breast((body - skin - muscle - gland).clip(0), gland, muscle, skin, blood, gland_ktrans)


def _ellipsoid_distance(axes: Axes, semi_axes: NDArray, rotation: NDArray) -> tuple[Map, tuple[Map, Map, Map]]:
    """Radial distance to an ellipsoid's surface (mm, negative inside) and the unit direction of each voxel."""
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    z = z + np.float32(1e-3)  # a micrometre aside, so that no voxel lies at the centre, which has no direction
    length = np.sqrt(z**2 + y**2 + x**2)
    direction = tuple(np.broadcast_to(part, length.shape) / length for part in (z, y, x))
    inverse = sum(
        (sum(np.float32(r) * part for r, part in zip(row, direction, strict=True)) / np.float32(semi)) ** 2
        for row, semi in zip(rotation, semi_axes, strict=True)
    )
    return length - 1 / np.sqrt(inverse), direction


def _rotation(rng: np.random.Generator) -> NDArray[np.float64]:
    """Three orthogonal unit rows, uniformly oriented (Gram-Schmidt)."""
    first, second = rng.standard_normal((2, 3))
    first /= np.sqrt((first**2).sum())
    second -= (second * first).sum() * first
    second /= np.sqrt((second**2).sum())
    return np.array([first, second, np.cross(first, second)])


def _spicules(direction: tuple[Map, Map, Map], signature: float, a: Assumptions, rng: np.random.Generator) -> Map:
    """How far spicules reach beyond the smooth surface, mm, by direction from the centre."""
    shape = a.shape
    length_mm = shape.spicule_length_mm * np.exp(shape.spicule_gain * signature)
    reach = np.zeros(direction[0].shape, dtype=np.float32)
    for _ in range(rng.integers(*shape.spicules, endpoint=True)):
        axis = rng.standard_normal(3)
        axis /= np.sqrt((axis**2).sum())
        cosine = sum(np.float32(c) * part for c, part in zip(axis, direction, strict=True))
        sharpness, height = rng.uniform(*shape.spicule_sharpness), length_mm * rng.uniform(*shape.spicule_heights)
        height = min(height, shape.spicule_limit_mm)
        reach = np.maximum(reach, np.float32(height) * np.exp(np.float32(sharpness) * (cosine - 1)))
    return reach


def _median_uptake(signature: float, a: Assumptions) -> tuple[float, float]:
    """Ktrans and kep, 1/min, that a kinetic signature stands for."""
    uptake = a.uptake
    return (
        uptake.ktrans_per_min * np.exp(uptake.ktrans_kinetics * signature),
        uptake.kep_per_min * np.exp(uptake.kep_kinetics * signature),
    )


def _uptake_maps(
    axes: Axes, smooth: Map, short_axis_mm: float, patient: pd.Series, a: Assumptions, rng: np.random.Generator
) -> tuple[Map, Map]:
    """Heterogeneous Ktrans and kep of the lesion, 1/min."""
    uptake = a.uptake
    ktrans, kep = _median_uptake(patient["signature_kinetics"], a)
    ktrans, kep = np.array([ktrans, kep]) * np.exp(
        np.array([uptake.ktrans_log_sd, uptake.kep_log_sd]) * rng.standard_normal(2)
    )
    spread = uptake.texture_log_sd * np.exp(uptake.texture_gain * patient["signature_texture"])
    spread = np.float32(min(spread, uptake.texture_limit))
    texture, washout = (smooth_field(axes, uptake.texture_scale_mm, rng) for _ in range(2))
    depth = -smooth
    if patient["rim"]:
        thickness = min(rng.uniform(*uptake.rim_thickness_mm), uptake.rim_thickness_of_radius * short_axis_mm)
        core = _soft(np.float32(thickness) - depth, uptake.core_edge_mm)
        profile = 1 - np.float32(1 - uptake.core_ktrans) * core
    else:
        profile = np.exp(np.float32(uptake.centripetal_log) * (2 * np.clip(depth / short_axis_mm, 0, 1) - 1))
    ktrans_map = np.float32(ktrans) * profile * np.exp(spread * texture - spread**2 / 2)
    return ktrans_map, np.float32(kep) * np.exp(np.float32(uptake.kep_texture) * washout)


def _halo(axes: Axes, distance: Map, signature: float, a: Assumptions, rng: np.random.Generator) -> tuple[Map, float]:
    """Share of enhancing stroma around the lesion, and its Ktrans relative to the lesion's."""
    uptake = a.uptake
    amplitude = uptake.halo_share * np.exp(uptake.halo_gain * signature)
    patches = np.exp(np.float32(uptake.halo_patchiness) * smooth_field(axes, uptake.halo_width_mm, rng))
    fading = np.exp(-np.maximum(distance, 0) / np.float32(uptake.halo_width_mm))
    return np.clip(np.float32(amplitude) * patches * fading, 0, 1), uptake.halo_ktrans


def _vessels(axes: Axes, radius_mm: float, signature: float, a: Assumptions, rng: np.random.Generator) -> Map:
    """Feeding vessels from the lesion's surface outwards, and bystanders that cross the field."""
    uptake = a.uptake
    feeding = int(rng.poisson(uptake.vessels * np.exp(uptake.vessel_gain * signature)))
    headings = rng.standard_normal((feeding + uptake.bystander_vessels, 3))
    headings /= np.linalg.norm(headings, axis=1, keepdims=True)
    starts = headings * radius_mm
    half = a.breast.field_of_view_mm / 2
    starts[feeding:] = rng.uniform(-half, half, (uptake.bystander_vessels, 3))
    length = uptake.vessel_length_mm
    return tubes(axes, starts, headings, length, uptake.vessel_radius_mm, uptake.vessel_winding, rng)


def _soft(distance: Map, width: float) -> Map:
    """1 where ``distance`` is well below 0, 0 where well above, with a border ``width`` wide."""
    return 1 / (1 + np.exp(np.clip(distance / np.float32(width), -30, 30), dtype=np.float32))
