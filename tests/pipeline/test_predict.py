"""``her2study predict``: what is written, what is refused, and with which packages it runs."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from her2study.cli import main
from her2study.pipeline.predict import Request, file_names, predict
from her2study.types import StudyError
from tests.models.apply.hospital import PATIENTS, bundle_of, hospital, write

WITHOUT = """\
import sys

for name in (
    "IPython jupyter_client nbformat nbclient nbconvert ipykernel ipywidgets anywidget snakemake papermill xgboost "
    "lightgbm shap mirp statsmodels seaborn docx pypandoc typst pydicom highdicom onnx onnxscript onnxruntime bs4 lxml"
).split():
    sys.modules[name] = None  # as if it were not installed
from her2study.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""The command in an environment of the runtime dependencies alone."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write(bundle_of(2), tmp_path_factory.mktemp("bundle"))


def test_everything_about_each_patient_is_written(bundle, tmp_path):
    data = hospital(tmp_path / "new", scans=("P1",))
    done = predict(Request(bundle, data, tmp_path / "out"))
    assert (done.patients, done.incomplete, done.unscored) == (3, 2, 0)
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert written == {
        "index.html", "manifest.json", "predictions.csv", "contributions.csv", "flags.csv", "findings.csv",
        "patients/P1.pdf", "patients/P2.pdf", "patients/P3.pdf", "overlays/P1.png",
    }  # fmt: skip
    table = pd.read_csv(tmp_path / "out" / "predictions.csv").set_index("patient_id")
    assert table["model"].tolist() == ["combined", "clinical", "clinical"]
    assert (table["model_patients"] == "SIMULATED").all()
    assert np.isfinite(table["probability"]).all()


def test_a_folder_with_somebodys_files_is_refused_and_left_alone(bundle, tmp_path):
    data, out = hospital(tmp_path / "new", scans=()), tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(StudyError, match=r"not empty and was not written by this command \(it holds thesis.txt\)"):
        predict(Request(bundle, data, out))
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_what_the_command_wrote_it_replaces(bundle, tmp_path):
    data, out = hospital(tmp_path / "new", scans=()), tmp_path / "out"
    for _ in range(2):
        predict(Request(bundle, data, out, pages=False))
    assert not (out / "patients").exists()


def test_nothing_is_half_written_for_a_table_without_a_predictor(bundle, tmp_path, capsys):
    data = hospital(tmp_path / "new", PATIENTS.drop(columns="rim"), scans=())
    assert main(["predict", str(bundle), str(data), "--out", str(tmp_path / "out"), "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert "'rim'" in told["error"]
    assert not (tmp_path / "out").exists()


def test_a_changed_bundle_is_refused(tmp_path, capsys):
    place = write(bundle_of(0), tmp_path / "bundle")
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(content)
    assert main(["predict", str(place), str(hospital(tmp_path / "new", scans=()))]) == 2
    assert str(place) in capsys.readouterr().err


def test_names_of_files_are_safe_and_distinct():
    names = file_names(["P1", "p1", "../P1", "张伟/1", "a b", "a:b", "..."])
    assert names == ["P1", "p1~2", "P1~3", "张伟_1", "a_b", "a_b~2", "patient"]


def test_it_runs_with_the_runtime_dependencies_alone(bundle, tmp_path):
    data, out = hospital(tmp_path / "new", PATIENTS, scans=("P1",)), tmp_path / "out"
    command = [sys.executable, "-c", WITHOUT, "predict", str(bundle), str(data), "--out", str(out), "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "HER2STUDY_WORKERS": "1"}
    )
    assert done.returncode == 1, done.stderr  # two patients have no scans
    told = json.loads(done.stdout)
    assert (told["patients"], told["incomplete"]) == (3, 2)
    assert (out / "overlays" / "P1.png").is_file()
