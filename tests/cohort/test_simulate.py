"""The door: what lies on disk afterwards, and what when things go wrong."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time

import nibabel as nib
import pandas as pd
import pytest

from her2study.cohort import simulate
from her2study.cohort.simulate import load_assumptions, simulate_cohort
from her2study.store import file_hash
from her2study.study import Simulation, load_study
from her2study.types import StudyError
from tests.tiny import ROOT

PLANTED = ROOT / "papers" / "hong2025" / "assumptions.yml"
TINY = Simulation(screened=20, included={"A": 2, "D": 2})

KILLED = """
from pathlib import Path
from her2study.cohort.simulate import simulate_cohort
from her2study.study import Simulation
if __name__ == "__main__":
    simulation = Simulation(screened=20, included={{"A": 2, "D": 2}})
    folder = Path({folder!r})
    simulate_cohort(simulation, 5, Path({planted!r}), folder / "source", folder / "truth", workers=2)
"""


def hashes(folder):
    return {str(path.relative_to(folder)): file_hash(path) for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    simulate_cohort(TINY, 5, PLANTED, folder / "source", folder / "truth")
    return folder


def test_the_folder_has_mama_mias_layout(made):
    source, truth = made / "source", pd.read_parquet(made / "truth" / "patients.parquet")
    table = pd.read_csv(source / "clinical.csv")
    assert len(table) == 20
    assert len(truth) == 4
    assert sorted(path.name for path in (source / "images").iterdir()) == truth["patient_id"].tolist()
    for patient, times in table.set_index("patient_id").loc[truth["patient_id"], "acquisition_times"].items():
        phases = sorted((source / "images" / patient).iterdir())
        assert [path.name for path in phases] == [f"{patient}_{k:04d}.nii.gz" for k in range(times.count(",") + 1)]
        scan = nib.load(phases[0])
        mask = nib.load(source / "segmentations" / "expert" / f"{patient}.nii.gz")
        assert scan.get_data_dtype() == "int16"
        assert mask.get_data_dtype() == "uint8"
        assert (mask.affine == scan.affine).all()
        assert mask.shape == scan.shape
        assert set(mask.dataobj[:].ravel()) == {0, 1}
        assert scan.shape[0] * scan.header.get_zooms()[0] == pytest.approx(78, abs=2)


def test_the_table_has_every_column_of_the_study(made):
    study = load_study("hong2025")
    columns = set(pd.read_csv(made / "source" / "clinical.csv").columns)
    wanted = {variable.column or name for name, variable in study.variables.items()}
    wanted |= {variable.second_reader for variable in study.variables.values() if variable.second_reader}
    wanted |= {exclusion.column for exclusion in study.exclusions}
    assert wanted | {"patient_id", "centre", "acquisition_times", study.outcome.column} == columns


def test_categories_are_those_of_the_study():
    study = load_study("hong2025")
    clinical, _, _ = simulate.simulate_tables(study.simulation, 3, load_assumptions(PLANTED))
    for name, variable in study.variables.items():
        for column in filter(None, (name, variable.second_reader)):
            if variable.levels:
                assert set(clinical[column].dropna()) == set(variable.levels), column
            else:
                assert pd.api.types.is_numeric_dtype(clinical[column]), column
    for exclusion in study.exclusions:
        found = clinical[exclusion.column]
        assert (found.isna() if exclusion.missing else found.isin(exclusion.model_dump()["values"])).any(), (
            exclusion.reason
        )


def test_truth_holds_latents_and_the_oracles(made):
    truth = pd.read_parquet(made / "truth" / "patients.parquet")
    assert {"patient_id", "centre", "image_latent", "rim", "node_mm"} <= set(truth.columns)
    assert truth[["oracle_combined", "oracle_image", "oracle_latent"]].apply(lambda p: p.between(0, 1).all()).all()


def test_two_workers_write_the_same_bytes(made, tmp_path):
    simulate_cohort(TINY, 5, PLANTED, tmp_path / "source", tmp_path / "truth", workers=2)
    assert hashes(tmp_path) == hashes(made)


def test_a_whole_cohort_is_not_made_again_but_a_damaged_one_is(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path / "copy")
    source, truth = tmp_path / "copy" / "source", tmp_path / "copy" / "truth"
    calls = []
    monkeypatch.setattr(simulate, "_write_scans", lambda *arguments: calls.append(1))
    simulate_cohort(TINY, 5, PLANTED, source, truth)
    assert not calls
    next(source.glob("images/*/*")).unlink()
    simulate_cohort(TINY, 5, PLANTED, source, truth)
    assert calls == [1]


def test_another_seed_replaces_the_cohort(made, tmp_path):
    shutil.copytree(made, tmp_path / "copy")
    source, truth = tmp_path / "copy" / "source", tmp_path / "copy" / "truth"
    simulate_cohort(TINY, 6, PLANTED, source, truth)
    assert hashes(source)["clinical.csv"] != hashes(made / "source")["clinical.csv"]
    assert sorted(path.name for path in source.parent.iterdir()) == ["source", "truth"]


def test_killed_work_is_done_again_with_the_same_bytes(made, tmp_path):
    script = tmp_path / "killed.py"
    folder = tmp_path / "cohort"
    script.write_text(KILLED.format(planted=str(PLANTED), folder=str(folder)))
    process = subprocess.Popen([sys.executable, str(script)], cwd=ROOT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(folder.glob("source.part/images/*/*.nii.gz")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "source").exists()
    simulate_cohort(TINY, 5, PLANTED, folder / "source", folder / "truth")
    assert hashes(folder) == hashes(made)


def test_patients_who_are_not_simulated_are_never_replaced(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "clinical.csv").write_text("real\n")
    with pytest.raises(StudyError, match="not simulated"):
        simulate_cohort(TINY, 5, PLANTED, tmp_path / "source", tmp_path / "truth")
    assert (tmp_path / "source" / "clinical.csv").read_text() == "real\n"


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(simulate, "write_nifti", full)
    with pytest.raises(StudyError, match="no space left on the disk"):
        simulate_cohort(TINY, 5, PLANTED, tmp_path / "source", tmp_path / "truth")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("included", "message"),
    [
        ({"A": 2, "E": 1}, r"centre 'E' has no scanner in assumptions.yml.*Known centres: A, B, C, D"),
        ({"A": 7}, "7 patients included of 6 screened"),
        ({"A": 0}, "simulation.included.A: 0 patients"),
    ],
)
def test_impossible_sizes_are_named(tmp_path, included, message):
    wrong = Simulation.model_construct(screened=6, included=included)
    with pytest.raises(StudyError, match=message):
        simulate_cohort(wrong, 5, PLANTED, tmp_path / "source", tmp_path / "truth")
