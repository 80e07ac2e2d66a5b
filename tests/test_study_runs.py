"""Smoke runs of both studies of the repository: everything the design promises is there, and nothing is run twice."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest

from her2study.pipeline import fingerprint
from her2study.pipeline.chain import due_steps
from her2study.pipeline.notebook import read_code
from her2study.pipeline.records import load_record
from her2study.types import PREDICTION_COLUMNS, StudyError
from tests.finished import Finished, public_data, reproduce, shared_run
from tests.tiny import ROOT

TABLES = (
    "cohort_flow baseline mri_protocol missingness logistic algorithms performance delong calibration reclassification "
    "subgroups shap_ranking saliency_sanity audit claims assumptions"
).split()
FIGURES = (
    "cohort_flow workflow network montage learning_curves algorithms_roc roc calibration decision_curve confusion "
    "score_distribution forest nomogram correlation shap_summary shap_bar shap_dependence shap_cases gradcam "
    "saliency_sanity subgroups failure_cases"
).split()
OF_IMAGES = {
    "tables": {"mri_protocol", "delong", "reclassification", "saliency_sanity"},
    "figures": {
        "network",
        "montage",
        "learning_curves",
        "nomogram",
        "gradcam",
        "saliency_sanity",
        "failure_cases",
        "correlation",
    },
}


@pytest.fixture(scope="session")
def simulated(tmp_path_factory) -> Finished:
    return shared_run(tmp_path_factory, "hong2025")


@pytest.fixture(scope="session")
def public(tmp_path_factory) -> Finished:
    return shared_run(tmp_path_factory, "mamamia", public_data())


@pytest.fixture(params=["simulated", "public"])
def study_run(request, monkeypatch) -> Finished:
    """Each of the two studies in turn, as this code made it: never one that was made elsewhere."""
    done = request.getfixturevalue(request.param)
    monkeypatch.setenv("HER2STUDY_RESULTS", str(done.results.parent))
    return done


pytestmark = pytest.mark.slow


def test_every_table_and_figure_of_the_design_is_there_and_not_empty(study_run):
    absent = {"tables": set(), "figures": set()} if study_run.chain.run.has_images else OF_IMAGES
    for name in set(TABLES) - absent["tables"]:
        assert len(pd.read_csv(study_run.results / "tables" / f"{name}.csv")), name
    for name in set(FIGURES) - absent["figures"]:
        for ending, smallest in {"pdf": 2_000, "svg": 2_000, "png": 5_000, "tiff": 5_000}.items():
            assert (study_run.results / "figures" / f"{name}.{ending}").stat().st_size > smallest, (name, ending)


def test_every_table_says_whose_patients_they_are(study_run):
    expected = "SIMULATED" if study_run.chain.study.simulated else "real"
    for path in (study_run.results / "tables").glob("*.csv"):
        assert set(pd.read_csv(path)["patients"]) == {expected}, path.name


def test_predictions_keep_their_contract(study_run):
    predictions = pd.read_parquet(study_run.results / "predictions.parquet")
    assert tuple(predictions.columns) == PREDICTION_COLUMNS
    assert not predictions.duplicated(["model", "patient_id"]).any()
    assert predictions["probability"].between(0, 1).all()
    developed = predictions["split"] == "development"
    assert (predictions["fold"].ge(0) == developed).all()
    assert ({"dscore", "combined"} <= set(predictions["model"])) == study_run.chain.run.has_images


def test_the_end_says_numbers_times_and_places(study_run):
    headlines = study_run.out[study_run.out.index("Headline numbers") :]
    assert len(headlines[: headlines.index("Time per step")].splitlines()) > 3
    assert f"Where to look: {study_run.results}" in headlines


def test_the_graph_is_real(study_run):
    """Each artefact has one maker, and whoever reads it comes after."""
    chain = study_run.chain
    records = {name: load_record(chain, name) for name in chain.nodes}
    makers = [(path, name) for name, record in records.items() for path in record["written"]]
    assert len(makers) == len({path for path, _ in makers})
    maker = dict(makers)
    for name, record in records.items():
        for path in record["read"]:
            assert maker[path] in chain.ancestors(name) | {name}, f"{name} reads {path}, made by {maker[path]}"


def test_the_same_command_again_does_nothing_at_once(study_run):
    before = {path: path.stat().st_mtime_ns for path in (study_run.results / "records").iterdir()}
    again = reproduce(study_run.results, study_run.arguments)
    assert (again.status, again.err) == (0, "")
    assert "nothing to do" in again.out
    assert {path: path.stat().st_mtime_ns for path in (study_run.results / "records").iterdir()} == before


def test_a_colour_draws_figures_again_and_trains_nothing(study_run, monkeypatch):
    real = fingerprint._module_digest
    monkeypatch.setattr(
        fingerprint, "_module_digest", lambda name: "recoloured" if name.endswith("reporting.style") else real(name)
    )
    due = due_steps(study_run.chain)
    assert "figures" in due
    assert not set(due) - {"figures", "tables", "report", "11_claims"}


def edit_table(edit):
    def damage(source: Path) -> None:
        table = pd.read_csv(source / "clinical.csv", dtype=str)
        edit(table).to_csv(source / "clinical.csv", index=False)

    return damage


def one_class(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(her2_status=table["her2_status"].mask(table["centre"] == "C", "negative"))


def all_masks(source: Path) -> list[Path]:
    return sorted((source / "segmentations" / "expert").iterdir())


def a_mask(source: Path) -> Path:
    return all_masks(source)[3]


def cut_mask(source: Path) -> None:
    path = a_mask(source)
    image = nibabel.load(path)
    cut = np.asarray(image.dataobj)[:, :, 1:]
    path.unlink()
    nibabel.save(nibabel.Nifti1Image(cut, image.affine), path)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (edit_table(lambda table: table.drop(columns="her2_status")), ["clinical.csv", "her2_status"]),
        (edit_table(lambda table: pd.concat([table, table.iloc[[4]]])), ["clinical.csv", "A0005", "rows 6, 127"]),
        (edit_table(lambda table: table.replace({"shape": {"irregular": "wobbly"}})), ["shape", "wobbly"]),
        (edit_table(one_class), ["centre 'C'", "both classes"]),
        (lambda source: shutil.rmtree(source / "segmentations"), ["images is there", "segmentations is not"]),
        (lambda source: [mask.unlink() for mask in all_masks(source)], ["patients are unfit for one reason", "mask"]),
    ],
    ids=["no outcome", "patient twice", "unmapped category", "one class only", "no segmentations", "no mask at all"],
)  # fmt: skip
def test_a_bad_source_is_one_message(simulated, tmp_path, monkeypatch, damage, said):
    """The first notebook, run here without a kernel, on a damaged copy of the patients."""
    source = damaged_copy(simulated, tmp_path, monkeypatch)
    damage(source)
    with pytest.raises(StudyError) as caught:
        execute("01_cohort", str(source))
    for word in said:
        assert word in str(caught.value)


def test_a_bad_patient_leaves_and_the_others_go_on(simulated, tmp_path, monkeypatch):
    source = damaged_copy(simulated, tmp_path, monkeypatch)
    a_mask(source).unlink()
    cut_mask(source)
    before = pd.read_parquet(simulated.results / "cohort.parquet")
    for stem in ("01_cohort", "02_imaging"):
        execute(stem, str(source))
    results = tmp_path / "hong2025-smoke"
    unfit = pd.read_csv(results / "tables" / "unfit_scans.csv")
    assert unfit["reason"].tolist() == ["no lesion mask file", "mask not on the grid of the scans"]
    for name in ("cohort", "splits", "volume_index"):
        left = pd.read_parquet(results / f"{name}.parquet")["patient_id"]
        assert sorted(left) == sorted(set(before["patient_id"]) - set(unfit["patient_id"])), name
    flow = pd.read_csv(results / "tables" / "cohort_flow.csv").set_index("label")["n"]
    assert flow["Included"] == len(before) - 2
    assert flow["Unfit scan: no lesion mask file"] == 1


def damaged_copy(simulated: Finished, tmp_path: Path, monkeypatch) -> Path:
    """The patients of the smoke run, to be damaged; the files are links, to be replaced and never written to."""
    source = tmp_path / "damaged"
    shutil.copytree(simulated.results / "source", source, copy_function=os.link)
    table = (source / "clinical.csv").read_bytes()
    (source / "clinical.csv").unlink()
    (source / "clinical.csv").write_bytes(table)
    monkeypatch.setenv("HER2STUDY_RESULTS", str(tmp_path))
    monkeypatch.setenv("HER2STUDY_WORKERS", "1")
    return source


def execute(stem: str, data: str) -> None:
    """Run a notebook's code in this process."""
    parameters, _, rest = read_code(ROOT / "notebooks" / f"{stem}.ipynb").partition("\nfrom her2study")
    names: dict = {}
    exec(parameters, names)
    names.update(study_name="hong2025", profile="smoke", data=data)
    exec("from her2study" + rest, names)
