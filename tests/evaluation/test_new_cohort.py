"""Tests of who judges a frozen model: who is left out, why, and on whom models are compared."""

import numpy as np
import pandas as pd
import pytest

from her2study.evaluation.new_cohort import (
    check_outcomes,
    check_strangers,
    external_predictions,
    flow_table,
    judged,
    size_sentence,
    subset_table,
    training_predictions,
)
from her2study.evaluation.predictions import check_predictions
from her2study.types import StudyError

MODELS = ("combined", "clinical", "dscore")


def scored(unfit=(), **changes) -> pd.DataFrame:
    """Eight patients, those of ``unfit`` without a D-score."""
    frame = pd.DataFrame(
        {
            "patient_id": list("abcdefgh"),
            "centre": "Here",
            "label": [0, 1] * 4,
            "clinical": np.linspace(0.2, 0.8, 8),
            "dscore": [0.3, 0.6, 0.4, 0.5, 0.2, 0.9, 0.1, 0.7],
            "combined": np.linspace(0.1, 0.9, 8),
            "flags": ["", "old", "", "", "", "", "", ""],
            "reason_unscored": "",
        }
    )
    gone = frame["patient_id"].isin(list(unfit))
    frame.loc[gone, ["dscore", "combined"]] = np.nan
    frame.loc[gone, "reason_unscored"] = "no D-score: no mask"
    return frame.assign(**changes)


def test_models_are_compared_on_the_patients_whom_all_of_them_scored():
    scores = scored(unfit="bc")
    found = judged(scores, MODELS)
    assert found.models == MODELS
    assert "".join(found.together) == "adefgh"
    assert found.left == {"no D-score: no mask": 2}
    rows = external_predictions(scores, found.models, found.together)
    check_predictions(rows)
    assert rows.groupby("model").size().to_dict() == dict.fromkeys(MODELS, 6)
    assert set(rows["split"]) == {"external"}


def test_a_model_that_scored_nobody_takes_no_part():
    found = judged(scored(unfit="abcdefgh"), MODELS)
    assert (found.models, len(found.together), found.left) == (("clinical",), 8, {})


def test_where_the_scored_are_of_one_class_the_model_that_scored_everyone_judges():
    found = judged(scored(unfit="bdfh"), MODELS)  # all positives are unfit
    assert (found.models, len(found.together)) == (("clinical",), 8)


def test_without_any_score_the_most_frequent_reason_is_told():
    scores = scored(unfit="abcdefgh", clinical=np.nan)
    with pytest.raises(StudyError, match="could score these patients, most often because: no D-score: no mask"):
        judged(scores, MODELS)


def test_the_flow_adds_up():
    scores = scored(unfit="bc")
    left = pd.DataFrame({"patient_id": list("ijk"), "label": [1, pd.NA, pd.NA], "excluded": ["treated", "", "treated"]})
    everyone = pd.concat([scores[["patient_id", "label"]].assign(excluded=""), left], ignore_index=True)
    flow = flow_table(everyone.astype({"label": "Int64"}), scores, judged(scores, MODELS))
    assert flow.to_numpy().tolist() == [
        ["in the table", "", 11, 5],
        ["left out", "as in the study: treated", 2, 1],
        ["left out", "the outcome is not known", 1, 0],
        ["not scored by all models", "no D-score: no mask", 2, 1],
        ["judged", "", 6, 3],
    ]


def test_parts_of_the_patients_are_told_where_they_differ():
    scores = scored(unfit="bc")
    table = subset_table(scores, judged(scores, MODELS)).set_index(["patients", "model"])["n"].to_dict()
    assert table == {
        **{("judged", model): 6 for model in MODELS},
        ("all that the model scored", "clinical"): 8,
    }  # the flagged patient is unfit: without her those who judge are the same
    table = subset_table(scored(), judged(scored(), MODELS)).set_index(["patients", "model"])["n"].to_dict()
    assert table == {(part, m): n for part, n in (("judged", 8), ("judged, without flags", 7)) for m in MODELS}


def test_training_scores_become_development_rows_without_names():
    reference = pd.DataFrame(
        {"patient": [1, 2, 3, 4], "model": "clinical", "label": [0, 1, 0, 1], "probability": 0.4, "fold": [0, 0, 1, 1]}
    )
    rows = training_predictions(pd.concat([reference, reference.assign(model="other")]), ["clinical"])
    check_predictions(rows)
    assert rows["patient_id"].tolist() == ["training 1", "training 2", "training 3", "training 4"]
    assert set(rows["split"]) == {"development"}


def test_a_cohort_in_which_nothing_can_be_judged_is_refused():
    with pytest.raises(StudyError, match="none of 3 patients has a known outcome"):
        check_outcomes(pd.Series([pd.NA] * 3, dtype="Int64"), "HER2-positive")
    with pytest.raises(StudyError, match="all 2 patients with a known outcome are HER2-positive"):
        check_outcomes(pd.Series([1, 1, pd.NA], dtype="Int64"), "HER2-positive")


def test_patients_of_a_training_centre_are_refused_unless_it_is_named_on_purpose():
    centres = pd.Series(["A", "A", "B", "C"])
    assert check_strangers(centres, ["D"], []) == ""
    with pytest.raises(StudyError, match=r"2 of 4 patients are of centres .*\(A\).* --centres B C, or name these"):
        check_strangers(centres, ["A", "D"], [])
    with pytest.raises(StudyError, match=r"3 of 4 patients"):
        check_strangers(centres, ["A", "B"], ["A"])
    assert "2 patients are of centres where the models were trained (A), named on purpose" in check_strangers(
        centres, ["A", "D"], ["A", "B", "C"]
    )


def test_a_small_cohort_is_told_how_little_it_can_say():
    small = size_sentence(pd.Series([1] * 6 + [0] * 34), 0.75, 0.95)
    assert "With 6 positive and 34 negative patients" in small
    assert "A validation should have 100 of each" in small
    assert "should have" not in size_sentence(pd.Series([1] * 100 + [0] * 300), 0.75, 0.95)
