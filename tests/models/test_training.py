"""Training one fold on toy lesions: what it learns, from whom, and that it is the same each time."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score

from her2study.models import training
from her2study.models.augmentation import augment
from her2study.models.device import Ranks, deterministic
from her2study.models.inference import predict_logits
from her2study.models.network import with_mask
from her2study.models.training import check_same_patients, fit_fold, inner_split
from her2study.types import StudyError
from tests.models.toy import SETTINGS, SHAPE, toy_ball, toy_channels, toy_splits, weights_of


@pytest.fixture(autouse=True)
def quiet(monkeypatch, tmp_path):
    monkeypatch.setenv("HER2STUDY_PROGRESS", str(tmp_path / "progress.json"))


def out_of_fold_auc(channels, splits, seed):
    development = splits["split"] == "development"
    logits = np.zeros(len(splits))
    for fold in (0, 1):
        held_out = (development & (splits["fold"] == fold)).to_numpy()
        network = fit_fold(channels, splits, fold, SETTINGS, seed).network
        logits[held_out] = predict_logits(network, channels[held_out], average_flips=True)
    return roc_auc_score(splits["label"][development], logits[development])


def test_learns_a_planted_signal_out_of_fold():
    splits = toy_splits(72)
    assert out_of_fold_auc(toy_channels(splits["label"], signal=1.5), splits, seed=1) > 0.9


def test_permuted_labels_give_no_signal():
    splits = toy_splits(120)
    channels = toy_channels(splits["label"], signal=1.5)
    development = (splits["split"] == "development").to_numpy()
    shuffled = splits.copy()
    order = np.random.default_rng(3).permutation(development.sum())
    shuffled.loc[development, "label"] = splits.loc[development, "label"].to_numpy()[order]
    assert 0.3 < out_of_fold_auc(channels, shuffled, seed=1) < 0.7


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    splits = toy_splits(36)
    channels = toy_channels(splits["label"], signal=1.0)
    brief = SETTINGS.model_copy(update={"epochs": 2, "dropout": 0.3})
    torch.manual_seed(11)
    first = fit_fold(channels, splits, 0, brief, seed=5)
    torch.manual_seed(99)  # the caller's random state must not matter
    second = fit_fold(channels, splits, 0, brief, seed=5)
    other = fit_fold(channels, splits, 0, brief, seed=6)
    assert weights_of(first.network) == weights_of(second.network)
    pd.testing.assert_frame_equal(first.curve, second.curve, check_exact=True)
    assert not torch.equal(first.network.head.weight, other.network.head.weight)


def test_caller_keeps_random_state_threads_and_strictness():
    torch.manual_seed(4)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    with deterministic(1, 2):
        torch.rand(3)
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_labels_scans_and_order_outside_the_training_part_change_nothing():
    """Held-out, internal and external patients become others, in another order: the weights are the same bytes."""
    splits = toy_splits(48)
    channels = toy_channels(splits["label"], signal=1.0)
    brief = SETTINGS.model_copy(update={"epochs": 2})
    unseen = ((splits["split"] != "development") | (splits["fold"] == 1)).to_numpy()
    first = fit_fold(channels, splits, 1, brief, seed=5)
    tampered, scans = splits.copy(), channels.copy()
    tampered.loc[unseen, "label"] = 1 - tampered.loc[unseen, "label"]
    scans[unseen] += 3
    order = np.arange(len(splits))
    order[unseen] = np.random.default_rng(0).permutation(order[unseen])
    second = fit_fold(scans[order], tampered.iloc[order].reset_index(drop=True), 1, brief, seed=5)
    assert weights_of(first.network) == weights_of(second.network)
    pd.testing.assert_frame_equal(first.curve, second.curve, check_exact=True)
    assert not set(first.trained_on["patient_id"]) & set(splits["patient_id"][unseen])
    assert set(first.trained_on["patient_id"]) == set(splits["patient_id"][~unseen])


def test_the_measured_branch_sees_the_training_part_only():
    splits = toy_splits(48)
    mask = np.broadcast_to(toy_ball(), (48, *SHAPE))
    channels = with_mask(toy_channels(splits["label"], signal=1.0), mask)
    mass = np.arange(48) % 3 / 2
    both = SETTINGS.model_copy(update={"epochs": 2, "learned_share": 0.5})
    unseen = ((splits["split"] != "development") | (splits["fold"] == 1)).to_numpy()
    first = fit_fold(channels, splits, 1, both, seed=5, mass=mass)
    tampered, scans = splits.copy(), channels.copy()
    tampered.loc[unseen, "label"] = 1 - tampered.loc[unseen, "label"]
    scans[unseen, :-1] += 3
    second = fit_fold(scans, tampered, 1, both, seed=5, mass=np.where(unseen, 1 - mass, mass))
    assert weights_of(first.network) == weights_of(second.network)
    assert first.network.measured.head.weight.abs().max() > 0


def test_watched_patients_decide_nothing():
    """Only the watched patients' scans change: the curve does, no weight does."""
    splits = toy_splits(48)
    channels = toy_channels(splits["label"], signal=1.0)
    first = fit_fold(channels, splits, 1, SETTINGS, seed=5)
    watched = splits["patient_id"].isin(first.trained_on.query("use == 'inner'")["patient_id"]).to_numpy()
    scans = channels.copy()
    scans[watched] = 2 - scans[watched]
    second = fit_fold(scans, splits, 1, SETTINGS, seed=5)
    assert weights_of(first.network) == weights_of(second.network)
    assert (first.curve["inner_loss"] != second.curve["inner_loss"]).all()


