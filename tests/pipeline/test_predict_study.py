"""The finished study, frozen and carried elsewhere, gives its external patients the study's own probabilities."""

import pandas as pd
import pytest

from her2study.models.apply import read_new_patients, score_patients
from her2study.models.bundle import read_bundle, seal, write_bundle
from her2study.pipeline import open_chain
from her2study.pipeline.freeze_gather import gather_bundle
from tests.finished import public_data

TOLERANCE = {"dscore": 1e-5, "clinical": 1e-9, "combined": 1e-9}


def carried(finished, monkeypatch, folder, name, data=""):
    """The study's run and its bundle, written and read back."""
    monkeypatch.setenv("HER2STUDY_RESULTS", str(finished))
    chain = open_chain(name, "smoke", data)
    bundle, weights = gather_bundle(chain.study, chain.run)
    return chain.run, read_bundle(write_bundle(seal(bundle, weights), bundle.name, folder)[1])


def differences(run, scores):
    """Largest difference from the study by model; every external patient must be there."""
    study = run.load_frame("predictions")
    study = study[(study["split"] == "external") & study["model"].isin(TOLERANCE)]
    own = scores.set_index("patient_id")
    assert set(study["patient_id"]) <= set(own.index)
    return {
        model: float((own[model].reindex(rows["patient_id"]).to_numpy() - rows["probability"]).abs().max())
        for model, rows in study.groupby("model")
    }


def test_centres_c_and_d_are_scored_as_in_the_study(finished, tmp_path, monkeypatch):
    run, bundle = carried(finished, monkeypatch, tmp_path / "bundle", "hong2025")
    external = run.load_frame("splits").query("split == 'external'")["patient_id"]
    place = tmp_path / "hospital"
    (place / "images").mkdir(parents=True)
    (place / "segmentations" / "expert").mkdir(parents=True)
    for patient in external:
        (place / "images" / patient).symlink_to(run.source / "images" / patient)
        mask = f"{patient}.nii.gz"
        (place / "segmentations" / "expert" / mask).symlink_to(run.source / "segmentations" / "expert" / mask)
    table = pd.read_csv(run.source / "clinical.csv", dtype="str", keep_default_na=False)
    table[table["patient_id"].isin(external)].drop(columns="her2_status").to_csv(place / "new.csv", index=False)
    found = differences(run, score_patients(bundle, read_new_patients(bundle, place)).scores)
    assert set(found) == set(TOLERANCE)
    assert all(found[model] <= TOLERANCE[model] for model in TOLERANCE), found


def test_ispy1_and_nact_are_scored_as_in_the_study(finished_public, tmp_path, monkeypatch):
    data = public_data()
    run, bundle = carried(finished_public, monkeypatch, tmp_path / "bundle", "mamamia", data)
    new = read_new_patients(bundle, data, outcome=True, centres=("ISPY1", "NACT"))
    scores = score_patients(bundle, new).scores
    judged = scores[scores["excluded"] == ""]
    assert differences(run, judged) == pytest.approx({"clinical": 0}, abs=1e-9)
    assert len(judged) == (run.load_frame("splits")["split"] == "external").sum()
