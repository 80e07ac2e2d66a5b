"""Scans like the training scans pass, others are named with what is unusual about them."""

import json

import numpy as np
import pandas as pd
import pytest

from her2study.models.likeness import describe_training, unlike
from her2study.types import StudyError

NAMES = ("pre", "wash_in", "wash_out")
SHAPE = (8, 10, 10)


def scans(n, seed):
    """Channels, masks, index and quality of lesions that differ in size, enhancement and noise."""
    rng = np.random.default_rng([seed, n])
    away = sum((axis - (size - 1) / 2) ** 2 for axis, size in zip(np.indices(SHAPE), SHAPE, strict=True))
    mask = np.stack([away < radius**2 for radius in rng.uniform(2, 3.5, n)])
    level = np.stack([np.ones(n), rng.normal(1.2, 0.2, n), rng.normal(-0.2, 0.1, n)], axis=1)[..., None, None, None]
    tissue = np.array([0.8, 0.2, 0.02])[:, None, None, None]
    channels = np.where(mask[:, None], level, tissue) + rng.normal(0, 0.05, (n, 3, *SHAPE))
    index = pd.DataFrame(
        {"volume_ml": mask.sum(axis=(1, 2, 3)) / 100, "spacing_z_mm": rng.choice([1.6, 2.0], n), "spacing_y_mm": 0.8}
    ).assign(spacing_x_mm=0.8, early_seconds=90.0, late_seconds=360.0)
    quality = pd.DataFrame({"coverage_percent": 100.0, "signal_to_noise": rng.uniform(18, 30, n)})
    return channels.astype(np.float16), mask.astype(np.uint8), index, quality.assign(motion_mm=np.nan)


@pytest.fixture(scope="module")
def reference():
    return describe_training(*scans(120, seed=1), NAMES)


def test_what_is_kept_is_plain_json_and_holds_no_patient(reference):
    assert json.loads(json.dumps(reference)) == reference
    assert max(len(np.ravel(value)) for value in reference["pictures"].values()) < 120 * 120
    assert reference["ranges"]["spacing_z_mm"]["high"] == 2.0
    assert "motion_mm" not in reference["ranges"]  # nothing was known of it


def test_fresh_scans_of_the_same_kind_are_seldom_flagged(reference):
    flagged = [bool(reasons) for reasons in unlike(reference, *scans(100, seed=2))]
    assert np.mean(flagged) <= 0.1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c[:, [1, 0, 2]], "signal before contrast"),
        (lambda c: np.stack([c[:, 0], -c[:, 1], c[:, 2]], axis=1), "wash-in in the lesion (median)"),
        (lambda c: c + np.random.default_rng(0).normal(0, 0.5, c.shape), "roughness"),
        (lambda c: np.stack([c[:, 0], c[:, 1], 0 * c[:, 2]], axis=1), "wash-out in the lesion (spread)"),
        (lambda c: np.roll(c, 4, axis=-1), "wash-in in the lesion"),
    ],
    ids=["phases exchanged", "inverted", "noisy", "late phase copied", "mask elsewhere"],
)
def test_a_scan_that_went_wrong_is_flagged_with_what_is_odd_about_it(reference, change, words):
    channels, *rest = scans(12, seed=3)
    for reasons in unlike(reference, change(channels.astype(np.float32)), *rest):
        assert any(words in reason.text for reason in reasons if reason.kind == "pictures"), reasons


def test_another_protocol_is_told_as_such_in_one_reason(reference):
    channels, mask, index, quality = scans(3, seed=4)
    wide = index.assign(spacing_z_mm=3.0, spacing_x_mm=[0.8, 0.85, 1.4])
    for reasons in unlike(reference, channels, mask, wide, quality):
        (protocol,) = [reason for reason in reasons if reason.kind == "protocol"]
        assert "voxels of 3 x" in protocol.text
        assert "1.6-2" in protocol.text
    late = unlike(reference, channels, mask, index.assign(late_seconds=700.0), quality)
    assert all("time of the late phase 700 s (training scans 360 to 360 s)" in r[0].text for r in late)


def test_few_scans_describe_nothing():
    with pytest.raises(StudyError, match="19 training scans; at least 20"):
        describe_training(*scans(19, seed=0), NAMES)
