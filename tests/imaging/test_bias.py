import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from her2study.imaging.bias import bias_field
from her2study.imaging.preprocess import preprocess_patients
from her2study.study import Imaging
from tests.imaging.patients import AXIAL, cohort_of, phase_path, save, write_patient

SHAPE = (48, 64, 60)


def _scene():
    """Tissue of 100 with some structure under a planted field, in air: ``tissue, field, body``."""
    z, y, x = np.meshgrid(*[np.linspace(-1, 1, n) for n in SHAPE], indexing="ij")
    body = x**2 + y**2 + z**2 < 0.8
    tissue = np.where(body, np.where((x * 8).astype(int) % 2 == 0, 100, 120), 1.0)
    field = np.exp(0.35 * x - 0.25 * y + 0.2 * z * x)
    return tissue, field, body


def test_the_planted_field_is_found_where_it_is_asked_for():
    tissue, planted, body = _scene()
    noise = np.random.default_rng(2).normal(0, 1, SHAPE)
    voxels = (tissue * planted + noise).astype(np.float32)
    window = (slice(10, 40), slice(12, 50), slice(9, 47))
    found = bias_field(voxels, np.array([2.0, 1.0, 1.2]), window)
    assert found.shape == (30, 38, 38)
    inside = body[window]
    ratio = found[inside] / planted[window][inside]
    assert ratio.std() / ratio.mean() < 0.05
    assert planted[window][inside].std() / planted[window][inside].mean() > 0.15


def test_an_even_scan_keeps_its_values():
    noise = np.random.default_rng(3).normal(0, 2, SHAPE)
    voxels = (np.where(_scene()[2], 100, 5) + noise).astype(np.float32)
    field = bias_field(voxels, np.ones(3), tuple(slice(0, n) for n in SHAPE))
    assert field[_scene()[2]] == pytest.approx(1, abs=0.02)


def test_bias_correction_flattens_every_phase_and_keeps_the_enhancement(tmp_path):
    write_patient(tmp_path, "P1", levels=(70, 140, 105))
    air = np.ones((60, 56, 36))
    air[8:-8, 8:-8, 5:-5] = 0
    field = np.where(air, 0.01, np.linspace(0.6, 1.4, 60)[:, None, None])
    for phase in range(3):
        path = phase_path(tmp_path, "P1", phase)
        save(path, (np.asarray(nib.load(path).dataobj) * field).astype(np.float32), AXIAL)
    spread, enhancement = [], []
    for correct in (False, True):
        imaging = Imaging(bias_correction=correct, channels=("pre", "early", "late"))
        done = preprocess_patients(cohort_of("P1"), tmp_path, imaging, tmp_path / "store")
        inner = ndimage.binary_erosion(done.mask[0], iterations=2)
        pre, early, late = done.channels[0][:, inner].astype(float)
        spread.append([phase.std() / phase.mean() for phase in (pre, early, late)])
        enhancement.append([np.median(early / pre), np.median(late / pre)])
    assert (np.array(spread[1]) < 0.5 * np.array(spread[0])).all()
    np.testing.assert_allclose(enhancement, [[2, 1.5], [2, 1.5]], rtol=0.03)
