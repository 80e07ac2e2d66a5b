"""Lesions are what the latents say, and files are where their affine says."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from her2study.cohort.simulate import load_assumptions
from her2study.cohort.simulated.fields import smooth_field, tubes
from her2study.cohort.simulated.phantom import make_breast, make_lesion
from her2study.cohort.simulated.scanner import acquire, draw_protocol, voxel_axes, write_nifti
from tests.tiny import ROOT

AXES = tuple(np.arange(-39, 39, 1.0, dtype=np.float32) for _ in range(3))
AVERAGE = {
    "diameter_mm": 26.0,
    "age_years": 50.0,
    "non_mass": 0.0,
    "rim": 0.0,
    "signature_kinetics": 0.0,
    "signature_texture": 0.0,
    "signature_spiculation": -2.0,
    "signature_vascularity": 0.0,
}


@pytest.fixture(scope="module")
def planted():
    return load_assumptions(ROOT / "papers" / "hong2025" / "assumptions.yml")


def lesion(planted, seed=1, **changed):
    return make_lesion(AXES, pd.Series(AVERAGE | changed), planted, np.random.default_rng(seed))


def longest_extent_mm(mask):
    """Largest distance between two voxels of the outline."""
    points = np.argwhere(mask).astype(float)
    directions = np.random.default_rng(0).standard_normal((500, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return float(np.ptp(points @ directions.T, axis=0).max())


@pytest.mark.parametrize("diameter_mm", [15.0, 40.0])
def test_a_lesion_has_its_diameter(planted, diameter_mm):
    extents = [longest_extent_mm(lesion(planted, seed, diameter_mm=diameter_mm).mask) for seed in range(4)]
    assert np.mean(extents) == pytest.approx(diameter_mm, rel=0.2)


def test_a_rim_surrounds_a_poorly_enhancing_core(planted):
    for seed in range(3):
        ring, even = (lesion(planted, seed, rim=rim) for rim in (1.0, 0.0))
        middle = tuple(n // 2 for n in ring.share.shape)
        assert ring.ktrans_per_min[middle] < 0.5 * even.ktrans_per_min[middle]
        assert ring.mask[middle]


@pytest.mark.parametrize(
    ("signature", "measure"),
    [
        ("kinetics", lambda made: np.median(made.kep_per_min[made.mask])),
        ("texture", lambda made: np.log(made.ktrans_per_min[made.mask]).std()),
        ("spiculation", lambda made: (made.share > 0.5).sum()),
        ("vascularity", lambda made: made.halo_share[~made.mask].mean()),
    ],
)
def test_each_signature_shows_in_its_map(planted, signature, measure):
    for seed in range(3):
        low, high = (measure(lesion(planted, seed, **{f"signature_{signature}": value})) for value in (-1.0, 1.0))
        assert high > 1.1 * low


def test_a_non_mass_lesion_is_patchy(planted):
    mass, patchy = (lesion(planted, non_mass=value) for value in (0.0, 1.0))
    assert np.median(mass.share[mass.mask]) > 0.95
    assert (patchy.share[patchy.mask] < 0.5).mean() > 0.25


def test_the_lesion_lies_in_the_breast(planted):
    for seed in range(8):
        patient = pd.Series(AVERAGE | {"diameter_mm": 52.0})
        breast = make_breast(AXES, patient, planted, np.random.default_rng(seed))
        inside = lesion(planted, seed, diameter_mm=52.0)
        assert breast.body[inside.box][inside.mask].mean() > 0.97
        parts = (breast.fat, breast.gland, breast.muscle, breast.skin)
        assert min(part.min() for part in parts) >= 0
        assert breast.body.max() <= 1 + 1e-5


@pytest.mark.parametrize("centre", ["A", "B", "C", "D"])
def test_lesions_enhance_and_kinetics_decide_the_washout(planted, centre):
    rng = np.random.default_rng(5)
    protocol = draw_protocol(centre, planted, rng)
    axes = voxel_axes(protocol, planted, rng)
    slopes = []
    for kinetics in (-1.5, 1.5):
        patient = pd.Series(AVERAGE | {"signature_kinetics": kinetics})
        made = make_lesion(axes, patient, planted, np.random.default_rng(1))
        breast = make_breast(axes, patient, planted, np.random.default_rng(2))
        phases = acquire(axes, breast, made, protocol, planted, np.random.default_rng(3))
        assert {phase.dtype for phase in phases} == {np.dtype(np.int16)}
        assert len(phases) == len(protocol.phase_seconds)
        mean = [float(phase[made.box][made.mask].mean()) for phase in phases]
        assert mean[1] > 1.4 * mean[0]
        slopes.append((mean[-1] - mean[1]) / (mean[1] - mean[0]))
    assert slopes[1] < slopes[0] - 0.2


def test_protocols_stay_within_what_the_study_says(planted):
    rng = np.random.default_rng(1)
    for centre in "ABCD":
        for _ in range(50):
            protocol = draw_protocol(centre, planted, rng)
            assert protocol.phase_seconds[0] == 0
            assert 2 <= len(protocol.phase_seconds) - 1 <= 5
            assert (np.diff(protocol.phase_seconds) > 0).all()
            assert 0.6 <= protocol.in_plane_spacing_mm <= 1.0
            assert 1.0 <= protocol.slice_thickness_mm <= 2.5
            assert protocol.sagittal == (protocol.spacing_mm[2] == protocol.slice_thickness_mm == 2.4)


@pytest.mark.parametrize("sagittal", [False, True])
def test_a_file_puts_each_voxel_where_it_was(tmp_path, sagittal):
    """One bright voxel, found again by two other people's readers at its place in the patient."""
    z, y, x = (np.arange(n, dtype=np.float32) * step - 5 for n, step in ((7, 2.0), (9, 0.7), (11, 0.8)))
    volume = np.zeros((7, 9, 11), dtype=np.int16)
    volume[5, 2, 8] = 1000
    path = tmp_path / "one" / "one.nii.gz"
    write_nifti(path, volume, (z, y, x), sagittal, np.array([70.0, -60.0, 20.0]))
    ras = np.array([70 - x[8], -60 - y[2], 20 + z[5]])

    stored = nib.load(path)
    index = np.unravel_index(np.argmax(stored.get_fdata()), stored.shape)
    np.testing.assert_allclose(nib.affines.apply_affine(stored.affine, index), ras, atol=1e-4)
    assert "".join(nib.aff2axcodes(stored.affine)) == ("PIL" if sagittal else "LPS")
    canonical = nib.as_closest_canonical(stored)
    np.testing.assert_allclose(canonical.header.get_zooms(), [0.8, 0.7, 2.0], atol=1e-5)
    assert stored.header.get_xyzt_units()[0] == "mm"

    image = sitk.ReadImage(str(path))
    spot = np.unravel_index(np.argmax(sitk.GetArrayFromImage(image)), image.GetSize()[::-1])
    lps = image.TransformIndexToPhysicalPoint([int(i) for i in spot[::-1]])
    np.testing.assert_allclose(lps, ras * [-1, -1, 1], atol=1e-4)


