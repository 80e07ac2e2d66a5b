"""Where on the lesion a map lies: the share inside, against a blob in the middle, and the ring against the core."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from her2study.evaluation.roc import auc
from her2study.explain.saliency.rows import RESAMPLES, check_rows

RING_MM = 4.0
"""Depth of the ring under the lesion's surface: as thick as the thickest rim that is planted."""

MINIMUM_VOXELS = 20
"""Of ring and of core; a smaller lesion has no core to compare with."""


def lesion_overlap(heat: np.ndarray, mask: np.ndarray) -> NDArray[np.float64]:
    """Share of the evidence, for or against, that lies inside the lesion, ``(n,)``; zero for an empty map."""
    evidence = np.abs(heat)
    total = evidence.sum(axis=(1, 2, 3), dtype=float)
    inside = (evidence * (mask > 0)).sum(axis=(1, 2, 3), dtype=float)
    return np.divide(inside, total, out=np.zeros(len(heat)), where=total > 0)


def centre_blob(shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """The map of someone who only knows that lesions are in the middle: a Gaussian, sigma 1/6 of each axis."""
    axes = [np.exp(-(((np.arange(size) - (size - 1) / 2) / (size / 6)) ** 2) / 2) for size in shape]
    return np.einsum("i,j,k->ijk", *axes).astype(np.float32)


def ring_over_core(heat: np.ndarray, mask: np.ndarray, spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """Chance that a voxel of the lesion's ring has more heat than one of its core, ``(n,)``.

    The ring is the outer :data:`RING_MM` of the lesion. 0.5 where heat knows no ring; missing for a lesion with
    fewer than :data:`MINIMUM_VOXELS` voxels in either part.
    """
    shares = np.full(len(heat), np.nan)
    for row, (values, lesion) in enumerate(zip(heat, mask > 0, strict=True)):
        inside = np.pad(lesion, 1)  # beyond the crop is outside the lesion
        depth = distance_transform_edt(inside, sampling=spacing_mm)[1:-1, 1:-1, 1:-1][lesion]
        ring = depth <= RING_MM
        if min(ring.sum(), (~ring).sum()) >= MINIMUM_VOXELS:
            shares[row] = auc(ring.astype(int), values[lesion])
    return shares


def rim_check(
    method: str, heat: np.ndarray, mask: np.ndarray, rim: NDArray[np.bool_], spacing_mm: tuple[float, ...], seed: int,
    confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Simulated patients only: is the ring hotter in lesions that were planted with an enhancing rim?

    Parameters
    ----------
    heat : array (n, z, y, x)
        Ensemble map.
    rim : array (n,)
        Of the truth.

    Returns
    -------
    DataFrame
        Of :data:`~her2study.explain.saliency.rows.COLUMNS`, check ``rim``: mean :func:`ring_over_core` with a rim
        minus without, bootstrap interval over both groups; no row if a group has fewer than two lesions with a
        core. ``reference`` is 0: a map that does not know the rim.
    """
    shares = ring_over_core(heat, mask, spacing_mm)
    groups = [shares[np.isfinite(shares) & (rim == has)] for has in (True, False)]
    if min(map(len, groups)) < 2:
        return check_rows(method, [])
    rng = np.random.default_rng([seed, len(heat)])
    means = [group[rng.integers(len(group), size=(RESAMPLES, len(group)))].mean(axis=1) for group in groups]
    low, high = np.quantile(means[0] - means[1], [(1 - confidence) / 2, (1 + confidence) / 2])
    difference = float(groups[0].mean() - groups[1].mean())
    label = f"ring above core, {len(groups[0])} planted rims minus {len(groups[1])} others"
    return check_rows(method, [("rim", label, difference, float(low), float(high), 0.0)])
