import numpy as np
import pandas as pd
import pytest
from skimage.restoration import estimate_sigma

from her2study.imaging.preprocess import preprocess_patients
from her2study.imaging.quality import describe_quality, flag_scans, flag_table, noise_level, quality_table
from her2study.study import Imaging
from tests.imaging.patients import cohort_of, write_patient

IMAGING = Imaging(early_seconds=90, late_seconds=360)
FINE = {
    "patient_id": "P1",
    "centre": "A",
    "signal_to_noise": 30.0,
    "enhancement_ratio": 2.0,
    "motion_mm": 0.4,
    "coverage_percent": 100.0,
    "lesion_voxels": 900,
    "mask_components": 1,
    "early_seconds": 90.0,
    "late_seconds": 360.0,
}


def test_a_planted_scan_is_measured(tmp_path):
    write_patient(tmp_path, "P1", levels=(100, 220, 190))  # noise 2
    quality = preprocess_patients(cohort_of("P1"), tmp_path, IMAGING, tmp_path / "store").quality.iloc[0]
    assert quality["signal_to_noise"] == pytest.approx(50, rel=0.15)
    assert quality["enhancement_ratio"] == pytest.approx(2.2, rel=0.01)
    assert quality["coverage_percent"] == 100
    assert quality["mask_components"] == 1
    assert quality["findings"] == ""


def test_noise_is_that_of_scikit_image():
    volume = (np.indices((20, 30, 31)).sum(axis=0) + np.random.default_rng(0).normal(0, 3, (20, 30, 31))).astype("f4")
    assert noise_level(volume) == pytest.approx(estimate_sigma(volume), rel=1e-6)
    assert noise_level(volume) == pytest.approx(3, rel=0.15)
    assert noise_level(np.ones((8, 8, 8), np.float32)) == pytest.approx(0, abs=1e-6)


def test_a_crop_that_is_too_small_shows_in_the_coverage(tmp_path):
    write_patient(tmp_path, "P1", affine=np.diag([-1.0, -1.2, 0.5, 1.0]), shape=(40, 40, 72))
    small = IMAGING.model_copy(update={"crop_voxels": (4, 40, 40)})  # 6 mm of 14 mm
    quality = preprocess_patients(cohort_of("P1"), tmp_path, small, tmp_path / "store").quality.iloc[0]
    # Between the planes z = -3 and 3 of an ellipsoid of half height 7 lies (3 u - u^3) / 2, u = 3 / 7.
    assert quality["coverage_percent"] == pytest.approx(100 * (3 * 3 / 7 - (3 / 7) ** 3) / 2, abs=2.5)
    assert quality["findings"] == "lesion leaves the crop"


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({}, ""),
        ({"signal_to_noise": 3.0}, "signal-to-noise ratio below 8"),
        ({"enhancement_ratio": 1.0}, "hardly enhances"),
        ({"motion_mm": 3.1}, "moved by over 2 mm between phases"),
        ({"motion_mm": np.nan}, ""),
        ({"lesion_voxels": 20}, "lesion smaller than 64 voxels"),
        ({"mask_components": 3}, "mask in several pieces"),
        ({"early_seconds": 200.0}, "early phase over 60 s off"),
        ({"late_seconds": 200.0, "signal_to_noise": 3.0}, "signal-to-noise ratio below 8; late phase over 120 s off"),
        ({"early_seconds": np.nan, "late_seconds": np.nan}, "phase times not recorded"),
    ],
)
def test_flags_say_in_words_what_is_unusual(change, flag):
    assert flag_scans(pd.DataFrame([FINE | change]), IMAGING).tolist() == [flag]


def test_tables_and_sentences_count_what_was_flagged():
    scans = pd.DataFrame(
        [FINE, FINE | {"centre": "B", "signal_to_noise": 3.0}, FINE | {"centre": "B", "coverage_percent": 50.0}]
    )
    scans["findings"] = flag_scans(scans, IMAGING)
    table = quality_table(scans).set_index("centre")
    assert table["n"].to_dict() == {"A": 1, "B": 2, "all": 3}
    assert table["n_with_findings"].to_dict() == {"A": 0, "B": 2, "all": 2}
    assert table.loc["B", "signal_to_noise"] == "16.5 (9.75 to 23.2)"
    flags = flag_table(scans).set_index("flag")
    assert flags.loc["lesion leaves the crop"].to_dict() == {"A": 0, "B": 1, "all": 1}
    text = describe_quality(scans)
    assert "All 3 scans" in text
    assert "finding: 2 (66.7%)" in text
    assert "95% of the lesion: 1." in text
    assert "moved by 0.4 mm in the median and 0.4 mm at most" in text
    assert table.loc["all", "motion_mm"] == "0.4 (0.4 to 0.4)"


def test_no_flag_at_all_gives_an_empty_flag_table():
    scans = pd.DataFrame([FINE | {"findings": ""}])
    assert flag_table(scans).empty
    assert list(flag_table(scans).columns) == ["flag", "A", "all"]
