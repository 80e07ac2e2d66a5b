from pathlib import Path

import numpy as np
import pytest

from her2study.reporting import explorer
from her2study.reporting.explorer.scans import load_patient
from her2study.reporting.explorer.viewer import Viewer, lesion_middle, series, signed_bytes
from tests.imaging.patients import cohort_of, write_patient
from tests.reporting.explorer.test_scans import IMAGING


@pytest.fixture
def scan(tmp_path):
    write_patient(tmp_path, "P1")
    return load_patient("P1", cohort_of("P1"), tmp_path, IMAGING, tmp_path)


def test_phases_have_one_scale_of_grey(scan):
    names, volumes = series(scan)
    assert names[:3] == ["Phase 0: before contrast", "Phase 1: 90 s (early)", "Phase 2: 360 s (late)"]
    inside = volumes[:3, scan.view_mask].mean(axis=1)
    np.testing.assert_allclose(inside / inside[1], np.array([100, 220, 190]) / 220, rtol=0.05)
    assert inside[1] > 200
    assert len(names) == len(volumes) == 5


def test_a_map_keeps_its_sign_and_its_zero():
    heat = np.array([[[-2.0, 0.0, 1.0, 4.0]]])
    assert signed_bytes(heat).tolist() == [[[-64, 0, 32, 127]]]
    assert not signed_bytes(np.zeros((1, 1, 3))).any()


def test_the_cross_starts_where_the_lesion_is_largest():
    mask = np.zeros((5, 9, 9), bool)
    mask[1, 4, 4] = True
    mask[3, 2:5, 3:8] = True
    assert lesion_middle(mask) == (3, 3, 5)


def test_a_patient_is_sent_whole(scan):
    viewer = Viewer()
    viewer.load(scan)
    voxels = int(np.prod(viewer.shape))
    assert len(viewer.volumes) == len(viewer.names) * voxels
    assert len(viewer.mask) == voxels
    assert (viewer.maps, viewer.map_names, viewer.map_shown, viewer.shown) == (b"", [], -1, 1)
    viewer.load(scan)
    assert viewer.loaded == 2


def test_scripts_need_no_network():
    for name in ("viewer.js", "names.js"):
        script = (Path(explorer.__file__).parent / name).read_text(encoding="utf-8")
        assert "export default" in script
        assert "http" not in script
        assert "import " not in script
