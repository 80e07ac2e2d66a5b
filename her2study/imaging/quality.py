"""Whether scans are fit to use: measured on the scanner's own grid, flagged in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pywt
from numpy.typing import NDArray
from scipy import ndimage

from her2study.imaging.volume import Scan
from her2study.study import Imaging
from her2study.types import Mask, Volume

MINIMUM_SNR = 8.0
MINIMUM_ENHANCEMENT_RATIO = 1.2
MINIMUM_COVERAGE_PERCENT = 95.0
MINIMUM_VOXELS = 64
MAXIMUM_DELAY_SECONDS = 60.0
MAXIMUM_MOTION_MM = 2.0

MEASURES = (
    "signal_to_noise", "enhancement_ratio", "motion_mm", "coverage_percent", "early_seconds", "late_seconds"
)  # fmt: skip
"""What is tabled of every scan, in this order."""

SHORT = {
    f"signal-to-noise ratio below {MINIMUM_SNR:g}": "noisy",
    "hardly enhances": "weak",
    f"moved by over {MAXIMUM_MOTION_MM:g} mm between phases": "moved",
    "lesion leaves the crop": "cut off",
    f"lesion smaller than {MINIMUM_VOXELS} voxels": "small",
    "mask in several pieces": "pieces",
    f"early phase over {MAXIMUM_DELAY_SECONDS:g} s off": "early off",
    f"late phase over {2 * MAXIMUM_DELAY_SECONDS:g} s off": "late off",
    "phase times not recorded": "no times",
}
"""Every finding as it is flagged, and in one or two words for the corner of a picture."""


def measure_scan(
    before: Volume,
    early: Volume,
    lesion: Mask,
    scan: Scan,
    centre_mm: NDArray[np.float64],
    imaging: Imaging,
) -> dict[str, float | int]:
    """Quality of one patient's scan.

    Returns
    -------
    dict
        ``signal_to_noise``: median pre-contrast signal of the lesion over the noise (wavelet estimate, Donoho &
        Johnstone 1994) of its surroundings; ``enhancement_ratio``: median early over median pre-contrast
        signal of the lesion; ``coverage_percent``: part of the lesion inside the crop; ``lesion_voxels``
        and ``mask_components`` (26-connected) on the scanner's grid.
    """
    (box,) = ndimage.find_objects(lesion.view(np.uint8))
    inside = lesion[box]
    where = np.argwhere(inside) + [part.start for part in box]
    position_mm = (scan.affine[:3, :3] @ where[:, ::-1].T).T + scan.affine[:3, 3]
    half_mm = np.array(imaging.crop_voxels[::-1]) * imaging.spacing_mm[::-1] / 2
    covered = (np.abs(position_mm - centre_mm) <= half_mm).all(axis=1).mean()
    around = tuple(slice(max(part.start - 8, 0), part.stop + 8) for part in box)
    noise = noise_level(before[around])
    signal = float(np.median(before[box][inside]))
    return {
        "signal_to_noise": signal / noise if noise > 0 else np.inf,
        "enhancement_ratio": float(np.median(early[box][inside])) / signal,
        "coverage_percent": 100 * float(covered),
        "lesion_voxels": len(where),
        "mask_components": int(ndimage.label(inside, np.ones((3, 3, 3)))[1]),
    }


def noise_level(volume: Volume) -> float:
    """Standard deviation of the noise from the finest wavelet details (Donoho & Johnstone 1994).

    What :func:`skimage.restoration.estimate_sigma` computes, without loading the rest of that library.
    """
    details = pywt.dwtn(volume, "db2")["d" * volume.ndim]
    details = np.abs(details[details != 0])
    return float(np.median(details)) / 0.6744897501960817 if details.size else 0.0  # quartile of a normal


def flag_scans(quality: pd.DataFrame, imaging: Imaging) -> pd.Series:
    """What is unusual about each scan, in words; empty where nothing is. No flag excludes a patient."""
    early_off = (quality["early_seconds"] - imaging.early_seconds).abs()
    late_off = (quality["late_seconds"] - imaging.late_seconds).abs()
    raised = (
        quality["signal_to_noise"] < MINIMUM_SNR,
        quality["enhancement_ratio"] < MINIMUM_ENHANCEMENT_RATIO,
        quality["motion_mm"] > MAXIMUM_MOTION_MM,
        quality["coverage_percent"] < MINIMUM_COVERAGE_PERCENT,
        quality["lesion_voxels"] < MINIMUM_VOXELS,
        quality["mask_components"] > 1,
        early_off > MAXIMUM_DELAY_SECONDS,
        late_off > 2 * MAXIMUM_DELAY_SECONDS,
        quality["early_seconds"].isna(),
    )
    table = pd.DataFrame(dict(zip(SHORT, raised, strict=True)))
    return pd.Series(["; ".join(table.columns[row]) for row in table.to_numpy()], index=quality.index, dtype="str")


def quality_table(quality: pd.DataFrame) -> pd.DataFrame:
    """Quality by centre and for all, for print: medians with quartiles in brackets, and scans with findings."""
    rows = []
    for centre, group in [*quality.groupby("centre"), ("all", quality)]:
        row = {"centre": centre, "n": len(group)}
        for name in MEASURES:
            low, median, high = group[name].quantile([0.25, 0.5, 0.75])
            row[name] = f"{median:.3g} ({low:.3g} to {high:.3g})" if group[name].notna().any() else "not recorded"
        rows.append(row | {"n_with_findings": int((group["findings"] != "").sum())})
    return pd.DataFrame(rows)


def flag_table(quality: pd.DataFrame) -> pd.DataFrame:
    """How often each flag was raised, by centre, most frequent first."""
    raised = quality.assign(flag=quality["findings"].str.split("; ")).explode("flag")
    raised = raised[raised["flag"] != ""]
    counts = pd.crosstab(raised["flag"], raised["centre"]).reindex(columns=sorted(quality["centre"].unique()))
    counts = counts.fillna(0).astype(int).assign(all=lambda table: table.sum(axis=1))
    return counts.sort_values(["all", "flag"], ascending=[False, True], kind="stable").reset_index()


def describe_quality(quality: pd.DataFrame) -> str:
    """The verdict on the scans as sentences."""
    flagged = int((quality["findings"] != "").sum())
    cut = int((quality["coverage_percent"] < MINIMUM_COVERAGE_PERCENT).sum())
    snr = quality.groupby("centre")["signal_to_noise"].median()
    motion = quality["motion_mm"].dropna()
    text = (
        f"All {len(quality)} scans could be preprocessed. Scans with at least one finding: {flagged} "
        f"({100 * flagged / len(quality):.1f}%); none is excluded for it. "
        f"Scans in which the crop holds less than {MINIMUM_COVERAGE_PERCENT:g}% of the lesion: {cut}. "
    )
    if len(motion):
        text += (
            f"Between the phases that are read, breasts moved by {motion.median():.1f} mm in the median and "
            f"{motion.max():.1f} mm at most. "
        )
    if len(snr) > 1:
        text += (
            f"The median signal-to-noise ratio runs from {snr.min():.0f} (centre {snr.idxmin()}) "
            f"to {snr.max():.0f} (centre {snr.idxmax()}): a difference between centres that no model should learn."
        )
    return text
