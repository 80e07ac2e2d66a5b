"""Tests of the design: who develops, who judges, and what few patients allow."""

import numpy as np
import pandas as pd
import pytest

from her2study.cohort.proposals.design import choose_design


def design(sizes, by_date=False, column="site"):
    """Centres with (positives, negatives)."""
    centre = [name for name, (p, n) in sizes.items() for _ in range(p + n)]
    labels = np.concatenate([np.repeat([1.0, 0.0], counts) for counts in sizes.values()])
    return choose_design(pd.Series(centre), pd.Series(labels), column, by_date)


@pytest.mark.parametrize(
    ("sizes", "external"),
    [
        ({"A": (60, 140), "B": (33, 77), "C": (24, 56), "D": (18, 42)}, ["C", "D"]),  # as in the paper
        ({"DUKE": (83, 208), "ISPY1": (54, 112), "ISPY2": (241, 739), "NACT": (15, 32)}, ["ISPY1", "NACT"]),
        ({"A": (60, 60), "B": (50, 50)}, ["B"]),
        ({"A": (30, 50)}, []),
    ],
)
def test_the_smaller_centres_judge_as_many_as_hold_a_third(sizes, external):
    found = design(sizes)
    assert found.centres["external"] == external
    assert found.centres["development"] == [name for name in sizes if name not in external]


def test_small_centres_are_joined_or_leave_with_a_question():
    joined = design({"A": (40, 60), "B": (2, 30), "C": (2, 20), "D": (2, 9)})
    assert joined.joined == dict.fromkeys("BCD", "other centres")
    assert joined.centres["external"] == ["other centres"]
    left = design({"A": (40, 60), "B": (30, 40), "C": (1, 3)})
    assert left.exclusions[0]["values"] == ["C"]
    assert "They leave the study" in left.doubts[0]


def test_a_centre_too_small_to_judge_may_develop():
    found = design({"A": (40, 60), "B": (4, 20), "C": (20, 30)})
    assert found.centres == {"development": ["A", "B"], "external": ["C"]}
    assert found.split["folds"] == 4
    assert design({"A": (40, 60), "B": (4, 20)}).centres["external"] == []


def test_an_internal_part_needs_ten_of_the_rarer_class():
    assert design({"A": (50, 80), "B": (20, 30)}).split == {"internal_fraction": 0.2, "folds": 5}
    few = design({"A": (40, 80), "B": (20, 30)})
    assert few.split["internal_fraction"] == 0
    assert "8 patients of the rarer class" in few.why_split
    assert design({"A": (3, 9)}).split["folds"] == 3


def test_one_centre_with_dates_is_judged_by_its_last_patients():
    assert design({"A": (60, 90)}, by_date=True).split["internal"] == "latest"
    assert "internal" not in design({"A": (60, 90), "B": (30, 40)}, by_date=True).split
