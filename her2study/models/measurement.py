"""What a radiologist would measure on a lesion, as a layer of the network without weights.

Distances are Euclidean, in voxels of the isotropic crop, from the outline of the lesion's mask; signals are in units
of the lesion's own signal before contrast, as the channels are. A mirrored lesion measures the same.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from her2study.types import StudyError

INPUTS = ("pre", "wash_in", "wash_out", "mask")
"""Channels that the measurements need."""

MEASUREMENTS = {
    "wash_out": "late over early enhancement of the lesion (log)",
    "peritumoural": "enhancement 1-3 voxels outside the lesion, over background and the lesion's own (log)",
    "size": "longest half-axis (log)",
    "heterogeneity": "spread of log wash-in at equal depth (log)",
    "surface": "surface for its volume (log)",
    "rim": "wash-in of the outer two voxels over the inner part (log)",
    "volume": "volume (log)",
    "elongation": "shortest to longest axis (log)",
    "flatness": "middle to longest axis (log)",
}
"""Name and meaning, in the order in which :class:`Measurements` gives them."""

REACH, DEPTHS = 8, 6
"""How far from the outline distances are exact: outwards and inwards, voxels."""

BACKGROUND_TAKEN = 0.8
"""Share of the enhancement 6-8 voxels away that is taken off the peritumoural one before its logarithm."""

AIR = 0.1
"""Of the lesion's signal before contrast: darker voxels are air and no background."""

AT_ONCE = 4
"""Lesions measured together: their working arrays then fit into a processor's cache."""


class Measurements(nn.Module):
    """Measurements ``(n, 9)`` of channels ``(n, channel, z, y, x)``, whose order ``channels`` names."""

    def __init__(self, channels: tuple[str, ...]) -> None:
        super().__init__()
        if lacking := [name for name in INPUTS if name not in channels]:
            raise StudyError(
                f"the measured part of the D-score needs the channels {', '.join(INPUTS)}; {lacking[0]!r} is not among "
                f"{', '.join(channels)}: add it to imaging.channels, or set network.learned_share to 1 and "
                "network.objective to labels"
            )
        self.inputs = [channels.index(name) for name in INPUTS]

    def forward(self, channels: Tensor) -> Tensor:
        """Finite for every input, an empty mask included."""
        return torch.cat([self.at_once(part) for part in channels.split(AT_ONCE)])

    def at_once(self, channels: Tensor) -> Tensor:
        """The same without parts, in one graph for any number of lesions."""
        return _measure(*channels[:, self.inputs].float().unbind(1))


def _measure(pre: Tensor, wash_in: Tensor, wash_out: Tensor, mask: Tensor) -> Tensor:
    lesion = (mask > 0.5).float()
    outside, depth = _distance(lesion, REACH), _distance(1 - lesion, DEPTHS) * lesion
    voxels = lesion.sum((1, 2, 3)).clamp(min=1)
    early = _mean(wash_in, lesion).clamp(min=0.02)
    late = (early + _mean(wash_out, lesion)).clamp(min=0.02)

    body = (pre > AIR).float()
    near, far = (_mean(wash_in, _between(outside, *ring) * body) / early for ring in ((1, 3), (6, REACH)))
    above = (near - BACKGROUND_TAKEN * far).clamp(min=0.03)

    layers = [_between(depth, k, k + 1) for k in range(DEPTHS - 1)] + [(depth > DEPTHS - 1).float()]
    signal = torch.log(wash_in.clamp(min=0.05))
    uneven = signal - sum(layer * _mean(signal, layer)[:, None, None, None] for layer in layers)
    spread = _mean(uneven**2, lesion).sqrt()

    outer = layers[0] + layers[1]
    inner = _mean(wash_in, lesion - outer + 1e-4 * lesion)  # a lesion without an inner part is its own
    faces = sum(torch.diff(lesion, dim=axis).abs().sum((1, 2, 3)) for axis in (1, 2, 3)).clamp(min=1)
    shortest, middle, longest = _axes(lesion, voxels).unbind(1)
    measured = {
        "wash_out": torch.log(late / early),
        "peritumoural": torch.log(above),
        "size": torch.log(longest) / 2,
        "heterogeneity": torch.log(spread + 0.01),
        "surface": torch.log(faces / voxels ** (2 / 3)),
        "rim": torch.log(_mean(wash_in, outer).clamp(min=0.02) / inner.clamp(min=0.02)),
        "volume": torch.log(voxels),
        "elongation": torch.log(shortest / longest) / 2,
        "flatness": torch.log(middle / longest) / 2,
    }
    return torch.stack([measured[name] for name in MEASUREMENTS], dim=1)


