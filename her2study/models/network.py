"""The D-score network: a small 3D ResNet (MONAI) beside a few measurements of the lesion.

The learned branch is trained by gradient descent::

    (n, seen, z, y, x) -> standardised -> stem, stride 2 -> four residual stages, strides 1, 2, 2, 2 ->
    mean over the remaining grid: features (n, widths[3]) -> dropout -> logit (n, 1)

What it is trained on is ``objective``. "labels": the HER2 status, end to end, from the images without the mask.
"measurements": a pretext task without labels (self-supervision; Doersch et al. 2015, arXiv:1505.05192). From images
and mask the features must tell what the measured branch measures of the lesion, measured anew on each augmented
lesion; the logit is then a ridge logistic regression on the features. A few hundred labels teach so small a
regression, and not a network.

The stem is a 3x3x3 convolution of stride 2 without max-pooling: MONAI's default (7x7x7, stride 1)
costs about ten times more on a CPU, and pooling would blur the rim, which is one or two voxels thin.
He et al. 2016, arXiv:1512.03385; Hara et al. 2018, arXiv:1711.09577.

The measured branch (:mod:`her2study.models.measured`) measures the lesion in its mask and weighs what it finds.
The D-score's logit is ``learned_share`` of the one branch and the rest of the other, on the measured one's scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import torch
from monai.networks.nets import ResNet
from torch import Tensor, nn

from her2study.models.measured import OF_MASSES, MeasuredBranch, fit_ridge
from her2study.models.measurement import MEASUREMENTS
from her2study.study import Network
from her2study.types import StudyError

CHANNELS = ("pre", "wash_in", "wash_out", "mask")
"""Input channels in order, if a study says nothing else."""

STAGES = ("layer1", "layer2", "layer3", "layer4")
"""Residual stages, shallow to deep, as named inside :class:`DScoreNetwork`."""

AT_ONCE = 32
"""Patients a step when nothing is trained."""


class DScoreNetwork(nn.Module):
    """Channels of a lesion to the logit of being HER2-positive.

    Parameters
    ----------
    settings : Network
        ``widths`` and ``layers`` of the four stages, the ``dropout`` before the last layer, ``objective``,
        ``learned_share``.
    channels : tuple of str
        What the input channels are, in order. The mask, if any, comes last. The measured branch sees it, and the
        convolutions if they are trained on measurements.
    """

    def __init__(self, settings: Network, channels: tuple[str, ...] = CHANNELS) -> None:
        super().__init__()
        if "mask" in channels[:-1]:
            raise StudyError(
                f"channels {', '.join(channels)}: the network gets the lesion's mask by itself, as the last channel: "
                "take 'mask' out of imaging.channels"
            )
        self.channels = tuple(channels)
        self.images = sum(name != "mask" for name in channels)
        self.repeats = settings.objective == "measurements"
        self.seen = len(self.channels) if self.repeats else self.images
        self.learned_share = settings.learned_share
        self.measured_strength, self.head_strength = settings.measured_strength, settings.head_strength
        self.backbone = ResNet(
            block="basic",
            layers=list(settings.layers),
            block_inplanes=list(settings.widths),
            n_input_channels=self.seen,
            conv1_t_size=3,
            conv1_t_stride=2,
            no_max_pool=True,
            feed_forward=False,
        )
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(settings.widths[-1], 1)
        nn.init.zeros_(self.head.bias)
        self.register_buffer("channel_mean", torch.zeros(1, self.seen, 1, 1, 1))
        self.register_buffer("channel_sd", torch.ones(1, self.seen, 1, 1, 1))
        if self.repeats or self.learned_share < 1:
            self.measured = MeasuredBranch(self.channels)
        if self.repeats:
            self.head.requires_grad_(False)
            self.repeat = nn.Linear(settings.widths[-1], len(MEASUREMENTS))
        if self.learned_share < 1:
            self.register_buffer("learned_mean", torch.zeros(1))
            self.register_buffer("learned_scale", torch.ones(1))  # to the spread of the measured logit
        self.to(memory_format=torch.channels_last_3d)  # a fifth faster on CPU, more on CUDA

    def forward(self, channels: Tensor) -> Tensor:
        """Logits ``(n, 1)`` of channels ``(n, channel, z, y, x)``; in training, what the loss asks for.

        That is the logit of the convolutions, or the measurements they repeat, ``(n, 9)``, standardised.
        """
        if self.training:
            return self.repeat(self.features(channels)) if self.repeats else self.learned_logit(channels)
        return self.combine(self.learned_logit(channels), self.measured_logit(channels))

    def features(self, channels: Tensor) -> Tensor:
        """What the convolutions make of a lesion, ``(n, widths[3])``; channels that they do not see may be missing."""
        return self.backbone((channels[:, : self.seen] - self.channel_mean) / self.channel_sd)

    def learned_logit(self, channels: Tensor) -> Tensor:
        """What the convolutions say, ``(n, 1)``."""
        return self.head(self.dropout(self.features(channels)))

    def measured_logit(self, channels: Tensor) -> Tensor:
        """What the measurements say, ``(n, 1)``; zero in a network without them. Mirroring changes nothing."""
        return channels.new_zeros(len(channels), 1) if self.learned_share == 1 else self.measured(channels)

    def combine(self, learned: Tensor, measured: Tensor) -> Tensor:
        """One logit of both, each ``(n, 1)``."""
        if self.learned_share == 1:
            return learned
        rescaled = (learned - self.learned_mean) * self.learned_scale
        return self.learned_share * rescaled + (1 - self.learned_share) * measured

    def standardise_like(self, channels: np.ndarray) -> None:
        """Take mean and spread of each channel that is seen from training patients ``(n, channel, z, y, x)``.

        Without it the pre-contrast image, several times the size of the wash-out, would drown it.
        """
        for channel in range(self.seen):
            voxels = channels[:, channel].astype(np.float32)
            self.channel_mean[:, channel] = float(voxels.mean(dtype=np.float64))
            self.channel_sd[:, channel] = max(float(voxels.std(dtype=np.float64)), 1e-3)

    @torch.no_grad()
    def fit_head(self, channels: np.ndarray, labels: np.ndarray) -> None:
        """Fit the last layer of convolutions that were trained without labels: ridge logistic regression."""
        self.eval()
        fit_ridge(self.head, self.over(channels, self.features), labels, self.head_strength)

    @torch.no_grad()
    def fit_measured(
        self, channels: np.ndarray, labels: np.ndarray, mass: np.ndarray | None, unseen: np.ndarray
    ) -> None:
        """Fit the measured branch, after the learned one; the network is then ready for inference.

        Parameters
        ----------
        channels, labels : array (n, channel, z, y, x), (n,)
            All training patients of the fold.
        mass : array (n,), optional
            Share of readers who call the lesion a mass; NaN where nobody said. None: all are masses.
        unseen : array (m, channel, z, y, x)
            Training patients from whom the convolutions did not learn: the spread of their logits there, without
            their labels, sets the scale of the learned branch.
        """
        self.eval()
        if self.learned_share == 1:
            return
        measurements = self.over(channels, self.measured.measure)
        self.measured.fit(measurements, labels, mass, self.measured_strength)
        own = self.measured.head(self.measured.evidence(measurements))
        learned = self.over(unseen, self.learned_logit)
        self.learned_mean.copy_(learned.mean(0))
        self.learned_scale.copy_(own.std(0) / learned.std(0, correction=0).clamp(min=1e-3))

    @torch.no_grad()
    def measure_like(self, channels: np.ndarray) -> None:
        """Take mean and spread of each measurement from training patients: the scale of what is repeated."""
        self.measured.standardise_like(self.over(channels, self.measured.measure))

    @torch.no_grad()
    def to_repeat(self, channels: Tensor) -> Tensor:
        """What the convolutions should tell of these channels ``(n, channel, z, y, x)``: ``(n, 9)``, standardised."""
        return self.measured.standardised(self.measured.measure(channels))

    def over(self, channels: np.ndarray, function: Callable[[Tensor], Tensor]) -> Tensor:
        """``function`` of many patients, some at a time."""
        device = self.head.weight.device
        parts = (channels[start : start + AT_ONCE] for start in range(0, len(channels), AT_ONCE))
        return torch.cat([function(torch.from_numpy(np.asarray(part, np.float32)).to(device)) for part in parts])


def with_mask(channels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Channels ``(n, channel, z, y, x)`` with the lesion masks ``(n, z, y, x)`` as one more, the last."""
    return np.concatenate([channels, mask[:, None].astype(channels.dtype)], axis=1)


