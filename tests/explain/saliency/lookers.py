"""Networks built by hand that look for one thing, lesions to show them, and crops of the size they expect."""

from collections import OrderedDict

import numpy as np
import torch
from torch import nn

SHAPE = (32, 32, 32)
CENTRES = [(8, 8, 24), (24, 8, 8), (8, 24, 8), (24, 24, 24)]


class Looker(nn.Module):
    """Logit from the mean wash-in: strided layers average and hand on one carrier feature."""

    def __init__(self, carrier: int = 0, sign: float = 1.0) -> None:
        super().__init__()
        layers = [("conv1", self._layer(3, 2))]
        layers += [(f"layer{stage}", self._layer(4, 1 if stage == 1 else 2)) for stage in (1, 2, 3, 4)]
        self.backbone = nn.Sequential(OrderedDict(layers))
        self.head = nn.Linear(4, 1)
        with torch.no_grad():
            for weight in self.parameters():
                weight.zero_()
            self.backbone.conv1[0].weight[carrier, 1] = 1 / 27
            for stage in (1, 2, 3, 4):
                self.backbone.get_submodule(f"layer{stage}")[0].weight[carrier, carrier] = 1 / 27
            self.head.weight[0, carrier] = sign
        self.eval()

    def forward(self, channels):
        return self.head(self.backbone(channels).mean(dim=(2, 3, 4)))

    @staticmethod
    def _layer(features: int, stride: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv3d(features, 4, 3, stride=stride, padding=1, bias=False), nn.ReLU())


class Brightness(nn.Module):
    """Logit from the mean square of the wash-in, which blurring lowers where it varies; it counts what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.seen = nn.Parameter(torch.tensor(1000.0)), 0

    def forward(self, channels):
        self.seen += len(channels)
        return self.scale * (channels[:, 1] ** 2).mean(dim=(1, 2, 3))[:, None]


def blank(seed: int) -> Looker:
    """A network that has learned nothing."""
    network = Looker()
    torch.manual_seed(seed)
    for module in network.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return network


def lesions() -> tuple[np.ndarray, np.ndarray]:
    """Four crops with one bright ball each, far from the centre, and its mask."""
    grid = np.stack(np.meshgrid(*[np.arange(size) for size in SHAPE], indexing="ij"))
    mask = np.stack([((grid - np.reshape(centre, (3, 1, 1, 1))) ** 2).sum(0) < 7**2 for centre in CENTRES])
    channels = np.zeros((len(CENTRES), 3, *SHAPE), np.float16)
    channels[:, 0] = 1  # the pre-contrast image is bright everywhere and must not matter
    channels[:, 1] = 4 * mask
    return channels, mask.astype(np.uint8)