def _distance(region: Tensor, reach: int) -> Tensor:
    """Euclidean distance to ``region``, voxels, exact up to ``reach`` and more than it beyond.

    Axis by axis, the lower envelope of parabolas over a window (Felzenszwalb & Huttenlocher 2012). Squares fit into
    a byte up to a reach of 10, and a processor takes many bytes at once.
    """
    far = (reach + 1) ** 2
    squared = ((1 - region) * far).to(torch.uint8)
    for axis in (1, 2, 3):
        size, nearest = squared.shape[axis], squared
        padding = [0] * (6 - 2 * axis) + [reach, reach] + [0] * (2 * axis - 2)
        around = pad(squared, padding, value=far)
        for step in range(1, reach + 1):
            sides = (around.narrow(axis, start, size) for start in (reach - step, reach + step))
            nearest = torch.minimum(nearest, torch.minimum(*sides) + step**2)
        squared = nearest
    return squared.float().sqrt()


def _between(distance: Tensor, low: float, high: float) -> Tensor:
    return ((distance > low) & (distance <= high)).float()


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean over the grid, ``(n,)``; 0 where nothing weighs."""
    return (values * weights).sum((1, 2, 3)) / weights.sum((1, 2, 3)).clamp(min=1e-6)


def _axes(lesion: Tensor, voxels: Tensor) -> Tensor:
    """Eigenvalues of the covariance of the lesion's voxel positions, ascending, ``(n, 3)``; a voxel has a size too."""
    along = [torch.arange(n, dtype=lesion.dtype, device=lesion.device) for n in lesion.shape[1:]]
    position = torch.cartesian_prod(*along).T  # (3, voxels)
    share = lesion.flatten(1) / voxels[:, None]
    middle = share @ position.T
    centred = position - middle[:, :, None]
    covariance = (share[:, None] * centred) @ centred.mT
    return eigenvalues(covariance.double() + torch.eye(3, dtype=torch.float64, device=lesion.device) / 12).float()


def eigenvalues(symmetric: Tensor) -> Tensor:
    """Eigenvalues of symmetric matrices ``(n, 3, 3)`` in float64, ascending, ``(n, 3)``.

    In closed form (Smith 1961, Communications of the ACM 4:168), so that it can be written as ONNX, which knows no
    decomposition. The arc sine is float32, as ONNX's runtime has it, of an argument where that costs 7 digits at most.
    """
    middle = symmetric.diagonal(dim1=1, dim2=2).mean(1)
    centred = symmetric - middle[:, None, None] * torch.eye(3, dtype=symmetric.dtype, device=symmetric.device)
    spread = ((centred**2).sum((1, 2)) / 6).sqrt().clamp(min=1e-30)
    first, second, third = (centred / spread[:, None, None]).unbind(1)
    ratio = ((first * torch.linalg.cross(second, third)).sum(1) / 2).clamp(-1, 1)  # half the determinant
    acute = 2 * torch.asin(((1 - ratio.abs()) / 2).sqrt().float()).double()
    angle = torch.where(ratio < 0, math.pi - acute, acute) / 3
    largest = middle + 2 * spread * torch.cos(angle)
    smallest = middle + 2 * spread * torch.cos(angle + 2 * math.pi / 3)
    return torch.stack([smallest, 3 * middle - smallest - largest, largest], dim=1)
