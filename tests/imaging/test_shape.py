import logging

import numpy as np
import pytest
from mirp import extract_features

from her2study.imaging.shape import SHAPE, lesion_shape
from tests.imaging import digital_phantom


@pytest.mark.parametrize("name", SHAPE)
def test_the_digital_phantom_has_the_published_shape(name):
    published, tolerance = digital_phantom.SHAPE[name]
    found = lesion_shape(digital_phantom.REGION, digital_phantom.SPACING_MM)
    assert found[name] == pytest.approx(published, abs=tolerance)


def test_the_phantom_is_the_published_one():
    region, spacing_mm = digital_phantom.REGION, digital_phantom.SPACING_MM
    assert region.sum() * np.prod(spacing_mm) == 592  # its approximate volume, mm3
    assert sorted(set(digital_phantom.PHANTOM[region])) == [1, 3, 4, 6]


def test_shape_agrees_with_mirps_own_morphology():
    z, y, x = np.ogrid[:20, :24, :28]
    mask = ((z - 9.5) / 5) ** 2 + ((y - 11.5) / 7) ** 2 + ((x - 13.5) / 10) ** 2 <= 1
    ours = lesion_shape(mask, (1.5, 1.5, 1.5))
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    table = extract_features(
        image=np.ones(mask.shape, np.float32) + mask, mask=mask.astype(int), base_feature_families="morphology"
    )[0].iloc[0]
    logging.disable(before)
    scale = 1.5  # MIRP takes an array without spacing as 1 mm
    assert ours["shape_volume_ml"] == pytest.approx(table["morph_volume"] * scale**3 / 1000, rel=1e-4)
    assert ours["shape_surface_mm2"] == pytest.approx(table["morph_area_mesh"] * scale**2, rel=1e-4)
    assert ours["shape_surface_to_volume_per_mm"] == pytest.approx(table["morph_av"] / scale, rel=1e-4)
    assert ours["shape_sphericity"] == pytest.approx(table["morph_sphericity"], rel=1e-4)
    assert ours["shape_maximum_diameter_mm"] == pytest.approx(table["morph_diam"] * scale, rel=1e-4)
    assert ours["shape_major_axis_mm"] == pytest.approx(table["morph_pca_maj_axis"] * scale, rel=1e-4)
    assert ours["shape_minor_axis_mm"] == pytest.approx(table["morph_pca_min_axis"] * scale, rel=1e-4)
    assert ours["shape_least_axis_mm"] == pytest.approx(table["morph_pca_least_axis"] * scale, rel=1e-4)
    assert ours["shape_elongation"] == pytest.approx(table["morph_pca_elongation"], rel=1e-4)
    assert ours["shape_flatness"] == pytest.approx(table["morph_pca_flatness"], rel=1e-4)
    assert ours["shape_convex_volume_density"] == pytest.approx(table["morph_vol_dens_conv_hull"], rel=1e-4)
    assert ours["shape_box_volume_density"] == pytest.approx(table["morph_vol_dens_aabb"], rel=1e-4)


def test_anisotropic_voxels_are_measured_in_millimetres():
    shape = lesion_shape(np.ones((4, 8, 16), bool), (4.0, 2.0, 1.0))  # a cube of 16 mm
    assert shape["shape_volume_ml"] == pytest.approx(16**3 / 1000, rel=0.06)  # the mesh cuts edges off
    assert shape["shape_maximum_diameter_mm"] == pytest.approx(np.sqrt(3) * 16, rel=0.1)
    assert shape["shape_box_volume_density"] == pytest.approx(1, abs=0.06)


def test_one_voxel_has_a_volume_and_no_axes():
    shape = lesion_shape(np.ones((1, 1, 1), bool), (2.0, 2.0, 2.0))
    assert 0 < shape["shape_volume_ml"] < 8e-3
    assert np.isnan([shape["shape_elongation"], shape["shape_flatness"]]).all()
