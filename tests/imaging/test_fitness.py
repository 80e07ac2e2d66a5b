"""Every planted defect is found with its reason, and nothing is found in sound scans."""

import gzip
import shutil
import struct
import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from her2study.cohort.simulate import simulate_cohort
from her2study.imaging.findings import MEND_ALL, Finding, Reason
from her2study.imaging.fitness import (
    check_fitness,
    check_layout,
    describe_fitness,
    doubt_table,
    files_read,
    stop_if_systematic,
    unfit_table,
)
from her2study.imaging.fitness_patient import Judged, judge_files
from her2study.imaging.fitness_probe import stands_out
from her2study.study import Simulation
from her2study.types import StudyError
from tests.imaging.patients import mask_path, phase_path, save
from tests.tiny import ROOT

SHAPE = (64, 44, 20)
AFFINE = np.array([[-2.0, 0, 0, 51], [0, -2, 0, 35], [0, 0, 3, -30], [0, 0, 0, 1]])
TIMES = "[0, 90, 180, 360]"


def phantom() -> tuple[list[np.ndarray], np.ndarray]:
    """Two breasts in air, an enhancing lesion in one of them, four phases; and the mask of the lesion."""
    i, j, k = np.indices(SHAPE)
    body = sum(((i - middle) / 14) ** 2 + ((j - 20) / 18) ** 2 + ((k - 10) / 12) ** 2 < 1 for middle in (16, 48)) > 0
    lesion = ((i - 14) / 4) ** 2 + ((j - 14) / 3) ** 2 + ((k - 7) / 3) ** 2 < 1
    rng = np.random.default_rng(3)
    phases = []
    for level in (95, 230, 205, 190):
        signal = np.where(lesion, level, np.where(body, 100 + 0.06 * (level - 95), 0))
        phases.append(np.abs(signal + rng.normal(0, 3, SHAPE)).round().astype(np.int16))
    return phases, lesion.astype(np.uint8)


PHASES, LESION = phantom()


def write(source: Path, name: str) -> None:
    """A sound patient of four phases."""
    (source / "images" / name).mkdir(parents=True)
    (source / "segmentations" / "expert").mkdir(parents=True, exist_ok=True)
    for phase, voxels in enumerate(PHASES):
        save(phase_path(source, name, phase), voxels, AFFINE)
    save(mask_path(source, name), LESION, AFFINE)


def cohort_of(*names: str, times: str | None = TIMES) -> pd.DataFrame:
    return pd.DataFrame({"patient_id": names, "centre": "A", "acquisition_times": times})


@pytest.fixture(scope="module")
def healthy(tmp_path_factory) -> Path:
    source = tmp_path_factory.mktemp("healthy")
    for name in ("P1", "P2", "P3"):
        write(source, name)
    return source


@pytest.fixture
def source(tmp_path, healthy) -> Path:
    """Three sound patients; P2 is the one that is spoilt."""
    return shutil.copytree(healthy, tmp_path / "source")


def rewrite(path: Path, change) -> None:
    """Change a file's bytes, uncompressed."""
    raw = bytearray(gzip.decompress(path.read_bytes()))
    path.write_bytes(gzip.compress(bytes(change(raw) or raw)))


def phase(source: Path, number: int) -> Path:
    return phase_path(source, "P2", number)


def mask(source: Path) -> Path:
    return mask_path(source, "P2")


def moved(**entries: float) -> np.ndarray:
    affine = AFFINE.copy()
    for place, value in entries.items():
        affine["xyz".index(place), 3] += value
    return affine


def times_of_affine(factor: float) -> np.ndarray:
    return np.diag([factor, factor, factor, 1.0]) @ AFFINE


def save_all(source: Path, affine: np.ndarray, units: str | None = None) -> None:
    for number, voxels in enumerate([*PHASES, LESION]):
        image = nib.Nifti1Image(voxels, affine)
        if units:
            image.header.set_xyzt_units(units)
        nib.save(image, phase(source, number) if number < 4 else mask(source))


