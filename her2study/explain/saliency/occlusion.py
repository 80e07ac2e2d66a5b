"""What the score loses when a part of the image is blurred: a map that needs no gradient and trusts no layer.

After Zeiler and Fergus 2014 (arXiv:1311.2901), with a blurred image in place of a grey one (Fong and Vedaldi
2017, arXiv:1704.03296): a grey cube is a lesion of its own, a blurred one is still tissue. Windows fade linearly
into their neighbours, so that no edge is drawn and every voxel is blurred as often as any other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from her2study.explain.saliency.grids import Weights, even_weights, spread
from her2study.explain.saliency.networks import evaluating, logits
from her2study.models.device import as_batch, as_tensor, deterministic
from her2study.models.inference import INFERENCE_BATCH
from her2study.models.network import DScoreNetwork

WINDOW_MM = 12.0
"""From one window to the next, and the width at which a window has faded to a half: about half a lesion."""

BLUR_MM = 6.0
"""Standard deviation of the blur: rim, texture and spicules go, the lesion's mean enhancement stays."""

UNCHANGED = 1e-3
"""Largest change of a channel, in its own standard deviations, by which a window is not worth a forward pass."""


def occlusion(
    models: Sequence[DScoreNetwork], channels: np.ndarray, spacing_mm: tuple[float, ...], images: int | None = None
) -> np.ndarray:
    """Loss of log odds when the surroundings of a voxel are blurred, by network.

    Parameters
    ----------
    models : sequence of DScoreNetwork
        Fold networks; none of them should have seen these patients.
    channels : array (n, channel, z, y, x)
        Normalised channels.
    spacing_mm : tuple
        Voxel size of the crop, (z, y, x).
    images : int, optional
        How many of the channels are images, the first ones; others (the lesion's mask) are left as they are.
        All, if not given.

    Returns
    -------
    array (networks, n, z, y, x), float32
        Above 0 speaks for HER2-positive: the log odds fell when it was blurred. The mean over networks is
        the ensemble's map.
    """
    shape = channels.shape[2:]
    weights = even_weights(shape, tuple(WINDOW_MM / mm for mm in spacing_mm))
    windows = _windows(weights)
    sigma = [BLUR_MM / mm for mm in spacing_mm]
    losses = np.empty((len(models), len(channels), len(windows)), np.float32)
    with deterministic(0), evaluating(models):
        for row, patient in enumerate(channels.astype(np.float32)):
            blurred = patient.copy()
            for blur, image in zip(blurred[:images], patient, strict=False):
                gaussian_filter(image, sigma, output=blur, truncate=3)
            losses[:, row] = _losses(models, patient, blurred - patient, windows)
    coarse = losses.reshape(-1, *(weight.shape[1] for weight in weights))
    return spread(coarse, weights).reshape(len(models), len(channels), *shape)


def _windows(weights: Weights) -> np.ndarray:
    """How far each window blurs each voxel, ``(windows, 1, z, y, x)`` from 0 to 1; they sum to 1 everywhere."""
    windows = np.einsum("zi,yj,xk->ijkzyx", *weights)
    return windows.reshape(-1, 1, *windows.shape[3:])


def _losses(
    models: Sequence[DScoreNetwork], patient: np.ndarray, change: np.ndarray, windows: np.ndarray
) -> np.ndarray:
    """Log odds of a patient ``(channel, z, y, x)`` minus those behind each window, ``(networks, windows)``."""
    device = next(models[0].parameters()).device
    image, change, fade = (as_tensor(array, device) for array in (patient, change, windows))
    relative = (change / image.flatten(1).std(dim=1).clamp(min=1e-6).view(-1, 1, 1, 1)).abs().amax(dim=0)
    worth = np.flatnonzero((fade[:, 0] * relative).flatten(1).amax(dim=1).cpu().numpy() > UNCHANGED)
    losses = np.zeros((len(models), len(windows)), np.float32)
    with torch.inference_mode():
        whole = logits(models, as_batch(image[None]))
        for start in range(0, len(worth), INFERENCE_BATCH):
            some = worth[start : start + INFERENCE_BATCH]
            behind = as_batch(image + fade[torch.from_numpy(some)] * change)
            losses[:, some] = (whole - logits(models, behind)).cpu().numpy()
    return losses
