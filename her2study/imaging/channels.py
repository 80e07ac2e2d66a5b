"""What the network sees of a patient: channels in units of her own tissue's signal before contrast.

Nothing here is learned from other patients. The unit (``imaging.reference``) and the limits of clipping are
each patient's own, so they may be computed before any split; what is learned across patients, the mean and
spread of each channel, is learned by the network from its training part alone
(:mod:`her2study.models.training`). Dividing by the lesion's own signal cancels the scanner's gain and
keeps how much a lesion enhances compared with another patient's, which per-channel z-scores would erase.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from her2study.imaging.phases import Phases
from her2study.study import Imaging
from her2study.types import Channels, Mask

VOCABULARY: Mapping[str, str] = {
    "pre": "signal before contrast",
    "early": "signal at the early time",
    "late": "signal at the late time",
    "wash_in": "early minus before",
    "wash_out": "late minus early",
    "subtraction": "late minus before",
    "wash_in_slope": "early minus before, per minute since injection",
    "wash_out_slope": "late minus early, per minute between the two",
    "mask": "1 in the lesion, 0 elsewhere",
}
"""Channels that ``imaging.channels`` may name; all but the mask are in units of the reference signal."""

SURROUNDINGS_MM = 10.0
"""Tissue up to so far from the lesion is its surroundings."""

AIR = 0.1
"""Below this share of the lesion's own signal there is air, and no reference."""


def reference_signal(
    before: NDArray[np.float32], lesion: Mask, spacing_mm: NDArray[np.float64], reference: str
) -> float:
    """Median pre-contrast signal of the lesion, or of the tissue within 10 mm around it that is no air.

    Parameters
    ----------
    before, lesion : ndarray
        ``(z, y, x)`` on the scanner's grid.
    spacing_mm : ndarray
        Voxel size along ``(z, y, x)``.
    reference : str
        ``lesion`` or ``surroundings``.
    """
    own = float(np.median(before[lesion]))
    if reference == "lesion":
        return own
    away_mm = ndimage.distance_transform_edt(~lesion, sampling=spacing_mm)
    around = (away_mm > 0) & (away_mm <= SURROUNDINGS_MM) & (before > AIR * own)
    return float(np.median(before[around])) if around.any() else own


def make_channels(
    phases: NDArray[np.float32], lesion: Mask, reference: float, times: Phases, imaging: Imaging
) -> Channels:
    """The channels of the settings from the resampled phases.

    Each is clipped to the wider of the crop's and the lesion's percentiles: a small bright lesion is never
    cut to fit its dark surroundings. The mask is not clipped.

    Parameters
    ----------
    phases : ndarray
        ``(3, z, y, x)``: pre-contrast, early, late.
    lesion : Mask
        ``(z, y, x)``.
    reference : float
        The unit, from :func:`reference_signal`.
    times : Phases
        Seconds after injection that the early and the late image stand for.
    """
    pre, early, late = phases / np.float32(reference)
    channels = [_channel(name, pre, early, late, lesion, times) for name in imaging.channels]
    for name, channel in zip(imaging.channels, channels, strict=True):
        if name != "mask":
            over = [np.percentile(part, imaging.clip_percentiles) for part in (channel, channel[lesion])]
            np.clip(channel, min(low for low, _ in over), max(high for _, high in over), out=channel)
    return np.stack(channels)


def _channel(
    name: str, pre: NDArray, early: NDArray, late: NDArray, lesion: Mask, times: Phases
) -> NDArray[np.float32]:
    match name:
        case "pre":
            return pre.copy()
        case "early":
            return early.copy()
        case "late":
            return late.copy()
        case "wash_in":
            return early - pre
        case "wash_out":
            return late - early
        case "subtraction":
            return late - pre
        case "wash_in_slope":
            return (early - pre) / np.float32(times.early_seconds / 60)
        case "wash_out_slope":
            return (late - early) / np.float32((times.late_seconds - times.early_seconds) / 60)
        case _:
            return lesion.astype(np.float32)
