"""Training one fold of the D-score network, and asking a trained network for logits.

Cross-fitting: the network of fold ``k`` learns from development patients of the other folds. A
part of *those* (the inner split, stratified by centre and label) watches the training; the held-out
fold and the internal and external patients are never looked at. Weights are an exponential moving
average over steps (Polyak & Juditsky 1992; torch's ``AveragedModel``).

Same seed, same bytes: one thread, deterministic kernels, and random numbers that belong to the fit.
The same code runs on CPU and CUDA.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedShuffleSplit
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from her2study.models.network import DScoreNetwork
from her2study.progress import progress
from her2study.study import Network
from her2study.types import StudyError

SPATIAL_AXES = (-3, -2, -1)
"""``z, y, x`` of a batch ``(n, channel, z, y, x)``."""

INFERENCE_BATCH = 32
"""Patients a step when nothing is learned; fixed, so that results do not depend on the caller."""


class FoldFit(NamedTuple):
    """What training one fold gives."""

    network: DScoreNetwork
    """Ready for inference."""
    curve: pd.DataFrame
    """``fold, epoch, train_loss, inner_loss, inner_auc, chosen``: data of figure ``learning_curves``."""
    trained_on: pd.DataFrame
    """``patient_id, use``: everyone this network has seen, for learning (``train``) or watching (``inner``)."""


def fit_fold(channels: np.ndarray, splits: pd.DataFrame, fold: int, settings: Network, seed: int) -> FoldFit:
    """Train the network that may score development fold ``fold``.

    Parameters
    ----------
    channels : array (n, 3, z, y, x)
        Normalised channels of all patients, in the row order of ``splits``.
    splits : DataFrame
        ``patient_id, centre, label, split, fold``.
    fold : int
        The development fold that is held out.
    settings : Network
        Architecture and training.
    seed : int
        Of the study; the fold is mixed in.

    Raises
    ------
    StudyError
        The fold does not exist, or the training part holds one label only.
    """
    development = splits["split"].to_numpy() == "development"
    held_out = development & (splits["fold"].to_numpy() == fold)
    if not held_out.any():
        known = sorted(splits.loc[development, "fold"].unique().tolist())
        raise StudyError(f"fold {fold} holds no development patient; this study has the folds {known}: use one of them")
    candidates = np.flatnonzero(development & ~held_out)
    learn, watch = inner_split(splits.iloc[candidates], settings.inner_fraction, [seed, fold])
    learn, watch = candidates[learn], candidates[watch]
    labels = splits["label"].to_numpy()
    with deterministic(seed, fold):
        network, curve = _train(channels, labels, learn, watch, settings, what=f"D-score without fold {fold}")
    use = pd.Series("train", index=splits["patient_id"].iloc[np.sort(np.concatenate([learn, watch]))])
    use[splits["patient_id"].iloc[watch]] = "inner"
    trained_on = use.rename("use").rename_axis("patient_id").reset_index().sort_values("patient_id", ignore_index=True)
    return FoldFit(network, curve.assign(fold=fold)[["fold", *curve.columns]], trained_on)


def check_same_patients(volume_index: pd.DataFrame, splits: pd.DataFrame) -> None:
    """Refuse a volume store whose rows are not the patients of ``splits``, in the same order."""
    stored, wanted = volume_index["patient_id"].tolist(), splits["patient_id"].tolist()
    if stored != wanted:
        row = next((row for row, pair in enumerate(zip(stored, wanted, strict=False)) if pair[0] != pair[1]), None)
        where = f"row {row} is {stored[row]!r} and {wanted[row]!r}" if row is not None else "one is longer"
        raise StudyError(
            f"volume_index lists {len(stored)} patients and splits {len(wanted)}, and they differ ({where}): they must "
            "be the same patients in the same order; run 01_cohort and 02_imaging again"
        )


def inner_split(patients: pd.DataFrame, fraction: float, seed: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of ``patients`` to learn from and to watch with, stratified by centre and label.

    Strata with a single patient are pooled by label, so that every label is in both parts.
    """
    if patients["label"].nunique() < 2:
        only = patients["label"].iloc[0]
        raise StudyError(
            f"all {len(patients)} training patients have label {only}: a network needs both; use fewer folds "
            "or more patients"
        )
    stratum = patients["centre"].astype(str) + "|" + patients["label"].astype(str)
    counts = stratum.map(stratum.value_counts())
    if (counts < 2).any() or round(fraction * len(patients)) < stratum.nunique():
        stratum = patients["label"].astype(str)
    watching = max(round(fraction * len(patients)), stratum.nunique())
    state = int(np.random.default_rng(seed).integers(2**31))
    splitter = StratifiedShuffleSplit(n_splits=1, test_size=watching, random_state=state)
    learn, watch = next(splitter.split(stratum, stratum))
    return np.sort(learn), np.sort(watch)


