import errno
import json

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from her2study.store import Run, open_study, write_atomically
from her2study.study import load_study
from her2study.types import StudyError


@pytest.fixture
def run(project):
    return Run(load_study("tiny"), project.root / "results", str(project.data))


def test_what_is_stored_comes_back(run):
    frame = pd.DataFrame({"patient_id": ["a", "b"], "value": [0.1, np.nan], "n": [1, 2]})
    run.save_frame("some/frame", frame)
    pd.testing.assert_frame_equal(run.load_frame("some/frame"), frame)
    arrays = {"x": np.arange(6, dtype=np.float16).reshape(2, 3).T}
    run.save_arrays("weights", arrays)
    np.testing.assert_array_equal(run.load_arrays("weights")["x"], arrays["x"])
    run.save_json("model", {"threshold": np.float64(1) / 3, "ids": np.array([1, 2])})
    assert run.load_json("model") == {"threshold": 1 / 3, "ids": [1, 2]}
    run.save_figure_data("roc", frame)
    assert run.figure_names() == ["roc"]
    pd.testing.assert_frame_equal(run.load_figure_data("roc"), frame)


def test_a_table_says_whose_patients_they_are(run):
    run.save_table("performance", pd.DataFrame({"auc": [1 / 3]}))
    assert (run.folder / "tables" / "performance.csv").read_text() == "auc,patients\n0.3333333333,real\n"
    assert list(run.load_table("performance").columns) == ["auc"]
    assert run.has_table("performance")
    run.save_table("audit", pd.DataFrame({"check": ["one"]}))
    (run.folder / "tables" / "audit.docx").touch()
    assert run.table_names() == ["audit", "performance"]
    with pytest.raises(ValueError, match="empty"):
        run.save_table("performance", pd.DataFrame())


def test_values_of_all_notebooks_are_gathered(run):
    run.save_values("01_cohort", {"n": 3})
    run.save_values("09_evaluation", {"auc": {"value": 0.8, "low": 0.7, "high": 0.9, "unit": "", "format": ".3f"}})
    assert run.load_values() == {"n": 3, "auc": {"value": 0.8, "low": 0.7, "high": 0.9, "unit": "", "format": ".3f"}}


def test_a_number_that_is_not_one_is_refused_in_json(run):
    with pytest.raises(ValueError, match="JSON"):
        run.save_json("model", {"auc": float("nan")})
    assert not (run.folder / "model.json").exists()


def test_what_was_not_made_yet_is_explained(run):
    with pytest.raises(StudyError, match=r"cohort\.parquet does not exist: the notebook that writes it has not run"):
        run.load_frame("cohort")


def test_profiles_have_folders_of_their_own(project):
    assert open_study("tiny", "smoke")[1].folder.name == "tiny-smoke"
    assert open_study("tiny", "full")[1].folder.name == "tiny"


def test_the_journal_notes_reads_writes_questions_and_sources(run, monkeypatch, tmp_path):
    monkeypatch.setenv("HER2STUDY_JOURNAL", str(tmp_path / "journal"))
    run.save_frame("cohort", pd.DataFrame({"a": [1]}))
    run.load_frame("cohort")
    run.has("radiomics")
    run.load_values()
    run.note_source([run.source / "clinical.csv"])
    noted = [tuple(json.loads(line)) for line in (tmp_path / "journal").read_text().splitlines()]
    assert noted == [
        ("write", str(run.folder / "cohort.parquet")),
        ("read", str(run.folder / "cohort.parquet")),
        ("asked", str(run.folder / "radiomics.parquet")),
        ("listed", str(run.folder / "values")),
        ("source", str(run.source / "clinical.csv")),
    ]


@pytest.mark.parametrize(
    ("number", "said"), [(errno.ENOSPC, "no space left on the disk"), (errno.EACCES, "may not be written")]
)
def test_a_full_disk_is_a_message_and_leaves_what_was_there(tmp_path, number, said):
    target = tmp_path / "cohort.parquet"
    target.write_text("whole")

    def fail_halfway(path):
        path.write_text("ha")
        raise OSError(number, "from the system")

    with pytest.raises(StudyError, match=said) as caught:
        write_atomically(target, fail_halfway)
    assert str(target) in str(caught.value)
    assert target.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [target]


def test_another_failure_of_a_write_leaves_nothing_either(tmp_path):
    def fail(path):
        path.write_text("ha")
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        write_atomically(tmp_path / "x.json", fail)
    assert list(tmp_path.iterdir()) == []


def test_a_volume_is_stored_in_patient_space_and_says_whose_it_is(run):
    volume = np.arange(24, dtype=np.float64).reshape(2, 3, 4)  # z, y, x
    affine = np.diag([1.5, 2.0, 3.0, 1.0])
    affine[:3, 3] = [10, 20, 30]  # LPS
    run.save_volume("saliency/P1_gradcam", volume, affine)
    path = run.folder / "saliency" / "P1_gradcam.nii.gz"
    image = nib.load(path)
    assert image.get_data_dtype() == np.float32
    assert np.array_equal(np.asanyarray(image.dataobj), volume.T)
    np.testing.assert_allclose(image.affine @ [1, 0, 0, 1], [-11.5, -20, 30, 1])  # RAS
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (1, 1)
    assert image.header.get_xyzt_units()[0] == "mm"
    assert image.header["descrip"].tobytes().startswith(b"real")
    first = path.read_bytes()
    run.save_volume("saliency/P1_gradcam", volume, affine)
    assert path.read_bytes() == first
    run.simulated = True
    run.save_volume("saliency/P1_gradcam", volume, affine)
    assert nib.load(path).header["descrip"].tobytes().startswith(b"SIMULATED")


def test_rows_stored_one_by_one_are_the_file_that_the_whole_stack_would_be(run):
    rng = np.random.default_rng(1)
    rows = [
        {"mask": rng.integers(0, 2, (3, 4)).astype(np.uint8), "channels": rng.normal(size=(2, 3, 4)).astype(np.float16)}
        for _ in range(5)
    ]
    run.save_stack("rows", rows)
    run.save_arrays("whole", {key: np.stack([row[key] for row in rows]) for key in rows[0]})
    assert (run.folder / "rows.safetensors").read_bytes() == (run.folder / "whole.safetensors").read_bytes()
    maps, arrays = run.map_arrays("rows"), run.load_arrays("rows")
    assert set(maps) == {"channels", "mask"}
    for key, array in arrays.items():
        np.testing.assert_array_equal(maps[key], array)
        assert not maps[key].flags.writeable
        assert isinstance(maps[key], np.memmap)


def test_a_row_unlike_the_first_is_refused_and_nothing_stays(run):
    rows = [{"mask": np.zeros((3, 4), np.uint8)}, {"mask": np.zeros((4, 3), np.uint8)}]
    with pytest.raises(ValueError, match=r"row 1: mask is uint8 \(4, 3\)"):
        run.save_stack("rows", rows)
    assert not list(run.folder.glob("rows*"))


def test_the_cache_is_shared_by_studies_and_profiles(project, monkeypatch):
    folders = {
        Run(load_study("tiny", profile), project.root / "results").cache("volumes") for profile in ("full", "smoke")
    }
    assert folders == {project.root / "results" / ".cache" / "volumes"}
    monkeypatch.setenv("HER2STUDY_CACHE", str(project.root / "elsewhere"))
    assert Run(load_study("tiny"), project.root / "results").cache("x") == project.root / "elsewhere" / "x"
