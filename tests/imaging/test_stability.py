import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from her2study.evaluation import icc
from her2study.imaging.radiomics import extract_radiomics, feature_dictionary
from her2study.imaging.stability import (
    SECOND_READER,
    describe_stability,
    feature_icc,
    measure_again,
    one_way_icc,
    perturb_mask,
    perturbed_patients,
    reader_files,
    second_masks,
    stability_table,
)
from tests.imaging.lesions import RADIOMICS as EVERY
from tests.imaging.lesions import SPACING_MM, ball, invent_lesions

RADIOMICS = EVERY.model_copy(update={"families": ("statistics",)})
KINDS = ("smaller", "larger", "moved", "redrawn")
LESIONS = invent_lesions([ball(radius) for radius in (2.5, 3, 3.5, 4, 4.5, 5)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_perturbed_mask_is_another_outline_of_the_same_lesion(kind):
    own = ball(5) > 0
    other = perturb_mask(own, SPACING_MM, kind, 0.75, seed=1)
    dice = 2 * (own & other).sum() / (own.sum() + other.sum())
    assert 0.75 < dice < 1
    assert (other == perturb_mask(own, SPACING_MM, kind, 0.75, seed=1)).all()
    if kind in ("moved", "redrawn"):
        assert (other != perturb_mask(own, SPACING_MM, kind, 0.75, seed=2)).any()


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (2.0, 1.0, 0.5)])
@pytest.mark.parametrize(("kind", "sign"), [("larger", 1), ("smaller", -1)])
def test_borders_move_by_millimetres_on_any_grid(spacing_mm, kind, sign):
    at = [(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip((40, 60, 100), spacing_mm, strict=True)]
    distance_mm = np.sqrt(sum(np.square(axis) for axis in np.meshgrid(*at, indexing="ij")))
    other = perturb_mask(distance_mm <= 12, spacing_mm, kind, 3, seed=0)
    radius_mm = (other.sum() * np.prod(spacing_mm) * 3 / 4 / np.pi) ** (1 / 3)
    assert radius_mm == pytest.approx(12 + sign * 3, abs=0.6)


def test_a_lesion_of_one_voxel_survives():
    own = np.zeros((5, 5, 5), bool)
    own[2, 2, 2] = True
    for kind in KINDS:
        assert perturb_mask(own, SPACING_MM, kind, 2, seed=0).any()


def test_only_development_patients_are_drawn():
    splits = pd.DataFrame(
        {"patient_id": [f"P{i:02d}" for i in range(30)], "split": ["development", "internal", "external"] * 10}
    )
    drawn = perturbed_patients(splits, 6, seed=1)
    assert len(set(drawn)) == 6
    assert set(drawn) <= set(splits.loc[splits["split"] == "development", "patient_id"])
    assert drawn == perturbed_patients(splits.sample(frac=1, random_state=0), 6, seed=1)
    assert len(perturbed_patients(splits, 40, seed=1)) == 10


def test_one_way_icc_is_that_of_the_tested_statistic():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(12, 1, 4)) * [3, 1, 0.3, 0] + rng.normal(size=(12, 3, 4))
    found = one_way_icc(values)
    for feature in range(4):
        assert found[feature] == pytest.approx(icc(values[:, :, feature], "one-way random, single").estimate)


def test_missing_lesions_leave_only_their_feature():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(8, 1, 2)) + 0.1 * rng.normal(size=(8, 2, 2))
    gap = values.copy()
    gap[3, 1, 0] = np.nan
    assert one_way_icc(gap)[0] == pytest.approx(one_way_icc(np.delete(values, 3, axis=0))[0])
    assert one_way_icc(gap)[1] == pytest.approx(one_way_icc(values)[1])
    assert np.isnan(one_way_icc(np.full((8, 2, 1), np.nan))).all()


def test_measuring_again_and_judging():
    features = extract_radiomics(LESIONS, RADIOMICS)
    again = measure_again(LESIONS, LESIONS.patients, RADIOMICS, seed=1)
    assert again["mask"].value_counts().to_dict() == dict.fromkeys(RADIOMICS.perturbations, 6)
    volume = again.pivot_table("shape_volume_ml", index="patient_id", columns="mask")
    own = features.set_index("patient_id")["shape_volume_ml"]
    assert (volume["smaller"] < own).all()
    assert (volume["larger"] > own).all()
    judged = feature_icc(features.set_index("patient_id"), again)
    values = np.c_[own, volume]
    expected = icc(values, "one-way random, single").estimate
    assert judged.set_index("feature").loc["shape_volume_ml", "icc"] == pytest.approx(expected)
    assert (judged["lesions"] == 6).all()
    assert judged["readers"].isna().all()
    table = stability_table(judged, feature_dictionary(RADIOMICS), 0.75)
    assert table["features"].sum() == len(judged)
    assert table["stable"].sum() == (judged["icc"] >= 0.75).sum()
    assert "no outlines by a second reader" in describe_stability(judged, RADIOMICS, 0.75)


def test_a_second_reader_is_judged_apart_and_the_worse_of_the_two_counts():
    features = extract_radiomics(LESIONS, RADIOMICS).set_index("patient_id")
    second = {patient: ball(2.5 if number % 2 else 5) > 0 for number, patient in enumerate(LESIONS.patients)}
    again = measure_again(LESIONS, LESIONS.patients, RADIOMICS, seed=1, second=second)
    assert (again["mask"] == SECOND_READER).sum() == 6
    judged = feature_icc(features, again).set_index("feature").loc["shape_volume_ml"]
    assert judged["readers"] < judged["perturbed"]
    assert judged["icc"] == judged["readers"]


def test_too_few_lesions_judge_nothing():
    features = extract_radiomics(LESIONS, RADIOMICS).set_index("patient_id")
    again = measure_again(LESIONS, LESIONS.patients[:4], RADIOMICS, seed=1)
    judged = feature_icc(features, again)
    assert judged["icc"].isna().all()
    assert "no feature is judged" in describe_stability(judged, RADIOMICS, 0.75)


def test_a_second_readers_outline_is_brought_onto_the_crop(tmp_path):
    folder = tmp_path / "segmentations" / "automatic"
    folder.mkdir(parents=True)
    outline = np.zeros((20, 24, 28), np.uint8)
    outline[8:14, 10:16, 12:18] = 1
    affine = np.array([[-1.0, 0, 0, 7], [0, -1.0, 0, 5], [0, 0, 1.0, -3], [0, 0, 0, 1]])  # RAS; in LPS x = i - 7
    nib.save(nib.Nifti1Image(outline, affine), folder / "P1.nii.gz")
    index = pd.DataFrame(
        {"patient_id": ["P1", "P2"], "origin_x_mm": [-2.0, 0], "origin_y_mm": [1.0, 0], "origin_z_mm": 5.0}
    )
    files = reader_files(tmp_path, ["P1", "P2"])
    assert list(files) == ["P1"]
    found = second_masks(files, index, (12, 14, 14), (1.0, 1.0, 1.0))
    assert list(found) == ["P1"]
    assert np.argwhere(found["P1"]).min(axis=0).tolist() == [12 - 3 - 5, 10 - 5 - 1, 8 - 7 + 2]
    assert found["P1"].sum() == 6**3
    assert second_masks(files, index.assign(origin_x_mm=500.0), (12, 14, 14), (1.0, 1.0, 1.0)) == {}
    assert reader_files(tmp_path / "elsewhere", ["P1"]) == {}
