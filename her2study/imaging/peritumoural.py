"""The tissue around a lesion: a shell of stated thickness, in millimetres and without air."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from her2study.types import Mask, Volume


def peritumoural_shell(
    lesion: Mask, pre: Volume, spacing_mm: tuple[float, float, float], thickness_mm: float, air_share: float
) -> Mask:
    """Voxels outside the lesion whose centre is at most ``thickness_mm`` from that of one of its voxels.

    Distances are Euclidean and in millimetres on any grid; the shell ends where the crop ends.

    Parameters
    ----------
    lesion : Mask
        ``(z, y, x)``.
    pre : Volume
        Signal before contrast over that of the lesion (its median).
    air_share : float
        Voxels whose ``pre`` is not above this share are air or beyond the scan, and no tissue.
    """
    reach = np.ceil(thickness_mm / np.array(spacing_mm)).astype(int) + 1
    box = tuple(
        slice(max(at.min() - margin, 0), at.max() + margin + 1)
        for at, margin in zip(np.nonzero(lesion), reach, strict=True)
    )
    shell = np.zeros_like(lesion)
    away_mm = ndimage.distance_transform_edt(~lesion[box], sampling=spacing_mm)
    # a hair more, so that rounding decides nothing
    shell[box] = (away_mm > 0) & (away_mm <= thickness_mm * (1 + 1e-9)) & (pre[box] > air_share)
    return shell
