"""Pictures to be looked at: every patient's lesion on a few pages, and a sample of them for the paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.imaging.quality import SHORT
from her2study.types import StudyError

COLUMNS, ROWS = 10, 8
"""Pictures across a page, and rows of them on it."""

SHOWN = ("wash_in", "subtraction", "early")
"""Channels that show the lesion, the best first."""

WHITE = 1.5
"""Wash-in from which on a picture is white, unless its brightest half percent is brighter: faint lesions stay faint."""


def shown_channel(channels: Sequence[str]) -> int:
    """Place of the channel to look at among those of the settings.

    Raises
    ------
    StudyError
        None of them shows enhancement.
    """
    for name in SHOWN:
        if name in channels:
            return list(channels).index(name)
    raise StudyError(
        f"imaging.channels {tuple(channels)}: none of {', '.join(SHOWN)} is among them, and the montage needs one "
        "to show the lesion: add wash_in"
    )


def montage(
    channels: NDArray[np.float16], mask: NDArray[np.uint8], cohort: pd.DataFrame, shown: int = 1, patients: int = 24
) -> pd.DataFrame:
    """Wash-in of some patients at the slice with most lesion, spread over centres and labels.

    Patients are taken in turn from each centre and label, in order of patient_id: no look decides.

    Parameters
    ----------
    channels, mask : ndarray
        ``(n, channel, z, y, x)`` and ``(n, z, y, x)``; memory maps will do.
    cohort : DataFrame
        ``patient_id``, ``centre``, ``label``, in row order of the arrays.
    shown : int
        Place of the channel to show.

    Returns
    -------
    DataFrame
        ``patient_id, centre, label, height, width, image, mask``; pictures as flat lists.
    """
    people = cohort[["patient_id", "centre", "label"]].reset_index(drop=True)
    turn = people.groupby(["centre", "label"]).cumcount()
    chosen = people.assign(turn=turn).sort_values(["turn", "centre", "label"]).head(patients)
    chosen = chosen.drop(columns="turn").sort_values(["centre", "label", "patient_id"])
    rows = []
    for position, patient in chosen.iterrows():
        image, outline = largest_slice(channels[position, shown], mask[position])
        height, width = image.shape
        pictures = {"image": image.astype(float).ravel().tolist(), "mask": outline.astype(float).ravel().tolist()}
        rows.append({**patient.to_dict(), "height": height, "width": width, **pictures})
    return pd.DataFrame(rows)


def montage_pages(
    channels: NDArray[np.float16],
    mask: NDArray[np.uint8],
    quality: pd.DataFrame,
    shown: int = 1,
    names: Mapping[str, str] | None = None,
) -> list[pd.DataFrame]:
    """Every patient at the slice with most lesion: a centre after the other, in each those with findings first.

    Parameters
    ----------
    channels, mask : ndarray
        As in :func:`montage`.
    quality : DataFrame
        ``patient_id, centre, findings``, in row order of the arrays.
    names : mapping, optional
        Printed names of the centres.

    Returns
    -------
    list of DataFrame
        One a page: ``patient_id, centre, heading`` (of the centre, the same for all its patients on the page),
        ``row`` on the page and ``column``, ``flag`` (findings in short, empty if none), ``height, width``,
        ``image`` and ``mask`` as flat lists of whole numbers, 0 to 255 and 0 to 1.
    """
    people = quality[["patient_id", "centre", "findings"]].reset_index(drop=True)
    people["flag"] = [", ".join(SHORT.get(finding, finding) for finding in text.split("; ") if text) for text in
                      people["findings"]]  # fmt: skip
    order = people.assign(sound=people["flag"] == "").sort_values(["centre", "sound", "patient_id"])
    pages: list[list[dict]] = [[]]
    used = 0
    for centre, group in order.groupby("centre", sort=True):
        found = int((group["flag"] != "").sum())
        name = (names or {}).get(centre, f"Centre {centre}")
        heading = f"{name}, {len(group)} {'patient' if len(group) == 1 else 'patients'}; with findings: {found}"
        for first in range(0, len(group), COLUMNS):
            if used == ROWS:
                pages.append([])
                used = 0
            if first and used == 0:
                heading = f"{name}, continued"
            for column, (position, patient) in enumerate(group.iloc[first : first + COLUMNS].iterrows()):
                picture = _picture(channels[position, shown], mask[position])
                told = {"patient_id": patient["patient_id"], "centre": centre, "heading": heading, "row": used}
                pages[-1].append({**told, "column": column, "flag": patient["flag"], **picture})
            used += 1
    return [pd.DataFrame(page) for page in pages if page]


def largest_slice(
    volume: NDArray[np.float16], lesion: NDArray[np.uint8]
) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """The slice ``(y, x)`` with most lesion, of the volume and of the mask."""
    place = int(lesion.sum(axis=(1, 2)).argmax())
    return volume[place], lesion[place]


def _picture(volume: NDArray[np.float16], lesion: NDArray[np.uint8]) -> dict:
    image, outline = largest_slice(volume, lesion)
    image = np.nan_to_num(image.astype(np.float32))
    white = max(WHITE, float(np.percentile(image, 99.5)))
    grey = np.round(255 * np.clip(image / white, 0, 1)).astype(int)
    height, width = image.shape
    return {"height": height, "width": width, "image": grey.ravel().tolist(), "mask": outline.ravel().tolist()}