def test_provenance_and_curve_are_complete():
    splits = toy_splits(48)
    fit = fit_fold(toy_channels(splits["label"], 1.0), splits, 1, SETTINGS.model_copy(update={"epochs": 3}), seed=5)
    assert fit.trained_on.columns.tolist() == ["patient_id", "use"]
    assert fit.trained_on["patient_id"].is_monotonic_increasing
    assert fit.trained_on["patient_id"].is_unique
    watched = fit.trained_on.loc[fit.trained_on["use"] == "inner", "patient_id"]
    assert len(watched) == round(0.2 * len(fit.trained_on))
    assert fit.curve.columns.tolist() == ["fold", "epoch", "train_loss", "inner_loss", "inner_auc", "chosen"]
    assert fit.curve["epoch"].tolist() == [1, 3]  # the first and the last
    assert fit.curve["chosen"].tolist() == [False, True]
    assert (fit.curve["fold"] == 1).all()


def test_inner_split_is_stratified_by_centre_and_label():
    patients = pd.DataFrame({"centre": ["A"] * 40 + ["B"] * 20, "label": ([0, 0, 0, 1] * 15)})
    learn, watch = inner_split(patients, 0.2, [1])
    assert sorted([*learn, *watch]) == list(range(60))
    counts = patients.iloc[watch].groupby(["centre", "label"]).size()
    assert counts.to_dict() == {("A", 0): 6, ("A", 1): 2, ("B", 0): 3, ("B", 1): 1}


def test_inner_split_holds_both_labels_even_when_a_stratum_is_single():
    patients = pd.DataFrame({"centre": ["A"] * 11 + ["B"], "label": [0, 1] * 5 + [0, 1]})
    _, watch = inner_split(patients, 0.15, [1])
    assert set(patients["label"].iloc[watch]) == {0, 1}


def test_inner_split_refuses_a_single_label():
    with pytest.raises(StudyError, match="all 6 training patients have label 0"):
        inner_split(pd.DataFrame({"centre": ["A"] * 6, "label": [0] * 6}), 0.2, [1])


def test_unknown_fold_is_refused():
    splits = toy_splits(24)
    with pytest.raises(StudyError, match=r"fold 7 .* folds \[0, 1\]"):
        fit_fold(toy_channels(splits["label"], 0), splits, 7, SETTINGS, seed=1)


def test_batches_too_small_to_share_are_refused(monkeypatch):
    monkeypatch.setattr(training, "join_ranks", lambda: Ranks(0, 5))
    splits = toy_splits(24)
    with pytest.raises(StudyError, match=r"batch_size is 8 and 5 processes .* at least 10"):
        fit_fold(toy_channels(splits["label"], 0), splits, 0, SETTINGS, seed=1)


def test_a_volume_store_of_other_patients_is_refused():
    splits = toy_splits(24)
    check_same_patients(splits[["patient_id"]], splits)
    with pytest.raises(StudyError, match=r"24 patients .*row 0 is 'P023' and 'P000'"):
        check_same_patients(splits[["patient_id"]][::-1], splits)
    with pytest.raises(StudyError, match=r"23 patients and splits 24.*one is longer"):
        check_same_patients(splits[["patient_id"]][:23], splits)


def reference_augment(volume, flips, shifts):
    """The slow twin: flip, then shift, repeating the border voxel."""
    for axis, (flip, shift) in enumerate(zip(flips, shifts, strict=True)):
        size = volume.shape[axis]
        taken = np.clip([(size - 1 - i if flip else i) + shift for i in range(size)], 0, size - 1)
        volume = np.take(volume, taken, axis=axis)
    return volume


def test_augmentation_only_flips_and_shifts_without_jitter():
    settings = SETTINGS.model_copy(update={"intensity_jitter": 0.0, "shift_voxels": 1})
    batch = torch.arange(4 * 3 * 4 * 5 * 6, dtype=torch.float32).view(4, 3, 4, 5, 6)
    moved = augment(batch, settings, batch.shape[1], torch.Generator().manual_seed(0)).numpy()
    options = [(bool(code & 1), bool(code & 2), bool(code & 4)) for code in range(8)]
    shifts = [(a, b, c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)]
    for patient in range(4):
        found = [
            (flips, shift)
            for flips in options
            for shift in shifts
            if np.array_equal(reference_augment(batch[patient, 0].numpy(), flips, shift), moved[patient, 0])
        ]
        assert found, json.dumps(moved[patient, 0].tolist())
        flips, shift = found[0]
        for channel in (1, 2):  # channels move together
            assert np.array_equal(
                reference_augment(batch[patient, channel].numpy(), flips, shift), moved[patient, channel]
            )


def test_augmentation_jitters_each_channel_within_its_limits():
    settings = SETTINGS.model_copy(update={"intensity_jitter": 0.1, "shift_voxels": 0})
    batch = torch.ones(64, 3, 2, 2, 2)
    values = augment(batch, settings, batch.shape[1], torch.Generator().manual_seed(0))
    assert float(values.max()) <= 1.1 + 1e-6
    assert float(values.min()) >= 0.9 - 1e-6
    assert float(values.flatten(2).std(dim=2).max()) == 0
    assert values[:, :, 0, 0, 0].unique().numel() == 64 * 3


def test_flip_averaged_logits_do_not_depend_on_orientation():
    splits = toy_splits(36)
    channels = toy_channels(splits["label"], signal=1.0)
    network = fit_fold(channels, splits, 0, SETTINGS.model_copy(update={"epochs": 1}), seed=5).network
    mirrored = channels[..., ::-1]
    np.testing.assert_allclose(
        predict_logits(network, mirrored, True), predict_logits(network, channels, True), rtol=1e-6, atol=1e-6
    )
    assert not np.allclose(predict_logits(network, mirrored, False), predict_logits(network, channels, False), 1e-6)
