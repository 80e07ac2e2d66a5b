"""A finished study becomes a bundle that gives the study's own probabilities, tells no name and is there whole."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from her2study.cli import main
from her2study.models.bundle import onnx_export, read_bundle
from her2study.models.frozen import predict_frozen
from her2study.models.inference import predict_logits
from her2study.models.network import with_mask
from her2study.pipeline import freeze_check, open_chain
from her2study.pipeline.freeze import check_out, write_frozen
from her2study.types import StudyError
from tests.finished import public_data


@pytest.fixture(scope="module")
def simulated(finished):
    """The chain of the finished smoke run of hong2025."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HER2STUDY_RESULTS", str(finished))
        return open_chain("hong2025", "smoke")


@pytest.fixture(scope="module")
def frozen(simulated, tmp_path_factory):
    return write_frozen(simulated, tmp_path_factory.mktemp("frozen") / "out")


def test_centres_c_and_d_get_the_studys_probabilities_from_the_bundle_alone(simulated, frozen):
    run, bundle = simulated.run, read_bundle(frozen.archive)
    predictions = run.load_frame("predictions")
    elsewhere = predictions[predictions["split"] == "external"].pivot_table(
        index="patient_id", columns="model", values="probability"
    )
    assert set(run.load_frame("cohort").set_index("patient_id").loc[elsewhere.index, "centre"]) == {"C", "D"}
    rows = run.load_frame("volume_index")["patient_id"].isin(elsewhere.index).to_numpy()
    volumes = run.map_arrays("volumes")
    channels = with_mask(volumes["channels"][rows], volumes["mask"][rows])
    logits = np.mean([predict_logits(network, channels, True) for network in bundle.networks()], axis=0)
    dscore = expit(bundle.calibration["intercept"] + bundle.calibration["slope"] * logits)
    np.testing.assert_allclose(dscore, elsewhere["dscore"], atol=1e-5)
    cohort = run.load_frame("cohort").set_index("patient_id").loc[elsewhere.index].reset_index()
    cohort["dscore"] = elsewhere["dscore"].to_numpy()
    for name, model in bundle.logistic.items():
        np.testing.assert_allclose(predict_frozen(model, cohort), elsewhere[name], atol=1e-9)
    assert set(frozen.differences) == {"clinical", "combined", "dscore", "dscore as ONNX", "dscore as MONAI bundle"}


def test_the_reference_scores_are_the_studys(simulated, frozen):
    predictions = simulated.run.load_frame("predictions")
    own = predictions[(predictions["split"] == "development") & predictions["model"].isin(frozen_models(frozen))]
    told = read_bundle(frozen.folder).reference_scores
    columns = ["model", "fold", "label", "probability"]
    theirs, ours = (frame[columns].sort_values(columns, ignore_index=True) for frame in (own, told))
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True, check_dtype=False)


def frozen_models(frozen):
    return list(read_bundle(frozen.folder).thresholds)


def test_no_patient_is_named_and_every_page_says_simulated(simulated, frozen):
    patients = simulated.run.load_frame("splits")["patient_id"]
    files = read_bundle(frozen.folder).files
    for name, content in files.items():
        if not name.endswith((".safetensors", ".onnx")):
            found = set(re.findall(r"[A-Za-z0-9_\-]+", content.decode())) & set(patients)
            assert not found, name
    for name in ("model_card.md", "codebook.md", "monai/docs/README.md", "monai/configs/metadata.json"):
        assert "SIMULATED" in files[name].decode().upper(), name


@pytest.fixture
def onnx_at_once(frozen, monkeypatch):
    """The file that was exported before: exporting takes a quarter of a minute."""
    exported = read_bundle(frozen.archive).files[onnx_export.FILE]
    monkeypatch.setattr(onnx_export, "to_onnx", lambda *_: exported)


@pytest.mark.usefixtures("onnx_at_once")
def test_freezing_again_gives_the_same_bytes(simulated, frozen):
    before = frozen.archive.read_bytes()
    again = write_frozen(simulated, frozen.folder.parent)
    assert again.archive.read_bytes() == before
    assert sorted(path.name for path in frozen.folder.parent.iterdir()) == [again.folder.name, again.archive.name]


@pytest.mark.usefixtures("onnx_at_once")
def test_results_that_are_not_of_one_piece_leave_nothing_behind(simulated, frozen, tmp_path, monkeypatch):
    monkeypatch.setattr(freeze_check, "NETWORK", 0.0)
    with pytest.raises(StudyError, match="not of one piece"):
        write_frozen(simulated, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_nobodys_files_are_replaced(frozen, tmp_path):
    name = "hong2025-smoke"
    check_out(frozen.folder.parent, name)
    check_out(tmp_path / "new", name)
    (tmp_path / ".DS_Store").write_text("")
    check_out(tmp_path, name)
    with pytest.raises(StudyError, match="would be lost"):
        check_out(frozen.folder.parent, "mamamia")
    (tmp_path / f"{name}.her2study").mkdir()
    with pytest.raises(StudyError, match="in the way"):
        check_out(tmp_path, name)
    with pytest.raises(StudyError, match="is a file"):
        check_out(tmp_path / ".DS_Store", name)


def test_a_public_table_is_frozen_without_networks_and_without_names(finished_public, tmp_path, monkeypatch):
    monkeypatch.setenv("HER2STUDY_RESULTS", str(finished_public))
    chain = open_chain("mamamia", "smoke", public_data())
    frozen = write_frozen(chain, tmp_path / "out")
    bundle = read_bundle(frozen.archive)
    assert bundle.networks() == []
    assert bundle.network is None
    assert not [name for name in bundle.files if name.startswith(("onnx", "monai", "weights"))]
    assert "corrections" not in bundle.mending
    assert b"DUKE_4" not in b"".join(bundle.files.values())
    assert b"SIMULATED" not in b"".join(bundle.files.values())
    assert frozen.differences["clinical"] <= 1e-9


def test_an_unfinished_study_is_refused_with_status_2(project, capsys):
    assert main(["freeze", "tiny", "--data", str(project.data), "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert "not finished" in told["error"]
    assert "make reproduce" in told["error"]
    assert not list(project.root.rglob("*.her2study*"))
