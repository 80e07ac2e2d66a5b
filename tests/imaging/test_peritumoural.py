import numpy as np
import pytest
from scipy.spatial.distance import cdist

from her2study.imaging.peritumoural import peritumoural_shell


def _lesion(shape: tuple[int, int, int] = (14, 16, 18)) -> np.ndarray:
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    return ((z - 6) / 2) ** 2 + ((y - 8) / 3) ** 2 + ((x - 9) / 4) ** 2 <= 1


@pytest.mark.parametrize("spacing_mm", [(1.5, 1.5, 1.5), (3.0, 0.7, 1.1)])
@pytest.mark.parametrize("thickness_mm", [1.5, 3.0])
def test_the_shell_is_all_within_its_thickness_in_millimetres(spacing_mm, thickness_mm):
    lesion = _lesion()
    tissue = np.ones(lesion.shape, np.float32)
    found = peritumoural_shell(lesion, tissue, spacing_mm, thickness_mm, air_share=0.1)
    everywhere = np.argwhere(np.ones_like(lesion)) * spacing_mm
    away_mm = cdist(everywhere, np.argwhere(lesion) * spacing_mm).min(axis=1).reshape(lesion.shape)
    expected = ~lesion & (away_mm <= thickness_mm + 1e-6)
    assert found.tolist() == expected.tolist()
    assert found.any()


def test_air_is_left_out():
    lesion = _lesion()
    pre = np.ones(lesion.shape, np.float32)
    pre[:, :, 9:] = 0.05
    shell = peritumoural_shell(lesion, pre, (1.5, 1.5, 1.5), 3.0, air_share=0.1)
    assert shell[:, :, :9].any()
    assert not shell[:, :, 9:].any()


def test_the_shell_ends_where_the_crop_ends():
    lesion = np.zeros((4, 6, 6), bool)
    lesion[0:2, 0:2, 0:2] = True
    shell = peritumoural_shell(lesion, np.ones(lesion.shape, np.float32), (1.0, 1.0, 1.0), 1.0, 0.1)
    assert shell.sum() == 3 * 4  # three of the six faces lie at the border