def _truncated(source):
    path = phase(source, 2)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _short(source):
    rewrite(phase(source, 1), lambda raw: raw[:-1000])


def _flipped_bit(source):
    path = mask(source)
    raw = bytearray(path.read_bytes())
    raw[-6] ^= 1  # the check sum at the end
    path.write_bytes(bytes(raw))


def _text(source):
    phase(source, 0).write_text("404: file not found")


def _no_folder(source):
    for path in (source / "images" / "P2").iterdir():
        path.unlink()
    (source / "images" / "P2").rmdir()


def _nothing_usable(source):
    for number in range(4):
        phase(source, number).rename(phase(source, number).with_name(f"IM{number}.dcm"))


def _gap(source):
    phase(source, 1).unlink()


def _of_another(source):
    shutil.copy(phase_path(source, "P1", 0), phase(source, 0).with_name("P1_0000.nii.gz"))


def _lower_case(source):
    for number in range(4):
        phase(source, number).rename(phase(source, number).with_name(f"p2_{number:04d}.nii.gz"))


def _two_phases(source):
    for number in (2, 3):
        phase(source, number).unlink()


def _colour(source):
    rgb = np.zeros(SHAPE, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    save(phase(source, 1), rgb, AFFINE)


def _four_dimensional(source):
    save(phase(source, 0), np.stack(PHASES, axis=-1), AFFINE)


def _with_nan(source):
    voxels = PHASES[3].astype(np.float32)
    voxels[3:5, 7, 2] = np.nan, np.inf
    save(phase(source, 3), voxels, AFFINE)


def _nan_in_mask(source):
    voxels = LESION.astype(np.float32)
    voxels[0, 0, 0] = np.nan
    save(mask(source), voxels, AFFINE)


def _pixdim(value):
    return lambda source: rewrite(
        phase(source, 0), lambda raw: raw.__setitem__(slice(88, 92), struct.pack("<f", value))
    )


def _nan_affine(source):
    rewrite(phase(source, 2), lambda raw: raw.__setitem__(slice(280, 284), struct.pack("<f", np.nan)))


def _flat_affine(source):
    rewrite(mask(source), lambda raw: raw.__setitem__(slice(312, 328), bytes(16)))


def _phase(number: int, voxels: np.ndarray, affine: np.ndarray = AFFINE):
    return lambda source: save(phase(source, number), voxels, affine)


def _mask(voxels: np.ndarray, affine: np.ndarray = AFFINE):
    return lambda source: save(mask(source), voxels, affine)


def _wrong_breast() -> np.ndarray:
    """Not quite the mirror image: a mask of its own shape in the other breast."""
    i, j, k = np.indices(SHAPE)
    return (((i - 46) / 4) ** 2 + ((j - 20) / 3) ** 2 + ((k - 9) / 3) ** 2 < 1).astype(np.uint8)


def _on_air() -> np.ndarray:
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[28:34, 1:4, 1:4] = 1
    return voxels


IDENTITY, TILTED, SWAPPED = np.eye(4), AFFINE.copy(), np.diag([-1.0, -1.0, 1.0, 1.0]) @ AFFINE
TILTED[:3, :3] = np.array([[0.9962, -0.0872, 0], [0.0872, 0.9962, 0], [0, 0, 1]]) @ TILTED[:3, :3]

DEFECTS = {
    "no folder": (_no_folder, Reason.NO_SCANS, "no such folder"),
    "only DICOM": (_nothing_usable, Reason.NO_SCANS, "4 others, IM0.dcm for one"),
    "another patient's scan": (_of_another, Reason.MIXED, "holds P1_0000.nii.gz"),
    "names in lower case": (_lower_case, Reason.MIXED, "holds p2_0000.nii.gz, .* and more"),
    "numbering gap": (_gap, Reason.PHASE_MISSING, "there are _0000, _0002, _0003"),
    "one phase after contrast": (_two_phases, Reason.FEW_PHASES, "holds 1 phase after contrast"),
    "no mask": (lambda source: mask(source).unlink(), Reason.NO_MASK, "is missing"),
    "truncated": (_truncated, Reason.DAMAGED, "cannot be read to its end"),
    "too short inside": (_short, Reason.DAMAGED, "holds 111,640 of 112,640 bytes"),
    "check sum": (_flipped_bit, Reason.DAMAGED, "CRC check failed"),
    "no NIfTI": (_text, Reason.DAMAGED, "does not begin like one"),
    "colour": (_colour, Reason.NOT_A_VOLUME, "voxels are colours"),
    "four dimensions": (_four_dimensional, Reason.NOT_A_VOLUME, r"shape \(64, 44, 20, 4\)"),
    "complex": (_phase(1, PHASES[1].astype(np.complex64)), Reason.NOT_A_VOLUME, "complex numbers"),
    "zero spacing": (_pixdim(0.0), Reason.NO_GEOMETRY, "2 x 2 x 0 mm by pixdim, 2 x 2 x 3 mm by its affine"),
    "NaN spacing": (_pixdim(np.nan), Reason.NO_GEOMETRY, "2 x 2 x nan mm"),
    "NaN affine": (_nan_affine, Reason.NO_GEOMETRY, "NaN or infinity"),
    "singular affine": (_flat_affine, Reason.NO_GEOMETRY, "no volume"),
    "metres": (lambda s: save_all(s, times_of_affine(1e-3)), Reason.UNITS, "0.002 x 0.002 x 0.003 mm.*like metres"),
    "metres by header": (
        lambda s: save_all(s, times_of_affine(1e-3), "meter"), Reason.UNITS, "0.002 x 0.002 x 0.003 metres, says"
    ),
    "micrometres": (lambda s: save_all(s, times_of_affine(1e3)), Reason.UNITS, "look like micrometres"),
    "metres in the header only": (lambda s: save_all(s, AFFINE, "meter"), Reason.UNITS, "though 2 x 2 x 3 mm"),
    "phase of another shape": (_phase(2, PHASES[2][:, :, 1:]), Reason.PHASE_GRID, r"\(19, 44, 64\) differs from"),
    "phase elsewhere": (_phase(2, PHASES[2], moved(z=12.3)), Reason.PHASE_GRID, "origin 12.3 mm apart"),
    "phase of another spacing": (
        _phase(1, PHASES[1], AFFINE @ np.diag([1.1, 1, 1, 1])), Reason.PHASE_GRID, "spacing differs: 2.2 v 2 mm along x"
    ),
    "tilted phase": (_phase(1, PHASES[1], TILTED), Reason.PHASE_GRID, "axes tilted by 5.0 degrees"),
    "mask of another shape": (_mask(LESION[:-1]), Reason.MASK_GRID, r"shape \(z, y, x\) \(20, 44, 63\) differs"),
    "shifted mask": (_mask(LESION, moved(x=5)), Reason.MASK_GRID, "origin 5.0 mm apart"),
    "mask outside the scan": (_mask(LESION, moved(y=900)), Reason.MASK_GRID, "lies wholly outside that scan"),
    "mask in LPS": (_mask(LESION, SWAPPED), Reason.MASK_GRID, "axes flipped along x and y .RAS and LPS confused"),
    "mask without affine": (_mask(LESION, IDENTITY), Reason.MASK_GRID, "its affine is the identity"),
    "NaN voxels": (_with_nan, Reason.NOT_FINITE, "2 voxels are NaN or infinite"),
    "NaN in the mask": (_nan_in_mask, Reason.NOT_FINITE, "1 voxels are NaN"),
    "phase of zeros": (_phase(1, PHASES[1] * 0), Reason.EMPTY_PHASE, "every voxel is 0"),
    "constant phase": (_phase(3, PHASES[3] * 0 + 7), Reason.EMPTY_PHASE, "every voxel is 7"),
    "copied phase": (_phase(2, PHASES[0].astype(np.float32)), Reason.SAME_PHASE, "the same as P2_0000.nii.gz"),
    "empty mask": (_mask(LESION * 0), Reason.EMPTY_MASK, "marks no voxel"),
    "inverted mask": (_mask(1 - LESION), Reason.VOLUME, "100% of the volume"),
    "mirrored left to right": (_mask(LESION[::-1]), Reason.MIRRORED, "mirror image left to right marks tissue"),
    "mirrored front to back": (_mask(LESION[:, ::-1]), Reason.MIRRORED, "mirror image front to back"),
    "mirrored head to foot": (_mask(LESION[:, :, ::-1]), Reason.MIRRORED, "mirror image head to foot"),
    "on air": (_mask(_on_air()), Reason.OUTSIDE, "lies on air"),
    "wrong breast": (_mask(_wrong_breast()), Reason.WRONG_BREAST, "ml enhance by over 50%"),
    "subtractions": (_phase(0, PHASES[0] - np.int16(95)), Reason.NO_SIGNAL, "median signal is"),
}  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_excludes_its_patient_and_nobody_else(source, defect):
    plant, reason, says = DEFECTS[defect]
    plant(source)
    fitness = check_fitness(cohort_of("P1", "P2", "P3"), source).set_index("patient_id")
    assert fitness["reason"].to_dict() == {"P1": "", "P2": reason, "P3": ""}
    row = fitness.loc["P2"]
    assert pd.Series([row["value"]]).str.contains(says).all(), row["value"]
    assert row["file"].startswith(("images/P2", "segmentations/expert/P2.nii.gz"))
    assert row["rule"]
    assert row["mend"]


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ("[0, 90, 180]", r"\[0, 90, 180\] has 3 entries for 4 phases"),
        ("[0, 90, 80, 200]", "must start at 0 and grow"),
        ("a minute", "is not a list of seconds"),
    ],
)
def test_times_that_do_not_fit_exclude(healthy, times, says):
    cohort = cohort_of("P1", "P2", "P3")
    cohort.loc[1, "acquisition_times"] = times
    fitness = check_fitness(cohort, healthy)
    assert fitness["reason"].tolist() == ["", Reason.TIMES, ""]
    assert fitness["value"].str.contains(says).tolist() == [False, True, False]


