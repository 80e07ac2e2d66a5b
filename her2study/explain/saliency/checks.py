"""Checks that a meaningless map would fail, as numbers beside the maps: table and figure data ``saliency_sanity``."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from her2study.explain.saliency.overlap import centre_blob, lesion_overlap
from her2study.explain.saliency.rows import METHODS, bootstrap, check_rows
from her2study.types import StudyError


def sanity(
    method: str,
    maps: np.ndarray,
    randomised: Mapping[str, np.ndarray],
    mask: np.ndarray,
    seed: int,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Sanity checks of one method's maps.

    Parameters
    ----------
    method : str
        One of :data:`~her2study.explain.saliency.rows.METHODS`.
    maps : array (networks, n, z, y, x)
        Signed maps of patients that no network has seen; at least two networks and two patients.
    randomised : mapping
        Maps of the same patients by networks with random layers, by what is random
        (:func:`~her2study.explain.saliency.networks.randomised_networks`); where a map is dear, of the first few
        patients.
    mask : array (n, z, y, x)
        Lesion masks on the grid of the maps.
    seed : int
        Of the study; decides the bootstrap.
    confidence : float
        Of the percentile-bootstrap intervals over patients.

    Returns
    -------
    DataFrame
        :data:`~her2study.explain.saliency.rows.COLUMNS`, one row a check:

        - ``randomisation``: Spearman correlation of a network's map with its map after layers were made
          random. ``reference`` is 0: the map of a network that knows nothing. A value near 1 says that
          the map ignores what was learned.
        - ``repeatability``: Spearman correlation of the maps of two fold networks for one patient;
          ``reference`` is the same for two *different* patients. Close together, the maps are not about
          the patient.
        - ``lesion_overlap``: share of the ensemble map's evidence, for or against, inside the lesion;
          ``reference`` is the share of a Gaussian blob in the centre of the crop. Below it, the map says
          less than "in the middle".
    """
    networks, patients = maps.shape[:2]
    if networks < 2 or patients < 2:
        raise StudyError(
            f"saliency checks got {networks} networks and {patients} patients; both must be at least 2: "
            "raise split.folds or statistics.gradcam_patients"
        )
    ranks = [_ranks(heat) for heat in maps]
    interval = bootstrap(patients, seed, confidence)
    rows = []
    for label, others in randomised.items():
        pairs = zip(ranks, others, strict=True)
        alike = np.mean([_alike(a[: len(heat)], _ranks(heat)) for a, heat in pairs], axis=0)
        rows.append(("randomisation", label, *bootstrap(len(alike), seed, confidence)(alike), 0.0))
    pairs = list(combinations(ranks, 2))
    same = np.mean([_alike(a, b) for a, b in pairs], axis=0)
    other = np.mean([_alike(a, np.roll(b, 1, axis=0)) for a, b in pairs])
    rows.append(("repeatability", "two networks, same patient", *interval(same), float(other)))
    blob = np.broadcast_to(centre_blob(mask.shape[1:]), mask.shape)
    inside, reference = lesion_overlap(maps.mean(axis=0), mask), float(lesion_overlap(blob, mask).mean())
    rows.append(("lesion_overlap", "share of the evidence in the lesion", *interval(inside), reference))
    return check_rows(method, rows)


def agreement(maps: Mapping[str, np.ndarray], seed: int, confidence: float = 0.95) -> pd.DataFrame:
    """Spearman correlation of two methods' ensemble maps ``(n, z, y, x)`` for one patient.

    ``reference`` is the same for two different patients; the method named is the first.
    """
    first, second = (_ranks(heat) for heat in maps.values())
    alike, other = _alike(first, second), _alike(first, np.roll(second, 1, axis=0))
    names = [METHODS[method] for method in maps]
    row = ("agreement", f"same patient by {names[1].lower()}", *bootstrap(len(alike), seed, confidence)(alike))
    return check_rows(next(iter(maps)), [(*row, float(other.mean()))])


def spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spearman correlation, over voxels, of each patient's two maps: ``(n, z, y, x)`` twice -> ``(n,)``.

    Zero where a map is constant: it shares nothing with any other.
    """
    return _alike(_ranks(a, 1), _ranks(b, 1))


def _ranks(heat: np.ndarray, step: int = 2) -> np.ndarray:
    """Centred ranks of each patient's voxels, scaled to length 1; every second voxel is still finer than any map."""
    ranks = rankdata(heat[:, ::step, ::step, ::step].reshape(len(heat), -1), axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    length = np.sqrt((ranks**2).sum(axis=1, keepdims=True))
    return np.divide(ranks, length, out=np.zeros_like(ranks), where=length > 0)


def _alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=1)
