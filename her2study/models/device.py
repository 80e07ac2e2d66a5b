"""Where a network is trained: the CPU, a CUDA card, or several processes under ``torchrun``.

The loop is the same everywhere; what differs stands here. On the CPU everything is float32 (without
the right instructions bfloat16 is many times slower there); on CUDA the convolutions run in half precision.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
import torch.distributed
from torch import Tensor
from torch.utils import deterministic as determinism


class Ranks(NamedTuple):
    """This process among those that train one network together."""

    rank: int = 0
    world: int = 1

    def wait(self) -> None:
        """Go on when all processes have come here."""
        if self.world > 1:
            torch.distributed.barrier()

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its mean over the processes."""
        if self.world > 1:
            tensors = list(tensors)
            together = torch.cat([tensor.flatten() for tensor in tensors])  # one message, not dozens
            torch.distributed.all_reduce(together)
            for tensor, mean in zip(tensors, together.split([tensor.numel() for tensor in tensors]), strict=True):
                tensor.copy_(mean.view_as(tensor) / self.world)


def join_ranks() -> Ranks:
    """Join the processes that ``torchrun`` started; alone without it."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Ranks()
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        atexit.register(torch.distributed.destroy_process_group)
    return Ranks(torch.distributed.get_rank(), torch.distributed.get_world_size())


def best_device(number: int = 0) -> torch.device:
    """CUDA where there is any, else the CPU.

    With several cards, fits that run side by side are dealt over them by ``number`` (their fold); under
    ``torchrun`` each process has its own card.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    card = int(os.environ.get("LOCAL_RANK", number))
    return torch.device("cuda", card % torch.cuda.device_count())


def half_precision(device: torch.device, wanted: bool) -> torch.dtype | None:
    """Number format of mixed precision on ``device``, or none for plain float32."""
    if device.type != "cuda" or not wanted:
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


@contextmanager
def deterministic(*seed: int) -> Iterator[None]:
    """One thread, deterministic kernels and a private random state; all put back afterwards."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    filling = determinism.fill_uninitialized_memory
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # CUDA's matrix products are random without it
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(int(np.random.default_rng(list(seed)).integers(2**31)))
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        determinism.fill_uninitialized_memory = False  # costs time, and nothing is read before it is written
        try:
            yield
        finally:
            determinism.fill_uninitialized_memory = filling
            torch.use_deterministic_algorithms(strict)
            torch.set_num_threads(threads)


def as_tensor(channels: np.ndarray, device: torch.device) -> Tensor:
    """Stored float16 channels as float32 where the network is."""
    return torch.from_numpy(np.ascontiguousarray(channels)).to(device).float()


def as_batch(channels: Tensor) -> Tensor:
    """Channels in the memory layout of the network's convolutions: twice as fast on a CPU, more on CUDA."""
    return channels.contiguous(memory_format=torch.channels_last_3d)


class PatientStore:
    """Channels ``(n, channel, z, y, x)`` of one fit, from which batches are drawn.

    They stay in the half precision they are stored in and become float32 batch by batch. On CUDA they
    lie on the card if they take less than half of its free memory; else each batch goes there through
    pinned memory while the card still works on the one before.
    """

    def __init__(self, channels: np.ndarray, device: torch.device) -> None:
        self.device = device
        stored = torch.from_numpy(np.ascontiguousarray(channels))
        fits = device.type == "cpu" or stored.nbytes < torch.cuda.mem_get_info(device)[0] / 2
        self._stored = stored.to(device) if fits else stored
        self._through_pinned = not fits

    def batch(self, rows: np.ndarray) -> Tensor:
        """Float32 channels of some rows, on the device."""
        wanted = torch.from_numpy(rows).to(self._stored.device)
        if not self._through_pinned:
            return self._stored[wanted].float()
        shape = (len(rows), *self._stored.shape[1:])
        pinned = torch.empty(shape, dtype=self._stored.dtype, pin_memory=True)
        torch.index_select(self._stored, 0, wanted, out=pinned)
        return pinned.to(self.device, non_blocking=True).float()
