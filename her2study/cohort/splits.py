"""Development, internal and external patients, and the development folds: made once, before any image.

Who is external is decided by the design (:mod:`her2study.cohort.placement`). The internal part is drawn at random or
is the last patients of each centre; there may be none, and then cross-fitting and the bootstrap judge.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from her2study.study import Centres, Outcome, Split
from her2study.types import NO_FOLD, SPLITS, StudyError

POOLED = "small centres"
"""Stands for centres that have too few patients of a class to be dealt by themselves, where there are several."""


def make_splits(
    cohort: pd.DataFrame,
    centres: Centres,
    split: Split,
    seed: int,
    placed: pd.DataFrame | None = None,
    own_folds: pd.Series | None = None,
) -> pd.DataFrame:
    """Set external and internal patients apart and deal the others into folds.

    Random draws are stratified by centre and label, so each part has its share of every centre's positives to
    within one patient; centres too small for that are dealt together. The latest internal patients are those from
    the day on that leaves ``internal_fraction`` of their centre, so that nobody is older than a patient who teaches.

    Parameters
    ----------
    cohort : DataFrame
        ``patient_id, centre, label``; order of rows is irrelevant.
    seed : int
        Same seed, same patients: same splits.
    placed : DataFrame, optional
        From :func:`her2study.cohort.placement.placements`; without it patients are external by their centre alone.
    own_folds : Series, optional
        Fold of each patient (index) in the user's own cross-fitting; -1 held out from all of it. It takes the place
        of the draw: those with a fold are development, the others internal.

    Returns
    -------
    DataFrame
        ``patient_id, centre, label, split, fold`` sorted by patient; ``fold`` is 0 to ``folds - 1`` in
        development and -1 elsewhere.

    Raises
    ------
    StudyError
        Too few patients of a class for the internal part and the folds; an internal or external part of one class
        only; own folds that contradict the design.
    """
    frame = cohort[["patient_id", "centre", "label"]].sort_values("patient_id", ignore_index=True)
    frame = frame.assign(split="external", fold=NO_FOLD)
    if placed is None:
        outside = ~frame["centre"].isin(centres.development)
    else:
        outside = frame["patient_id"].map(placed.set_index("patient_id")["external"]).astype(bool)
    inside = frame.index[~outside]
    if own_folds is not None:
        return _by_own_folds(frame, inside, own_folds, split)
    strata = _strata(frame.loc[inside], split)
    if not split.internal_fraction:
        internal = inside[:0].to_numpy()
    elif split.internal == "latest":
        internal = _latest(frame.loc[inside], placed, split)
    else:
        internal = _drawn(frame.loc[inside], strata, split, seed)
    development = np.setdiff1d(inside.to_numpy(), internal)
    frame.loc[internal, "split"] = "internal"
    frame.loc[development, "split"] = "development"
    _both_classes(frame)
    frame.loc[development, "fold"] = _dealt(frame.loc[development], strata.loc[development], split, seed)
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


def split_sentence(centres: Centres, split: Split, splits: pd.DataFrame, own_folds: bool = False) -> str:
    """How the patients came into their parts, in words."""
    present = set(splits["split"])
    names = [centres.names.get(centre, centre) for centre in centres.external]
    told = []
    if "external" in present:
        ways = [f"they are of {', '.join(names)}"] if names else []
        if centres.external_from and centres.external_by == "date":
            ways.append(f"they came on or after {centres.external_from.day} {centres.external_from:%B %Y}")
        if centres.external_by == "column":
            ways.append(f"{centres.external_column} is {' or '.join(centres.external_values)}")
        told.append(f"Patients are external where {' or '.join(ways)}.")
    else:
        told.append("Nobody is external: these patients cannot say how the models would do elsewhere.")
    if own_folds:
        told.append("Folds, and who is internal, are those of the study's own scores.")
    elif "internal" in present:
        how = "the last patients of each centre" if split.internal == "latest" else "drawn at random"
        whom = "the others" if "external" in present else "all patients"
        told.append(f"Internal validation: {split.internal_fraction:.0%} of {whom}, {how}.")
    else:
        told.append("Nobody is set aside for internal validation: out-of-fold scores and the bootstrap judge.")
    return " ".join(told)


def _strata(inside: pd.DataFrame, split: Split) -> pd.Series:
    """Centre and class of each patient; centres too small to be dealt by themselves are one, if there are several."""
    label = inside["label"].astype("str")
    strata = inside["centre"] + "/" + label
    size = strata.map(strata.value_counts())
    small = size * (1 - split.internal_fraction) < split.folds
    several = inside.loc[small].groupby("label")["centre"].transform("nunique").reindex(inside.index, fill_value=0) > 1
    return strata.where(~(small & several), POOLED + "/" + label)


def _drawn(inside: pd.DataFrame, strata: pd.Series, split: Split, seed: int) -> np.ndarray:
    """Positions of the internal patients, drawn at random within strata."""
    from sklearn.model_selection import train_test_split

    _enough(inside, strata, 2, split)
    try:
        _, internal = train_test_split(
            inside.index.to_numpy(), test_size=split.internal_fraction, stratify=strata, random_state=seed
        )
    except ValueError:  # fewer internal patients than combinations of centre and class
        raise StudyError(
            f"{len(inside)} development patients are too few for an internal part of {split.internal_fraction:.0%} "
            "that holds both classes of every centre; raise split.internal_fraction or add patients"
        ) from None
    return internal


def _latest(inside: pd.DataFrame, placed: pd.DataFrame | None, split: Split) -> np.ndarray:
    """Positions of the last patients of each centre: whole days, as near to the fraction as they allow from above."""
    if placed is None:
        raise ValueError("a split by date needs the dates of the patients, see placements()")
    dates = inside["patient_id"].map(placed.set_index("patient_id")["date"])
    parts = []
    for centre, days in dates.groupby(inside["centre"]):
        wanted = max(1, round(split.internal_fraction * len(days)))
        first = days.sort_values().iloc[-wanted]
        if (days >= first).all():
            raise StudyError(
                f"centre {centre!r}: the latest {split.internal_fraction:.0%} of its {len(days)} patients begin on its "
                f"first day, {first:%Y-%m-%d}, and leave nobody for development; check source.date_column, or set "
                "split.internal: random"
            )
        parts.append(days.index[days >= first])
    return np.sort(np.concatenate(parts))


def _dealt(development: pd.DataFrame, strata: pd.Series, split: Split, seed: int) -> np.ndarray:
    """The fold of each development patient."""
    from sklearn.model_selection import StratifiedKFold

    _enough(development, strata, split.folds, split)
    folds = np.full(len(development), NO_FOLD)
    dealer = StratifiedKFold(split.folds, shuffle=True, random_state=seed)
    for fold, (_, held_out) in enumerate(dealer.split(development, strata)):
        folds[held_out] = fold
    return folds


def _by_own_folds(frame: pd.DataFrame, inside: pd.Index, own_folds: pd.Series, split: Split) -> pd.DataFrame:
    """The split that the user's own cross-fitting has made already."""
    folds = frame["patient_id"].map(own_folds).fillna(NO_FOLD).astype("int64")
    outside = frame.index.difference(inside)
    if split.internal_fraction:
        raise StudyError(
            f"source.scores names folds, and split.internal_fraction is {split.internal_fraction:g}: the scores decide "
            "who is development (a fold) and who is internal (-1); set split.internal_fraction: 0"
        )
    wrong = frame.loc[outside[folds[outside] >= 0]]
    if len(wrong):
        raise StudyError(
            f"source.scores: patient {wrong['patient_id'].iloc[0]!r} is external and has the fold "
            f"{folds[wrong.index[0]]} ({len(wrong)} such patients): she took part in the cross-fitting and cannot "
            "judge it; score her with models that never saw her (fold -1), or make her a development patient"
        )
    development = inside[folds[inside] >= 0]
    known = sorted(folds[development].unique())
    if len(known) != split.folds:
        raise StudyError(
            f"source.scores names {len(known)} folds ({', '.join(map(str, known))}) and split.folds is {split.folds}; "
            f"set split.folds: {len(known)}"
        )
    frame.loc[inside, "split"] = "internal"
    frame.loc[development, "split"] = "development"
    frame.loc[development, "fold"] = np.searchsorted(known, folds[development])
    _both_classes(frame)
    return frame.astype({"split": "str", "fold": "int64"})


