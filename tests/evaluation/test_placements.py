"""Tests of the counts behind DeLong's variance."""

import numpy as np

from her2study.evaluation.placements import areas, covariance_of_areas, placements


def test_counts_by_hand():
    labels = np.array([1, 0, 1, 0, 0])
    of_positives, of_negatives = placements(labels, np.array([[3.0], [1], [1], [1], [5]]))
    assert of_positives.tolist() == [[2, 1]]  # 3 is above two of three; 1 is tied with two
    assert of_negatives.tolist() == [[1.5, 1.5, 0]]
    assert areas(of_positives, of_negatives) == [0.5]
    # 0.5 / 9 between the positives and 0.75 / 4 between the negatives, each divided by its number of patients
    np.testing.assert_allclose(covariance_of_areas(of_positives, of_negatives), [[0.5 / 9 / 2 + 0.75 / 4 / 3]])


def test_equal_ranks_have_equal_counts_to_the_last_bit():
    rng = np.random.default_rng(5)
    labels, score = (np.arange(999) % 3 == 0).astype(int), rng.normal(size=999).round(2)
    for part in placements(labels, np.column_stack([score, np.exp(score), -0.0 + score**3])):
        np.testing.assert_array_equal(part[0], part[1])
        np.testing.assert_array_equal(part[0], part[2])


def test_zeros_of_both_signs_are_tied():
    assert placements(np.array([0, 1]), np.array([[0.0], [-0.0]]))[0] == 0.5
