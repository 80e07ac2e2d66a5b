"""Tests of the external validation of a bundle: who judges, what is never fitted, what is told, what is refused."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from statsmodels.api import GLM, add_constant
from statsmodels.genmod.families import Binomial

from her2study import cli
from her2study.models.frozen import predict_frozen
from her2study.pipeline import evaluate
from her2study.pipeline import validate_external as module
from her2study.pipeline.freeze_gather import gather_bundle
from her2study.pipeline.validate_external import Request, validate_external
from her2study.reporting import figures
from her2study.reporting.journals import load_journal
from tests.finished import public_data
from tests.pipeline.small_bundle import FROZEN, THRESHOLDS, hospital, small_bundle, women

STUDY_ONLY = (
    *(
        "jupyterlab",
        "papermill",
        "snakemake",
        "xgboost",
        "lightgbm",
        "shap",
        "mirp",
        "onnx",
        "onnxscript",
        "onnxruntime",
    ),
    *("nbconvert", "nbformat", "bs4", "lxml", "docx", "pypandoc", "typst", "ipywidgets", "anywidget", "IPython"),
    *("pydicom", "highdicom"),
)
"""Modules of packages that a hospital which applies a bundle does not install."""


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    """A tenth of the pixels: the pictures are opened, not looked at."""
    coarse = load_journal().model_copy(update={"raster_dpi": {"png": 30, "tiff": 60}})
    monkeypatch.setattr(figures, "load_journal", lambda: coarse)


@pytest.fixture
def undrawn(monkeypatch):
    """Tables only."""
    monkeypatch.setattr(evaluate, "_draw", lambda *_: None)


@pytest.fixture
def bundle(tmp_path):
    return small_bundle(tmp_path / "from_elsewhere")


def validated(bundle, data, tmp_path, **more):
    return validate_external(Request(bundle, data, tmp_path / "out", **more))


def test_the_command_writes_the_whole_validation(bundle, tmp_path, capsys):
    data, out = hospital(tmp_path / "data"), tmp_path / "out"
    sealed = bundle.read_bytes()
    arguments = ["validate-external", str(bundle), str(data), "--out", str(out), "--workers", "1", "--json"]
    assert cli.main(arguments) == 0
    facts = json.loads(capsys.readouterr().out)
    assert bundle.read_bytes() == sealed

    here = women(120, 2, 0.8)
    expected = roc_auc_score(here["label"], predict_frozen(FROZEN, here))
    assert facts["models"]["clinical"]["auc"] == pytest.approx(expected, abs=1e-12)
    assert (facts["patients"], facts["positives"]) == (120, here["label"].sum())

    performance = pd.read_csv(out / "evaluation" / "tables" / "performance.csv").set_index("split")
    assert performance["threshold"].tolist() == [0.25, 0.25]  # the frozen one, in training and here
    assert performance.loc["external", "tp"] == ((predict_frozen(FROZEN, here) >= 0.25) & (here["label"] == 1)).sum()
    points = pd.read_csv(out / "evaluation" / "tables" / "operating_points.csv")
    assert points.groupby("rule")["threshold"].unique().map(list).to_dict() == {
        rule: [threshold] for rule, threshold in THRESHOLDS["clinical"].items()
    }

    page = (out / "summary.md").read_text()
    for link in (text.split(")")[0] for text in page.split("](")[1:]):
        assert (out / link).is_file(), link
    assert "no coefficient, weight, threshold or imputed value was estimated on these" in page
    assert facts["fingerprint"] in page
    assert "SIMULATED" not in page
    manifest = json.loads((out / "manifest.json").read_text())
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == files - {"manifest.json"}


@pytest.mark.usefixtures("undrawn")
def test_updated_models_are_separate_named_and_judged_by_others(bundle, tmp_path):
    done = validated(bundle, hospital(tmp_path / "data", 300), tmp_path)
    here = women(300, 2, 0.8)
    p = predict_frozen(FROZEN, here)
    logits = np.log(p / (1 - p))
    shift = GLM(here["label"], np.ones(300), offset=logits, family=Binomial()).fit().params.iloc[0]
    line = GLM(here["label"], add_constant(logits), family=Binomial()).fit().params
    stored = json.loads((tmp_path / "out" / "recalibration.json").read_text())
    one, two = stored["updates"]
    assert (one["model"], two["model"]) == ("clinical_intercept_local", "clinical_slope_local")
    assert (one["intercept"], one["slope"]) == (pytest.approx(shift, abs=1e-6), 1)
    assert [two["intercept"], two["slope"]] == pytest.approx(list(line), abs=1e-6)
    assert stored["fingerprint"] == done.bundle.fingerprint

    calibration = pd.read_csv(tmp_path / "out" / "recalibrated" / "tables" / "calibration.csv").set_index("model")
    assert list(calibration.index) == ["clinical", "clinical_intercept_local", "clinical_slope_local"]
    assert calibration.loc["clinical", "intercept_low"] > 0
    # cross-fitted, hence near 0 and never 0, which in-sample calibration would be
    assert 1e-6 < abs(calibration.loc["clinical_intercept_local", "intercept"]) < 0.05
    scores = pd.read_csv(tmp_path / "out" / "patients.csv").set_index("patient_id")["clinical"]
    np.testing.assert_allclose(scores, p, atol=1e-12)  # the original as it was
    assert "ask for an updated intercept of the clinical model" in (tmp_path / "out" / "summary.md").read_text()


@pytest.mark.usefixtures("undrawn")
def test_nothing_of_the_original_can_be_fitted(bundle, tmp_path, monkeypatch):
    """Every function of the package that estimates a model or chooses a threshold is forbidden."""
    from her2study.evaluation import suite, thresholds
    from her2study.models import baselines, clinical, combined, crossfit, dscore, likelihood, logistic, training

    def forbidden(*_, **__):
        raise AssertionError("something was fitted")

    names = [(thresholds, "choose_thresholds"), (thresholds, "_chosen"), (suite.thresholds, "choose_thresholds")]
    for place in (baselines, clinical, combined, crossfit, dscore, logistic, training):
        names += [(place, name) for name in vars(place) if name.startswith(("fit", "train", "select", "tune"))]
    assert len(names) >= 10
    for place, name in names:
        if callable(getattr(place, name)):
            monkeypatch.setattr(place, name, forbidden)
    monkeypatch.setattr(likelihood, "maximise", forbidden)
    done = validated(bundle, hospital(tmp_path / "data"), tmp_path)
    assert done.judged.models == ("clinical",)


@pytest.mark.usefixtures("undrawn")
def test_the_training_patients_stand_beside(bundle, tmp_path):
    done = validated(bundle, hospital(tmp_path / "data"), tmp_path)
    trained, here = women(200, 1), women(120, 2, 0.8)
    table = done.tables["training_and_new"].set_index("measure")
    for column, group in (("training", trained), ("new", here)):
        expected = roc_auc_score(group["label"], predict_frozen(FROZEN, group))
        assert table.loc["auc", column] == pytest.approx(expected, abs=1e-12)
        assert table.loc["observed", column] == pytest.approx(group["label"].mean())
    mix = done.tables["case_mix"].drop_duplicates("variable").set_index("variable")
    spread = np.sqrt((trained["age_years"].var() + here["age_years"].var()) / 2)
    expected = abs(trained["age_years"].mean() - here["age_years"].mean()) / spread
    assert mix.loc["age_years", "smd"] == pytest.approx(expected, rel=1e-9)
    assert list(mix.index) == ["label", "age_years", "rim"]
    predictions = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert predictions.groupby("split")["patient_id"].nunique().to_dict() == {"development": 200, "external": 120}


@pytest.mark.usefixtures("undrawn")
def test_who_does_not_judge_is_counted_with_the_reason_and_never_a_negative(bundle, tmp_path):
    treated = ["yes"] * 7 + ["no"] * 113
    data = hospital(tmp_path / "data", treated=treated)
    frame = pd.read_csv(data / "patients.csv")
    frame.loc[5:14, "her2"] = None  # two of whom were treated as well
    frame.loc[20:21, "her2"] = "unclear"
    frame.loc[30, "age_years"] = 97
    frame.to_csv(data / "patients.csv", index=False)
    done = validated(bundle, data, tmp_path)
    flow = done.tables["flow"].set_index(["step", "reason"])["n"].to_dict()
    assert flow == {
        ("in the table", ""): 120,
        ("left out", "as in the study: Treated before"): 7,
        ("left out", "the outcome is not known"): 10,
        ("judged", ""): 103,
    }
    assert not done.clean
    assert (done.findings["area"] == "outcome").sum() == 12
    assert done.applied.flags["kind"].tolist() == ["range"]
    subsets = done.tables["subsets"].set_index("patients")["n"].to_dict()
    assert subsets == {"judged": 103, "judged, without flags": 102}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"her2": "no"}, "all 40 patients with a known outcome are not HER2-positive: nothing can be judged; add"),
        ({"her2": None}, "no column 'her2', which says who is HER2-positive (yes) and who is not (no)"),
        ({"her2": "2+"}, "none of 40 patients has a known outcome (HER2-positive or not): add patients of both kinds"),
        ({"age_years": None}, "'age_years'"),
        ({"centre": "A"}, "40 of 40 patients are of centres where the models were trained (A), and nobody is judged"),
        ({"patient_id": "W1"}, "patient 'W1' stands in rows"),
    ],
)
def test_what_cannot_be_judged_is_one_message_status_2_and_nothing_written(bundle, tmp_path, capsys, columns, said):
    data = hospital(tmp_path / "data", 40, **columns)
    out = tmp_path / "new" / "out"
    assert cli.main(["validate-external", str(bundle), str(data), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("error:") == 1
    assert sorted(os.listdir(tmp_path)) == ["data", "from_elsewhere"]


def test_a_changed_bundle_is_refused(bundle, tmp_path, capsys):
    content = bytearray(bundle.read_bytes())
    place = content.index(b'"coefficient": 1.5')
    content[place + 15 : place + 18] = b"2.5"
    bundle.write_bytes(content)
    assert cli.main(["validate-external", str(bundle), str(hospital(tmp_path / "data"))]) == 2
    assert "bundle.json" in capsys.readouterr().err


@pytest.mark.usefixtures("undrawn")
def test_few_events_are_judged_with_a_warning_and_not_updated(bundle, tmp_path):
    data = hospital(tmp_path / "data", 40)
    frame = pd.read_csv(data / "patients.csv")
    frame["her2"] = np.where(np.arange(40) < 6, "yes", "no")
    frame.to_csv(data / "patients.csv", index=False)
    done = validated(bundle, data, tmp_path)
    page = (tmp_path / "out" / "summary.md").read_text()
    assert "With 6 positive and 34 negative patients the interval of an AUC of" in page
    assert "A validation should have 100 of each: take every number here with its interval." in page
    assert "clinical_intercept_local is not made: local recalibration: 6 positive and 34 negative patients" in page
    assert done.equations == []
    assert os.listdir(tmp_path / "out" / "recalibrated" / "tables") == []


@pytest.mark.usefixtures("undrawn")
def test_simulated_patients_are_marked_everywhere(tmp_path):
    bundle = small_bundle(tmp_path / "from_elsewhere", simulated=True)
    validated(bundle, hospital(tmp_path / "data"), tmp_path)
    for path in (tmp_path / "out").rglob("*.csv"):
        assert set(pd.read_csv(path)["patients"]) <= {"SIMULATED"}, path
    for path in (tmp_path / "out").rglob("*.md"):
        assert "SIMULATED PATIENTS" in path.read_text(), path
    assert json.loads((tmp_path / "out" / "recalibration.json").read_text())["patients"] == "SIMULATED"


@pytest.mark.usefixtures("undrawn")
def test_the_same_input_gives_the_same_bytes(bundle, tmp_path):
    data = hospital(tmp_path / "data")
    validated(bundle, data, tmp_path)
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*.csv")}
    frame = pd.read_csv(data / "patients.csv").sample(frac=1, random_state=1)  # no result depends on the order of rows
    frame.to_csv(data / "patients.csv", index=False)
    validated(bundle, data, tmp_path)  # which replaces what it wrote
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*.csv")} == first


def test_packages_that_only_make_studies_are_not_needed(bundle, tmp_path):
    """In a process that cannot import them; ``bench/empty_environment.py`` makes an environment without them."""
    code = (
        "import sys\n"
        f"for name in {STUDY_ONLY!r}: sys.modules[name] = None\n"
        "from her2study import cli\n"
        "from her2study.pipeline import evaluate\n"
        "draw = evaluate._draw\n"  # one figure is enough
        "evaluate._draw = lambda *given: draw(*given) if given[-1][0] == 'score_distribution' else None\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    arguments = ["validate-external", str(bundle), str(hospital(tmp_path / "data")), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, "--workers", "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "evaluation" / "figures" / "score_distribution.pdf").is_file()


def test_somebodys_folder_is_refused_before_anything_is_read(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("all my work")
    with pytest.raises(module.StudyError, match="was not written by this command"):
        validated(tmp_path / "no.zip", tmp_path / "nowhere", tmp_path)


@pytest.mark.usefixtures("undrawn")
def test_public_patients_are_judged_through_the_bundle_alone_as_in_the_study(finished_public, tmp_path, monkeypatch):
    """DUKE and ISPY2 trained it; ISPY1 and NACT judge it, from the raw table, with the bundle alone."""
    from her2study import open_study
    from her2study.models.bundle import seal, write_bundle

    study, run = open_study("mamamia", "smoke", public_data(), str(finished_public))
    gathered, weights = gather_bundle(study, run)
    bundle = write_bundle(seal(gathered, weights), "mamamia", tmp_path / "bundle")[1]
    monkeypatch.setenv("HER2STUDY_PAPERS", str(tmp_path / "nothing"))
    done = validated(bundle, module.Path(public_data()), tmp_path, centres=("ISPY1", "NACT"))

    own = run.load_frame("predictions")
    own = own[(own["model"] == "clinical") & (own["split"] == "external")].sort_values("patient_id")
    here = done.evaluation.predictions
    here = here[here["split"] == "external"].sort_values("patient_id")
    for column in ("patient_id", "centre", "label"):
        assert here[column].tolist() == own[column].tolist()
    np.testing.assert_allclose(here["probability"], own["probability"], atol=1e-12)
    for name in ("performance", "calibration", "operating_points"):
        expected, found = run.load_table(name), done.evaluation.table(name)
        keys = [key for key in ("rule", "split", "model") if key in found]
        expected = expected[(expected["split"] == "external") & (expected["model"] == "clinical")].set_index(keys)
        found = found[found["split"] == "external"].set_index(keys).loc[expected.index]
        numbers = [column for column in expected.select_dtypes("number") if column in found]
        assert len(numbers) > 15
        np.testing.assert_allclose(found[numbers], expected[numbers], atol=1e-9)
