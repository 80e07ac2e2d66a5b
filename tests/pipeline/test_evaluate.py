"""Tests of the command that evaluates any predictions: what it writes, what it marks, what it never leaves behind."""

import hashlib
import json
import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from her2study import cli
from her2study.evaluation.suite import FIGURES, TABLES
from her2study.pipeline import evaluate as module
from her2study.pipeline import start_page
from her2study.pipeline.evaluate import Request, evaluate, pages_of
from her2study.reporting import figures
from her2study.reporting.journals import load_journal
from her2study.types import StudyError
from tests.evaluation.golden import make_predictions

QUICK = {"resamples": 50, "decision_range": (0.1, 0.4)}


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    """A tenth of the pixels: the pictures are opened, not looked at."""
    coarse = load_journal().model_copy(update={"raster_dpi": {"png": 30, "tiff": 60}})
    monkeypatch.setattr(figures, "load_journal", lambda: coarse)


@pytest.fixture
def tidy():
    return make_predictions({"net": 1.5, "a | b": 0.7}, n=30)


@pytest.fixture
def table(tmp_path, tidy):
    tidy.to_csv(tmp_path / "p.csv", index=False)
    return tmp_path / "p.csv"


@pytest.fixture
def undrawn(monkeypatch):
    """Tables only."""
    monkeypatch.setattr(module, "_draw", lambda *_: None)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))}


