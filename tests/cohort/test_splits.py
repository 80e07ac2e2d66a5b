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
        ({"A": (3, 3), "B": (3, 3), "C": (2, 2)}, "the small centres have 4 positive"),
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


def place(cohort: pd.DataFrame, external: pd.Series | bool = False, seed: int = 5) -> pd.DataFrame:
    """Everybody's day, in an order of its own within each centre."""
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.random.default_rng(seed).permutation(len(cohort)), unit="D")
    return pd.DataFrame({"patient_id": cohort["patient_id"], "date": days, "external": external})


def test_without_an_internal_part_everybody_inside_develops(cohort):
    splits = make_splits(cohort, CENTRES, Split(internal_fraction=0, folds=5), seed=1)
    assert splits["split"].value_counts().to_dict() == {"development": 150, "external": 30}
    assert sorted(splits.loc[splits["split"] == "development", "fold"].unique()) == [0, 1, 2, 3, 4]


def test_the_latest_patients_of_each_centre_judge(cohort):
    placed = place(cohort, cohort["centre"] == "C")
    splits = make_splits(cohort, CENTRES, Split(internal_fraction=0.2, internal="latest", folds=2), 1, placed)
    dated = splits.merge(placed, on="patient_id")
    for centre, size in {"A": 20, "B": 10}.items():
        here = dated[dated["centre"] == centre]
        last, first = here.loc[here["split"] == "development", "date"].max(), here["date"][here["split"] == "internal"]
        assert len(first) == size
        assert first.min() > last


def test_patients_of_one_day_stay_together(cohort):
    placed = place(cohort, cohort["centre"] == "C").assign(
        date=lambda rows: rows["date"].dt.to_period("Q").dt.start_time
    )
    splits = make_splits(cohort, CENTRES, Split(internal_fraction=0.2, internal="latest", folds=2), 1, placed)
    dated = splits[splits["split"] != "external"].merge(placed, on="patient_id")
    assert dated.duplicated(["centre", "date"]).any()
    assert not dated.drop_duplicates(["centre", "date", "split"]).duplicated(["centre", "date"]).any()
    same = placed.assign(date=pd.Timestamp("2020-01-01"))
    with pytest.raises(StudyError, match="centre 'A': the latest 20% of its 100 patients begin on its first day"):
        make_splits(cohort, CENTRES, Split(internal_fraction=0.2, internal="latest", folds=2), 1, same)


def test_one_centre_can_be_on_both_sides(cohort):
    placed = place(cohort, external=cohort.index % 2 == 0)
    centres = Centres(development=("A", "B", "C"), external_by="date", external_from="2020-03-01")
    splits = make_splits(cohort, centres, Split(internal_fraction=0, folds=2), 1, placed)
    outside = set(splits.loc[splits["split"] == "external", "patient_id"])
    assert outside == set(cohort["patient_id"][::2])
    assert set(splits.loc[splits["split"] == "development", "centre"]) == {"A", "B", "C"}


def test_many_small_centres_are_dealt_together():
    cohort = make_cohort(**{f"S{i}": (6, 2) for i in range(10)})
    centres = Centres(development=tuple(f"S{i}" for i in range(10)))
    splits = make_splits(cohort, centres, Split(internal_fraction=0.2, folds=5), seed=1)
    development = splits[splits["split"] == "development"]
    assert (splits.loc[splits["split"] == "internal", "label"].sum(), len(development)) == (4, 64)
    per_fold = pd.crosstab(development["label"], development["fold"])
    assert (per_fold.max(axis=1) - per_fold.min(axis=1)).max() <= 1


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (slice(70, 80), "all 10 external patients are positive"),
        (slice(0, 7), "all 7 external patients are negative"),
        (slice(0, 70), "all 70 external patients are negative"),
    ],
)
def test_a_part_of_one_class_is_refused(cohort, part, message):
    placed = place(cohort, pd.Series(cohort.index, cohort.index).isin(cohort.index[part]))
    with pytest.raises(StudyError, match=message):
        make_splits(cohort, CENTRES, Split(internal_fraction=0, folds=2), 1, placed)


def test_folds_of_the_users_own_cross_fitting_are_everybodys(cohort):
    folds = pd.Series(np.arange(180) % 4 + 10, index=cohort["patient_id"])  # any whole numbers name folds
    folds[cohort["patient_id"][cohort.index % 9 == 0]] = -1
    folds[cohort["patient_id"][cohort["centre"] == "C"]] = -1
    splits = make_splits(cohort, CENTRES, Split(internal_fraction=0, folds=4), 1, None, folds).set_index("patient_id")
    inside = splits[splits["split"] == "development"]
    assert (inside["fold"] + 10 == folds[inside.index]).all()
    assert (splits["split"] == "internal").sum() == sum(cohort["centre"].isin(["A", "B"]) & (cohort.index % 9 == 0))
    assert set(splits.loc[splits["split"] != "development", "fold"]) == {-1}


@pytest.mark.parametrize(
    ("split", "external_fold", "message"),
    [
        (Split(internal_fraction=0.2, folds=4), -1, "set split.internal_fraction: 0"),
        (Split(internal_fraction=0, folds=5), -1, r"names 4 folds \(0, 1, 2, 3\) and split.folds is 5"),
        (Split(internal_fraction=0, folds=4), 1, "patient 'C000' is external and has the fold 1"),
    ],
)
def test_own_folds_that_contradict_the_design_are_refused(cohort, split, external_fold, message):
    folds = pd.Series(np.arange(180) % 4, index=cohort["patient_id"])
    folds[cohort["patient_id"][cohort["centre"] == "C"]] = external_fold
    with pytest.raises(StudyError, match=message):
        make_splits(cohort, CENTRES, split, 1, None, folds)
