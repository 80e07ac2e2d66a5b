"""Every design of a study runs from a hospital's folder to its report, and the report says what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from her2study.types import StudyError
from tests.designs.cohorts import own_features, own_scores, people, write_study
from tests.designs.running import Ran, run_study

pytestmark = pytest.mark.slow

ONE = people({"A": 110})
THREE = people({"A": 90, "B": 70, "C": 50})
NOBODY_INSIDE = {"internal_fraction": 0}
BARE = {"variables": {}, "statistics": {"subgroups": []}}

Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path) -> Run:
    """Writes patients, further tables and settings, and runs the study."""

    def made(patients: pd.DataFrame, changes: Mapping[str, Any], printed: bool = False, **tables: pd.DataFrame) -> Ran:
        data = tmp_path / "data"
        data.mkdir()
        for name, table in {"patients": patients, **tables}.items():
            table.to_csv(data / f"{name}.csv", index=False)
        write_study(tmp_path / "papers", "own", changes)
        return run_study("own", data, tmp_path / "papers", tmp_path / "results", printed=printed)

    return made


def splits_of(ran: Ran) -> dict[str, int]:
    return ran.chain.run.load_frame("splits")["split"].value_counts().to_dict()


def tables_of(ran: Ran) -> set[str]:
    return set(ran.chain.run.table_names())


def test_one_centre_with_a_random_internal_part(run):
    ran = run(ONE, {})
    assert splits_of(ran) == {"development": 88, "internal": 22}
    assert "There are no external patients" in ran.headlines()
    assert "Internal validation, AUC of Clinical" in ran.headlines()
    assert "They were 88 development patients and 22 internal validation patients." in ran.page()
    assert not {"centres", "centre_only", "mri_protocol", "claims", "assumptions"} & tables_of(ran)
    performance = ran.chain.run.load_table("performance")
    assert set(performance["split"]) == {"development", "internal"}


def test_one_small_centre_is_judged_by_the_bootstrap(run):
    changes = {"source": {"only_centre": "A"}, "split": NOBODY_INSIDE}
    ran = run(ONE.drop(columns="centre"), changes, printed=True)
    assert splits_of(ran) == {"development": 110}
    assert "Corrected for optimism, AUC of Clinical" in ran.headlines()
    assert "Nobody is set aside" in ran.page()
    assert "corrected for optimism by 10 repeated developments" in ran.page()
    assert "external" not in ran.page().replace("There are no external patients", "")
    corrected = ran.chain.run.load_table("optimism_clinical").set_index("measure")
    assert corrected.loc["auc", "corrected"] < corrected.loc["auc", "apparent"]


def test_the_latest_patients_judge(run):
    changes = {"source": {"date_column": "examined"}, "split": {"internal": "latest"}}
    ran = run(ONE, changes)
    dated = ran.chain.run.load_frame("splits").merge(ONE[["patient_id", "examined"]], on="patient_id")
    first = dated.loc[dated["split"] == "internal", "examined"].min()
    assert (dated.loc[dated["split"] == "development", "examined"] < first).all()
    assert "the last patients of each centre" in ran.said["01_cohort"]


def test_external_by_date_in_the_same_centre(run):
    changes = {
        "source": {"date_column": "examined"},
        "centres": {"external_by": "date", "external_from": "2021-09-01"},
        "split": NOBODY_INSIDE,
    }
    ran = run(ONE, changes)
    assert splits_of(ran)["external"] == (ONE["examined"] >= "2021-09-01").sum()
    assert "the external patients came from 2021-09-01 on" in ran.page()
    assert "not how they would do in another hospital" in ran.said["11_claims"]
    assert "External validation, AUC of Clinical" in ran.headlines()


def test_external_by_a_column_in_several_centres(run):
    patients = people({"A": 80, "B": 70}).assign(scanner=lambda rows: np.where(rows.index % 3 == 0, "new", "old"))
    by_column = {"external_by": "column", "external_column": "scanner", "external_values": ["new"]}
    ran = run(patients, {"centres": {"development": ["A", "B"], **by_column}})
    outside = ran.chain.run.load_frame("splits").query("split == 'external'")
    assert set(outside["patient_id"]) == set(patients.loc[patients["scanner"] == "new", "patient_id"])
    assert set(outside["centre"]) == {"A", "B"}
    assert "the external patients are those with scanner new" in ran.page()


def test_three_centres_each_left_out_in_turn(run):
    changes = {
        "centres": {"development": ["A", "B"], "external": ["C"]},
        "statistics": {"leave_one_centre_out": True, "subgroups": ["centre", "age_years"]},
    }
    ran = run(THREE, changes)
    left_out = ran.chain.run.load_table("leave_one_centre_out")
    assert set(left_out.loc[left_out["kind"] == "centre", "centre"]) == {"A", "B", "C"}
    assert "the external patients are from a centre of their own" in ran.page()


def test_own_features_join_the_variables(run):
    ran = run(ONE, {"source": {"features": ["deep.csv"]}}, deep=own_features(ONE).iloc[:-2])
    assert "6 features of 110 patients from deep.csv; 2 included patients have no row" in ran.said["06_baselines"]
    assert "3 clinical variables and MRI readings, 6 measured features" in ran.said["06_baselines"]
    assert ran.chain.run.load_values()["baseline_features"] == 9


def test_features_without_variables_need_no_clinical_model(run):
    changes = {**BARE, "source": {"features": ["deep.csv"]}, "split": NOBODY_INSIDE}
    ran = run(ONE, changes, printed=True, deep=own_features(ONE))
    assert "07_clinical" not in ran.chain.nodes
    assert set(ran.chain.run.load_frame("predictions")["model"]) == {"logistic_elastic_net"}
    assert "No variable is a candidate" in ran.said["01_cohort"]
    assert set(ran.chain.run.load_table("shap_ranking")["feature"]) <= {f"deep_{i}" for i in range(6)}


def test_own_cross_fitted_scores_bring_their_folds(run):
    scores = own_scores(ONE, 3)
    changes = {"source": {"scores": "scores.csv"}, "split": {**NOBODY_INSIDE, "folds": 3}}
    ran = run(ONE, changes, printed=True, scores=scores)
    predictions = ran.chain.run.load_frame("predictions")
    own = predictions[predictions["model"] == "dscore"].merge(scores, on="patient_id")
    assert (own["fold_x"] == own["fold_y"]).all()
    np.testing.assert_allclose(own["probability_x"], own["probability_y"])
    assert set(predictions["model"]) == {"dscore", "clinical", "combined", "logistic_elastic_net"}
    assert predictions.groupby("patient_id")["fold"].nunique().eq(1).all()  # everybody's folds are those of the scores
    assert "made elsewhere and comes from the table scores.csv" in ran.page("model-card.html")
    assert not (ran.results / "frozen" / "dscore.json").exists()


def test_scores_trained_elsewhere_meet_external_patients(run):
    scores = own_scores(THREE, None).iloc[3:]
    changes = {"source": {"scores": "scores.csv"}, "centres": {"development": ["A", "B"], "external": ["C"]}}
    ran = run(THREE, changes, scores=scores)
    flow = ran.chain.run.load_table("cohort_flow").set_index("label")["n"]
    assert flow["No score in the study's own table of scores"] == 3
    assert "External validation, AUC of Combined" in ran.headlines()
    assert ran.chain.run.load_frame("trained_on_dscore")["patient_id"].isna().all()


def test_scores_alone_are_evaluated(run):
    changes = {**BARE, "source": {"scores": "scores.csv"}, "split": {**NOBODY_INSIDE, "folds": 3}}
    ran = run(ONE, changes, scores=own_scores(ONE, 3))
    assert not {"06_baselines", "07_clinical", "08_combined", "10_explanation"} & set(ran.chain.nodes)
    assert set(ran.chain.run.load_table("performance")["model"]) == {"dscore"}
    assert "AUC of D-score" in ran.headlines()


@pytest.mark.parametrize(
    ("fold", "split", "message"),
    [
        (lambda n: np.arange(n) % 3, {"internal_fraction": 0.2, "folds": 3}, "set split.internal_fraction: 0"),
        (lambda n: np.arange(n) % 3, {"internal_fraction": 0, "folds": 5}, "set split.folds: 3"),
    ],
)
def test_scores_that_could_be_in_sample_stop_the_study(run, fold, split, message):
    scores = own_scores(ONE, None).assign(fold=fold(len(ONE)))
    with pytest.raises(StudyError, match=message):
        run(ONE, {"source": {"scores": "scores.csv"}, "split": split}, scores=scores)


def test_her2_low_against_zero_of_women_with_several_lesions(run):
    rng = np.random.default_rng(5)
    patients = ONE.drop(columns="her2").assign(
        ihc=np.where(ONE["node_mm"] + rng.normal(size=110) > 8, "1+", "0"), fish=None, size_mm=10
    )
    patients.loc[:9, "ihc"] = ["3+", "2+", "2+", "2+", None, "0", "1+", "1+", "0", "1+"]
    patients.loc[1:2, "fish"] = ["negative", "positive"]
    lesions = pd.concat([patients, patients.head(7).assign(size_mm=4, ihc="3+")])
    changes = {
        "source": {"rows": {"keep": "largest", "by": "size_mm"}},
        "outcome": {
            "column": "her2_category", "positive": ["low"], "negative": ["zero"], "label": "HER2-low",
            "her2": {"ihc": "ihc", "ish": "fish"}, "task": "low-vs-zero",
        },
    }  # fmt: skip
    ran = run(lesions, changes)
    flow = ran.chain.run.load_table("cohort_flow").set_index("label")["n"].to_dict()
    assert (flow["Rows of the table"], flow["Screened"]) == (117, 110)
    assert flow["HER2 equivocal"] == 1
    assert flow["HER2 positive (the question is low vs zero)"] == 2
    assert flow["Outcome not recorded: no IHC, ISH or status recorded"] == 1
    cohort = ran.chain.run.load_frame("cohort")
    assert len(cohort) == 106
    assert cohort.set_index("patient_id").loc["p001", "label"] == 1  # 2+ with negative ISH is low


def test_images_without_variables(tmp_path):
    changes = {
        **BARE,
        "source": {"kind": "simulated", "table": "clinical.csv"},
        "outcome": {"column": "her2_status"},
        "simulation": {"screened": 38, "included": {"A": 30}},
        "exclusions": [
            {"reason": "Treated", "column": "prior_treatment", "values": ["yes"]},
            {"reason": "Quality", "column": "image_quality", "values": ["non-diagnostic"]},
            {"reason": "No mask", "column": "mask_available", "values": ["no"]},
            {"reason": "Equivocal", "column": "her2_status", "values": ["equivocal"]},
        ],
        "network": {"epochs": 1, "widths": [4, 8, 8, 16], "layers": [1, 1, 1, 1]},
        "split": {**NOBODY_INSIDE, "folds": 2},
    }
    write_study(tmp_path / "papers", "own", changes)
    planted = Path(__file__).resolve().parents[2] / "papers" / "hong2025" / "assumptions.yml"
    (tmp_path / "papers" / "own" / "assumptions.yml").write_text(planted.read_text(encoding="utf-8"), encoding="utf-8")
    ran = run_study("own", "", tmp_path / "papers", tmp_path / "results", printed=False)
    assert not {"07_clinical", "08_combined"} & set(ran.chain.nodes)
    assert set(ran.chain.run.load_frame("predictions")["model"]) == {"dscore", "logistic_elastic_net"}
    assert {"gradcam", "failure_cases", "saliency_sanity"} <= set(ran.chain.run.figure_names())
    assert "SIMULATED" in ran.page()
    assert "the combined model, for which clinical predictors are needed" in ran.headlines()