def test_sound_patients_are_fit_with_any_number_of_workers(healthy):
    cohort = cohort_of("P3", "P1", "P2", times=None)
    fitness = check_fitness(cohort, healthy)
    assert fitness["patient_id"].tolist() == ["P1", "P2", "P3"]
    assert (fitness[["reason", "doubts", "detail"]] == "").all().all()
    assert fitness.loc[0, ["phases", "slices", "rows", "columns"]].tolist() == [4, 20, 44, 64]
    assert fitness.loc[0, ["spacing_z_mm", "spacing_y_mm", "spacing_x_mm"]].tolist() == pytest.approx([3, 2, 2])
    pd.testing.assert_frame_equal(fitness, check_fitness(cohort, healthy, workers=2))
    assert "3 patients with 12 scans were read. All are fit" in describe_fitness(fitness)
    assert doubt_table(fitness, cohort).empty


def test_a_mask_stored_along_other_axes_is_no_defect(source):
    turned = nib.as_closest_canonical(nib.load(mask(source)))
    nib.save(nib.Nifti1Image(np.transpose(turned.get_fdata(), (2, 0, 1)).astype(np.uint8),
                             turned.affine[:, [2, 0, 1, 3]]), mask(source))  # fmt: skip
    assert check_fitness(cohort_of("P1", "P2", "P3"), source)["reason"].eq("").all()


