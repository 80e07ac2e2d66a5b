from functools import partial

import pytest

from her2study.reporting.explorer.scan_part import show_scan
from her2study.reporting.explorer.scans import load_patient, region_curve
from tests.imaging.patients import cohort_of, phase_path, write_patient
from tests.reporting.explorer.explored import OUTCOME, explored
from tests.reporting.explorer.test_scans import IMAGING

NAMES = ("P001", "P002")


@pytest.fixture
def chooser():
    chooser = explored().chooser()
    chooser.value = "P001"
    return chooser


@pytest.fixture
def read(tmp_path):
    for seed, name in enumerate(NAMES):
        write_patient(tmp_path, name, levels=(100, 220 + 30 * seed, 190), seed=seed)
    return partial(load_patient, cohort=cohort_of(*NAMES), source=tmp_path, imaging=IMAGING, maps=tmp_path)


def test_a_click_measures_another_region(chooser, read):
    part = show_scan(chooser, read, OUTCOME, True)
    before, line = part.curve.value, part.code
    z, y, x = part.viewer.place
    part.viewer.place = [z, y + 10, x + 9]
    assert part.curve.value != before
    assert part.code != line
    measured = eval(part.code, {"region_curve": region_curve, "read": read})
    assert f"<td>{measured['signal'].iloc[1]:.0f}</td>" in part.curve.value


def test_a_larger_region_has_more_voxels(chooser, read):
    part = show_scan(chooser, read, OUTCOME, True)
    part.radius.value = 6
    assert part.viewer.radius == 6
    assert "radius_mm=6)" in part.code


def test_it_follows_the_chosen_patient(chooser, read):
    part = show_scan(chooser, read, OUTCOME, True)
    chooser.value = "P002"
    assert part.scan.patient_id == "P002"
    assert "P002" in part.patient.value
    assert (part.viewer.loaded, part.said) == (2, "")


def test_what_cannot_be_read_is_said_in_the_part(chooser, read, tmp_path):
    part = show_scan(chooser, read, OUTCOME, True)
    phase_path(tmp_path, "P002", 1).unlink()
    chooser.value = "P002"
    assert "P002_0001.nii.gz is missing" in part.said
    chooser.value = "P001"
    assert part.said == ""


def test_without_images_it_says_so(chooser):
    part = show_scan(chooser, None, OUTCOME, False)
    assert "no images" in part.children[1].value
    assert part.code == ""
