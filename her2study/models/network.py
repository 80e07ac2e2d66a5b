"""The D-score network: a small 3D ResNet (MONAI) on lesion-centred MRI channels.

``(n, 3, z, y, x)`` -> standardised channels -> stem, stride 2 -> four residual stages, strides 1, 2, 2, 2 ->
mean over the remaining grid -> dropout -> one logit per patient, ``(n, 1)``.

The stem is a 3x3x3 convolution of stride 2 without max-pooling: MONAI's default (7x7x7, stride 1)
costs about ten times more on a CPU, and pooling would blur the rim, which is one or two voxels thin.
He et al. 2016, arXiv:1512.03385; Hara et al. 2018, arXiv:1711.09577.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from monai.networks.nets import ResNet
from torch import Tensor, nn

from her2study.study import Network

CHANNELS = ("pre-contrast", "wash-in", "wash-out")
"""Meaning of the input channels, in order."""

STAGES = ("layer1", "layer2", "layer3", "layer4")
"""Residual stages, shallow to deep, as named inside :class:`DScoreNetwork`."""


class DScoreNetwork(nn.Module):
    """Channels of a lesion to the logit of being HER2-positive.

    Parameters
    ----------
    settings : Network
        ``widths`` and ``layers`` of the four stages and the ``dropout`` before the last layer.
    """

    def __init__(self, settings: Network) -> None:
        super().__init__()
        self.backbone = ResNet(
            block="basic",
            layers=list(settings.layers),
            block_inplanes=list(settings.widths),
            n_input_channels=len(CHANNELS),
            conv1_t_size=3,
            conv1_t_stride=2,
            no_max_pool=True,
            feed_forward=False,
        )
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(settings.widths[-1], 1)
        nn.init.zeros_(self.head.bias)
        self.register_buffer("channel_mean", torch.zeros(1, len(CHANNELS), 1, 1, 1))
        self.register_buffer("channel_sd", torch.ones(1, len(CHANNELS), 1, 1, 1))
        self.to(memory_format=torch.channels_last_3d)  # a fifth faster on CPU, more on CUDA

    def forward(self, channels: Tensor) -> Tensor:
        """Logits ``(n, 1)`` of channels ``(n, 3, z, y, x)``."""
        standardised = (channels - self.channel_mean) / self.channel_sd
        features = self.backbone(standardised)  # (n, widths[3])
        return self.head(self.dropout(features))

    def standardise_like(self, channels: np.ndarray) -> None:
        """Take mean and spread of each channel from training patients ``(n, 3, z, y, x)``.

        Without it the pre-contrast image, several times the size of the wash-out, would drown it.
        """
        for channel in range(len(CHANNELS)):
            voxels = channels[:, channel].astype(np.float32)
            self.channel_mean[:, channel] = float(voxels.mean(dtype=np.float64))
            self.channel_sd[:, channel] = max(float(voxels.std(dtype=np.float64)), 1e-3)


def weights_to_arrays(network: nn.Module) -> dict[str, np.ndarray]:
    """All parameters and running statistics by name, for ``Run.save_arrays``."""
    return {name: value.detach().cpu().contiguous().numpy() for name, value in network.state_dict().items()}


def network_from_arrays(settings: Network, arrays: Mapping[str, np.ndarray]) -> DScoreNetwork:
    """A network ready for inference from what :func:`weights_to_arrays` gave."""
    network = DScoreNetwork(settings)
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    # safetensors keeps counters as arrays of one element; the network wants them without an axis
    state = {name: torch.from_numpy(np.array(value)).reshape(shapes[name]) for name, value in arrays.items()}
    network.load_state_dict(state)
    return network.eval()


def describe(network: DScoreNetwork, crop_voxels: tuple[int, int, int]) -> pd.DataFrame:
    """What each layer gives out and costs: the data of figure ``network``.

    Returns
    -------
    DataFrame
        ``order, layer, output, parameters, detail``; ``output`` is channels x z x y x x.
    """
    backbone = network.backbone
    named = [
        ("Stem", (backbone.conv1, backbone.bn1), backbone.bn1, "3x3x3 convolution, stride 2, batch norm, ReLU"),
        *(
            (f"Stage {number}", (stage,), stage, _stage_detail(stage))
            for number, stage in enumerate((getattr(backbone, name) for name in STAGES), start=1)
        ),
        ("Pooling", (), backbone.avgpool, "mean over the grid"),
        ("Head", (network.head,), network.head, f"dropout {network.dropout.p:g}, one logit"),
    ]
    outputs: dict[nn.Module, tuple[int, ...]] = {}
    hooks = [
        module.register_forward_hook(lambda module, _, output: outputs.update({module: tuple(output.shape[1:])}))
        for _, _, module, _ in named
    ]
    training = network.training
    with torch.inference_mode():
        network.eval()(torch.zeros(1, len(CHANNELS), *crop_voxels, device=network.head.weight.device))
    network.train(training)
    for hook in hooks:
        hook.remove()
    rows = [("Input", (len(CHANNELS), *crop_voxels), 0, ", ".join(CHANNELS))]
    for layer, owners, module, detail in named:
        parameters = sum(weight.numel() for owner in owners for weight in owner.parameters())
        rows.append((layer, outputs[module], parameters, detail))
    return pd.DataFrame(
        {
            "order": range(len(rows)),
            "layer": [row[0] for row in rows],
            "output": [" x ".join(str(size) for size in row[1]) for row in rows],
            "parameters": [row[2] for row in rows],
            "detail": [row[3] for row in rows],
        }
    )


def _stage_detail(stage: nn.Sequential) -> str:
    """A residual stage in words."""
    blocks = f"{len(stage)} residual block{'s' if len(stage) > 1 else ''} of two 3x3x3 convolutions"
    return f"{blocks}, stride {stage[0].stride}"
