"""Defects of a hospital's own features and scores, each alone."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from tests.hospital.judge import Planted
from tests.hospital.own import Own

AREAS = "file|table|variables|splits|identifiers|settings"


def own(what: str, plant: Callable[[Own], None], *words: str, severity: str = "error") -> Planted:
    """A defect of one of the two tables."""
    return Planted(what, severity, AREAS, "", "", words, plant)


def _feature(row: int, column: str, value: object) -> Callable[[Own], None]:
    def plant(files: Own) -> None:
        files.features[column] = files.features[column].astype("object")
        files.features.loc[row, column] = value

    return plant


def _score(row: int, column: str, value: object) -> Callable[[Own], None]:
    def plant(files: Own) -> None:
        files.scores[column] = files.scores[column].astype("object")
        files.scores.loc[row, column] = value

    return plant


def _without_fold(files: Own) -> None:
    files.scores = files.scores.drop(columns="fold")


def _nobody(files: Own) -> None:
    files.features["patient_id"] = "MRI-" + files.features["patient_id"].astype("str")


def _twice(files: Own) -> None:
    files.features = pd.concat([files.features, files.features.iloc[[4]]], ignore_index=True)


def _age_again(files: Own) -> None:
    files.features = files.features.rename(columns={"contrast": "age_years"})


def _one_woman_less(files: Own) -> None:
    files.features = files.features.drop(index=11)


def _one_score_less(files: Own) -> None:
    files.scores = files.scores.drop(index=2)


def _no_file(files: Own) -> None:
    files.study["source"]["features"] = ["feature.csv"]


ALONE = [
    own("a word for a feature", _feature(3, "entropy", "high"), "features.csv", "entropy", "high", "S04"),
    own("an infinite feature", _feature(6, "contrast", "inf"), "features.csv", "contrast", "S07"),
    own("features of nobody", _nobody, "features.csv", "S01"),
    own("a woman's features twice", _twice, "features.csv", "S05"),
    own("a feature named like a variable", _age_again, "features.csv", "age_years"),
    own("a woman without features", _one_woman_less, "S12", severity="warning|note"),
    own("a file of features that is not there", _no_file, "feature.csv"),
    own("scores that do not say who made them", _without_fold, "scores.csv", "fold"),
    own("a score above one", _score(8, "probability", 1.3), "scores.csv", "1.3", "S09"),
    own("a woman without a score", _one_score_less, "S03", severity="error|warning"),
]