def test_scaled_values_are_judged_as_signals(source):
    image = nib.Nifti1Image(PHASES[1].astype(np.float32) / 7 - 3, AFFINE)
    image.set_data_dtype(np.int16)  # nibabel chooses slope and intercept
    nib.save(image, phase(source, 1))
    assert check_fitness(cohort_of("P1", "P2", "P3"), source)["reason"].eq("").all()


def test_a_lesion_that_does_not_enhance_stays_with_a_doubt(source):
    for number in (1, 2, 3):
        flat = np.where(LESION, PHASES[0], PHASES[number]) + (np.indices(SHAPE).sum(axis=0) % 2) * number
        save(phase(source, number), flat.astype(np.int16), AFFINE)
    save(mask(source), LESION * 3 - (np.indices(SHAPE)[0] > 13) * LESION, AFFINE)
    cohort = cohort_of("P1", "P2", "P3")
    fitness = check_fitness(cohort, source)
    assert fitness["reason"].eq("").all()
    table = doubt_table(fitness, cohort)
    assert table["patient_id"].tolist() == ["P2"]
    assert "mask marks tissue that enhances by" in table["doubts"][0]
    assert "mask holds the values 2, 3" in table["doubts"][0]


def test_several_files_and_reasons_of_a_patient_are_all_told(source):
    for number in (1, 2):
        _phase(number, PHASES[number] * 0)(source)
    _mask(LESION * 0)(source)
    cohort = cohort_of("P1", "P2", "P3")
    table = unfit_table(check_fitness(cohort, source), cohort)
    assert table["reason"].tolist() == [Reason.EMPTY_PHASE]
    assert table["file"].tolist() == ["images/P2/P2_0001.nii.gz; images/P2/P2_0002.nii.gz"]
    assert table["also"].tolist() == [Reason.EMPTY_MASK]


