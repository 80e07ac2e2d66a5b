"""Whether a scan resembles those that the network was trained on, and if not, in what.

A few numbers describe a scan: its protocol, its lesion, and each channel in the lesion, around it and from voxel to
voxel. One number out of the training range is a reason by itself. All numbers of the pictures together are compared
by Mahalanobis' distance, with a shrunken covariance (Ledoit and Wolf 2004), which finds combinations that no
training scan had although each number is usual (Lee et al. 2018, arXiv:1807.03888).

What is kept of the training scans are ranges, means and a covariance: no patient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.types import StudyError
from her2study.words import listing

PROTOCOL: Mapping[str, tuple[str, str, bool]] = {
    "spacing_z_mm": ("voxels from foot to head", "mm", True),
    "spacing_y_mm": ("voxels from front to back", "mm", True),
    "spacing_x_mm": ("voxels from right to left", "mm", True),
    "early_seconds": ("time of the early phase", "s", False),
    "late_seconds": ("time of the late phase", "s", False),
    "volume_ml": ("lesion volume", "ml", True),
    "coverage_percent": ("part of the lesion inside the crop", "%", False),
    "signal_to_noise": ("signal-to-noise ratio", "", True),
    "enhancement_ratio": ("enhancement ratio of the lesion", "", True),
    "motion_mm": ("movement between phases", "mm", False),
}
"""Numbers of the index and the quality rows of a scan: name, label, unit, whether its logarithm is compared."""

SPACING = ("spacing_z_mm", "spacing_y_mm", "spacing_x_mm")

ACQUIRED = (*SPACING, "early_seconds", "late_seconds")
"""Those that are set on the scanner, alike for all patients of a hospital."""

PICTURE = {
    "lesion": "{} in the lesion (median)",
    "lesion_spread": "{} in the lesion (spread)",
    "around": "{} around the lesion (median)",
    "around_spread": "{} around the lesion (spread)",
    "grain": "{} from voxel to voxel (roughness)",
}
"""What is taken of each channel, in units of the lesion's own signal before contrast."""

MARGIN = 0.1
"""A value may lie so much of the training range beyond it; of a number compared by its logarithm, at least so far
in log units (about 10 %)."""

USUAL = 0.99
"""Share of training scans, each judged by the others, that are as near to the middle as a scan may be."""

PARTS = 10
"""Groups of training scans that are judged by the others in turn."""

FEWEST = 20
"""Training scans from which a likeness can be described."""


class Reason(NamedTuple):
    """Why a scan is unlike the training scans: its ``protocol``, or its ``pictures`` and lesion; in words."""

    kind: str
    text: str


def describe_training(
    channels: NDArray, mask: NDArray, index: pd.DataFrame, quality: pd.DataFrame, names: Sequence[str] | None = None
) -> dict[str, Any]:
    """What the training scans are like, as plain JSON values.

    Parameters
    ----------
    channels : array (n, channel, z, y, x)
        Of the training patients alone; may be mapped from a file. The mask is not among them.
    mask : array (n, z, y, x)
    index, quality : DataFrame
        Rows of the volume store in the same order (``volume_index`` and ``qc``).
    names : sequence of str, optional
        Of the channels, for the words of a reason.

    Returns
    -------
    dict
        ``patients``; ``ranges``: for each number ``label, unit, log, low, high``; ``pictures``: ``names``, ``middle``,
        ``spread``, ``precision`` (of the standardised numbers) and ``limit`` of the distance.

    Raises
    ------
    StudyError
        Fewer than 20 training scans.
    """
    names = list(names) if names else [f"channel {i + 1}" for i in range(channels.shape[1])]
    found = _describe(channels, mask, index, quality, names)
    if len(found) < FEWEST:
        raise StudyError(
            f"{len(found)} training scans; at least {FEWEST} are needed to say what they are like: leave the likeness "
            "out, or train on more patients"
        )
    labels = _labels(names)
    ranges = {}
    for name, (label, unit, logged) in labels.items():
        known = found[name].dropna()
        if len(known):
            ends = {"low": float(known.min()), "high": float(known.max())}
            ranges[name] = {"label": label, "unit": unit, "log": logged, **ends}
    pictures = found[[name for name in labels if name not in PROTOCOL]]
    return {"patients": len(found), "channels": names, "ranges": ranges, "pictures": _fit(pictures)}