def weights_to_arrays(network: nn.Module) -> dict[str, np.ndarray]:
    """All parameters and running statistics by name, for ``Run.save_arrays``."""
    return {name: value.detach().cpu().contiguous().numpy() for name, value in network.state_dict().items()}


def network_from_arrays(
    settings: Network, arrays: Mapping[str, np.ndarray], channels: tuple[str, ...] = CHANNELS
) -> DScoreNetwork:
    """A network ready for inference from what :func:`weights_to_arrays` gave."""
    network = DScoreNetwork(settings, channels)
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    # safetensors keeps counters as arrays of one element; the network wants them without an axis
    state = {
        name: torch.from_numpy(np.array(value)).reshape(shapes.get(name, value.shape)) for name, value in arrays.items()
    }
    network.load_state_dict(state)
    return network.eval()


def describe(network: DScoreNetwork, crop_voxels: tuple[int, int, int]) -> pd.DataFrame:
    """What each layer gives out and costs: the data of figure ``network``.

    Returns
    -------
    DataFrame
        ``order, branch, layer, output, parameters, detail``; ``output`` is channels x z x y x x; layers of one
        ``branch`` (0 the input, 1 learned, 2 measured) stand behind one another, and each starts from the input.
    """
    backbone, share = network.backbone, network.learned_share
    named = [
        ("Stem", (backbone.conv1, backbone.bn1), backbone.bn1, "3x3x3 convolution, stride 2, batch norm, ReLU"),
        *(
            (f"Stage {number}", (stage,), stage, _stage_detail(stage))
            for number, stage in enumerate((getattr(backbone, name) for name in STAGES), start=1)
        ),
        ("Pooling", (), backbone.avgpool, "mean over the grid"),
        ("Head", (network.head,), network.head, _head_detail(network)),
    ]
    learned = len(named)
    if share < 1:
        measured, weighed = network.measured, ", ".join(OF_MASSES)
        named += [
            ("Measurements", (), measured.measure, "of the lesion in its mask"),
            ("Lesion type", (measured.mass,), measured.mass, f"mass or not; weighs {weighed}"),
            ("Measured head", (measured.head,), measured.head, f"logistic regression; {1 - share:.0%} of the logit"),
        ]
    outputs: dict[nn.Module, tuple[int, ...]] = {}
    hooks = [
        module.register_forward_hook(lambda module, _, output: outputs.update({module: tuple(output.shape[1:])}))
        for _, _, module, _ in named
    ]
    training = network.training
    with torch.inference_mode():
        network.eval()(torch.zeros(1, len(network.channels), *crop_voxels, device=network.head.weight.device))
    network.train(training)
    for hook in hooks:
        hook.remove()
    rows = [("Input", (len(network.channels), *crop_voxels), 0, ", ".join(network.channels).replace("_", "-"))]
    for layer, owners, module, detail in named:
        parameters = sum(weight.numel() for owner in owners for weight in owner.parameters())
        rows.append((layer, outputs[module], parameters, detail))
    return pd.DataFrame(
        {
            "order": range(len(rows)),
            "branch": [0] + [1] * learned + [2] * (len(named) - learned),
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


def _head_detail(network: DScoreNetwork) -> str:
    fitted = "ridge logistic regression" if network.repeats else f"dropout {network.dropout.p:g}"
    return f"{fitted}; {network.learned_share:.0%} of the logit"
