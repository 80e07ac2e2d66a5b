"""Starting from weights that somebody trained before: ``network.weights`` names the file, nothing is downloaded.

The file must fit the network tensor by tensor. Only the head may be missing: who pretrained on another
question has no use for theirs. Mean and spread of the channels are always learned from our own patients.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from her2study.models.network import DScoreNetwork
from her2study.store import file_hash
from her2study.study import Network, nearest
from her2study.types import StudyError

OWN = ("channel_", "learned_", "measured.")
"""What names of tensors begin with that are learned from our own patients whatever the file says: standardisation and
the measured branch."""


class Pretrained(NamedTuple):
    """Weights to start from, and where they are from."""

    tensors: dict[str, Tensor]
    file: str
    """As the settings name it."""
    sha256: str


def weights_files(study_folder: Path, settings: Network) -> list[Path]:
    """The file that ``network.weights`` names, if any: what a run depends on."""
    return [study_folder / settings.weights] if settings.weights else []


def read_pretrained(study_folder: Path, settings: Network) -> Pretrained | None:
    """Weights to start from, or none if the settings name no file.

    Raises
    ------
    StudyError
        The file is not there, or is not a safetensors file.
    """
    for path in weights_files(study_folder, settings):
        if not path.is_file():
            raise StudyError(
                f"network.weights: {path} does not exist; give the path relative to study.yml, or leave the setting out"
            )
        try:
            return Pretrained(load_file(path), str(settings.weights), file_hash(path))
        except SafetensorError as error:
            raise StudyError(
                f"network.weights: {path} is no safetensors file ({error}); write it with safetensors.torch.save_file"
            ) from None
    return None


def start_from(network: DScoreNetwork, pretrained: Pretrained) -> None:
    """Give ``network`` the weights of the file.

    Raises
    ------
    StudyError
        Naming the first tensor that is missing, unknown, of another shape, or not finite.
    """
    own = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith(OWN)}
    given = {name: tensor for name, tensor in pretrained.tensors.items() if not name.startswith(OWN)}
    mend = "the file must come from a network with the same widths, layers and channels"
    for name, tensor in own.items():
        if name not in given and not name.startswith("head."):
            raise _misfit(pretrained, f"lacks the tensor {name!r} {_size(tensor)}; {mend}")
        # safetensors keeps counters as arrays of one element; the network wants them without an axis
        if name in given and tensor.numel() == given[name].numel() == 1:
            given[name] = given[name].reshape(tensor.shape)
    for name, tensor in given.items():
        if name not in own:
            raise _misfit(pretrained, f"holds {name!r}, unknown to the network{nearest(name, own)} {mend}")
        if tensor.shape != own[name].shape:
            raise _misfit(pretrained, f"tensor {name!r} is {_size(tensor)} and must be {_size(own[name])}; {mend}")
        if not bool(torch.isfinite(tensor).all()):
            raise _misfit(pretrained, f"tensor {name!r} holds values that are not finite; train it again")
    network.load_state_dict(given, strict=False)


def _misfit(pretrained: Pretrained, what: str) -> StudyError:
    return StudyError(f"network.weights: {pretrained.file}: {what}")


def _size(tensor: Tensor | np.ndarray) -> str:
    return " x ".join(map(str, tensor.shape)) or "a single number"
