"""Training the D-score network of one fold.

Cross-fitting: the network of fold ``k`` learns from development patients of the other folds. A
part of *those* (the inner split, stratified by centre and label) watches the training; the held-out
fold and the internal and external patients are never looked at.

Same seed, same bytes: one thread, deterministic kernels, and random numbers that belong to the fit;
also when the training was killed and went on from its checkpoint. The same code runs on CPU and CUDA.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedShuffleSplit

from her2study.models.checkpoint import Checkpoint, fingerprint
from her2study.models.device import best_device, deterministic, join_ranks
from her2study.models.loop import TrainingLoop
from her2study.models.network import CHANNELS, DScoreNetwork
from her2study.models.pretrained import Pretrained, start_from
from her2study.study import Network
from her2study.types import StudyError


class FoldFit(NamedTuple):
    """What training one fold gives."""

    network: DScoreNetwork
    """Ready for inference."""
    curve: pd.DataFrame
    """``fold, epoch, train_loss, inner_loss, inner_auc, chosen``: data of figure ``learning_curves``."""
    trained_on: pd.DataFrame
    """``patient_id, use``: everyone this network has seen, for learning (``train``) or watching (``inner``)."""


def fit_fold(
    channels: np.ndarray,
    splits: pd.DataFrame,
    fold: int,
    settings: Network,
    seed: int,
    pretrained: Pretrained | None = None,
    scratch: Path | None = None,
    mass: np.ndarray | None = None,
    channels_named: tuple[str, ...] = CHANNELS,
) -> FoldFit:
    """Train the network that may score development fold ``fold``.

    Parameters
    ----------
    channels : array (n, channel, z, y, x)
        Normalised channels of all patients, the mask last, in the row order of ``splits``.
    splits : DataFrame
        ``patient_id, centre, label, split, fold``.
    fold : int
        The development fold that is held out.
    settings : Network
        Architecture and training.
    seed : int
        Of the study; the fold is mixed in.
    pretrained : Pretrained, optional
        Weights to start from.
    scratch : Path, optional
        Folder for a checkpoint every 20 seconds: a killed training that is started again goes on from there,
        to the same bytes. Removed at the end.
    mass : array (n,), optional
        Share of readers who call each lesion a mass, for the measured branch; NaN where nobody said.
    channels_named : tuple of str
        What the channels are.

    Raises
    ------
    StudyError
        The fold does not exist, the training part holds one label only, pretrained weights do not fit, or a
        batch is too small for the processes that share it.
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
    ranks = join_ranks()
    if settings.batch_size < 2 * ranks.world:
        raise StudyError(
            f"network.batch_size is {settings.batch_size} and {ranks.world} processes share each batch: each needs two "
            f"patients or more; set it to at least {2 * ranks.world} or start fewer processes"
        )
    decided_by = [channels[learn], channels[watch], labels[learn], labels[watch], settings.model_dump(), [seed, fold]]
    device = best_device(fold)
    checkpoint = Checkpoint(
        scratch, fingerprint(*decided_by, pretrained and pretrained.sha256, device.type, ranks.world) if scratch else ""
    )
    with deterministic(seed, fold):
        network = DScoreNetwork(settings, channels_named)
        if pretrained:
            start_from(network, pretrained)
        network.standardise_like(channels[learn])
        if network.repeats:
            network.measure_like(channels[learn])
        seen = channels[:, : network.seen]
        loop = TrainingLoop(network.to(device), seen[learn], labels[learn], settings, ranks)
        curve = loop.run(seen[watch], labels[watch], checkpoint, what=f"D-score without fold {fold}")
        network = loop.averaged.module.eval()
        # nothing is chosen in what is fitted in closed form, so it learns from the inner split as well
        if network.repeats:
            network.fit_head(channels[candidates], labels[candidates])
        network.fit_measured(
            channels[candidates], labels[candidates], None if mass is None else mass[candidates], channels[watch]
        )
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
