"""Tests of the patient flow: order of rules, reasons, counts."""

import pandas as pd
import pytest

from her2study.cohort.flow import (
    NO_OUTCOME,
    NO_SCORE,
    UNFIT,
    apply_exclusions,
    cohort_flow,
    exclude_unfit,
    exclude_unscored,
    workflow,
)
from her2study.study import Centres, Her2, Outcome, Source
from her2study.types import StudyError


@pytest.fixture
def screened(raw) -> pd.DataFrame:
    """The eight included and four who leave."""
    leavers = pd.DataFrame(
        {
            "patient_id": ["x4", "x3", "x2", "x1"],
            "centre": ["A", "B", "B", "A"],
            "her2": ["equivocal", "equivocal", None, "positive"],
            "treated": ["yes", "no", None, "yes"],
        },
        dtype="str",
    )
    return pd.concat([raw, leavers], ignore_index=True)


@pytest.fixture
def splits(raw) -> pd.DataFrame:
    split = ["external"] + ["development"] * 5 + ["internal", "external"]
    return pd.DataFrame(
        {
            "patient_id": raw["patient_id"],
            "centre": raw["centre"],
            "label": (raw["her2"] == "positive").astype("int64"),
            "split": split,
        }
    )


def test_a_patient_leaves_for_the_first_rule_and_a_missing_outcome_always_excludes(screened, settings):
    included, excluded = apply_exclusions(screened, settings.exclusions, settings.outcome, settings.source)
    assert included["patient_id"].tolist() == screened["patient_id"].tolist()[:8]
    assert list(zip(excluded["patient_id"], excluded["centre"], excluded["reason"], strict=True)) == [
        ("x1", "A", "Treated before"),
        ("x4", "A", "Treated before"),  # equivocal too, but treatment is asked first
        ("x3", "B", "HER2 equivocal"),
        ("x2", "B", NO_OUTCOME),
    ]


def test_nobody_needs_to_leave(raw, settings):
    included, excluded = apply_exclusions(raw, (), settings.outcome, settings.source)
    assert len(included) == 8
    assert excluded.empty
    assert list(excluded) == ["patient_id", "centre", "reason"]


def test_the_flow_adds_up_from_screened_to_splits_and_centres(screened, splits, settings):
    _, excluded = apply_exclusions(screened, settings.exclusions, settings.outcome, settings.source)
    frame = cohort_flow(excluded, splits, settings.centres, settings.exclusions)
    assert frame["order"].tolist() == list(range(len(frame)))
    assert list(zip(frame["kind"], frame["label"], frame["n"], strict=True)) == [
        ("included", "Screened", 12),
        ("excluded", "Treated before", 2),
        ("excluded", "HER2 equivocal", 1),
        ("excluded", NO_OUTCOME, 1),
        ("included", "Included", 8),
        ("split", "Development", 5),
        ("split", "Internal validation", 1),
        ("split", "External validation", 2),
        ("centre", "Centre A", 4),
        ("centre", "Centre B", 2),
        ("centre", "C", 2),
    ]
    assert frame.loc[frame["kind"] == "centre", "positives"].tolist() == [2, 1, 1]


def test_a_rule_that_removes_nobody_is_still_told(raw, splits, settings):
    _, excluded = apply_exclusions(raw, settings.exclusions, settings.outcome, settings.source)
    frame = cohort_flow(excluded, splits, settings.centres, settings.exclusions)
    assert frame.loc[frame["kind"] == "excluded", "n"].tolist() == [0, 0]


def test_the_workflow_names_image_steps_only_where_there_are_images(splits, settings):
    with_images = workflow(settings.centres, settings.split, splits, has_images=True)
    without = workflow(settings.centres, settings.split, splits, has_images=False)
    assert {"D-score", "Radiomics", "Combined model"} <= set(with_images["label"])
    assert not {"D-score", "Radiomics", "Combined model"} & set(without["label"])
    assert "5 development, 1 internal, 2 external" in without["detail"].tolist()


def unfit(**reasons: str) -> pd.DataFrame:
    everybody = [f"p{i}" for i in range(1, 9)]
    return pd.DataFrame({"patient_id": everybody, "reason": [reasons.get(name, "") for name in everybody]})


def test_unfit_patients_leave_last_and_stand_in_the_flow_by_reason(screened, splits, settings):
    _, excluded = apply_exclusions(screened, settings.exclusions, settings.outcome, settings.source)
    cohort = splits[["patient_id", "centre", "label"]].assign(centre="A")
    fitness = unfit(p6="damaged file", p1="empty mask", p2="empty mask")
    stays, everyone = exclude_unfit(cohort, excluded, fitness)
    assert stays["patient_id"].tolist() == ["p8", "p3", "p4", "p5", "p7"]
    assert list(zip(everyone["patient_id"], everyone["reason"], strict=True))[4:] == [
        ("p1", f"{UNFIT}empty mask"),
        ("p2", f"{UNFIT}empty mask"),
        ("p6", f"{UNFIT}damaged file"),
    ]
    left = splits[splits["patient_id"].isin(stays["patient_id"])]
    frame = cohort_flow(everyone, left, settings.centres, settings.exclusions).set_index("label")["n"]
    assert frame["Screened"] == 12
    assert frame[f"{UNFIT}empty mask"] == 2
    assert frame["Included"] == 5


