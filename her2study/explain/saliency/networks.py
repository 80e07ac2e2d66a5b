"""The fold networks while they are explained, and copies of them that have forgotten what they learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy

import torch
from torch import Tensor, nn

from her2study.models.device import deterministic
from her2study.models.network import STAGES, DScoreNetwork


@contextmanager
def evaluating(models: Sequence[nn.Module]) -> Iterator[None]:
    """The networks as they score patients: no dropout, fixed batch norm; afterwards as they were."""
    before = [model.training for model in models]
    for model in models:
        model.eval()
    try:
        yield
    finally:
        for model, training in zip(models, before, strict=True):
            model.train(training)


def learned_logits(model: nn.Module, batch: Tensor) -> Tensor:
    """What the convolutions give to the logit of each patient, ``(n, 1)``; measurements add what they say to it."""
    if getattr(model, "learned_share", 1) == 1:
        return model(batch)
    learned = model.learned_logit(batch)
    return model.combine(learned, torch.zeros_like(learned))


def logits(models: Sequence[nn.Module], batch: Tensor) -> Tensor:
    """Logit of each patient by each network, ``(networks, n)``; the lesion is measured once for all of them."""
    if any(getattr(model, "learned_share", 1) == 1 for model in models):
        return torch.stack([model(batch)[:, 0] for model in models])
    measurements = models[0].measured.measure(batch)  # formulas without weights: the same in every network
    measured = [model.measured.head(model.measured.evidence(measurements)) for model in models]
    pairs = zip(models, measured, strict=True)
    return torch.stack([model.combine(model.learned_logit(batch), part)[:, 0] for model, part in pairs])


def randomised_networks(models: Sequence[DScoreNetwork], seed: int) -> Iterator[tuple[str, list[DScoreNetwork]]]:
    """The networks with random layers, from the head downwards (cascading), and what is random in print."""
    for depth, label in enumerate(_cascade_labels(), start=1):
        yield label, [_randomised(model, depth, [seed, fold]) for fold, model in enumerate(models)]


def _cascade() -> list[tuple[str, str]]:
    """Modules to randomise, from the output to the input, with their names in print; the measured part is a head."""
    stages = [(f"backbone.{stage}", f"stage {stage[-1]}") for stage in reversed(STAGES)]
    return [("head", "head"), *stages, ("backbone", "stem")]


def _modules(network: nn.Module, name: str) -> list[nn.Module]:
    """The module of that name; with the head go the weights that a network gives to measurements of the lesion."""
    modules = [network.get_submodule(name)]
    return [*modules, network.measured] if name == "head" and hasattr(network, "measured") else modules


def _cascade_labels() -> list[str]:
    """What is random at each depth of the cascade."""
    names = [name for _, name in _cascade()]
    return [f"random {names[0]}", *(f"random {names[0]} to {name}" for name in names[1:])]


def _randomised(model: DScoreNetwork, depth: int, seed: list[int]) -> DScoreNetwork:
    """A copy whose last ``depth`` modules were made forget all that they learned."""
    network = deepcopy(model)
    measured = [network.measured] if hasattr(network, "measured") else []
    with deterministic(*seed):
        for part in [*measured, *(network.get_submodule(name) for name, _ in _cascade()[:depth])]:
            for module in part.modules():
                if hasattr(module, "reset_parameters"):
                    module.reset_parameters()
    return network
