"""Intensity and texture: published values, MIRP from end to end, and counting by hand."""

import logging
from itertools import product

import numpy as np
import pytest

from her2study.imaging import texture
from her2study.imaging.texture import (
    DIRECTIONS,
    FAMILIES,
    cooccurrences,
    discretise,
    family_features,
    region_features,
    run_lengths,
    zone_sizes,
)
from her2study.types import StudyError
from tests.imaging.digital_phantom import PHANTOM, REGION, TEXTURE

COUNTED = tuple(texture._COUNTED)


def _random_lesion(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    region = rng.random((7, 8, 9)) < 0.6
    return rng.normal(size=region.shape).astype(np.float32), region


def _cube(side: int, size: int = 10) -> np.ndarray:
    mask = np.zeros((size, size, size), bool)
    mask[3 : 3 + side, 3 : 3 + side, 3 : 3 + side] = True
    return mask


@pytest.mark.parametrize("family", TEXTURE)
def test_the_digital_phantom_gives_the_published_values(family):
    published = dict(pair.split() for pair in TEXTURE[family].replace("\n", " ").split(", "))
    found = region_features(PHANTOM, REGION, (family,), bins=6)  # six bins leave its integers as they are
    measured = {
        feature.abbr_name.partition("_")[2]: found[feature.table_name] for feature in family_features(family, 6)
    }
    assert set(measured) == set(published)
    for name, text in published.items():
        half_a_digit = 0.5 * 10 ** (np.floor(np.log10(abs(float(text)) or 1)) - 2)
        assert measured[name] == pytest.approx(float(text), abs=1.01 * half_a_digit), name


@pytest.mark.parametrize("family", COUNTED)
def test_matrices_counted_here_give_what_mirp_gives(family):
    image, region = _random_lesion()
    ours = region_features(image, region, (family,), bins=8)
    theirs = texture._through_mirp(image, region, family, 8)
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name  # MIRP's statistics are in single precision


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_names_what_it_gives(family):
    image, region = _random_lesion()
    names = [feature.table_name for feature in family_features(family, 8)]
    assert list(region_features(image, region, (family,), bins=8)) == names
    assert len(set(names)) == len(names) > 0


def test_first_order_features_of_a_cube_are_those_computed_by_hand():
    mask = _cube(3)
    image = np.zeros(mask.shape, np.float32)
    image[mask] = np.arange(27)
    found = region_features(image, mask, ("statistics",), bins=8)
    assert found["stat_mean"] == pytest.approx(13)
    assert found["stat_var"] == pytest.approx((27**2 - 1) / 12)  # discrete uniform
    assert found["stat_energy"] == pytest.approx(26 * 27 * 53 / 6)  # sum of squares
    assert found["stat_mad"] == pytest.approx(2 * sum(range(1, 14)) / 27)


def test_cooccurrences_are_those_of_a_plain_loop():
    levels = np.pad(np.random.default_rng(1).integers(0, 4, (4, 5, 6)), 1)
    expected = np.zeros((3, 3), int)
    for at in np.argwhere(levels):
        for step in product((-1, 0, 1), repeat=3):
            here, there = levels[tuple(at)], levels[tuple(at + step)]
            if any(step) and there:
                expected[here - 1, there - 1] += 1
    assert cooccurrences(levels, 3).tolist() == expected.tolist()


def test_runs_are_those_of_a_plain_loop():
    levels = np.pad(np.random.default_rng(2).integers(0, 3, (4, 5, 6)), 1)
    expected = []
    for at, step in product(np.argwhere(levels), np.array(DIRECTIONS)):
        level, length = levels[tuple(at)], 1
        if levels[tuple(at - step)] == level:
            continue  # not the first of its run
        while levels[tuple(at + length * step)] == level:
            length += 1
        expected.append((level, length))
    assert sorted(zip(*run_lengths(levels), strict=True)) == sorted(expected)
    assert max(length for _, length in expected) > 2


def test_zones_of_a_chessboard_touch_at_edges():
    board = np.pad(np.indices((4, 4, 4)).sum(axis=0) % 2 + 1, 1)
    assert sorted(zip(*zone_sizes(board), strict=True)) == [(1, 32), (2, 32)]
    two = np.zeros((5, 5, 5), int)
    two[1, 1, 1] = two[3, 3, 3] = 1
    assert sorted(zip(*zone_sizes(two), strict=True)) == [(1, 1), (1, 1)]


def test_levels_have_equal_width_and_hold_both_ends():
    values = np.array([0, 0.24, 0.26, 0.5, 0.99, 1], np.float32)
    assert discretise(values, values, 4).tolist() == [1, 1, 2, 3, 4, 4]


def test_a_tiny_or_uniform_region_has_no_texture():
    image, _ = _random_lesion()
    few = np.zeros(image.shape, bool)
    few[0, 0, :7] = True
    assert region_features(image, few, COUNTED, bins=8) == {}
    assert region_features(np.ones_like(image), np.ones(image.shape, bool), COUNTED, bins=8) == {}


def test_constant_and_exploding_features_are_not_offered():
    names = " ".join(feature.table_name for family in FAMILIES for feature in family_features(family, 8))
    assert "ih_max_grad_fbn" in names  # a gradient is neither, though its name begins alike
    for absent in ("ih_min_fbn", "ih_max_fbn", "ih_range_fbn", "stat_cov", "stat_qcod"):
        assert absent not in names


def test_an_unknown_family_is_explained():
    with pytest.raises(StudyError, match=r"'statistic' is not one of the families; did you mean 'statistics'\?"):
        family_features("statistic", 8)


def test_mirp_leaves_the_logging_of_this_process_alone():
    handlers, level = list(logging.root.handlers), logging.root.level
    image, region = _random_lesion()
    region_features(image, region, ("distance_zone_matrix",), bins=8)
    assert (logging.root.handlers, logging.root.level) == (handlers, level)