def test_nobody_is_unfit(splits, settings):
    excluded = pd.DataFrame({"patient_id": ["x"], "centre": ["A"], "reason": ["Treated before"]})
    stays, everyone = exclude_unfit(splits, excluded, unfit())
    pd.testing.assert_frame_equal(stays, splits)
    pd.testing.assert_frame_equal(everyone, excluded.astype("str"))


def test_a_centre_left_without_a_class_stops_the_study(splits):
    with pytest.raises(StudyError, match=r"all 1 negative patients of centre 'C' are unfit for use .*damaged file"):
        exclude_unfit(splits, pd.DataFrame(columns=["patient_id", "centre", "reason"]), unfit(p7="damaged file"))


def test_where_no_centre_judges_as_a_whole_a_centre_may_lose_a_class(splits):
    nobody = pd.DataFrame(columns=["patient_id", "centre", "reason"])
    stays, _ = exclude_unfit(splits, nobody, unfit(p7="damaged file"), by_centre=False)
    assert len(stays) == 7
    everybody = dict.fromkeys(splits.loc[splits["label"] == 1, "patient_id"], "empty mask")
    with pytest.raises(StudyError, match=r"all 4 positive patients of the study are unfit for use .*empty mask"):
        exclude_unfit(splits, nobody, unfit(**everybody), by_centre=False)


def test_further_rows_of_a_patient_stand_before_the_patients(raw, splits, settings):
    included, excluded = apply_exclusions(raw, (), settings.outcome, settings.source)
    further = pd.DataFrame({"reason": ["Further row of a patient: the largest is kept"] * 3})
    frame = cohort_flow(excluded, splits, settings.centres, (), further)
    assert list(zip(frame["kind"], frame["label"], frame["n"], strict=True))[:3] == [
        ("included", "Rows of the table", 11),
        ("excluded", "Further row of a patient: the largest is kept", 3),
        ("included", "Screened", len(included)),
    ]


def test_her2_categories_that_a_task_leaves_out_are_exclusions_with_their_reason(raw, settings):
    outcome = Outcome(her2=Her2(ihc="ihc"), task="positive-vs-low", label="HER2-positive")
    category = ["positive", "low", "zero", "negative", "equivocal", None, None, "low"]
    reason = [""] * 5 + ["a result cannot be read", None, ""]
    table = raw.assign(her2_category=pd.Series(category, dtype="str"), her2_reason=pd.Series(reason, dtype="str"))
    included, excluded = apply_exclusions(table, (), outcome, settings.source)
    assert included["her2_category"].tolist() == ["positive", "low", "low"]
    assert dict(zip(excluded["patient_id"], excluded["reason"], strict=True)) == {
        "p4": "HER2 equivocal",
        "p3": "HER2 negative, but not known whether low or zero (the question is positive vs low)",
        "p2": "HER2 zero (the question is positive vs low)",
        "p6": NO_OUTCOME,
        "p5": f"{NO_OUTCOME}: a result cannot be read",
    }


def test_patients_without_a_score_leave_unless_they_are_most(splits):
    nobody = pd.DataFrame(columns=["patient_id", "centre", "reason"])
    stays, gone = exclude_unscored(splits, nobody, splits.iloc[1:])
    assert gone.to_dict("list") == {"patient_id": ["p8"], "centre": ["C"], "reason": [NO_SCORE]}
    assert len(stays) == 7
    with pytest.raises(StudyError, match="5 of 8 included patients have no score, 'p8' among them"):
        exclude_unscored(splits, nobody, splits.iloc[5:])


@pytest.mark.parametrize(
    ("source", "candidates", "present", "absent"),
    [
        ({}, False, {"Conventional learning", "Grad-CAM", "Radiomics"}, {"Clinical model", "Combined model"}),
        ({"scores": "s.csv"}, True, {"D-score", "Combined model", "Radiomics"}, {"Grad-CAM"}),
        ({"features": ["f.csv"]}, True, {"Own features", "Grad-CAM"}, set()),
    ],
)
def test_the_workflow_shows_what_the_study_is_made_of(splits, settings, source, candidates, present, absent):
    made = Source(kind="folder", table="t.csv", **source)
    labels = set(workflow(settings.centres, settings.split, splits, True, made, candidates)["label"])
    assert present <= labels
    assert not absent & labels


def test_the_workflow_says_who_judges(splits, settings):
    alone = splits.assign(split="development")
    assert "Out-of-fold scores" in set(workflow(settings.centres, settings.split, alone, False)["label"])
    by_date = Centres(development=["A", "B", "C"], external_by="date", external_from="2022-01-01")
    told = " ".join(workflow(by_date, settings.split, splits, False)["detail"])
    assert "external: from 2022-01-01 on" in told
