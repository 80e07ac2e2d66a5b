"""Which patients are shown, their maps on the slice of largest lesion area, and where a map lies in the patient."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray


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


def saliency_slices(
    chosen: pd.DataFrame, image: np.ndarray, maps: Mapping[str, np.ndarray], mask: np.ndarray
) -> pd.DataFrame:
    """Wash-in, maps and mask on the slice of largest lesion area: figure data ``gradcam`` and ``failure_cases``.

    Parameters
    ----------
    chosen : DataFrame
        ``patient_id, centre, label, probability, title``, one row for each row of the arrays.
    image, mask : arrays (n, z, y, x)
    maps : mapping
        ``gradcam`` and ``occlusion``, signed ensemble maps ``(n, z, y, x)``.

    Returns
    -------
    DataFrame
        ``patient_id, centre, label, probability, title, height, width, image, mask, gradcam, occlusion``; the last
        four are the slice row by row. Each map is divided by its largest absolute value in the whole crop, so
        that -1 speaks most against HER2-positive, 0 neither way and 1 most for it.
    """
    columns = ["patient_id", "centre", "label", "probability", "title"]
    slices = np.asarray(mask > 0).sum(axis=(2, 3)).argmax(axis=1)
    rows = np.arange(len(chosen))
    scaled = {name: _to_unit(heat) for name, heat in maps.items()}
    frame = chosen[columns].reset_index(drop=True).assign(height=mask.shape[2], width=mask.shape[3])
    for name, volume in {"image": image, "mask": mask, **scaled}.items():
        frame[name] = [flat.astype(float).ravel().tolist() for flat in volume[rows, slices]]
    return frame


def crop_affine(origin_mm: NDArray[np.float64], spacing_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """Affine from index ``(x, y, z)`` of the crop, which is upright in LPS, to LPS millimetres.

    ``origin_mm`` is the position ``(x, y, z)`` of its first voxel, ``spacing_mm`` its voxel size ``(z, y, x)``.
    """
    affine = np.diag([*spacing_mm[::-1], 1.0])
    affine[:3, 3] = origin_mm
    return affine


def _to_unit(heat: np.ndarray) -> np.ndarray:
    peak = np.abs(heat).max(axis=(1, 2, 3), keepdims=True)
    return np.divide(heat, peak, out=np.zeros_like(heat), where=peak > 0)
