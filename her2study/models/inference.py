"""Asking a trained network for logits."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
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

FULL_ROWS = 8
"""A step is filled up to a multiple of so many patients: the last rows of an odd number are summed in another order,
and a patient's last digit would depend on who is scored with her."""


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
    ask = logit or exact_logit(network)
    logits = []
    with torch.inference_mode():
        for start in range(0, len(channels), INFERENCE_BATCH):
            part = channels[start : start + INFERENCE_BATCH]
            full = np.concatenate([part, np.repeat(part[-1:], -len(part) % FULL_ROWS, axis=0)])
            batch = as_batch(as_tensor(full, device))
            found = sum(ask(batch.flip(axes)).double() for axes in flips) / len(flips)
            if logit is None:  # mirroring changes no measurement
                found = network.combine(found, _measured(network, batch))
            logits.append(found[: len(part), 0])
    network.train(training)
    return torch.cat(logits).cpu().numpy()


def exact_logit(network: DScoreNetwork) -> Callable[[Tensor], Tensor]:
    """What the convolutions say, ``(n, 1)``: their features as they are, the last layer in float64.

    A sum in float32 has other last digits in another row of the batch; features have not.
    """
    head = deepcopy(network.head).double()
    return lambda batch: head(network.features(batch).double())


def _measured(network: DScoreNetwork, batch: Tensor) -> Tensor:
    """What the measurements say, ``(n, 1)``: measured as they are, weighed in float64."""
    if network.learned_share == 1:
        return batch.new_zeros(len(batch), 1, dtype=torch.float64)
    weigh = deepcopy(network.measured).double()
    return weigh.head(weigh.evidence(network.measured.measure(batch).double()))
