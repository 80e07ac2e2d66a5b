"""Random changes of a lesion that leave its HER2 status what it is."""

from __future__ import annotations

import torch
from torch import Tensor

from her2study.study import Network

SPATIAL_AXES = (-3, -2, -1)
"""``z, y, x`` of a batch ``(n, channel, z, y, x)``."""


def augment(batch: Tensor, settings: Network, images: int, generator: torch.Generator) -> Tensor:
    """Flip, shift, re-scale and add noise to each lesion of a batch ``(n, channel, z, y, x)`` in its own random way.

    Flips along each axis and shifts up to ``shift_voxels`` leave a lesion what it is; a gain of each of the first
    ``images`` channels within 1 ± ``intensity_jitter``, and noise of up to ``noise``, are what another scanner or
    dose would change. There is no offset: zero wash-in and zero wash-out mean something. A mask only moves.
    """
    n, channel = batch.shape[:2]
    reach = settings.shift_voxels
    source = torch.zeros(n, 1, 1, 1, dtype=torch.long)  # flat position each voxel is taken from
    for axis in SPATIAL_AXES:
        size = batch.shape[axis]
        flipped = torch.rand(n, 1, generator=generator) < 0.5
        shift = torch.randint(-reach, reach + 1, (n, 1), generator=generator)
        position = torch.arange(size).expand(n, size)
        position = torch.where(flipped, size - 1 - position, position) + shift
        shape = [n, 1, 1, 1]
        shape[axis] = size
        source = source * size + position.clamp(0, size - 1).view(shape)  # beyond the border, its voxel is repeated
    taken = source.to(batch.device).view(n, 1, -1).expand(n, channel, -1)
    moved = batch.flatten(2).gather(2, taken).view_as(batch)
    gain = 1 + settings.intensity_jitter * (2 * torch.rand(n, images, 1, 1, 1, generator=generator) - 1)
    moved[:, :images] *= gain.to(batch.device)
    if settings.noise:
        spread = settings.noise * torch.rand(n, 1, 1, 1, 1, generator=generator)
        moved[:, :images] += (spread * torch.randn(moved[:, :images].shape, generator=generator)).to(batch.device)
    return moved
