"""Where the D-score looks: 3D Grad-CAM of the fold networks, and numbers that say how far to trust it.

A saliency map looks convincing whether or not it means anything, so every map stands beside checks
of it (Adebayo et al. 2018, arXiv:1810.03292; Arun et al. 2021, 10.1148/ryai.2021200267): it must
change when the network's weights are made random, agree between networks trained on other folds, and
lie on the lesion more than a blob in the centre of the crop does.

Usage in a notebook, for patients that no network has seen::

    models = [thaw(run.load_json(f"frozen/dscore_fold_{k}"), run.load_arrays(f"frozen/dscore_fold_{k}"))
              for k in range(study.split.folds)]
    unseen = predictions[(predictions["model"] == "dscore") & (predictions["split"] != "development")]
    chosen = choose_typical(unseen, threshold, per_group=3)       # or choose_failures(unseen, per_group=3)
    rows = index.get_indexer(chosen["patient_id"])                # rows of the volume store
    heat = gradcam(models, volumes["channels"][rows])
    run.save_figure_data("gradcam", saliency_slices(chosen, volumes["channels"][rows], heat, volumes["mask"][rows]))
    checks = sanity(models, volumes["channels"][some], volumes["mask"][some], study.seed)
    run.save_table("saliency_sanity", checks)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from monai.visualize import GradCAM
from scipy.stats import rankdata

from her2study.models.network import CHANNELS, STAGES, DScoreNetwork
from her2study.models.training import INFERENCE_BATCH, as_batch, as_tensor, deterministic
from her2study.types import StudyError

TARGET = "backbone.layer3"
"""Stage whose activations are weighted: deep enough to mean something, fine enough to localise."""

WASH_IN = CHANNELS.index("wash-in")
"""The channel shown under the heat."""

RESAMPLES = 1000
"""Bootstrap resamples of patients behind each interval."""


def gradcam(models: Sequence[DScoreNetwork], channels: np.ndarray) -> np.ndarray:
    """Grad-CAM towards HER2-positive, averaged over the fold networks.

    Parameters
    ----------
    models : sequence of DScoreNetwork
        Fold networks; none of them should have seen these patients.
    channels : array (n, 3, z, y, x)
        Normalised channels.

    Returns
    -------
    array (n, z, y, x), float32
        Each network's map scaled to a maximum of 1 (0 where nothing speaks for positive), then averaged.
    """
    return np.mean([_maps(model, channels) for model in models], axis=0, dtype=np.float32)


def sanity(
    models: Sequence[DScoreNetwork], channels: np.ndarray, mask: np.ndarray, seed: int, confidence: float = 0.95
) -> pd.DataFrame:
    """Sanity checks of the maps: table and figure data ``saliency_sanity``.

    Parameters
    ----------
    models, channels
        As in :func:`gradcam`; at least two networks and two patients.
    mask : array (n, z, y, x)
        Lesion masks on the grid of the channels.
    seed : int
        Of the study; decides the random weights and the bootstrap.
    confidence : float
        Of the percentile-bootstrap intervals over patients.

    Returns
    -------
    DataFrame
        ``check, label, model, value, low, high, reference``, one row a check:

        - ``randomisation``: Spearman correlation of the map with the map of the same network after its
          layers were made random, from the head downwards (cascading). ``reference`` is 0: the map of
          a network that knows nothing. A value near 1 says that the map ignores what was learned.
        - ``repeatability``: Spearman correlation of the maps of two fold networks for one patient;
          ``reference`` is the same for two *different* patients. Close together, the maps are not about
          the patient.
        - ``lesion_overlap``: share of the heat inside the lesion; ``reference`` is the share of a
          Gaussian blob in the centre of the crop. Below it, the map says less than "in the middle".
    """
    if len(models) < 2 or len(channels) < 2:
        raise StudyError(
            f"saliency checks got {len(models)} networks and {len(channels)} patients; both must be at least 2: "
            "raise split.folds or statistics.gradcam_patients"
        )
    heats = [_maps(model, channels) for model in models]
    coarse = [heat[:, ::2, ::2, ::2] for heat in heats]  # still finer than the network's grid, and 8 times cheaper
    interval = _bootstrap(len(channels), seed, confidence)
    rows = []
    for depth, label in enumerate(_cascade_labels(), start=1):
        randomised = [_maps(_randomised(model, depth, [seed, fold]), channels) for fold, model in enumerate(models)]
        similar = np.mean([spearman(a, b[:, ::2, ::2, ::2]) for a, b in zip(coarse, randomised, strict=True)], axis=0)
        rows.append(("randomisation", label, *interval(similar), 0.0))
    pairs = list(combinations(range(len(models)), 2))
    same = np.mean([spearman(coarse[a], coarse[b]) for a, b in pairs], axis=0)
    other = np.mean([spearman(coarse[a], np.roll(coarse[b], 1, axis=0)) for a, b in pairs])
    rows.append(("repeatability", "Two networks, same patient", *interval(same), float(other)))
    inside = np.mean([lesion_overlap(heat, mask) for heat in heats], axis=0)
    blob = np.broadcast_to(centre_blob(mask.shape[1:]), mask.shape)
    reference = float(lesion_overlap(blob, mask).mean())
    rows.append(("lesion_overlap", "Share of heat inside the lesion", *interval(inside), reference))
    frame = pd.DataFrame(rows, columns=["check", "label", "value", "low", "high", "reference"])
    frame.insert(2, "model", "dscore")
    return frame


def spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spearman correlation, over voxels, of each patient's two maps: ``(n, z, y, x)`` twice -> ``(n,)``.

    Zero where a map is constant: it shares nothing with any other.
    """
    ranks = [rankdata(heat.reshape(len(heat), -1), axis=1) for heat in (a, b)]
    centred = [rank - rank.mean(axis=1, keepdims=True) for rank in ranks]
    norm = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
    product = (centred[0] * centred[1]).sum(axis=1)
    return np.divide(product, norm, out=np.zeros(len(a)), where=norm > 0)


