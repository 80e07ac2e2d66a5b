import numpy as np
import pytest
from pydantic import ValidationError

from her2study.imaging.channels import VOCABULARY, make_channels, reference_signal
from her2study.imaging.phases import Phases
from her2study.study import Imaging

TIMES = Phases(1, 3, 90.0, 390.0)
EVERY = Imaging(channels=tuple(VOCABULARY), clip_percentiles=(0, 100))


def _lesion(shape=(8, 8, 8)):
    lesion = np.zeros(shape, bool)
    lesion[2:6, 2:6, 2:6] = True
    return lesion


def test_every_channel_of_the_vocabulary_is_what_it_says():
    lesion = _lesion()
    levels = np.where(lesion, np.array([100, 250, 200]).reshape(3, 1, 1, 1), np.array([40, 44, 60]).reshape(3, 1, 1, 1))
    made = make_channels(levels.astype(np.float32), lesion, 50.0, TIMES, EVERY)
    inside = dict(zip(VOCABULARY, made[:, 3, 3, 3].tolist(), strict=True))
    assert inside == pytest.approx(
        {
            "pre": 2.0,
            "early": 5.0,
            "late": 4.0,
            "wash_in": 3.0,
            "wash_out": -1.0,
            "subtraction": 2.0,
            "wash_in_slope": 3.0 / 1.5,  # per minute: 90 s
            "wash_out_slope": -1.0 / 5,  # 300 s
            "mask": 1.0,
        }
    )
    assert made[list(VOCABULARY).index("mask"), 0, 0, 0] == 0
    assert made.dtype == np.float32


def test_the_order_of_the_settings_is_the_order_of_the_channels():
    phases = np.random.default_rng(0).uniform(50, 100, (3, 8, 8, 8)).astype(np.float32)
    one, other = (
        make_channels(phases, _lesion(), 70.0, TIMES, Imaging(channels=names))
        for names in (("wash_out", "pre"), ("pre", "wash_out"))
    )
    np.testing.assert_array_equal(one, other[::-1])


@pytest.mark.parametrize("names", [("pre", "pre"), ("pre", "washin"), ()])
def test_unknown_repeated_and_no_channels_are_refused(names):
    with pytest.raises(ValidationError):
        Imaging(channels=names)


def test_enhancement_survives_normalisation_and_scanner_gain_does_not():
    rng = np.random.default_rng(5)
    lesion = _lesion()
    phases = rng.uniform(90, 110, (3, 8, 8, 8)).astype(np.float32)
    phases[1][lesion] *= 3
    weak = phases.copy()
    weak[1][lesion] /= 2
    imaging = Imaging(clip_percentiles=(0, 100))
    strong, gained, weaker = (
        make_channels(p, lesion, reference_signal(p[0], lesion, np.ones(3), "lesion"), TIMES, imaging)
        for p in (phases, phases * 7, weak)
    )
    np.testing.assert_allclose(gained, strong, rtol=1e-4, atol=1e-5)
    assert strong[1][lesion].mean() == pytest.approx(2.0, abs=0.1)
    assert weaker[1][lesion].mean() == pytest.approx(0.5, abs=0.1)


def test_clipping_never_cuts_a_small_bright_lesion():
    phases = np.full((3, 20, 20, 20), 100, np.float32)
    lesion = np.zeros((20, 20, 20), bool)
    lesion[10, 10, 8:12] = True  # 0.05% of the crop, beyond its 99.5th percentile
    phases[1][lesion] = 300
    assert make_channels(phases, lesion, 100.0, TIMES, Imaging())[1][lesion].max() == pytest.approx(2.0)


def test_clipping_cuts_a_single_bright_voxel_outside():
    phases = np.random.default_rng(1).uniform(90, 110, (3, 20, 20, 20)).astype(np.float32)
    phases[0, 0, 0, 0] = 9000
    pre = make_channels(phases, _lesion((20, 20, 20)), 100.0, TIMES, Imaging())[0]
    assert pre.max() < 1.2
    np.testing.assert_allclose(pre.max(), np.percentile(phases[0] / 100, 99.5), rtol=0.01)


def test_surroundings_are_tissue_near_the_lesion_in_millimetres_without_air():
    before = np.full((30, 30, 30), 1.0, np.float32)  # air
    before[:, :, :20] = 60  # fat
    before[:, :, 12:15] = 80
    lesion = np.zeros(before.shape, bool)
    lesion[13:17, 13:17, 13:17] = True
    before[lesion] = 100
    assert reference_signal(before, lesion, np.ones(3), "lesion") == 100
    assert reference_signal(before, lesion, np.ones(3), "surroundings") == 60
    # 20 mm along two axes, 9 mm along the third: only its next voxels, 80 and 60, are near
    assert reference_signal(before, lesion, np.array([20.0, 20.0, 9.0]), "surroundings") == 70
    before[before == 60] = 1
    assert reference_signal(before, lesion, np.ones(3), "surroundings") == 80
    before[~lesion] = 0
    assert reference_signal(before, lesion, np.ones(3), "surroundings") == 100  # nothing but air: its own
