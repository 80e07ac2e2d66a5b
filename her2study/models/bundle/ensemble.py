"""The whole D-score as one network: channels of a lesion to a calibrated probability.

It is what the study does with its fold networks, in one graph that other programs can run: each mirror image to each
network, the mean logit, beside it what is measured, the mean over the networks, the recalibration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

from her2study.models.inference import SPATIAL_AXES
from her2study.models.network import DScoreNetwork
from her2study.study import Network

AXES = [axes for count in range(4) for axes in combinations(SPATIAL_AXES, count)]
"""The eight mirror images."""


class DScoreEnsemble(nn.Module):
    """Channels ``(n, channel, z, y, x)`` to the D-score ``(n, 1)``.

    Parameters
    ----------
    networks : sequence of DScoreNetwork
        One a fold.
    average_flips : bool
        Whether each lesion is seen in all its mirror images.
    intercept, slope : float
        Of the recalibration.
    """

    def __init__(self, networks: Sequence[DScoreNetwork], average_flips: bool, intercept: float, slope: float) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.average_flips = average_flips
        self.register_buffer("intercept", torch.tensor(intercept, dtype=torch.float64))
        self.register_buffer("slope", torch.tensor(slope, dtype=torch.float64))
        self.eval().requires_grad_(False)

    def forward(self, channels: Tensor) -> Tensor:
        """Calibrated probabilities ``(n, 1)``, float32."""
        mirrored = torch.cat([channels.flip(axes) for axes in AXES]) if self.average_flips else channels
        measured = self._measured(channels)
        logits = [
            network.combine(network.learned_logit(mirrored).double().unflatten(0, (-1, channels.shape[0])).mean(0), own)
            for network, own in zip(self.networks, measured, strict=True)
        ]
        return torch.sigmoid(self.intercept + self.slope * torch.stack(logits).mean(0)).float()

    def _measured(self, channels: Tensor) -> list[Tensor]:
        """What the measurements, the same for all and in every mirror image, say to each network: ``(n, 1)``."""
        if self.networks[0].learned_share == 1:
            return [channels.new_zeros(channels.shape[0], 1, dtype=torch.float64) for _ in self.networks]
        measurements = self.networks[0].measured.measure.at_once(channels)
        branches = [network.measured for network in self.networks]
        return [branch.head(branch.evidence(measurements)).double() for branch in branches]


def load_ensemble(weights: str, network: Mapping[str, object], channels: Sequence[str], folds: int) -> DScoreEnsemble:
    """The ensemble of a weights file and plain settings, as the configuration of a MONAI bundle names them.

    Parameters
    ----------
    weights : str
        safetensors file of an ensemble's state.
    network : dict
        Settings of the fold networks.
    """
    from safetensors.torch import load_file

    settings = Network(**network)
    networks = [DScoreNetwork(settings, tuple(channels)) for _ in range(folds)]
    ensemble = DScoreEnsemble(networks, settings.average_flips, 0.0, 1.0)
    ensemble.load_state_dict(load_file(weights))
    return ensemble
