"""Whether scans are fit to use: measured on the scanner's own grid, flagged in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage
from skimage.restoration import estimate_sigma

from her2study.imaging.volume import Scan
from her2study.study import Imaging
from her2study.types import Mask, Volume

MINIMUM_SNR = 8.0
MINIMUM_ENHANCEMENT_RATIO = 1.2
MINIMUM_COVERAGE_PERCENT = 95.0
MINIMUM_VOXELS = 64
MAXIMUM_DELAY_SECONDS = 60.0


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
    where = np.argwhere(lesion)
    position_mm = (scan.affine[:3, :3] @ where[:, ::-1].T).T + scan.affine[:3, 3]
    half_mm = np.array(imaging.crop_voxels[::-1]) * imaging.spacing_mm[::-1] / 2
    covered = (np.abs(position_mm - centre_mm) <= half_mm).all(axis=1).mean()
    low, high = where.min(axis=0), where.max(axis=0) + 1
    around = tuple(slice(max(a - 8, 0), b + 8) for a, b in zip(low, high, strict=True))
    noise = float(estimate_sigma(before[around]))
    signal = float(np.median(before[lesion]))
    return {
        "signal_to_noise": signal / noise if noise > 0 else np.inf,
        "enhancement_ratio": float(np.median(early[lesion])) / signal,
        "coverage_percent": 100 * float(covered),
        "lesion_voxels": len(where),
        "mask_components": int(ndimage.label(lesion[tuple(map(slice, low, high))], np.ones((3, 3, 3)))[1]),
    }


def flag_scans(quality: pd.DataFrame, imaging: Imaging) -> pd.Series:
    """What is unusual about each scan, in words; empty where nothing is. No flag excludes a patient."""
    early_off = (quality["early_seconds"] - imaging.early_seconds).abs()
    late_off = (quality["late_seconds"] - imaging.late_seconds).abs()
    checks = {
        f"signal-to-noise ratio below {MINIMUM_SNR:g}": quality["signal_to_noise"] < MINIMUM_SNR,
        "hardly enhances": quality["enhancement_ratio"] < MINIMUM_ENHANCEMENT_RATIO,
        "lesion leaves the crop": quality["coverage_percent"] < MINIMUM_COVERAGE_PERCENT,
        f"lesion smaller than {MINIMUM_VOXELS} voxels": quality["lesion_voxels"] < MINIMUM_VOXELS,
        "mask in several pieces": quality["mask_components"] > 1,
        f"early phase over {MAXIMUM_DELAY_SECONDS:g} s off": early_off > MAXIMUM_DELAY_SECONDS,
        f"late phase over {2 * MAXIMUM_DELAY_SECONDS:g} s off": late_off > 2 * MAXIMUM_DELAY_SECONDS,
        "phase times not recorded": quality["early_seconds"].isna(),
    }
    table = pd.DataFrame(checks)
    return pd.Series(["; ".join(table.columns[row]) for row in table.to_numpy()], index=quality.index, dtype="str")


def quality_table(quality: pd.DataFrame) -> pd.DataFrame:
    """Quality by centre and for all, for print: medians with quartiles in brackets, and scans with findings."""
    rows = []
    for centre, group in [*quality.groupby("centre"), ("all", quality)]:
        row = {"centre": centre, "n": len(group)}
        for name in ("signal_to_noise", "enhancement_ratio", "coverage_percent", "early_seconds", "late_seconds"):
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
    text = (
        f"All {len(quality)} scans could be preprocessed. Scans with at least one finding: {flagged} "
        f"({100 * flagged / len(quality):.1f}%); none is excluded for it. "
        f"Scans in which the crop holds less than {MINIMUM_COVERAGE_PERCENT:g}% of the lesion: {cut}. "
    )
    if len(snr) > 1:
        text += (
            f"The median signal-to-noise ratio runs from {snr.min():.0f} (centre {snr.idxmin()}) "
            f"to {snr.max():.0f} (centre {snr.idxmax()}): a difference between centres that no model should learn."
        )
    return text


def montage(
    channels: NDArray[np.float16], mask: NDArray[np.uint8], cohort: pd.DataFrame, patients: int = 24
) -> pd.DataFrame:
    """Wash-in of some patients at the slice with most lesion, spread over centres and labels.

    Patients are taken in turn from each centre and label, in order of patient_id: no look decides.

    Parameters
    ----------
    cohort : DataFrame
        ``patient_id``, ``centre``, ``label``, in row order of the arrays.
    """
    people = cohort[["patient_id", "centre", "label"]].reset_index(drop=True)
    turn = people.groupby(["centre", "label"]).cumcount()
    chosen = people.assign(turn=turn).sort_values(["turn", "centre", "label"]).head(patients)
    chosen = chosen.drop(columns="turn").sort_values(["centre", "label", "patient_id"])
    rows = []
    for position, patient in chosen.iterrows():
        slice_ = int(mask[position].sum(axis=(1, 2)).argmax())
        image, outline = channels[position, 1, slice_].astype(np.float64), mask[position, slice_].astype(np.float64)
        height, width = image.shape
        rows.append(
            {
                **patient.to_dict(),
                "height": height,
                "width": width,
                "image": image.ravel().tolist(),
                "mask": outline.ravel().tolist(),
            }
        )
    return pd.DataFrame(rows)