def test_what_is_wrong_everywhere_stops_the_study_with_one_mend(healthy):
    with pytest.raises(
        StudyError, match=r"3 of 3 patients are unfit for one reason, acquisition times.*such as \[0, 97, 194\]"
    ):
        check_fitness(cohort_of("P1", "P2", "P3", times="[0, 90]"), healthy)
    with pytest.raises(StudyError, match=r"(?s)no scans.*import-dicom.*holds P1, P2, P3.*speaks of Q1"):
        check_fitness(cohort_of("Q1", "Q2", "Q3"), healthy)


def test_a_folder_of_dicom_is_recognised_as_one(tmp_path):
    (tmp_path / "images" / "P1").mkdir(parents=True)
    (tmp_path / "images" / "P1" / "IM0001").write_bytes(bytes(128) + b"DICM")
    with pytest.raises(StudyError, match="holds DICOM files: run `her2study import-dicom`"):
        check_fitness(cohort_of("P1"), tmp_path)


def test_nobody_fit_for_different_reasons_stops_as_well():
    judged = [
        Judged(f"P{i}", [Finding(reason, "file", "value", "rule", "mend")], [], {})
        for i, reason in enumerate((Reason.DAMAGED, Reason.EMPTY_MASK))
    ]
    with pytest.raises(StudyError, match="none of 2 patients is fit for use \\(damaged file, empty mask\\)"):
        stop_if_systematic(judged, Path("source"))
    stop_if_systematic([*judged, Judged("P2", [], [], {})], Path("source"))


def test_every_reason_has_a_mend_for_all():
    assert set(MEND_ALL) == set(Reason)


def test_files_read_are_those_that_exist_and_their_folders(source):
    _gap(source)
    mask_path(source, "P3").unlink()
    paths = {str(path.relative_to(source)) for path in files_read(cohort_of("P2", "P3"), source)}
    assert {"images/P2", "images/P2/P2_0002.nii.gz", "segmentations/expert/P2.nii.gz", "segmentations/expert"} <= paths
    assert "images/P2/P2_0001.nii.gz" not in paths


def test_standing_out_is_the_mann_whitney_probability():
    rng = np.random.default_rng(0)
    inside, outside = rng.integers(0, 9, 40).astype(float), rng.integers(0, 7, 50).astype(float)
    pairs = inside[:, None] - outside
    assert stands_out(inside, outside) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    assert stands_out(inside, outside[:0]) == 0.5


