"""Who judges the models best: external patients, else internal ones, else development patients out of fold."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from her2study.types import SPLITS


def judging_split(splits: Iterable[str]) -> str:
    """The split that says most about new patients: the last of reading order that is there; empty without any."""
    present = set(splits)
    return next((split for split in reversed(SPLITS) if split in present), "")


def judging_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table with a column ``split`` that are about the patients who judge best."""
    return table[table["split"] == judging_split(table["split"])]


def unseen_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Rows about internal and external patients; about development, out of fold, where there are neither."""
    elsewhere = table[table["split"] != "development"]
    return elsewhere if len(elsewhere) else table


def shared_centres(patients: pd.DataFrame) -> bool:
    """Whether all external patients (``split, centre``) are of centres that developed the models as well."""
    centres = patients.groupby("split")["centre"].agg(set)
    return "external" in centres and centres["external"] <= centres.get("development", set())


SHARED = (
    "The external patients are of centres that developed the models as well: they say how the models last, not how "
    "they would do in another hospital."
)
"""What :func:`shared_centres` means."""


def judges_sentence(splits: Iterable[str]) -> str:
    """Who judges the models of a study, and what that cannot show; empty where there are external patients."""
    judge = judging_split(splits)
    if judge == "internal":
        return (
            "There are no external patients: the models are judged by internal validation patients of the same source, "
            "and nothing can be said of other hospitals."
        )
    if judge == "development":
        return (
            "Nobody is set aside: the models are judged by out-of-fold scores of the patients who developed them. "
            "Thresholds were chosen on the same scores, and p values of differences take the models as given, so both "
            "look better than they are; nothing can be said of other hospitals."
        )
    return ""
