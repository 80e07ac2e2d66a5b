"""Tests of the split: stratified, reproducible, and refused where it cannot be."""

import numpy as np
import pandas as pd
import pytest

from her2study.cohort.splits import make_splits, permute_labels, split_summary
from her2study.study import Centres, Outcome, Split
from her2study.types import StudyError

CENTRES = Centres(development=("A", "B"), external=("C",))
OUTCOME = Outcome(column="her2", positive=("1",), negative=("0",), label="HER2-positive")


def make_cohort(**sizes: tuple[int, int]) -> pd.DataFrame:
    """Centres with the given numbers of negatives and positives."""
    rows = [
        (f"{centre}{i:03d}", centre, int(i >= negatives))
        for centre, (negatives, positives) in sizes.items()
        for i in range(negatives + positives)
    ]
    return pd.DataFrame(rows, columns=["patient_id", "centre", "label"])


@pytest.fixture
def cohort() -> pd.DataFrame:
    return make_cohort(A=(70, 30), B=(35, 15), C=(20, 10))


def test_each_part_has_its_share_of_every_centre_and_class(cohort):
    splits = make_splits(cohort, CENTRES, Split(internal_fraction=0.2, folds=5), seed=1)
    counts = splits.groupby(["split", "centre", "label"]).size()
    assert counts["internal"].to_dict() == {("A", 0): 14, ("A", 1): 6, ("B", 0): 7, ("B", 1): 3}
    assert counts["external"].to_dict() == {("C", 0): 20, ("C", 1): 10}
    development = splits[splits["split"] == "development"]
    per_fold = pd.crosstab([development["centre"], development["label"]], development["fold"])
    assert per_fold.columns.tolist() == [0, 1, 2, 3, 4]
    assert (per_fold.max(axis=1) - per_fold.min(axis=1)).max() <= 1
    assert (splits.loc[splits["split"] != "development", "fold"] == -1).all()


def test_the_split_depends_on_the_seed_and_not_on_the_order_of_rows(cohort):
    split = Split(internal_fraction=0.2, folds=5)
    first = make_splits(cohort, CENTRES, split, seed=1)
    shuffled = cohort.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(first, make_splits(shuffled, CENTRES, split, seed=1))
    assert not first["split"].equals(make_splits(cohort, CENTRES, split, seed=2)["split"])
    assert first["patient_id"].is_monotonic_increasing


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"A": (70, 5), "B": (35, 15), "C": (2, 2)}, "centre 'A' has 4 positive development patients.*at least 5"),
        ({"A": (70, 1), "B": (35, 15), "C": (2, 2)}, "centre 'A' has 1 positive"),
        ({"A": (3, 3), "B": (3, 3), "C": (2, 2)}, "12 development patients are too few"),
    ],
)
def test_too_few_patients_are_refused_with_what_to_lower(sizes, message):
    with pytest.raises(StudyError, match=message):
        make_splits(make_cohort(**sizes), CENTRES, Split(internal_fraction=0.2, folds=5), seed=1)


def test_permuted_labels_keep_each_centres_prevalence_and_lose_the_tie_to_patients(cohort):
    outcome = OUTCOME.model_copy(update={"permute": True})
    permuted = permute_labels(cohort, outcome, seed=1)
    assert permuted.groupby("centre")["label"].sum().to_dict() == {"A": 30, "B": 15, "C": 10}
    assert permuted["patient_id"].tolist() == cohort["patient_id"].tolist()
    assert abs(np.corrcoef(permuted["label"], cohort["label"])[0, 1]) < 0.25  # 180 patients: three standard errors
    pd.testing.assert_frame_equal(permuted, permute_labels(cohort, outcome, seed=1))


def test_labels_stay_unless_the_study_asks(cohort):
    assert permute_labels(cohort, OUTCOME, seed=1) is cohort


def test_the_summary_counts_everybody_in_reading_order(cohort):
    summary = split_summary(make_splits(cohort, CENTRES, Split(internal_fraction=0.2, folds=5), seed=1))
    assert summary["n"].sum() == 180
    assert summary["split"].unique().tolist() == ["development", "internal", "external"]
    assert summary.iloc[-1]["positives_percent"] == pytest.approx(100 * 10 / 30)
