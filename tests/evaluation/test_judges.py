"""Tests of who judges, and of the conclusion where nobody is external."""

import numpy as np
import pandas as pd
import pytest

from her2study.evaluation.compare import auc_table, delong_table
from her2study.evaluation.conclusion import conclusion
from her2study.evaluation.judges import (
    SHARED,
    judges_sentence,
    judging_rows,
    judging_split,
    shared_centres,
    unseen_rows,
)
from her2study.evaluation.optimism import Redevelopment, optimism_table


@pytest.mark.parametrize(
    ("splits", "judge", "unseen"),
    [
        (["internal", "external", "development"], "external", {"internal", "external"}),
        (["development", "internal"], "internal", {"internal"}),
        (["development"], "development", {"development"}),
    ],
)
def test_who_judges_best(splits, judge, unseen):
    table = pd.DataFrame({"split": splits})
    assert judging_split(splits) == judge
    assert set(judging_rows(table)["split"]) == {judge}
    assert set(unseen_rows(table)["split"]) == unseen
    assert (judges_sentence(splits) == "") == (judge == "external")


def test_nobody_judges_nothing():
    assert judging_split([]) == ""
    assert judging_rows(pd.DataFrame({"split": []})).empty


def predictions(split: str) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    label = np.arange(120) % 3 == 0
    score = 1 / (1 + np.exp(-(label + rng.normal(size=120))))
    rows = {"patient_id": [f"p{i}" for i in range(120)], "split": split, "label": label.astype(int), "centre": "A"}
    frame = pd.DataFrame({**rows, "probability": score, "fold": np.arange(120) % 2 if split == "development" else -1})
    return pd.concat([frame.assign(model="clinical"), frame.assign(model="svm", probability=1 - score)])


@pytest.mark.parametrize("split", ["development", "internal"])
def test_the_conclusion_speaks_of_those_who_judge_and_adds_what_is_left_after_optimism(split):
    found = predictions(split)
    own = found[found["model"] == "clinical"]
    logits = np.log(own["probability"] / (1 - own["probability"])).to_numpy()
    draws = np.random.default_rng(2).integers(0, 120, (20, 120))
    again = Redevelopment(logits, draws, np.tile(logits, (20, 1)))
    optimism = optimism_table(own["label"], {"clinical": again})
    told = conclusion(auc_table(found), delong_table(found, [("clinical", "svm")]), "pCR", 0.95, optimism)
    where = {"development": "development patients (out-of-fold)", "internal": "internal validation patients"}[split]
    assert f"In {where} 1 of 2 models have an AUC interval above 0.5." in told
    assert any(text.startswith(f"In {where}, the clinical model tells pCR") for text in told)
    assert any("corrected for optimism by 20 repeated developments" in text for text in told)
    assert not any("In external patients" in text for text in told)
    assert any("nothing can be said of other hospitals" in text.lower() for text in told)


def test_external_patients_need_no_bootstrap_and_images_without_predictors_no_excuse():
    found = predictions("external").replace({"model": {"clinical": "dscore"}})
    told = conclusion(auc_table(found), delong_table(found, []), "pCR", 0.95, pd.DataFrame({"model": []}))
    assert told[0] == "Not part of this study: the combined model, for which clinical predictors are needed."
    assert told[1] == "In external patients 1 of 2 models have an AUC interval above 0.5."


@pytest.mark.parametrize(("external", "shared"), [(["A"], True), (["A", "C"], False), (["C"], False), ([], False)])
def test_external_patients_of_the_same_hospitals_say_nothing_of_others(external, shared):
    rows = [("development", "A"), ("development", "B"), *(("external", centre) for centre in external)]
    assert shared_centres(pd.DataFrame(rows, columns=["split", "centre"])) is shared
    found = predictions("external")
    told = conclusion(auc_table(found), delong_table(found, []), "pCR", shared=shared)
    assert (SHARED in told) == shared
