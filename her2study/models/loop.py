"""The training loop of one network: epochs of augmented batches, averaged weights, and how to go on after a kill.

Weights are an exponential moving average over steps (Polyak & Juditsky 1992; torch's ``AveragedModel``),
the learning rate follows one cycle (Smith & Topin 2018, arXiv:1708.07120).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from her2study.models.augmentation import augment
from her2study.models.checkpoint import Checkpoint
from her2study.models.device import PatientStore, Ranks, as_batch, as_tensor, half_precision
from her2study.models.inference import predict_logits
from her2study.models.network import AT_ONCE, DScoreNetwork
from her2study.progress import progress
from her2study.study import Network


class TrainingLoop:
    """A network, what moves its weights, and all that must be known to go on from here.

    Parameters
    ----------
    network : DScoreNetwork
        Trained in place, on its device.
    channels : array (n, channel, z, y, x)
        Of the patients to learn from.
    labels : array (n,)
        Their labels, 0 or 1; weights learn from them if that is the objective.
    settings : Network
        Of the training.
    ranks : Ranks
        The processes that share each batch; all draw the same random numbers.
    """

    def __init__(
        self, network: DScoreNetwork, channels: np.ndarray, labels: np.ndarray, settings: Network, ranks: Ranks
    ) -> None:
        self.device = network.head.weight.device
        self.settings = settings
        self.ranks = ranks
        self.network = network
        self.averaged = AveragedModel(network, multi_avg_fn=self._average, use_buffers=True)
        self.patients = PatientStore(channels, self.device)
        self.targets = torch.from_numpy(labels.astype(np.float32)).to(self.device)
        self.steps = max(1, len(labels) // settings.batch_size)
        self.optimiser = torch.optim.AdamW(
            network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, max_lr=settings.learning_rate, total_steps=self.steps * settings.epochs
        )
        positives = float(labels.sum())
        self.positive_weight = torch.tensor((len(labels) - positives) / positives)
        self.loss_of = nn.BCEWithLogitsLoss(pos_weight=self.positive_weight.to(self.device))
        self.learned_from = channels, labels
        self.half = half_precision(self.device, settings.mixed_precision)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.half == torch.float16)
        self.generator = torch.Generator().manual_seed(torch.initial_seed())
        self.epoch = 0
        self.curve: list[list[float]] = []
        self._forward = self._prepared(network)

    def run(self, watched: np.ndarray, watched_labels: np.ndarray, checkpoint: Checkpoint, what: str) -> pd.DataFrame:
        """Train to the end; the learning curve ``epoch, train_loss, inner_loss, inner_auc, chosen``.

        Patients to watch with, ``(m, channel, z, y, x)`` and ``(m,)``, are looked at every ``watch_every``
        epochs, after the first and after the last; they decide nothing.
        """
        state = checkpoint.load()
        if state is not None:
            self.load_state_dict(state)
        self.ranks.wait()  # nobody replaces what another has yet to read
        last = self.settings.epochs
        for epoch in progress(range(self.epoch + 1, last + 1), what):
            train_loss = self.learn_once()
            self.epoch = epoch
            if epoch % self.settings.watch_every == 0 or epoch in (1, last):
                self.curve.append([epoch, train_loss, *self.watch(watched, watched_labels)])
            if self.ranks.rank == 0:
                checkpoint.save_when_due(self.state_dict)
        self.ranks.wait()
        if self.ranks.rank == 0:
            checkpoint.remove()
        curve = pd.DataFrame(self.curve, columns=["epoch", "train_loss", "inner_loss", "inner_auc"])
        return curve.astype({"epoch": int}).assign(chosen=curve["epoch"] == last)

    def watch(self, watched: np.ndarray, watched_labels: np.ndarray) -> tuple[float, float]:
        """Loss and AUC of the averaged weights on patients ``(m, channel, z, y, x)``, ``(m,)`` who decide nothing.

        Convolutions that are trained without labels are given a head for it, from those they learn from.
        """
        network = self.averaged.module
        if network.repeats:
            network.fit_head(*self.learned_from)
        logits = predict_logits(network, watched, average_flips=False, logit=network.learned_logit)
        auc = float(roc_auc_score(watched_labels, logits))
        if network.repeats:
            return self._repeating_loss(network, watched), auc
        loss_of = nn.BCEWithLogitsLoss(pos_weight=self.positive_weight)
        return loss_of(torch.from_numpy(logits), torch.from_numpy(watched_labels).double()).item(), auc

    @torch.inference_mode()
    def _repeating_loss(self, network: DScoreNetwork, channels: np.ndarray) -> float:
        """Mean squared error of the measurements that the network repeats, in variances of the training patients."""
        losses = []
        for start in range(0, len(channels), AT_ONCE):
            batch = as_batch(as_tensor(channels[start : start + AT_ONCE], self.device))
            losses.append((network.repeat(network.features(batch)) - network.to_repeat(batch)).square().mean(1))
        return torch.cat(losses).mean().item()

    def learn_once(self) -> float:
        """Show every patient once; the mean loss."""
        self.network.train()
        n = len(self.targets)
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        order = torch.randperm(n, generator=self.generator).numpy()
        for rows in np.array_split(order, self.steps):
            total += self._step(rows) * (len(rows) / n)
        self.ranks.average([total])
        return total.item()

    def _step(self, rows: np.ndarray) -> Tensor:
        """Learn from one batch, or from this process's share of it; its loss."""
        batch = augment(self.patients.batch(rows), self.settings, self.network.images, self.generator)
        mine = slice(self.ranks.rank, None, self.ranks.world)
        batch = as_batch(batch[mine])
        with torch.autocast(self.device.type, dtype=self.half, enabled=self.half is not None):
            given = self._forward(batch)
        if self.network.repeats:
            loss = nn.functional.mse_loss(given.float(), self.network.to_repeat(batch))
        else:
            targets = self.targets[torch.from_numpy(rows[mine]).to(self.device)]
            loss = self.loss_of(given[:, 0].float(), targets)
        loss = loss * (len(batch) * self.ranks.world / len(rows))  # so that the mean over processes is the batch's
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.schedule.step()
        self.ranks.average(buffer for buffer in self.network.buffers() if buffer.is_floating_point())
        self.averaged.update_parameters(self.network)
        return loss.detach().double()

    def _prepared(self, network: nn.Module) -> nn.Module:
        """What computes the network during training: shared between processes, compiled if so set."""
        if self.ranks.world > 1:
            cards = [self.device] if self.device.type == "cuda" else None
            network = DistributedDataParallel(network, device_ids=cards, broadcast_buffers=False)
        return torch.compile(network) if self.settings.compile else network

    def _average(self, averaged: list[Tensor], current: list[Tensor], _: Any) -> None:
        """Torch's exponential average with a memory that grows to ``ema_decay``, so that the first steps fade soon."""
        before = self.schedule.last_epoch - 1  # steps; known here without asking the card
        decay = min(self.settings.ema_decay, (1 + before) / (10 + before))
        get_ema_multi_avg_fn(decay)(averaged, current, before)

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides what comes next."""
        return {
            **{name: part.state_dict() for name, part in self._parts().items()},
            "epoch": self.epoch,
            "curve": self.curve,
            "generator": self.generator.get_state(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to where :meth:`state_dict` was called."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.epoch, self.curve = state["epoch"], state["curve"]
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["random"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(state["random_cuda"], self.device)

    def _parts(self) -> dict[str, Any]:
        return {
            "network": self.network,
            "averaged": self.averaged,
            "optimiser": self.optimiser,
            "schedule": self.schedule,
            "scaler": self.scaler,
        }
