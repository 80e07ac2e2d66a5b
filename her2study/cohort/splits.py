"""Development, internal and external patients, and the development folds: drawn once, before any image."""

from __future__ import annotations

import numpy as np
import pandas as pd

from her2study.study import Centres, Outcome, Split
from her2study.types import NO_FOLD, SPLITS, StudyError


def make_splits(cohort: pd.DataFrame, centres: Centres, split: Split, seed: int) -> pd.DataFrame:
    """Split within the development centres and deal their patients into folds.

    Both draws are stratified by centre and label, so each part has its share of every centre's
    positives to within one patient. External centres are external as a whole.

    Parameters
    ----------
    cohort : DataFrame
        ``patient_id, centre, label``; order of rows is irrelevant.
    seed : int
        Same seed, same patients: same splits.

    Returns
    -------
    DataFrame
        ``patient_id, centre, label, split, fold`` sorted by patient; ``fold`` is 0 to ``folds - 1`` in
        development and -1 elsewhere.

    Raises
    ------
    StudyError
        A development centre has too few patients of a class for the internal part and the folds.
    """
    from sklearn.model_selection import StratifiedKFold, train_test_split

    frame = cohort[["patient_id", "centre", "label"]].sort_values("patient_id", ignore_index=True)
    frame = frame.assign(split="external", fold=NO_FOLD)
    inside = frame.index[frame["centre"].isin(centres.development)]
    stratum = frame["centre"] + "/" + frame["label"].astype("str")
    _enough(frame.loc[inside], 2, split)
    try:
        development, internal = train_test_split(
            inside.to_numpy(), test_size=split.internal_fraction, stratify=stratum[inside], random_state=seed
        )
    except ValueError:  # fewer internal patients than combinations of centre and class
        raise StudyError(
            f"{len(inside)} development patients are too few for an internal part of {split.internal_fraction:.0%} "
            "that holds both classes of every centre; raise split.internal_fraction or add patients"
        ) from None
    frame.loc[internal, "split"] = "internal"
    frame.loc[development, "split"] = "development"
    development = np.sort(development)
    _enough(frame.loc[development], split.folds, split)
    dealer = StratifiedKFold(split.folds, shuffle=True, random_state=seed)
    for fold, (_, held_out) in enumerate(dealer.split(development, stratum[development])):
        frame.loc[development[held_out], "fold"] = fold
    return frame.astype({"split": "str", "fold": "int64"})


def permute_labels(cohort: pd.DataFrame, outcome: Outcome, seed: int) -> pd.DataFrame:
    """The canary: with ``outcome.permute``, shuffle labels within each centre; else change nothing.

    Prevalence of each centre stays, any tie between a patient and her label goes: a chain that still
    predicts has a leak.
    """
    if not outcome.permute:
        return cohort
    shuffled = cohort.sort_values("patient_id", ignore_index=True)
    draw = np.random.default_rng([seed, 271])
    for centre in sorted(shuffled["centre"].unique()):
        here = shuffled["centre"] == centre
        shuffled.loc[here, "label"] = draw.permutation(shuffled.loc[here, "label"].to_numpy())
    return shuffled


def split_summary(splits: pd.DataFrame) -> pd.DataFrame:
    """``split, fold, centre, n, positives, positives_percent``: whether the draw is balanced."""
    grouped = splits.groupby(["split", "fold", "centre"])["label"]
    summary = grouped.agg(n="size", positives="sum").reset_index()
    summary = summary.sort_values("split", key=lambda names: names.map(SPLITS.index), kind="stable", ignore_index=True)
    return summary.assign(positives_percent=100 * summary["positives"] / summary["n"])


def _enough(patients: pd.DataFrame, least: int, split: Split) -> None:
    """Insist on ``least`` patients of each class in each centre."""
    for (centre, label), here in patients.groupby(["centre", "label"]):
        if len(here) < least:
            raise StudyError(
                f"centre {centre!r} has {len(here)} {'positive' if label else 'negative'} development patients, and "
                f"an internal part of {split.internal_fraction:.0%} and {split.folds} folds need at least {least}: "
                "lower split.folds or split.internal_fraction, or move the centre to centres.external"
            )