def test_a_field_is_standard_and_as_smooth_as_asked():
    field = smooth_field(AXES, 6.0, np.random.default_rng(1))
    assert field.mean() == pytest.approx(0, abs=1e-4)
    assert field.std() == pytest.approx(1, abs=1e-4)
    apart = [np.corrcoef(field[:-lag].ravel(), field[lag:].ravel())[0, 1] for lag in (1, 6, 30)]
    assert apart[0] > 0.95
    assert 0.2 < apart[1] < 0.75
    assert abs(apart[2]) < 0.15


def test_a_vessel_is_as_wide_as_asked_and_starts_where_asked():
    fine = tuple(np.arange(-10, 10, 0.5, dtype=np.float32) for _ in range(3))
    share = tubes(fine, np.zeros((1, 3)), np.array([[1.0, 0, 0]]), 30.0, 1.5, 0.0, np.random.default_rng(1))
    across = share[30]
    assert across.max() == pytest.approx(1, abs=0.05)
    assert np.sqrt((across > 0.25).sum() * 0.25 / np.pi) == pytest.approx(1.5, abs=0.4)
    assert share[:10].max() < 0.05


def test_no_vessels_is_no_blood():
    assert not tubes(AXES, np.zeros((0, 3)), np.zeros((0, 3)), 30.0, 1.0, 0.0, np.random.default_rng(1)).any()
