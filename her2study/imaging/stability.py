"""Which features survive another outline of the same lesion: perturbed masks, a second reader's, and their ICC.

Nothing here sees an outcome, and only development patients are measured again. What is thrown out for being unstable
is decided later, in each fold, from that fold's training patients.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from her2study.imaging.measured import Measured
from her2study.imaging.radiomics import Lesions, measure_lesions, one_lesion
from her2study.study import Radiomics
from her2study.types import Mask

SECOND_READER = "second reader"
"""Name of the other mask where a second reader outlined the lesion."""

READER_FOLDERS = ("second_reader", "automatic")
"""Folders beside ``segmentations/expert`` in which a second outline is looked for, in this order."""

CORRELATION_MM = 5.0
"""How far along the border a redrawn outline errs the same way."""

MINIMUM_LESIONS = 5
"""With fewer lesions measured twice no feature is judged."""


def perturb_mask(
    lesion: Mask, spacing_mm: tuple[float, float, float], kind: str, distance_mm: float, seed: int | list[int]
) -> Mask:
    """Another outline of the same lesion, after Zwanenburg et al. (Scientific Reports 2019).

    The border is the zero of the signed distance in millimetres, slightly smoothed so that it may lie between
    voxels: it is moved outwards everywhere (``larger``), inwards (``smaller``), shifted in a random direction
    (``moved``), or in and out along the border by a smooth random field of that standard deviation (``redrawn``).
    A lesion too small to lose its border keeps its innermost voxels.
    """
    rng, half = np.random.default_rng(seed), float(np.mean(spacing_mm)) / 2
    outside = ndimage.distance_transform_edt(np.pad(~lesion, 1, constant_values=True), sampling=spacing_mm)
    inside = ndimage.distance_transform_edt(np.pad(lesion, 1), sampling=spacing_mm)
    signed_mm = np.where(outside > 0, outside - half, half - inside)  # the border lies between two voxels
    beyond_mm = ndimage.gaussian_filter(signed_mm, 0.5)[1:-1, 1:-1, 1:-1]
    if kind == "moved":
        direction = rng.normal(size=3)
        step = distance_mm * direction / np.linalg.norm(direction) / np.array(spacing_mm)
        other = ndimage.shift(beyond_mm, step, order=1, mode="nearest") <= 0
    elif kind == "redrawn":
        field = ndimage.gaussian_filter(rng.normal(size=lesion.shape), CORRELATION_MM / np.array(spacing_mm))
        other = beyond_mm <= distance_mm * field / field.std()
    else:
        other = beyond_mm <= {"smaller": -distance_mm, "larger": distance_mm}[kind]
    return other if other.any() else beyond_mm <= beyond_mm.min() + min(spacing_mm) / 2


def perturbed_patients(splits: pd.DataFrame, number: int, seed: int) -> list[str]:
    """At most ``number`` development patients, drawn without a look at anything but the split."""
    development = sorted(splits.loc[splits["split"] == "development", "patient_id"])
    drawn = np.random.default_rng([seed, 11]).permutation(development)[:number]
    return sorted(map(str, drawn))


def measure_again(
    lesions: Lesions,
    patients: list[str],
    radiomics: Radiomics,
    seed: int,
    second: dict[str, Mask] | None = None,
    workers: int = 1,
    measured: Measured | None = None,
) -> pd.DataFrame:
    """Features of some patients under every perturbation, and under a second reader's mask where there is one.

    Returns
    -------
    DataFrame
        ``patient_id, mask`` (a perturbation or :data:`SECOND_READER`) and the features, sorted by patient.
    """
    rows = {patient: row for row, patient in enumerate(lesions.patients)}
    named: list[tuple[str, str]] = []
    masks = []
    for patient in patients:
        own = np.asarray(lesions.mask[rows[patient]]) > 0
        for kind in radiomics.perturbations:
            own_seed = [seed, rows[patient], len(kind)]
            masks.append(perturb_mask(own, lesions.spacing_mm, kind, radiomics.perturbation_mm, own_seed))
            named.append((patient, kind))
        if second and patient in second:
            masks.append(second[patient])
            named.append((patient, SECOND_READER))
    again = (one_lesion(lesions, rows[patient], mask) for (patient, _), mask in zip(named, masks, strict=True))
    table = measure_lesions(again, radiomics, "other masks", workers, measured)
    return pd.concat([pd.DataFrame(named, columns=["patient_id", "mask"]), table], axis=1)


def reader_files(source: Path, patients: list[str]) -> dict[str, Path]:
    """Second outlines in the source folder, by patient; empty where there is none."""
    folders = [source / "segmentations" / name for name in READER_FOLDERS]
    folder = next((path for path in folders if path.is_dir()), source)
    files = {patient: folder / f"{patient}.nii.gz" for patient in patients}
    return {patient: path for patient, path in files.items() if path.is_file()}


def second_masks(
    files: dict[str, Path], index: pd.DataFrame, shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]
) -> dict[str, Mask]:
    """Second outlines on the crop grids of their patients; an outline that misses the crop is left out.

    Parameters
    ----------
    files : dict of Path
        From :func:`reader_files`.
    index : DataFrame
        ``patient_id`` and ``origin_x_mm, origin_y_mm, origin_z_mm``: the LPS position of each crop's first voxel.
    shape, spacing_mm : tuple
        Of the crop, ``(z, y, x)``.
    """
    found = {}
    for row in index[index["patient_id"].isin(list(files))].itertuples():
        grid = sitk.Image([int(n) for n in shape[::-1]], sitk.sitkFloat32)
        grid.SetOrigin((row.origin_x_mm, row.origin_y_mm, row.origin_z_mm))
        grid.SetSpacing([float(mm) for mm in spacing_mm[::-1]])
        outline = sitk.Cast(sitk.ReadImage(files[row.patient_id], sitk.sitkFloat32) > 0, sitk.sitkFloat32)
        crop = sitk.Resample(outline, grid, sitk.Transform(), sitk.sitkLinear)
        mask = sitk.GetArrayFromImage(crop) >= 0.5
        if mask.any():
            found[row.patient_id] = mask
    return found


def one_way_icc(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """ICC(1,1) of many features at once: one-way random, single measurement (Shrout and Fleiss 1979).

    The masks of a lesion are exchangeable, so a shift between them counts as disagreement.
    :func:`her2study.evaluation.icc` gives the same number with its interval, for one feature at a time.

    Parameters
    ----------
    values : ndarray
        ``(lesions, masks, features)``; a lesion with a missing value takes no part in that feature.

    Returns
    -------
    ndarray
        ``(features,)``, missing with fewer than two lesions or without any variance.
    """
    complete = ~np.isnan(values).any(axis=1)
    lesions, masks = complete.sum(axis=0), values.shape[1]
    kept = np.where(complete[:, None, :], values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        grand = kept.sum(axis=(0, 1)) / (lesions * masks)
        means = kept.mean(axis=1)
        between = masks * np.where(complete, (means - grand) ** 2, 0).sum(axis=0) / (lesions - 1)
        within = np.where(complete[:, None, :], (kept - means[:, None, :]) ** 2, 0).sum(axis=(0, 1))
        within = within / (lesions * (masks - 1))
        icc = (between - within) / (between + (masks - 1) * within)
    return np.where(lesions >= 2, icc, np.nan)


def feature_icc(features: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """Agreement of every feature between a lesion's masks.

    Parameters
    ----------
    features : DataFrame
        Index ``patient_id``; patients that were not measured again take no part.
    again : DataFrame
        As made by :func:`measure_again`.

    Returns
    -------
    DataFrame
        A row a feature: ``feature, lesions, perturbed, readers, icc``: the ICC over own and perturbed masks, that
        between the two readers (missing where there is one), and the smaller of the two, by which a feature is judged.
    """
    again = again[again["patient_id"].isin(features.index)].sort_values("patient_id", kind="stable")
    names = [name for name in again if name in features]
    by_reader = (again["mask"] == SECOND_READER).to_numpy()
    rows = {"perturbed": ~by_reader, "readers": by_reader}
    found = {part: _part_icc(features, again[own], names) for part, own in rows.items()}
    table = pd.DataFrame({"feature": names, "lesions": again["patient_id"].nunique(), **found})
    table["icc"] = np.fmin(table["perturbed"], table["readers"])
    return table


def _part_icc(features: pd.DataFrame, again: pd.DataFrame, names: list[str]) -> NDArray[np.float64]:
    """ICC over own and other masks; ``again`` has the same masks of every lesion, lesion by lesion."""
    patients = again["patient_id"].unique()
    if len(patients) < MINIMUM_LESIONS:
        return np.full(len(names), np.nan)
    other = again[names].to_numpy(dtype=float).reshape(len(patients), -1, len(names))
    own = features[names].to_numpy(dtype=float)[features.index.get_indexer(patients)]
    return one_way_icc(np.concatenate([own[:, None, :], other], axis=1))


def stability_table(icc: pd.DataFrame, dictionary: pd.DataFrame, minimum: float) -> pd.DataFrame:
    """Features by region and family: how many there are, how many reach ``minimum``, and their usual ICC."""
    named = icc.merge(dictionary[["feature", "region", "family"]], on="feature", validate="one_to_one")
    named["stable"] = named["icc"] >= minimum
    grouped = named.groupby(["region", "family"], sort=False)
    table = grouped.agg(features=("feature", "size"), stable=("stable", "sum"), icc_median=("icc", "median"))
    lowest = named.loc[grouped["icc"].idxmin().dropna()].set_index(["region", "family"])
    return table.join(
        lowest[["feature", "icc"]].rename(columns={"feature": "least_stable", "icc": "icc_lowest"})
    ).reset_index()


def describe_stability(icc: pd.DataFrame, radiomics: Radiomics, minimum: float) -> str:
    """The same in words, with what stood in for a second reader."""
    if icc["icc"].isna().all():
        return "Too few development patients were measured with other masks: no feature is judged, and all may enter."
    low, lesions = int((icc["icc"] < minimum).sum()), int(icc["lesions"].iloc[0])
    second = (
        "A second reader's outlines were measured as well."
        if icc["readers"].notna().any()
        else "There are no outlines by a second reader; these stand in for one."
    )
    return (
        f"{lesions} development patients were measured again with their outline changed by "
        f"{radiomics.perturbation_mm:g} mm ({', '.join(radiomics.perturbations)}). {second} "
        f"{low} of {len(icc)} features have an ICC below {minimum:g}. All of these patients are counted here; "
        "what a model may use is decided in each fold, from those of its own training part."
    )