def unlike(
    reference: Mapping[str, Any], channels: NDArray, mask: NDArray, index: pd.DataFrame, quality: pd.DataFrame
) -> list[list[Reason]]:
    """In what each scan is unlike the training scans, in words; an empty list where it is like them.

    Parameters
    ----------
    reference : mapping
        What :func:`describe_training` gave.
    channels, mask, index, quality
        Of the new patients, as in :func:`describe_training`.
    """
    found = _describe(channels, mask, index, quality, reference["channels"])
    reasons: list[list[Reason]] = [[] for _ in range(len(found))]
    ranges = reference["ranges"]
    for name, known in ranges.items():
        values, out = found[name].to_numpy(), _outside(found[name], known)
        for row in np.flatnonzero(out if name not in SPACING else []):
            kind = "protocol" if name in ACQUIRED else "pictures"
            reasons[row].append(Reason(kind, _out_of_range(known, values[row])))
    if all(name in ranges for name in SPACING):
        for row in np.flatnonzero(np.any([_outside(found[name], ranges[name]) for name in SPACING], axis=0)):
            reasons[row].insert(0, Reason("protocol", _voxels(ranges, found.loc[row, list(SPACING)])))
    fitted = reference["pictures"]
    if fitted:
        standard = _standardised(found[fitted["names"]].to_numpy(), fitted)
        distances = _distance(standard, np.array(fitted["precision"]))
        for row in np.flatnonzero(distances > fitted["limit"]):
            reasons[row].append(Reason("pictures", _as_a_whole(reference, standard[row], float(distances[row]))))
    return reasons


def _describe(
    channels: NDArray, mask: NDArray, index: pd.DataFrame, quality: pd.DataFrame, names: Sequence[str]
) -> pd.DataFrame:
    """All numbers, one row a scan; missing where one is not known."""
    if not len(channels) == len(mask) == len(index) == len(quality):
        raise ValueError(f"{len(channels)} scans, {len(mask)} masks, {len(index)} and {len(quality)} rows")
    told = pd.concat([index.reset_index(drop=True), quality.reset_index(drop=True)], axis=1)
    told = told.loc[:, ~told.columns.duplicated()].reindex(columns=list(PROTOCOL)).astype("float64")
    seen = [_picture(scan, lesion, names) for scan, lesion in zip(channels, mask, strict=True)]
    both = pd.concat([told, pd.DataFrame(seen, columns=[n for n in _labels(names) if n not in PROTOCOL])], axis=1)
    return both.where(np.isfinite(both))


def _picture(scan: NDArray, lesion: NDArray, names: Sequence[str]) -> dict[str, float]:
    """Medians, quartile distances and roughness of each channel ``(channel, z, y, x)``."""
    inside = np.asarray(lesion) > 0
    numbers = {}
    for name, channel in zip(names, np.asarray(scan, np.float32), strict=False):
        for place, voxels in (("lesion", channel[inside]), ("around", channel[~inside])):
            quartiles = np.percentile(voxels, (25, 50, 75)) if voxels.size else np.full(3, np.nan)
            numbers[f"{name}:{place}"] = float(quartiles[1])
            numbers[f"{name}:{place}_spread"] = float(quartiles[2] - quartiles[0])
        steps = [np.abs(np.diff(channel, axis=axis)).mean() for axis in range(3)]
        numbers[f"{name}:grain"] = float(np.mean(steps))
    return numbers


