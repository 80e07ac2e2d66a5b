import logging

import numpy as np
import pandas as pd
import pytest
from mirp import extract_features

from her2study.imaging.radiomics import (
    FAMILIES,
    SHAPE,
    extract_radiomics,
    feature_dictionary,
    lesion_features,
    lesion_kinetics,
    lesion_shape,
)
from her2study.study import Radiomics
from her2study.types import StudyError

RADIOMICS = Radiomics(families=("statistics", "intensity_histogram", "cooccurrence_matrix"), bin_number=8)


def _cube(side: int = 4, size: int = 10) -> np.ndarray:
    mask = np.zeros((size, size, size), np.uint8)
    mask[3 : 3 + side, 3 : 3 + side, 3 : 3 + side] = 1
    return mask


def _patient(seed: int, mask: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pre, wash_in, wash_out = rng.normal([[1], [1.2], [-0.3]], 0.1, (3, mask.size)).reshape(3, *mask.shape)
    return np.stack([pre, wash_in, wash_out]).astype(np.float16)


def _ellipsoid() -> np.ndarray:
    z, y, x = np.ogrid[:20, :24, :28]
    return ((z - 9.5) / 5) ** 2 + ((y - 11.5) / 7) ** 2 + ((x - 13.5) / 10) ** 2 <= 1


def test_first_order_features_of_a_cube_are_those_computed_by_hand():
    mask = _cube(side=3).astype(bool)
    image = np.zeros(mask.shape, np.float32)
    image[mask] = np.arange(27)
    found = lesion_features(image, mask, RADIOMICS)
    assert found["stat_mean"] == pytest.approx(13)
    assert found["stat_var"] == pytest.approx((27**2 - 1) / 12)  # discrete uniform
    assert found["stat_skew"] == pytest.approx(0, abs=1e-6)
    assert found["stat_range"] == pytest.approx(26)
    assert found["stat_energy"] == pytest.approx(26 * 27 * 53 / 6)  # sum of squares
    assert found["stat_mad"] == pytest.approx(2 * sum(range(1, 14)) / 27)


def test_a_histogram_of_two_values_has_one_bit_of_entropy():
    mask = _cube(side=4).astype(bool)
    image = np.indices(mask.shape).sum(axis=0).astype(np.float32) % 2  # a chessboard
    found = lesion_features(image, mask, RADIOMICS)
    assert found["ih_entropy_fbn_n8"] == pytest.approx(1)
    assert found["ih_uniformity_fbn_n8"] == pytest.approx(0.5)
    # 26 neighbours: pairs along faces and corners change colour, pairs along edges do not.
    side, pairs = 4, lambda shift: np.prod([side - s for s in shift])
    change = 3 * pairs((1, 0, 0)) + 4 * pairs((1, 1, 1))
    contrast = 7**2 * change / (change + 6 * pairs((1, 1, 0)))
    assert found["cm_contrast_d1_3d_v_mrg_fbn_n8"] == pytest.approx(contrast)


def test_shape_agrees_with_mirps_own_morphology():
    mask, spacing_mm = _ellipsoid(), (1.5, 1.5, 1.5)
    ours = lesion_shape(mask, spacing_mm)
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    table = extract_features(
        image=np.ones(mask.shape, np.float32) + mask, mask=mask.astype(int), base_feature_families="morphology"
    )[0].iloc[0]
    logging.disable(before)
    scale = 1.5  # MIRP takes an array without spacing as 1 mm
    assert ours["shape_volume_ml"] == pytest.approx(table["morph_volume"] * scale**3 / 1000, rel=1e-4)
    assert ours["shape_surface_to_volume_per_mm"] == pytest.approx(table["morph_av"] / scale, rel=1e-4)
    assert ours["shape_sphericity"] == pytest.approx(table["morph_sphericity"], rel=1e-4)
    assert ours["shape_maximum_diameter_mm"] == pytest.approx(table["morph_diam"] * scale, rel=1e-4)
    assert ours["shape_major_axis_mm"] == pytest.approx(table["morph_pca_maj_axis"] * scale, rel=1e-4)
    assert ours["shape_elongation"] == pytest.approx(table["morph_pca_elongation"], rel=1e-4)
    assert ours["shape_flatness"] == pytest.approx(table["morph_pca_flatness"], rel=1e-4)


def test_anisotropic_voxels_are_measured_in_millimetres():
    shape = lesion_shape(np.ones((4, 8, 16), bool), (4.0, 2.0, 1.0))  # a cube of 16 mm
    assert shape["shape_volume_ml"] == pytest.approx(16**3 / 1000, rel=0.06)  # the mesh cuts edges off
    assert shape["shape_maximum_diameter_mm"] == pytest.approx(np.sqrt(3) * 16, rel=0.1)


def test_kinetics_of_a_planted_lesion():
    mask = np.zeros((9, 9, 9), bool)
    mask[1:8, 1:8, 1:8] = True
    core = np.zeros_like(mask)
    core[2:7, 2:7, 2:7] = True
    channels = np.zeros((3, 9, 9, 9), np.float32)
    channels[0][mask] = 1
    channels[1][mask], channels[1][core] = 2, 0.5
    channels[2][mask], channels[2][core] = -1, 0
    found = lesion_kinetics(channels, mask)
    rim, inner = 7**3 - 5**3, 5**3
    assert found["kinetic_washout_fraction"] == pytest.approx(rim / 7**3)
    assert found["kinetic_signal_enhancement_ratio"] == pytest.approx((2 * rim + 0.5 * inner) / (rim + 0.5 * inner))
    assert found["kinetic_rim_to_core_ratio"] == pytest.approx(4)


def test_features_do_not_depend_on_workers():
    masks = np.stack([_cube(3), _cube(4), _cube(5)])
    channels = np.stack([_patient(seed, mask) for seed, mask in enumerate(masks)])
    alone = extract_radiomics(["P1", "P2", "P3"], channels, masks, RADIOMICS, (1.5, 1.5, 1.5), workers=1)
    beside = extract_radiomics(["P1", "P2", "P3"], channels, masks, RADIOMICS, (1.5, 1.5, 1.5), workers=2)
    pd.testing.assert_frame_equal(alone, beside, check_exact=True)
    assert alone.notna().all(axis=None)
    assert alone["wash_out_stat_mean"].mean() == pytest.approx(-0.3, abs=0.02)


def test_a_tiny_or_uniform_lesion_keeps_its_shape_and_misses_its_texture():
    masks = np.stack([_cube(4), _cube(1), _cube(4)])
    channels = np.stack([_patient(seed, mask) for seed, mask in enumerate(masks)])
    channels[2, 1:] = 1
    found = extract_radiomics(["P1", "P2", "P3"], channels, masks, RADIOMICS, (1.5, 1.5, 1.5))
    texture = found.filter(like="_cm_").isna().all(axis=1)
    assert texture.tolist() == [False, True, True]
    assert found[["shape_volume_ml", "shape_sphericity"]].notna().all(axis=None)


def test_a_feature_that_no_lesion_has_is_dropped():
    masks = np.stack([_cube(1), _cube(1)])
    channels = np.stack([_patient(seed, mask) for seed, mask in enumerate(masks)])
    found = extract_radiomics(["P1", "P2"], channels, masks, RADIOMICS, (1.5, 1.5, 1.5))
    assert not [name for name in found if name.startswith("wash")]
    assert "shape_elongation" not in found  # one voxel has no axes


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_names_exactly_what_mirp_returns(family):
    settings = Radiomics(families=(family,), bin_number=8)
    mask = _cube(5)
    found = extract_radiomics(["P1"], _patient(0, mask)[None], mask[None], settings, (1.5, 1.5, 1.5))
    offered = feature_dictionary(settings)
    assert [name for name in found if name != "patient_id"] == offered["feature"].tolist()
    assert (found.drop(columns="patient_id").dtypes == np.float64).all()


def test_the_dictionary_explains_every_feature_once():
    offered = feature_dictionary(RADIOMICS)
    assert offered["feature"].is_unique
    assert offered["label"].is_unique
    assert (offered[["label", "family", "image", "definition"]] != "").all(axis=None)
    assert offered.set_index("feature").loc["wash_in_stat_mean", "ibsi_id"] == "Q4LE"
    assert set(SHAPE) <= set(offered["feature"])


def test_constant_and_exploding_features_are_not_offered():
    names = " ".join(feature_dictionary(RADIOMICS)["feature"])
    assert "ih_max_grad_fbn" in names  # a gradient is neither, though its name begins alike
    for absent in ("ih_min_fbn", "ih_max_fbn", "ih_range_fbn", "stat_cov", "stat_qcod"):
        assert absent not in names


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"families": ("statistic",)}, r"'statistic', .* did you mean 'statistics'\?"),
        ({"images": ("washin",)}, "names 'washin'; known images are pre, wash_in, wash_out"),
    ],
)
def test_unknown_settings_are_explained(change, says):
    with pytest.raises(StudyError, match=says):
        extract_radiomics(
            ["P1"], np.ones((1, 3, 4, 4, 4)), np.ones((1, 4, 4, 4)), RADIOMICS.model_copy(update=change), (1, 1, 1)
        )


def test_mirp_leaves_the_logging_of_this_process_alone():
    handlers, level = list(logging.root.handlers), logging.root.level
    lesion_features(_patient(0, _cube())[1].astype(np.float32), _cube().astype(bool), RADIOMICS)
    assert (logging.root.handlers, logging.root.level) == (handlers, level)
