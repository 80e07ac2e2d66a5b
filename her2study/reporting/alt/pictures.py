"""Pictures of patients in words: whose they are, and where maps put their evidence."""

from __future__ import annotations

import numpy as np
import pandas as pd

from her2study.words import listing, number

METHODS = {"gradcam": "Grad-CAM", "occlusion": "occlusion"}
"""Columns that hold maps, and their printed names."""


def montage(frame: pd.DataFrame) -> str:
    """How many patients of which centres and outcomes are shown."""
    centres = frame["centre"].astype(str).value_counts().sort_index()
    counts = listing([f"{n} of centre {centre}" for centre, n in centres.items()])
    return (
        f"Wash-in images of {len(frame)} patients, each with the lesion outlined: {counts}; "
        f"{int((frame['label'] == 1).sum())} HER2-positive. {_lesions(frame)}"
    )


def montage_all(frame: pd.DataFrame) -> str:
    """How many patients are on the page, and whose scans have findings."""
    headings = ". ".join(str(heading) for heading in dict.fromkeys(frame["heading"]))
    found = frame[frame["flag"].fillna("") != ""]
    text = f"Small wash-in images of {len(frame)} patients with the lesion outlined. {headings}."
    if len(found):
        named = [f"{row.patient_id} ({row.flag})" for row in found.head(5).itertuples()]
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        return f"{text} Findings on this page: {'; '.join(named)}{more}."
    return f"{text} No findings on this page."


def saliency(frame: pd.DataFrame) -> str:
    """Who is shown, what was predicted, and the share of each map's evidence inside the lesion's outline."""
    texts = []
    for title, rows in frame.groupby("title", sort=False):
        probabilities = rows["probability"]
        spread = " to ".join(dict.fromkeys(number(p) for p in (probabilities.min(), probabilities.max())))
        texts.append(f"{title}: {len(rows)}, predicted {spread}")
    text = f"Wash-in images and saliency maps of {len(frame)} patients ({'; '.join(texts)})."
    shares = [
        f"{words} {number(share.median(), 0, percent=True)}%"
        for name, words in METHODS.items()
        if name in frame and (share := _share_in_lesion(frame, name)).notna().any()
    ]
    if shares:
        text += f" Share of the evidence on the slice that lies inside the lesion's outline, median: {listing(shares)}"
        area = _area_share(frame).median()
        text += f"; the outline holds {number(area, 0, percent=True)}% of the picture."
    return text


def _share_in_lesion(frame: pd.DataFrame, name: str) -> pd.Series:
    """Absolute evidence inside the mask over all of it, a patient each; NaN of an empty map."""
    shares = []
    for heat, mask in zip(frame[name], frame["mask"], strict=True):
        size = np.abs(np.nan_to_num(np.asarray(heat, dtype=float)))
        whole = size.sum()
        shares.append(size[np.asarray(mask, dtype=float) > 0.5].sum() / whole if whole > 0 else np.nan)
    return pd.Series(shares, dtype="float64")


def _area_share(frame: pd.DataFrame) -> pd.Series:
    return pd.Series([float((np.asarray(mask, dtype=float) > 0.5).mean()) for mask in frame["mask"]])


def _lesions(frame: pd.DataFrame) -> str:
    area = _area_share(frame)
    ends = " to ".join(f"{number(share, 0, percent=True)}%" for share in (area.min(), area.max()))
    return f"The lesions cover {ends} of their pictures."