def _labels(names: Sequence[str]) -> dict[str, tuple[str, str, bool]]:
    words = {
        f"{name}:{what}": (text.format(_spoken(name)), "", False) for name in names for what, text in PICTURE.items()
    }
    return {**PROTOCOL, **words}


def _spoken(channel: str) -> str:
    return {"pre": "signal before contrast"}.get(channel, channel.replace("_", "-"))


def _outside(values: pd.Series, known: Mapping[str, Any]) -> NDArray[np.bool_]:
    low, high = _limits(known)
    return ((values < low) | (values > high)).to_numpy()


def _voxels(ranges: Mapping[str, Any], sizes: pd.Series) -> str:
    """All three sizes in one reason."""
    usual = " x ".join(f"{ranges[name]['low']:.3g}-{ranges[name]['high']:.3g}" for name in SPACING)
    own = " x ".join(f"{size:.3g}" for size in sizes)
    return f"voxels of {own} mm from foot to head, front to back and right to left (training scans {usual} mm)"


def _limits(known: Mapping[str, Any]) -> tuple[float, float]:
    """How low and how high a value may be."""
    low, high = known["low"], known["high"]
    if known["log"] and low > 0:
        beyond = max(MARGIN, MARGIN * float(np.log(high / low)))
        return low * float(np.exp(-beyond)), high * float(np.exp(beyond))
    beyond = MARGIN * (high - low) + 1e-9 * max(abs(low), abs(high), 1)
    return low - beyond, high + beyond


def _out_of_range(known: Mapping[str, Any], value: float) -> str:
    unit = f" {known['unit']}" if known["unit"] else ""
    return f"{known['label']} {value:.3g}{unit} (training scans {known['low']:.3g} to {known['high']:.3g}{unit})"


def _fit(found: pd.DataFrame) -> dict[str, Any]:
    """Middle, spread, precision and limit of the pictures' numbers; numbers that do not vary are left out."""
    values = found.to_numpy()
    middle = np.nanmedian(values, axis=0)
    spread = np.subtract(*np.nanpercentile(values, (75, 25), axis=0)) / 1.349  # the SD of a normal
    varies = spread > 1e-3 * np.maximum(np.abs(middle), 1e-3)
    names = [name for name, keep in zip(found.columns, varies, strict=True) if keep]
    if not names:
        return {}
    fitted = {"names": names, "middle": middle[varies].tolist(), "spread": spread[varies].tolist()}
    standard = _standardised(values[:, varies], fitted)
    part = np.arange(len(standard)) % PARTS
    distances = np.empty(len(standard))
    for number in range(PARTS):
        distances[part == number] = _distance(standard[part == number], _precision(standard[part != number]))
    limit = float(np.quantile(distances, USUAL))
    return {**fitted, "precision": _precision(standard).tolist(), "limit": limit}


def _standardised(values: NDArray[np.float64], fitted: Mapping[str, Any]) -> NDArray[np.float64]:
    """In robust standard deviations from the middle; what is not known counts as the middle."""
    return np.nan_to_num((values - np.array(fitted["middle"])) / np.array(fitted["spread"]))


def _precision(standard: NDArray[np.float64]) -> NDArray[np.float64]:
    from sklearn.covariance import LedoitWolf

    return LedoitWolf(assume_centered=True).fit(standard).precision_


def _distance(standard: NDArray[np.float64], precision: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.einsum("ni,ij,nj->n", standard, precision, standard))


def _as_a_whole(reference: Mapping[str, Any], standard: NDArray[np.float64], distance: float) -> str:
    """The two numbers that weigh most in the distance."""
    fitted = reference["pictures"]
    share = standard * (np.array(fitted["precision"]) @ standard)
    most = [reference["ranges"][fitted["names"][i]]["label"] for i in np.argsort(-share, kind="stable")[:2]]
    return (
        f"all numbers of the pictures together: {distance / fitted['limit']:.1f} times the distance within which "
        f"{USUAL:.0%} of the training scans lie, most by {listing(most)}"
    )
