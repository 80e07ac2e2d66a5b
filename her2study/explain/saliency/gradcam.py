"""3D Grad-CAM of each fold network, in the element-wise form that shows only what a network used.

Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391) averages a stage's gradient over the grid before it weights
the activations, and so paints voxels that the network did not use. Weighting each activation by its own gradient
(HiResCAM, Draelos and Carin 2020, arXiv:2011.08891) does not; where the gradient is the same everywhere, as before
mean pooling, the two are one. The D-score is an average over mirror images, and so is its map.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from torch import Tensor, nn

from her2study.explain.saliency.grids import spread, strided_weights
from her2study.explain.saliency.networks import evaluating, learned_logits
from her2study.models.device import as_batch, as_tensor, deterministic
from her2study.models.inference import INFERENCE_BATCH
from her2study.models.network import DScoreNetwork

STAGE = "layer2"
"""Stage whose activations are weighted. Measured on development patients: deeper ones are coarser than the lesion
(cells of 12 mm and more) and shallower ones repeat less between networks."""

MIRRORS = tuple(axes for count in range(4) for axes in combinations((-3, -2, -1), count))
"""Axes flipped in each of the eight mirror images of a crop; the first is the crop as it is."""


def gradcam(models: Sequence[DScoreNetwork], channels: np.ndarray, average_flips: bool = True) -> np.ndarray:
    """Signed Grad-CAM of each network.

    Parameters
    ----------
    models : sequence of DScoreNetwork
        Fold networks; none of them should have seen these patients.
    channels : array (n, channel, z, y, x)
        Normalised channels.
    average_flips : bool
        Whether the map is a mean over mirror images, as the score is (``network.average_flips``).

    Returns
    -------
    array (networks, n, z, y, x), float32
        Above 0 speaks for HER2-positive, in log odds a cell of the stage's grid. The mean over networks is the
        ensemble's map.
    """
    mirrors = MIRRORS if average_flips else MIRRORS[:1]
    with deterministic(0), evaluating(models):
        return np.stack([_maps(model, channels, mirrors) for model in models])


def contributions(network: nn.Module, stage: str, batch: Tensor) -> Tensor:
    """Activation times gradient of the logit, summed over features: ``(n, gz, gy, gx)`` on the grid of ``stage``."""
    kept = {}

    def keep(_module: nn.Module, _inputs: tuple, output: Tensor) -> Tensor:
        kept["activation"] = output.detach().requires_grad_()
        return kept["activation"]

    hook = network.get_submodule(f"backbone.{stage}").register_forward_hook(keep)
    try:
        logit = learned_logits(network, batch)
    finally:
        hook.remove()
    (gradient,) = torch.autograd.grad(logit.sum(), kept["activation"])
    return (kept["activation"].detach() * gradient).sum(dim=1)


def _maps(model: DScoreNetwork, channels: np.ndarray, mirrors: Sequence) -> np.ndarray:
    """Maps of one network, ``(n, z, y, x)``."""
    device, shape = next(model.parameters()).device, channels.shape[2:]
    total = np.zeros((len(channels), *shape), np.float32)
    for start in range(0, len(channels), INFERENCE_BATCH):
        rows = slice(start, start + INFERENCE_BATCH)
        batch = as_tensor(channels[rows], device)
        for axes in mirrors:
            coarse = contributions(model, STAGE, as_batch(batch.flip(axes))).cpu().numpy()
            total[rows] += np.flip(spread(coarse, strided_weights(shape, coarse.shape[1:])), axes)
    return total / len(mirrors)
