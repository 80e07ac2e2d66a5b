"""Cross-fitting in one place: who trains, who is scored, and the frames that say so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from her2study.types import NO_FOLD, PREDICTION_COLUMNS, Scores


class Part(NamedTuple):
    """One fit: the patients it may see and the patients it scores."""

    fold: int
    train: list[str]
    score: list[str]


class CrossFit(NamedTuple):
    """What cross-fitting leaves behind.

    ``predictions`` and ``trained_on`` follow the contracts of :mod:`her2study.types`; ``log`` has a
    row per fit (chosen settings or predictors), ``selected`` a row per fit and chosen feature.
    """

    predictions: pd.DataFrame
    trained_on: pd.DataFrame
    log: pd.DataFrame
    selected: pd.DataFrame


def fold_parts(splits: pd.DataFrame) -> list[Part]:
    """One part for each development fold, then one fitted on all development for everyone else.

    The last part is left out when there is nobody but development patients to score.
    """
    development = splits[splits["split"] == "development"]
    parts = [
        Part(int(fold), _ids(development[development["fold"] != fold]), _ids(development[development["fold"] == fold]))
        for fold in sorted(development["fold"].unique())
    ]
    return [*parts, Part(NO_FOLD, _ids(development), _ids(splits[splits["split"] != "development"]))]


def centre_parts(splits: pd.DataFrame) -> list[Part]:
    """One part for each centre, scored by a model fitted on every other centre.

    A study of its own, beside the frozen models: its fits are thrown away and never enter the
    predictions of the study, so patients of external centres may train here for other centres.
    """
    return [
        Part(NO_FOLD, _ids(splits[splits["centre"] != centre]), _ids(splits[splits["centre"] == centre]))
        for centre in sorted(splits["centre"].unique())
    ]


def score_rows(splits: pd.DataFrame, part: Part, model: str, probability: Scores) -> pd.DataFrame:
    """Prediction rows of one part; ``probability`` is in the order of ``part.score``."""
    rows = splits.set_index("patient_id").loc[part.score].reset_index()
    return rows.assign(model=model, probability=np.asarray(probability, dtype=float), fold=part.fold)[
        list(PREDICTION_COLUMNS)
    ]


def seen_rows(part: Part, model: str) -> pd.DataFrame:
    """Provenance rows of one part: everyone the model saw."""
    return pd.DataFrame({"model": model, "fold": part.fold, "patient_id": part.train})


def gather(rows: Iterable[pd.DataFrame], order: list[str]) -> pd.DataFrame:
    """Rows of all parts as one frame, sorted by ``order``."""
    return pd.concat(list(rows), ignore_index=True).sort_values(order, kind="stable", ignore_index=True)


def labels_of(splits: pd.DataFrame, patients: list[str]) -> np.ndarray:
    """Labels of the patients, in their order."""
    return splits.set_index("patient_id")["label"].loc[patients].to_numpy(dtype=np.int64)


def _ids(rows: pd.DataFrame) -> list[str]:
    return sorted(rows["patient_id"])