def test_no_warning_is_raised_over_infinities(source):
    voxels = PHASES[1].astype(np.float32)
    voxels[0, 0, 0], voxels[1, 0, 0] = np.inf, -np.inf
    save(phase(source, 1), voxels, AFFINE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_fitness(cohort_of("P1", "P2", "P3"), source)["reason"].tolist()[1] == Reason.NOT_FINITE


def test_scans_without_any_masks_are_no_study_without_scans(healthy, tmp_path):
    check_layout(healthy)
    check_layout(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(StudyError, match=r"images is there and .*segmentations is not.*add segmentations/"):
        check_layout(tmp_path)


def test_another_enhancing_place_is_a_doubt_about_a_mask_that_enhances_itself(source):
    """A second lesion, brighter, where a mirror would put the first: nobody can say that the mask is wrong."""
    i, j, k = np.indices(SHAPE)
    around = ((i - 14) / 9) ** 2 + ((j - 14) / 8) ** 2 + ((k - 7) / 6) ** 2 < 1
    for number, level in ((1, 170), (2, 160), (3, 150)):
        voxels = np.where(LESION[::-1] == 1, 300, np.where(around, level, PHASES[number]))
        save(phase(source, number), (voxels + (i + j + k) % 3 * number).astype(np.int16), AFFINE)
    cohort = cohort_of("P1", "P2", "P3")
    fitness = check_fitness(cohort, source)
    assert fitness["reason"].eq("").all()
    assert "its mirror image left to right marks tissue" in doubt_table(fitness, cohort)["doubts"][0]


def test_a_mask_that_overlaps_its_mirror_image_is_told_from_it(source):
    """A lesion near the middle of a small scan: mirrored, its mask still enhances."""
    i, j, k = np.indices(SHAPE)
    lesion = ((i - 29) / 8) ** 2 + ((j - 20) / 7) ** 2 + ((k - 9) / 5) ** 2 < 1
    lesion &= (i < 30) | (j > 20)
    for number, level in enumerate((95, 230, 205, 190)):
        voxels = np.where(lesion, level, 100) + (i + 2 * j + 3 * k + number) % 5
        save(phase(source, number), voxels.astype(np.int16), AFFINE)
    cohort = cohort_of("P1", "P2", "P3")
    save(mask(source), lesion.astype(np.uint8), AFFINE)
    assert check_fitness(cohort, source)["reason"].eq("").all()
    save(mask(source), lesion[::-1].astype(np.uint8), AFFINE)
    assert check_fitness(cohort, source)["reason"].tolist() == ["", Reason.MIRRORED, ""]


def test_what_was_found_is_kept_as_long_as_the_files_stay(source, tmp_path, monkeypatch):
    cohort, store = cohort_of("P1", "P2", "P3"), tmp_path / "store"
    _mask(LESION * 0)(source)
    first = check_fitness(cohort, source, store=store)
    pd.testing.assert_frame_equal(first, check_fitness(cohort, source))
    read = []
    monkeypatch.setattr("her2study.imaging.fitness.judge_files", lambda task: read.append(task) or judge_files(task))
    pd.testing.assert_frame_equal(first, check_fitness(cohort, source, store=store))
    assert read == []
    save(mask(source), LESION, AFFINE)
    cohort.loc[2, "acquisition_times"] = "[0, 90]"
    assert check_fitness(cohort, source, store=store)["reason"].tolist() == ["", "", Reason.TIMES]
    assert [task.patient_id for task in read] == ["P2"]


@pytest.mark.parametrize("turn", [None, 0, 1, 2])
def test_simulated_patients_of_every_centre_are_fit(simulated, tmp_path, turn):
    """Whatever way their files are turned as a whole: all phases and the mask alike."""
    source = simulated
    table = pd.read_csv(source / "clinical.csv").rename(columns={"her2_status": "label"})
    cohort = table[table["patient_id"].isin(path.name for path in (source / "images").iterdir())]
    if turn is not None:
        source = shutil.copytree(source, tmp_path / "turned")
        for path in source.rglob("*.nii.gz"):
            image = nib.load(path)
            nib.save(image.slicer[tuple(slice(None, None, -1 if axis == turn else 1) for axis in range(3))], path)
    fitness = check_fitness(cohort, source)
    assert len(fitness) == 4
    assert (fitness[["reason", "doubts"]] == "").all().all()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    size = Simulation(screened=20, included={"A": 1, "B": 1, "C": 1, "D": 1})
    simulate_cohort(size, 7, ROOT / "papers" / "hong2025" / "assumptions.yml", folder / "source", folder / "truth")
    return folder / "source"