def lesion_overlap(heat: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Share of the heat that lies inside the lesion, ``(n,)``; zero for a map without heat."""
    total = heat.sum(axis=(1, 2, 3), dtype=float)
    inside = (heat * (mask > 0)).sum(axis=(1, 2, 3), dtype=float)
    return np.divide(inside, total, out=np.zeros(len(heat)), where=total > 0)


def centre_blob(shape: tuple[int, int, int]) -> np.ndarray:
    """The map of someone who only knows that lesions are in the middle: a Gaussian, sigma 1/6 of each axis."""
    axes = [np.exp(-(((np.arange(size) - (size - 1) / 2) / (size / 6)) ** 2) / 2) for size in shape]
    return np.einsum("i,j,k->ijk", *axes).astype(np.float32)


def choose_typical(predictions: pd.DataFrame, threshold: float, per_group: int) -> pd.DataFrame:
    """True positives and true negatives nearest the median of their group: typical, not the best.

    Returns the chosen rows of ``predictions`` (of one model) with a column ``title``.
    """
    positive = predictions["label"] == 1
    called = predictions["probability"] >= threshold
    groups = [("True positive", positive & called), ("True negative", ~positive & ~called)]
    chosen = []
    for title, member in groups:
        group = predictions[member]
        distance = (group["probability"] - group["probability"].median()).abs()
        order = group.assign(distance=distance, title=title).sort_values(["distance", "patient_id"])
        chosen.append(order.head(per_group).drop(columns="distance"))
    return pd.concat(chosen, ignore_index=True)


def choose_failures(predictions: pd.DataFrame, per_group: int) -> pd.DataFrame:
    """The worst errors: positives with the lowest and negatives with the highest probability.

    Returns the chosen rows of ``predictions`` (of one model) with a column ``title``.
    """
    ordered = predictions.sort_values(["probability", "patient_id"])
    missed = ordered[ordered["label"] == 1].head(per_group).assign(title="Missed positive")
    alarms = ordered[ordered["label"] == 0].tail(per_group)[::-1].assign(title="False alarm")
    return pd.concat([missed, alarms], ignore_index=True)


def saliency_slices(chosen: pd.DataFrame, channels: np.ndarray, heat: np.ndarray, mask: np.ndarray) -> pd.DataFrame:
    """Wash-in, heat and mask on the slice of largest lesion area: figure data ``gradcam`` and ``failure_cases``.

    Parameters
    ----------
    chosen : DataFrame
        ``patient_id, centre, label, probability, title``, one row for each row of the arrays.
    channels : array (n, 3, z, y, x)
    heat, mask : arrays (n, z, y, x)

    Returns
    -------
    DataFrame
        ``patient_id, centre, label, probability, title, height, width, image, heat, mask``; the last three
        are the slice row by row.
    """
    columns = ["patient_id", "centre", "label", "probability", "title"]
    slices = np.asarray(mask > 0).sum(axis=(2, 3)).argmax(axis=1)
    rows = np.arange(len(chosen))
    pictures = {"image": channels[rows, WASH_IN, slices], "heat": heat[rows, slices], "mask": mask[rows, slices]}
    frame = chosen[columns].reset_index(drop=True).assign(height=mask.shape[2], width=mask.shape[3])
    for name, picture in pictures.items():
        frame[name] = [flat.astype(float).ravel().tolist() for flat in picture]
    return frame


def _maps(model: DScoreNetwork, channels: np.ndarray) -> np.ndarray:
    """Grad-CAM of one network, ``(n, z, y, x)`` float32, each map scaled to a maximum of 1 or all 0."""
    network = deepcopy(model).eval()  # MONAI leaves its hooks behind
    device = network.head.weight.device
    camera = GradCAM(network, TARGET, postprocessing=_as_it_is)
    maps = []
    with deterministic(0):
        for start in range(0, len(channels), INFERENCE_BATCH):
            batch = as_batch(as_tensor(channels[start : start + INFERENCE_BATCH], device))
            maps.append(camera(batch, class_idx=0).detach()[:, 0].cpu().numpy())
    heat = np.concatenate(maps)
    peak = heat.max(axis=(1, 2, 3), keepdims=True)
    return np.divide(heat, peak, out=np.zeros_like(heat), where=peak > 0)


def _as_it_is(heat: torch.Tensor) -> torch.Tensor:
    """In place of MONAI's post-processing, which turns maps upside down."""
    return heat


def _cascade() -> list[tuple[str, str]]:
    """Modules to randomise, from the output to the input, with their names in print."""
    stages = [(f"backbone.{stage}", f"stage {stage[-1]}") for stage in reversed(STAGES)]
    return [("head", "head"), *stages, ("backbone", "stem")]


def _cascade_labels() -> list[str]:
    """What is random at each depth of the cascade."""
    names = [name for _, name in _cascade()]
    return [f"Random {names[0]}", *(f"Random {names[0]} to {name}" for name in names[1:])]


def _randomised(model: DScoreNetwork, depth: int, seed: list[int]) -> DScoreNetwork:
    """A copy whose last ``depth`` modules were forget all that they learned."""
    network = deepcopy(model)
    with deterministic(*seed):
        for name, _ in _cascade()[:depth]:
            for module in network.get_submodule(name).modules():
                if hasattr(module, "reset_parameters"):
                    module.reset_parameters()
    return network


def _bootstrap(n: int, seed: int, confidence: float) -> Callable[[np.ndarray], tuple[float, float, float]]:
    """A function giving mean and percentile-bootstrap interval of one value per patient."""
    rows = np.random.default_rng([seed, n]).integers(n, size=(RESAMPLES, n))
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]

    def interval(values: np.ndarray) -> tuple[float, float, float]:
        low, high = np.quantile(values[rows].mean(axis=1), tails)
        return float(values.mean()), float(low), float(high)

    return interval
