import numpy as np
import pytest

from her2study.imaging.kinetics import KINETICS, RIM, Phases, against_lesion, region_kinetics, rim_and_core


def _planted() -> tuple[Phases, np.ndarray, np.ndarray]:
    """A rim that washes out around a core that hardly enhances and keeps its signal."""
    lesion = np.zeros((9, 9, 9), bool)
    lesion[1:8, 1:8, 1:8] = True
    core = np.zeros_like(lesion)
    core[2:7, 2:7, 2:7] = True
    pre, wash_in, wash_out = np.zeros((3, 9, 9, 9), np.float32)
    pre[lesion] = 1
    wash_in[lesion], wash_in[core] = 2, 0.4
    wash_out[lesion], wash_out[core] = -1, 0.3
    return Phases(pre, wash_in, wash_out, early_seconds=90, late_seconds=330), lesion, core


def test_kinetics_of_a_planted_lesion():
    phases, lesion, _ = _planted()
    found = region_kinetics(phases, lesion)
    rim, inner = 7**3 - 5**3, 5**3
    assert list(found) == list(KINETICS)
    assert found["kinetic_washout_fraction"] == pytest.approx(rim / 7**3)
    assert found["kinetic_persistent_fraction"] == pytest.approx(inner / 7**3)
    assert found["kinetic_enhancing_fraction"] == pytest.approx(rim / 7**3)
    assert found["kinetic_late_peak_fraction"] == 0  # of the voxels that enhance
    assert found["kinetic_signal_enhancement_ratio"] == pytest.approx((2 * rim + 0.4 * inner) / (rim + 0.7 * inner))
    assert found["kinetic_ser_median"] == pytest.approx(2)
    assert found["kinetic_ser_spread"] == pytest.approx(0)
    mean = (2 * rim + 0.4 * inner) / 7**3
    assert found["kinetic_wash_in_slope_per_minute"] == pytest.approx(mean / 1.5, rel=1e-6)
    assert found["kinetic_wash_out_slope_per_minute"] == pytest.approx((0.3 * inner - rim) / 7**3 / 4, rel=1e-6)


def test_rim_against_core():
    phases, lesion, _ = _planted()
    found = rim_and_core(phases, lesion, (1.5, 1.5, 1.5))
    assert list(found) == list(RIM)
    assert found["kinetic_rim_to_core_ratio"] == pytest.approx(5)
    assert found["kinetic_rim_minus_core_washout"] == pytest.approx(1)


def test_the_rim_is_measured_in_millimetres():
    lesion = np.ones((3, 30, 30), bool)  # slices of 10 mm: every voxel is near a border in y or x, none in z
    wash_in = np.ones(lesion.shape, np.float32)
    wash_in[0] = wash_in[-1] = 9
    phases = Phases(np.ones_like(wash_in), wash_in, np.zeros_like(wash_in))
    assert rim_and_core(phases, lesion, (100.0, 1.0, 1.0))["kinetic_rim_to_core_ratio"] == pytest.approx(1)
    assert rim_and_core(phases, lesion, (1.0, 100.0, 100.0))["kinetic_rim_to_core_ratio"] == pytest.approx(9)


def test_ratios_of_voxels_are_bounded():
    image = np.array([1.0, 1.0, 1.0, -1.0], np.float32).reshape(1, 1, 4)
    late = np.array([-1.0, -0.99, 1.0, 0.5], np.float32).reshape(1, 1, 4)
    assert Phases(image, image, late).signal_enhancement_ratio.ravel().tolist() == [3, 3, 0.5, 3]


def test_without_times_or_enhancement_values_are_missing():
    phases, lesion, core = _planted()
    untimed = region_kinetics(Phases(*phases[:3]), lesion)
    assert np.isnan([untimed["kinetic_wash_in_slope_per_minute"], untimed["kinetic_wash_out_slope_per_minute"]]).all()
    quiet = region_kinetics(phases, core)
    assert quiet["kinetic_enhancing_fraction"] == 0
    assert np.isnan([quiet["kinetic_ser_median"], quiet["kinetic_late_peak_fraction"]]).all()


def test_surroundings_against_the_lesion():
    phases, lesion, core = _planted()
    share = against_lesion(phases, core, lesion & ~core)["kinetic_wash_in_against_lesion"]
    assert share == pytest.approx(0.2)
