"""Toy lesions, a ball in noise whose wash-in brightness may be the label, and a process that fits them.

``python -m tests.models.toy FOLDER EPOCHS`` trains one fold with a checkpoint after each epoch and leaves the weights
as ``FOLDER/weights_<rank>.safetensors``; tests kill it, or start several with ``torchrun``.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from her2study.study import Network

SHAPE = (8, 10, 10)
SETTINGS = Network(
    epochs=8,
    widths=(4, 4, 8, 8),
    layers=(1, 1, 1, 1),
    batch_size=8,
    learning_rate=1e-2,
    ema_decay=0.8,
    dropout=0.0,
    shift_voxels=1,
    inner_fraction=0.2,
)
LONG = SETTINGS.model_copy(update={"epochs": 60, "dropout": 0.3, "watch_every": 7})


def toy_channels(labels, signal, seed=0):
    """``(n, 3, z, y, x)`` float16; the lesion of positives washes in ``signal`` more."""
    rng = np.random.default_rng(seed)
    ball = toy_ball()
    channels = rng.normal(0, 0.5, (len(labels), 3, *SHAPE))
    channels[:, 1] += ball * (1 + signal * np.asarray(labels)[:, None, None, None])
    return channels.astype(np.float16)


def toy_ball():
    """Where the lesion is, ``(z, y, x)``."""
    grid = np.meshgrid(*[np.arange(size) - (size - 1) / 2 for size in SHAPE], indexing="ij")
    return sum(axis**2 for axis in grid) < 3.2**2


def toy_splits(n, folds=2):
    """Half of the patients positive, two centres, the last sixth internal or external."""
    rows = np.arange(n)
    outside = rows >= n - n // 6
    return pd.DataFrame(
        {
            "patient_id": [f"P{row:03d}" for row in rows],
            "centre": np.where(rows // 2 % 3, "A", "B"),
            "label": rows % 2,
            "split": np.where(outside, np.where(rows % 2, "internal", "external"), "development"),
            "fold": np.where(outside, -1, rows // 4 % folds),
        }
    )


def toy_fit(epochs=60, **options):
    """Fold 0 of 48 toy patients, trained for long."""
    from her2study.models.training import fit_fold

    splits = toy_splits(48)
    return fit_fold(
        toy_channels(splits["label"], signal=1.0),
        splits,
        0,
        LONG.model_copy(update={"epochs": epochs}),
        seed=5,
        **options,
    )


def weights_of(network):
    """Every tensor of a network as bytes."""
    return {name: value.numpy().tobytes() for name, value in network.state_dict().items()}


def main(folder, epochs):
    from safetensors.torch import save_file

    from her2study.models import checkpoint

    checkpoint.EVERY_SECONDS = 0.0
    fit = toy_fit(epochs, scratch=folder / "scratch")
    state = {name: value.contiguous() for name, value in fit.network.state_dict().items()}
    save_file(state, folder / f"weights_{os.environ.get('RANK', '0')}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
