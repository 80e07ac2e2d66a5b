"""The physics against closed forms, slow integration and a Bloch recursion."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import rice

from her2study.cohort.simulate import load_assumptions
from her2study.cohort.simulated.physics import gradient_echo, interpolate_curves, parker_input, rician, uptake_curves
from tests.tiny import ROOT

GRID = np.arange(0, 8, 0.5 / 60)


@pytest.fixture(scope="module")
def arterial_input():
    return load_assumptions(ROOT / "papers" / "hong2025" / "assumptions.yml").arterial_input


def test_uptake_of_a_constant_input_has_its_closed_form():
    kep, at = np.array([0.1, 0.8, 4.0]), np.array([0.5, 2.0, 6.0])
    expected = (1 - np.exp(-kep[:, None] * at)) / kep[:, None]
    np.testing.assert_allclose(uptake_curves(np.ones_like(GRID), GRID, kep, at), expected, rtol=2e-4)


def test_uptake_of_parkers_input_equals_slow_integration(arterial_input):
    curve = uptake_curves(parker_input(GRID, arterial_input), GRID, 0.9, [1.3, 5.5])[0]
    for at, value in zip((1.3, 5.5), curve, strict=True):
        slow = quad(
            lambda tau, at=at: parker_input(tau, arterial_input) * np.exp(-0.9 * (at - tau)), 0, at, points=[0.17, 0.37]
        )[0]
        assert value == pytest.approx(slow, rel=1e-3)


def test_nothing_is_taken_up_before_arrival(arterial_input):
    assert uptake_curves(parker_input(GRID, arterial_input), GRID, 0.9, [-0.5, 0.0])[0].tolist() == [0, 0]
    assert parker_input(-0.1, arterial_input) == 0


def test_parkers_input_peaks_where_and_as_high_as_published(arterial_input):
    # figure 3 of Parker 2006: first pass of about 6 mM after 10 s, about 1 mM after a minute
    blood = parker_input(GRID, arterial_input)
    assert blood.max() == pytest.approx(6.0, abs=0.3)
    assert GRID[blood.argmax()] * 60 == pytest.approx(10.2, abs=1)
    assert parker_input(1.0, arterial_input) == pytest.approx(0.9, abs=0.1)


def test_interpolated_curves_equal_direct_ones(arterial_input):
    plasma, at = parker_input(GRID, arterial_input), np.array([1.0, 6.0])
    grid = np.geomspace(0.02, 12, 96)
    kep = np.array([[0.05, 0.33], [1.7, 9.0]], dtype=np.float32)
    fast = interpolate_curves(uptake_curves(plasma, GRID, grid, at), grid, kep)
    direct = uptake_curves(plasma, GRID, kep.ravel(), at).T.reshape(2, 2, 2)
    np.testing.assert_allclose(fast, direct, rtol=2e-3)


def test_rate_constants_beyond_the_grid_take_its_end():
    grid = np.array([0.1, 1.0])
    curves = np.array([[3.0], [5.0]], dtype=np.float32)
    assert interpolate_curves(curves, grid, np.float32([0.01, 50]))[0].tolist() == [3, 5]


def test_gradient_echo_equals_a_bloch_recursion():
    t1, relaxivity, contrast, repetition, flip = 1.4, 4.5, 0.6, 0.005, np.deg2rad(12)
    recovery = np.exp(-repetition * (1 / t1 + relaxivity * contrast))
    along = 1.0
    for _ in range(5000):  # pulse, perfect spoiling, recovery, until steady
        signal, along = along * np.sin(flip), 1 + (along * np.cos(flip) - 1) * recovery
    assert gradient_echo(t1, contrast, relaxivity, repetition, 12.0) == pytest.approx(signal, rel=1e-3)


@pytest.mark.parametrize("signal", [0.0, 3.0, 40.0])
def test_noise_is_rician(signal):
    drawn = rician(np.full(200_000, signal, dtype=np.float32), 2.0, np.random.default_rng(1))
    theory = rice(signal / 2.0, scale=2.0)
    assert drawn.mean() == pytest.approx(theory.mean(), rel=5e-3)
    assert drawn.std() == pytest.approx(theory.std(), rel=1e-2)
