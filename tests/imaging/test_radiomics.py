import numpy as np
import pandas as pd
import pytest

from her2study.imaging.radiomics import (
    AROUND,
    extract_radiomics,
    feature_dictionary,
    gather_lesions,
    measure_lesion,
    one_lesion,
)
from her2study.imaging.shape import SHAPE
from her2study.imaging.texture import FAMILIES
from her2study.study import Radiomics
from her2study.types import StudyError
from tests.imaging.lesions import RADIOMICS, cube, invent_lesions


def test_features_do_not_depend_on_workers():
    lesions = invent_lesions([cube(3), cube(4), cube(5)])
    alone = extract_radiomics(lesions, RADIOMICS, workers=1)
    beside = extract_radiomics(lesions, RADIOMICS, workers=2)
    pd.testing.assert_frame_equal(alone, beside, check_exact=True)
    assert alone.drop(columns="patient_id").dtypes.eq(np.float64).all()
    assert alone["wash_out_stat_mean"].mean() == pytest.approx(-0.3, abs=0.02)
    assert alone[f"{AROUND}wash_out_stat_mean"].mean() == pytest.approx(0, abs=0.02)
    assert alone[f"{AROUND}kinetic_wash_in_against_lesion"].tolist() == pytest.approx(
        [0.4 / w for w in (1.2, 1.3, 1.4)], rel=0.05
    )


def test_a_tiny_or_uniform_lesion_keeps_its_shape_and_misses_its_texture():
    lesions = invent_lesions([cube(4), cube(1), cube(4)])
    lesions.channels[2, 1:] = 1
    found = extract_radiomics(lesions, RADIOMICS)
    inside = [name for name in found if "_cm_" in name and not name.startswith(AROUND)]
    assert found[inside].isna().all(axis=1).tolist() == [False, True, True]
    assert found[["shape_volume_ml", "shape_sphericity"]].notna().all(axis=None)
    around = [name for name in found if name.startswith(f"{AROUND}wash_in_stat")]
    assert found[around].isna().all(axis=1).tolist() == [False, False, True]


def test_a_feature_that_no_lesion_has_is_dropped():
    found = extract_radiomics(invent_lesions([cube(1), cube(1)]), RADIOMICS)
    assert not [name for name in found if name.startswith("wash")]
    assert "shape_elongation" not in found  # one voxel has no axes
    assert f"{AROUND}wash_in_stat_mean" in found


def test_a_lesion_without_tissue_around_it_has_no_peritumoural_features():
    lesions = invent_lesions([cube(4)])
    lesions.channels[0, 0][lesions.mask[0] == 0] = 0
    found = measure_lesion(one_lesion(lesions, 0), RADIOMICS)
    assert not [name for name in found if name.startswith(AROUND)]
    assert "wash_in_stat_mean" in found


@pytest.mark.parametrize("family", FAMILIES)
def test_the_dictionary_explains_every_feature_once(family):
    settings = Radiomics(families=(family,), peritumoural_families=(family,), bin_number=8)
    found = extract_radiomics(invent_lesions([cube(5)]), settings)
    offered = feature_dictionary(settings)
    assert [name for name in found if name != "patient_id"] == offered["feature"].tolist()
    assert offered["feature"].is_unique
    assert offered["label"].is_unique
    assert (offered[["label", "family", "image", "region", "definition"]] != "").all(axis=None)


def test_the_dictionary_names_region_and_standard():
    offered = feature_dictionary(RADIOMICS).set_index("feature")
    assert offered.loc["wash_in_stat_mean", ["label", "region", "ibsi_id"]].tolist() == [
        "Wash-in: mean",
        "tumour",
        "Q4LE",
    ]
    around = offered.loc[f"{AROUND}wash_in_stat_mean"]
    assert around[["label", "region", "ibsi_id"]].tolist() == ["Peritumoural wash-in: mean", "peritumoural", "Q4LE"]
    assert set(SHAPE) <= set(offered.index)
    assert (offered.index.str.startswith(AROUND) == (offered["region"] == "peritumoural")).all()
    without = feature_dictionary(RADIOMICS.model_copy(update={"peritumoural_mm": 0}))
    assert set(without["region"]) == {"tumour"}


def test_the_map_of_enhancement_ratios_can_be_measured_like_a_channel():
    settings = RADIOMICS.model_copy(update={"images": ("signal_enhancement_ratio",)})
    found = extract_radiomics(invent_lesions([cube(5)]), settings)
    assert found["signal_enhancement_ratio_stat_p90"].iloc[0] > 1
    assert not [name for name in found if name.startswith("wash_in")]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"families": ("statistic",)}, r"'statistic' .* did you mean 'statistics'\?"),
        ({"peritumoural_families": ("glcm",)}, r"'glcm' is not one of the families"),
        ({"images": ("washin",)}, r"names 'washin'; did you mean 'wash_in'\? Known images: pre, wash_in, wash_out"),
    ],
)
def test_unknown_settings_are_explained(change, says):
    with pytest.raises(StudyError, match=says):
        extract_radiomics(invent_lesions([cube()]), RADIOMICS.model_copy(update=change))


def test_channels_are_found_by_name_and_an_absent_one_is_explained():
    lesions = invent_lesions([cube()])
    index = pd.DataFrame({"patient_id": ["P1"], "early_seconds": [90], "late_seconds": [None]})
    volumes = {"channels": lesions.channels[:, [2, 0, 1]], "mask": lesions.mask}
    other = gather_lesions(volumes, index, lesions.spacing_mm, ("wash_out", "pre", "wash_in"))
    found, expected = (measure_lesion(one_lesion(group, 0), RADIOMICS) for group in (other, lesions))
    assert found["wash_in_stat_mean"] == expected["wash_in_stat_mean"]
    assert np.isnan(found["kinetic_wash_out_slope_per_minute"])  # no late time
    with pytest.raises(StudyError, match=r"imaging\.channels lacks 'wash_out'; radiomics need pre, wash_in, wash_out"):
        gather_lesions(volumes, index, lesions.spacing_mm, ("late", "pre", "wash_in"))
