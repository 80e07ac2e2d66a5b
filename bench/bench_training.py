"""Speed of the training loop beside a tutorial's, as a ratio in one run: ``make bench``.

Both train the same network (the first study's, full profile) on the same volumes, one thread each; rounds
alternate, and the fastest of each counts. The tutorial loop is what MONAI's 3D classification tutorials do: a
``DataLoader`` over a ``Dataset`` of dictionaries with a ``Compose`` of random transforms for each patient, AdamW, the
usual memory layout. It gets the cheapest transforms that do what ours do, and no or two loading processes, whichever
is faster. Ours also averages its weights, which the tutorial does not.
"""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from monai import transforms
from monai.data import DataLoader, Dataset
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from her2study.models.device import Ranks, as_batch, best_device, deterministic
from her2study.models.loop import TrainingLoop
from her2study.models.network import DScoreNetwork
from her2study.study import Network, load_study

PATIENTS = 96
ROUNDS = 6


def main() -> None:
    """Print samples a second of both loops, their ratio, and the share of the processor's ceiling."""
    study = load_study("hong2025")
    settings, device = study.network, best_device()
    channels, labels = _patients(study.imaging.crop_voxels)
    with deterministic(study.seed):
        torch.use_deterministic_algorithms(False)  # the tutorial does not ask for it; ours does, below
        ours = _our_epoch(channels, labels, settings, device)
        peers = {workers: _tutorial_epoch(channels, labels, settings, device, workers) for workers in (0, 2)}
        seconds: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            torch.use_deterministic_algorithms(True)
            seconds.setdefault("ours", []).append(_timed(ours, device))
            torch.use_deterministic_algorithms(False)
            for workers, epoch in peers.items():
                seconds.setdefault(f"{workers} loading processes", []).append(_timed(epoch, device))
        rates = {name: PATIENTS / min(times) for name, times in seconds.items()}
        flops, ceiling = _flops_a_patient(channels, settings, device), _ceiling(device)
    mine = rates.pop("ours")
    best = max(rates, key=lambda name: rates[name])
    rest = ", ".join(f"{rate:.0f} with {name}" for name, rate in rates.items())
    share = f"{mine * flops / ceiling:.0%} of the {ceiling / 1e9:.0f} GFLOP/s of a large matrix product"
    print(
        f"training on {device.type}: {mine:.0f} samples/s ({share}) v. a MONAI/PyTorch tutorial loop ({rest}): "
        f"{mine / rates[best]:.1f} times faster",
        flush=True,
    )


def _our_epoch(
    channels: np.ndarray, labels: np.ndarray, settings: Network, device: torch.device
) -> Callable[[], object]:
    network = DScoreNetwork(settings)
    network.standardise_like(channels)
    loop = TrainingLoop(network.to(device), channels, labels, settings, Ranks())
    return loop.learn_once


def _tutorial_epoch(
    channels: np.ndarray, labels: np.ndarray, settings: Network, device: torch.device, workers: int
) -> Callable[[], object]:
    """The same network in PyTorch's usual layout, fed by a loader that transforms each patient."""
    network = DScoreNetwork(settings)
    network.standardise_like(channels)
    network = copy.deepcopy(network).to(device, memory_format=torch.contiguous_format).train()
    patients = [
        {"image": image, "label": label} for image, label in zip(channels, labels.astype(np.float32), strict=True)
    ]
    reach, jitter = settings.shift_voxels, settings.intensity_jitter
    augmented = transforms.Compose(
        [
            transforms.EnsureTyped(keys="image", dtype=torch.float32, track_meta=False),
            *(transforms.RandFlipd(keys="image", prob=0.5, spatial_axis=axis) for axis in range(3)),
            transforms.BorderPadd(keys="image", spatial_border=reach, mode="edge"),
            transforms.RandSpatialCropd(keys="image", roi_size=channels.shape[2:], random_size=False),
            transforms.RandScaleIntensityd(keys="image", prob=1.0, factors=jitter, channel_wise=True),
        ]
    )
    loader = DataLoader(
        Dataset(patients, augmented),
        batch_size=settings.batch_size,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=device.type == "cuda",
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    loss_of = nn.BCEWithLogitsLoss()

    def epoch() -> float:
        total = 0.0
        for batch in loader:
            images, targets = batch["image"].to(device), batch["label"].to(device)
            optimiser.zero_grad()
            loss = loss_of(network(images)[:, 0], targets)
            loss.backward()
            optimiser.step()
            total += loss.item()
        return total

    return epoch


def _timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of one epoch, the card's queue included."""
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def _flops_a_patient(channels: np.ndarray, settings: Network, device: torch.device) -> float:
    """Operations of one patient forwards and backwards, as torch counts them."""
    network = DScoreNetwork(settings).to(device)
    batch = as_batch(torch.from_numpy(channels[:2]).float().to(device))
    with FlopCounterMode(display=False) as counter:
        network(batch).sum().backward()
    return counter.get_total_flops() / 2


def _ceiling(device: torch.device) -> float:
    """Operations a second of a large matrix product: float32 on a CPU, bfloat16 on a card."""
    size, kind = (8192, torch.bfloat16) if device.type == "cuda" else (2048, torch.float32)
    a = torch.rand(size, size, dtype=kind, device=device)
    return 2 * size**3 / min(_timed(lambda: a @ a, device) for _ in range(5))


def _patients(crop_voxels: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Channels in half precision, as the store of notebook 02 gives them, and labels."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(PATIENTS, 3, *crop_voxels)).astype(np.float16), rng.permutation(PATIENTS) % 2


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning, module="monai")
    main()