def test_the_command_writes_every_table_figure_and_page(table, tidy, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["evaluate", str(table), "--out", str(out), "--resamples", "50", "--workers", "1", "--seed", "3"]
    more = ["--prevalence", "0.1", "--nested", "net:a | b", "--outcome", "malignant", "--confidence", "0.9"]
    assert cli.main([*arguments, *more]) == 0
    assert "start with summary.md" in capsys.readouterr().out

    written = {path.stem for path in (out / "tables").glob("*.csv")}
    assert written == set(TABLES) - {"delong_global"}  # which needs three models
    performance = pd.read_csv(out / "tables" / "performance.csv")
    for row in performance.itertuples():
        rows = tidy[(tidy["split"] == row.split) & (tidy["model"] == row.model)]
        assert row.auc == pytest.approx(roc_auc_score(rows["label"], rows["probability"]), abs=1e-9)
    assert "patients" not in performance

    assert {path.stem for path in (out / "figures").glob("*")} == set(FIGURES)
    for path in (out / "figures").glob("*.png"):
        with Image.open(path) as picture:
            assert picture.size[0] > 40
        assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
        assert path.with_suffix(".tiff").is_file()
        assert "SIMULATED" not in path.with_suffix(".svg").read_text()

    page = (out / "summary.md").read_text()
    digest = hashlib.sha256(table.read_bytes()).hexdigest()
    written_out = ("# Evaluation of p.csv", "malignant", "90% CI", "a \\| b", "seed: 3", "--outcome malignant", digest)
    for told in (*written_out, "net contains a | b", "delong_global: it tests three models"):
        assert told in page
    assert "HER2" not in page
    assert "SIMULATED" not in page
    for link in (text.split(")")[0] for text in page.split("](")[1:]):
        assert (out / link).is_file(), link

    manifest = json.loads((out / "manifest.json").read_text())
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == files - {"manifest.json"}
    assert manifest["input"]["sha256"] == digest
    assert manifest["settings"]["resamples"] == 50


def test_simulated_patients_are_marked_everywhere(tidy, tmp_path):
    tidy[(tidy["split"] == "external") & (tidy["model"] == "net")].to_csv(tmp_path / "p.csv", index=False)
    out = evaluate(Request(tmp_path / "p.csv", tmp_path / "out", simulated=True, settings=QUICK))
    assert len(list((out / "figures").glob("*.svg"))) == 6
    for path in [*(out / "tables").glob("*.csv"), *(out / "figure_data").glob("*.csv")]:
        assert set(pd.read_csv(path)["patients"]) == {"SIMULATED"}
    for path in (out / "figures").glob("*.svg"):
        assert "SIMULATED PATIENTS" in path.read_text()
    for name in ("summary.md", "sentences.md"):
        assert "SIMULATED PATIENTS" in (out / name).read_text()
    assert json.loads((out / "manifest.json").read_text())["patients"] == "SIMULATED"


@pytest.mark.usefixtures("undrawn")
def test_tidy_and_wide_give_the_same_tables_byte_for_byte(table, tidy, tmp_path):
    keys = ["patient_id", "centre", "split", "label", "fold"]
    wide = tidy.pivot_table(index=keys, columns="model", values="probability")[["net", "a | b"]].reset_index()
    wide.to_csv(tmp_path / "wide.csv", index=False, sep=";", decimal=",")
    one, two = (
        evaluate(Request(path, tmp_path / path.stem, settings=QUICK)) for path in (table, tmp_path / "wide.csv")
    )
    for folder in ("tables", "figure_data"):
        assert contents(one / folder) == contents(two / folder)
        assert len(contents(one / folder)) >= 8


@pytest.mark.usefixtures("undrawn")
def test_a_frame_gives_the_same_tables_as_its_file_under_a_heading_of_its_own(table, tidy, tmp_path):
    one = evaluate(Request(table, tmp_path / "one", settings=QUICK))
    named = {"predictions": tidy, "notes": ("Made here.",), "heading": "Validation of the net"}
    two = evaluate(Request(tmp_path / "nowhere.csv", tmp_path / "two", settings=QUICK, **named))
    assert contents(one / "tables") == contents(two / "tables")
    page = (two / "summary.md").read_text()
    assert page.startswith("# Validation of the net\n")
    assert "- Made here." in page
    assert (two / "sentences.md").read_text().startswith("# Sentences from the validation of the net\n")
    with pytest.raises(StudyError, match=r"nowhere.csv, model 'net', patient 'D000': probability '2'"):
        evaluate(Request(tmp_path / "nowhere.csv", tmp_path / "two", predictions=tidy.assign(probability=2)))


@pytest.mark.usefixtures("undrawn")
def test_frozen_operating_points_are_taken_as_they_are(table, tmp_path):
    frozen = {"net": {"youden": 0.3, "sensitivity": 0.1, "specificity": 0.6}, "a | b": {"youden": 0.4}}
    out = evaluate(Request(table, tmp_path / "out", settings=QUICK | {"frozen": frozen}))
    points = pd.read_csv(out / "tables" / "operating_points.csv")
    assert set(points["model"]) == {"net"}  # the other lacks two of the rules, and none is chosen for it
    assert points.groupby("rule")["threshold"].unique().map(list).to_dict() == {
        rule: [threshold] for rule, threshold in frozen["net"].items()
    }


@pytest.mark.slow
def test_workers_never_change_a_table(table, tmp_path):
    one, two = (
        module.compute_evaluation(Request(table, tmp_path, workers=workers, settings=QUICK)) for workers in (1, 2)
    )
    for alone, beside in zip([*one.tables, *one.figures], [*two.tables, *two.figures], strict=True):
        pd.testing.assert_frame_equal(alone.frame, beside.frame, check_exact=True)
        assert alone.reason == beside.reason


@pytest.mark.usefixtures("undrawn")
def test_without_development_rows_the_page_says_what_is_missing_and_why(tidy, tmp_path):
    external = tidy[tidy["split"] == "external"].drop(columns=["split", "fold", "centre"])
    external.to_csv(tmp_path / "p.csv", index=False)
    out = evaluate(Request(tmp_path / "p.csv", tmp_path / "out", settings=QUICK))
    page = (out / "summary.md").read_text()
    assert "No column split: all patients are taken as external" in page
    assert "table operating_points: no development rows" in page
    assert "figure centres: all patients are of one centre" in page
    assert "threshold" not in pd.read_csv(out / "tables" / "performance.csv")


@pytest.mark.usefixtures("undrawn")
def test_results_too_good_to_be_true_are_doubted(tidy, tmp_path):
    good = tidy.assign(probability=np.where(tidy["label"] == 1, 0.9, 0.1))
    good.to_csv(tmp_path / "p.csv", index=False)
    out = evaluate(Request(tmp_path / "p.csv", tmp_path / "out", settings=QUICK))
    assert "**Look twice.** AUC too good to be true: 1.00" in (out / "summary.md").read_text()


@pytest.mark.parametrize(
    ("change", "more", "said"),
    [
        (
            lambda p: p.assign(probability=p["probability"] * 100),
            [],
            "line 2, model 'net', patient 'D000': probability",
        ),
        (lambda p: p.assign(fold=-1), [], "fold '-1' is no held-out fold; development scores must be out-of-fold"),
        (lambda p: p.iloc[1:], [], "model 'net' has no row for patient 'D000'"),
        (lambda p: pd.concat([p, p.iloc[[0]]]), [], "has two rows for this model"),
        (lambda p: p.assign(label=1), [], "development: all 30 patients have the label 1"),
        (lambda p: p[p["split"] == "external"], ["--rule", "youden"], "--rule youden: there are no development rows"),
        (lambda p: p, ["--pairs", "net:nett"], "--pairs: unknown model 'nett'; did you mean 'net'"),
        (lambda p: p, ["--threshold", "net2=0.5"], "--threshold: unknown model 'net2'"),
    ],
)
def test_bad_input_is_one_message_status_2_and_nothing_written(tidy, tmp_path, capsys, change, more, said):
    change(tidy).to_csv(tmp_path / "p.csv", index=False)
    assert cli.main(["evaluate", str(tmp_path / "p.csv"), "--out", str(tmp_path / "new" / "out"), *more]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("error:") == 1
    assert os.listdir(tmp_path) == ["p.csv"]


def test_somebodys_folder_is_refused_before_anything_is_read(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("all my work")
    assert cli.main(["evaluate", "nothing.csv", "--out", str(tmp_path)]) == 2
    assert "is not empty and was not written by this command (it holds thesis.txt)" in capsys.readouterr().err


@pytest.mark.parametrize("when", ["_compute", "_draw", "_manifest"])
def test_an_interruption_leaves_nothing_behind(table, tmp_path, capsys, monkeypatch, when):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_draw", lambda *_: None)
    monkeypatch.setattr(module, when, stop)
    assert (
        cli.main(["evaluate", str(table), "--out", str(tmp_path / "out"), "--workers", "1", "--resamples", "20"]) == 130
    )
    assert "stopped; nothing was written" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["p.csv"]


def test_the_page_describes_every_table_and_figure():
    assert set(start_page.TABLES) == set(TABLES)
    assert set(start_page.FIGURES) == set(FIGURES)
    assert set(FIGURES) <= set(figures.FIGURES)


def test_many_models_make_several_pages_and_none_is_left_out():
    models = [f"m{place:02d}" for place in range(14)]
    frame = pd.DataFrame({"model": [*models, "treat_all"], "split": "external"})
    pages = pages_of("decision_curve", frame, models[::-1])
    assert list(pages) == ["decision_curve", "decision_curve_2", "decision_curve_3"]
    assert set(pages["decision_curve"][1]["model"]) == {*models[-6:], "treat_all"}
    assert {name for name, _ in pages.values()} == {"decision_curve"}
    assert [len(rows) for _, rows in pages_of("calibration", frame.iloc[:-1], models).values()] == [12, 2]
    both = pd.concat([frame.iloc[:-1], frame.iloc[:-1].assign(split="internal")])
    assert [len(rows) for _, rows in pages_of("calibration", both, models).values()] == [8, 8, 8, 4]
