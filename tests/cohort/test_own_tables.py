"""Tests of the user's own features and scores: read whole, or refused with patient, column and value."""

from pathlib import Path

import pandas as pd
import pytest

from her2study.cohort.own_tables import beside, features_sentence, own_folds, read_features, read_scores
from her2study.study import Source
from her2study.types import StudyError


def source(**tables: object) -> Source:
    return Source(kind="folder", table="patients.csv", patient_column="MRN", **tables)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_features_of_several_tables_stand_side_by_side(tmp_path):
    write(tmp_path, "radiomics.csv", "MRN,wash in mean,area\np2,1.5,3\np1,,4e2\nstranger,1,1\n")
    pd.DataFrame({"patient_id": ["p1"], "deep_0": [0.25]}).to_parquet(tmp_path / "deep.parquet")
    own = read_features(tmp_path, source(features=["radiomics.csv", "deep.parquet"]), ["p3", "p2", "p1"])
    expected = pd.DataFrame(
        {
            "patient_id": ["p1", "p2", "p3"],
            "wash in mean": [None, 1.5, None],
            "area": [400.0, 3.0, None],
            "deep_0": [0.25, None, None],
        }
    )
    pd.testing.assert_frame_equal(own.table, expected, check_dtype=False)
    assert own.without == ["p3"]
    assert "3 features of 3 patients" in features_sentence(own, ["radiomics.csv"])
    assert "1 included patients have no row (p3" in features_sentence(own, ["radiomics.csv"])
    radiomics = pd.DataFrame({"patient_id": ["p1", "p2", "p3"], "volume": [1.0, 2.0, 3.0]})
    assert list(beside(radiomics, own.table)) == ["patient_id", "volume", "wash in mean", "area", "deep_0"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient_id,a\np1,high\n", "patient 'p1': a is 'high', which is not a number"),
        ("patient_id,a\np1,inf\n", "patient 'p1': a is 'inf', which is not a number"),
        ("patient_id,a\np1,1\np1,2\n", "patient 'p1' stands in more than one row"),
        ("patient_id,a\np1,1\n,2\n", "1 rows have no patient_id"),
        ("name,a\np1,1\n", "no column is called patient_id or MRN"),
        ("patient_id\np1\n", "no column beside the patient's"),
        ("patient_id,age_years\np1,1\n", "'age_years' is also in variables of study.yml; rename one"),
        ("patient_id,a\nq1,1\n", "none of the 2 included patients has a row"),
        ("patient_id,a,b\np1,1,\n", "the feature 'b' is empty for every included patient"),
    ],
)
def test_features_that_cannot_be_meant_are_refused(tmp_path, text, message):
    write(tmp_path, "f.csv", text)
    with pytest.raises(StudyError, match=message):
        read_features(tmp_path, source(features=["f.csv"]), ["p1", "p2"], ["age_years"])


def test_scores_say_which_fold_held_the_patient_out(tmp_path):
    write(tmp_path, "s.csv", "patient_id,probability,fold,remark\np2,0.25,1,x\np1,1,0,\np3,0,-1,\n")
    scores = read_scores(tmp_path, source(scores="s.csv"))
    assert scores.to_dict("list") == {"patient_id": ["p1", "p2", "p3"], "probability": [1, 0.25, 0], "fold": [0, 1, -1]}
    assert own_folds(scores).to_dict() == {"p1": 0, "p2": 1, "p3": -1}
    assert own_folds(scores.assign(fold=-1)) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "patient_id,probability\np1,0.5\n",
            "the column 'fold' is missing: a score of a patient on whom the model was",
        ),
        ("patient_id,fold\np1,0\n", "the column 'probability' is missing; it needs patient_id, probability and fold"),
        ("patient_id,probability,fold\np1,1.2,0\n", "probability is 1.2, which is not a probability from 0 to 1"),
        ("patient_id,probability,fold\np1,,0\n", "probability is empty"),
        ("patient_id,probability,fold\np1,0.5,\n", "fold is empty, which is not a fold: a score of a patient"),
        ("patient_id,probability,fold\np1,0.5,1.5\n", "fold is 1.5"),
        ("patient_id,probability,fold\np1,0.5,-2\n", "fold is -2"),
        ("patient_id,probability,fold\np1,0.5,0\np1,0.6,1\n", "patient 'p1' stands in more than one row"),
    ],
)
def test_scores_without_proof_are_refused(tmp_path, text, message):
    write(tmp_path, "s.csv", text)
    with pytest.raises(StudyError, match=message):
        read_scores(tmp_path, source(scores="s.csv"))