def _both_classes(frame: pd.DataFrame) -> None:
    """Insist that every part there is has positives and negatives."""
    for part, label in frame.groupby("split")["label"]:
        if label.nunique() < 2:
            mend = {
                "external": "move the day or the values that make patients external",
                "internal": "raise split.internal_fraction, or set it to 0",
                "development": "move centres or dates, so that more patients develop the models",
            }
            raise StudyError(
                f"all {len(label)} {part} patients are {'positive' if label.iloc[0] else 'negative'}, and nothing can "
                f"be learned from or judged by one class; {mend[str(part)]}"
            )
    if not (frame["split"] == "development").any():
        raise StudyError("nobody is left for development: every patient is external; correct centres in study.yml")


def _enough(patients: pd.DataFrame, strata: pd.Series, least: int, split: Split) -> None:
    """Insist on ``least`` patients of each class in each centre, or in the small centres together."""
    for stratum, here in patients.groupby(strata):
        if len(here) < least:
            name, kind = here["centre"].iloc[0], "positive" if here["label"].iloc[0] else "negative"
            who = f"the {POOLED} have" if str(stratum).startswith(f"{POOLED}/") else f"centre {name!r} has"
            part = f"an internal part of {split.internal_fraction:.0%} and " if split.internal_fraction else ""
            lower = "split.folds or split.internal_fraction" if split.internal_fraction else "split.folds"
            several = len(patients["centre"].unique()) > 1
            more = " or move the centre to centres.external" if several else " or add patients"
            raise StudyError(
                f"{who} {len(here)} {kind} development patients, and {part}{split.folds} folds need at least {least}: "
                f"lower {lower},{more}"
            )
