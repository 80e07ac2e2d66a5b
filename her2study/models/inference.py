"""Asking a trained network for logits."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from her2study.models.device import as_batch, as_tensor
from her2study.models.network import DScoreNetwork

SPATIAL_AXES = (-3, -2, -1)
"""``z, y, x`` of a batch ``(n, channel, z, y, x)``."""

INFERENCE_BATCH = 32
"""Patients a step when nothing is learned; fixed, so that results do not depend on the caller."""


def predict_logits(
    network: DScoreNetwork,
    channels: np.ndarray,
    average_flips: bool,
    logit: Callable[[Tensor], Tensor] | None = None,
) -> np.ndarray:
    """Logits ``(n,)`` in float64, averaged over the eight mirror images if ``average_flips``.

    ``logit`` gives ``(n, 1)`` for a batch ``(n, channel, z, y, x)``: the network itself, or another of its answers.
    """
    device = next(network.parameters()).device
    mirrored = [axes for count in range(4) for axes in combinations(SPATIAL_AXES, count)]
    flips = mirrored if average_flips else [()]
    training = network.training
    network.eval()
    logits = []
    with torch.inference_mode():
        for start in range(0, len(channels), INFERENCE_BATCH):
            batch = as_batch(as_tensor(channels[start : start + INFERENCE_BATCH], device))
            found = sum((logit or network.learned_logit)(batch.flip(axes)).double() for axes in flips) / len(flips)
            if logit is None:  # mirroring changes no measurement
                found = network.combine(found, network.measured_logit(batch).double())
            logits.append(found[:, 0])
    network.train(training)
    return torch.cat(logits).cpu().numpy()