def augment(batch: Tensor, settings: Network, generator: torch.Generator) -> Tensor:
    """Flip, shift and re-scale each lesion of a batch ``(n, channel, z, y, x)`` in its own random way.

    Flips along each axis and shifts up to ``shift_voxels`` leave a lesion what it is; a gain of each
    channel within 1 ± ``intensity_jitter`` is what another scanner or dose would change. There is no
    offset: zero wash-in and zero wash-out mean something.
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
    gain = 1 + settings.intensity_jitter * (2 * torch.rand(n, channel, 1, 1, 1, generator=generator) - 1)
    return moved * gain.to(batch.device)


def predict_logits(network: nn.Module, channels: np.ndarray, average_flips: bool) -> np.ndarray:
    """Logits ``(n,)`` in float64, averaged over the eight mirror images if ``average_flips``."""
    device = next(network.parameters()).device
    mirrored = [axes for count in range(4) for axes in combinations(SPATIAL_AXES, count)]
    flips = mirrored if average_flips else [()]
    training = network.training
    network.eval()
    logits = []
    with torch.inference_mode():
        for start in range(0, len(channels), INFERENCE_BATCH):
            batch = as_batch(as_tensor(channels[start : start + INFERENCE_BATCH], device))
            logits.append(sum(network(batch.flip(axes))[:, 0].double() for axes in flips) / len(flips))
    network.train(training)
    return torch.cat(logits).cpu().numpy()


def as_tensor(channels: np.ndarray, device: torch.device) -> Tensor:
    """Stored float16 channels as float32 where the network is."""
    return torch.from_numpy(np.asarray(channels, np.float32)).to(device)


def as_batch(channels: Tensor) -> Tensor:
    """Channels in the memory layout of the network's convolutions."""
    return channels.contiguous(memory_format=torch.channels_last_3d)


def best_device() -> torch.device:
    """CUDA where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def deterministic(*seed: int) -> Iterator[None]:
    """One thread, deterministic kernels and a private random state; all put back afterwards."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # CUDA's matrix products are random without it
    with torch.random.fork_rng():
        torch.manual_seed(int(np.random.default_rng(list(seed)).integers(2**31)))
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict)
            torch.set_num_threads(threads)


def _train(
    channels: np.ndarray, labels: np.ndarray, learn: np.ndarray, watch: np.ndarray, settings: Network, what: str
) -> tuple[DScoreNetwork, pd.DataFrame]:
    """Weights averaged over the steps, and the learning curve ``epoch, train_loss, ... , chosen``."""
    device = best_device()
    network = DScoreNetwork(settings)
    network.standardise_like(channels[learn])
    network.to(device)
    averaged = AveragedModel(network, multi_avg_fn=_warmed_average(settings.ema_decay), use_buffers=True)
    steps = max(1, len(learn) // settings.batch_size)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=settings.learning_rate, total_steps=steps * settings.epochs
    )
    targets = torch.from_numpy(labels.astype(np.float32)).to(device)
    positives = float(labels[learn].sum())
    loss_of = nn.BCEWithLogitsLoss(pos_weight=torch.tensor((len(learn) - positives) / positives, device=device))
    generator = torch.Generator().manual_seed(torch.initial_seed())
    rows = []
    for epoch in progress(range(1, settings.epochs + 1), what):
        network.train()
        total = 0.0
        order = learn[torch.randperm(len(learn), generator=generator).numpy()]
        for rows_of_batch in np.array_split(order, steps):
            batch = augment(as_tensor(channels[rows_of_batch], device), settings, generator)
            loss = loss_of(network(as_batch(batch))[:, 0], targets[rows_of_batch])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            averaged.update_parameters(network)
            total += loss.item() * len(rows_of_batch)
        logits = predict_logits(averaged.module, channels[watch], average_flips=False)
        inner_loss = loss_of(torch.from_numpy(logits).to(device), targets[watch].double()).item()
        rows.append((epoch, total / len(learn), inner_loss, roc_auc_score(labels[watch], logits)))
    curve = pd.DataFrame(rows, columns=["epoch", "train_loss", "inner_loss", "inner_auc"])
    return averaged.module.eval(), curve.assign(chosen=curve["epoch"] == settings.epochs)


def _warmed_average(decay: float) -> Callable[[list[Tensor], list[Tensor], Tensor | int], None]:
    """Torch's exponential average with a memory that grows to ``decay``, so that the first steps fade soon."""

    def update(averaged: list[Tensor], current: list[Tensor], steps: Tensor | int) -> None:
        get_ema_multi_avg_fn(min(decay, (1 + int(steps)) / (10 + int(steps))))(averaged, current, steps)

    return update
