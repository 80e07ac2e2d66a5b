"""How contrast comes and goes, voxel by voxel, in the lesion and in the tissue around it.

Three phases are enough for the curve types of a radiologist: early against before (wash-in), late against early
(wash-out). Maps are made for every voxel first and summarised after, so that a lesion of two halves is not mistaken
for an average one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from her2study.types import Mask, Volume

ENHANCING = 0.5
"""A voxel enhances if its early signal rises by at least half of the lesion's own signal before contrast."""

CHANGE = 0.1
"""From the early to the late phase a signal is steady within 10% (BI-RADS: plateau)."""

SER_LIMIT = 3.0
"""Ratios are cut here: a voxel that loses all its contrast would have an endless one."""

KINETICS = {
    "kinetic_signal_enhancement_ratio": (
        "Signal enhancement ratio",
        "mean wash-in over mean late enhancement; above 1 the region washes out",
    ),
    "kinetic_washout_fraction": (
        "Wash-out fraction",
        "part of the region whose signal falls by over 10% from the early to the late phase",
    ),
    "kinetic_persistent_fraction": (
        "Persistent fraction",
        "part of the region whose signal rises by over 10% from the early to the late phase",
    ),
    "kinetic_enhancing_fraction": (
        "Enhancing fraction",
        "part of the region whose early signal rises by at least 50% of the lesion's signal before contrast",
    ),
    "kinetic_late_peak_fraction": (
        "Late-peak fraction",
        "part of the enhancing voxels brighter in the late than in the early phase: time to peak, in two steps",
    ),
    "kinetic_ser_median": (
        "Median voxel-wise SER",
        "median over enhancing voxels of wash-in over late enhancement, cut at 3",
    ),
    "kinetic_ser_spread": (
        "Spread of voxel-wise SER",
        "interquartile range over enhancing voxels of wash-in over late enhancement, cut at 3",
    ),
    "kinetic_wash_in_slope_per_minute": (
        "Wash-in slope",
        "mean wash-in over the time to the early phase, 1/min",
    ),
    "kinetic_wash_out_slope_per_minute": (
        "Wash-out slope",
        "mean wash-out over the time between the early and the late phase, 1/min; below 0 contrast leaves",
    ),
}
RIM = {
    "kinetic_rim_to_core_ratio": (
        "Rim-to-core ratio",
        "mean wash-in of the lesion's outer half over that of its inner half, by depth",
    ),
    "kinetic_rim_minus_core_washout": (
        "Rim minus core wash-out",
        "wash-out fraction of the lesion's outer half minus that of its inner half, by depth",
    ),
}
SURROUNDINGS = {
    "kinetic_wash_in_against_lesion": (
        "Wash-in against the lesion",
        "mean wash-in of the surroundings over that of the lesion",
    ),
}


class Phases(NamedTuple):
    """One patient's maps ``(z, y, x)``, over the lesion's own signal before contrast, and their times."""

    pre: Volume
    wash_in: Volume
    wash_out: Volume
    early_seconds: float = np.nan
    late_seconds: float = np.nan

    @property
    def signal_enhancement_ratio(self) -> Volume:
        """Wash-in over late enhancement in every voxel, 0 to 3, and 3 where no late enhancement is left."""
        late = self.wash_in + self.wash_out
        ratio = np.divide(self.wash_in, late, out=np.full_like(late, SER_LIMIT), where=late > 0)
        return np.clip(ratio, 0, SER_LIMIT)


def region_kinetics(phases: Phases, region: Mask) -> dict[str, float]:
    """Kinetics of all voxels of a region; the mean enhancement itself is among the intensity statistics.

    Slopes are missing where times were not recorded, voxel-wise ratios where nothing enhances.
    """
    pre, wash_in, wash_out = (_inside(image, region) for image in phases[:3])
    late = float((wash_in + wash_out).mean())
    enhancing = wash_in >= ENHANCING
    ratios = _inside(phases.signal_enhancement_ratio, region)[enhancing]
    low, median, high = np.percentile(ratios, [25, 50, 75]) if ratios.size else [np.nan] * 3
    after = phases.late_seconds - phases.early_seconds
    values = (
        wash_in.mean() / late if late > 0 else np.nan,
        (wash_out < -CHANGE * (pre + wash_in)).mean(),
        (wash_out > CHANGE * (pre + wash_in)).mean(),
        enhancing.mean(),
        (wash_out[enhancing] > 0).mean() if ratios.size else np.nan,
        median,
        high - low,
        wash_in.mean() / phases.early_seconds * 60 if phases.early_seconds > 0 else np.nan,
        wash_out.mean() / after * 60 if after > 0 else np.nan,
    )
    return dict(zip(KINETICS, map(float, values), strict=True))


def rim_and_core(phases: Phases, lesion: Mask, spacing_mm: tuple[float, float, float]) -> dict[str, float]:
    """The lesion's outer half against its inner half, by distance from the border in millimetres."""
    depth = ndimage.distance_transform_edt(np.pad(lesion, 1), sampling=spacing_mm)[1:-1, 1:-1, 1:-1][lesion]
    pre, wash_in, wash_out = (_inside(image, lesion) for image in phases[:3])
    falls, rim = wash_out < -CHANGE * (pre + wash_in), depth <= np.median(depth)
    has_core = bool((~rim).any())
    core = wash_in[~rim].mean() if has_core else 0.0
    values = (
        wash_in[rim].mean() / core if core > 0 else np.nan,
        falls[rim].mean() - falls[~rim].mean() if has_core else np.nan,
    )
    return dict(zip(RIM, map(float, values), strict=True))


def against_lesion(phases: Phases, shell: Mask, lesion: Mask) -> dict[str, float]:
    """How much the surroundings enhance, as a share of the lesion."""
    own = _inside(phases.wash_in, lesion).mean()
    value = _inside(phases.wash_in, shell).mean() / own if own > 0 else np.nan
    return dict(zip(SURROUNDINGS, [float(value)], strict=True))


def _inside(image: Volume, region: Mask) -> NDArray[np.float64]:
    return image[region].astype(np.float64)
