"""Tests of the sample size table and its sentence."""

import numpy as np
import pandas as pd

from her2study.evaluation.planning import (
    CRITERIA,
    candidate_parameters,
    patients_needed,
    sample_size_sentence,
    sample_size_table,
)
from her2study.evaluation.sample_size import auc_interval_width, patients_for_width, riley_sample_size
from her2study.study import Variable


def splits(development: int, external: int) -> pd.DataFrame:
    sizes = {"development": development, "internal": 30, "external": external}
    parts = [pd.DataFrame({"split": name, "label": (np.arange(n) % 3 == 0).astype(int)}) for name, n in sizes.items()]
    return pd.concat(parts, ignore_index=True)


def test_the_table_sets_what_is_needed_beside_what_there_is():
    table = sample_size_table(splits(300, 90), 16, 0.75).set_index("criterion")
    riley = riley_sample_size(16, 1 / 3, auc=0.75)
    assert list(table.index) == [*CRITERIA, "events_per_parameter", "interval_width"]
    assert table.loc[list(CRITERIA), "required"].tolist() == list(riley[:4])
    assert table.loc["shrinkage", "available"] == 300
    assert not table.loc["shrinkage", "met"]
    assert patients_needed(table) == riley.required
    assert table.loc["events_per_parameter", "available"] == 100 / 16
    assert table.loc["interval_width", "required"] == patients_for_width(0.75, 0.1, 1 / 3)
    assert f"{auc_interval_width(0.75, 90, 1 / 3):.2f}" in table.loc["interval_width", "detail"]


def test_a_shortfall_is_said_plainly():
    short, enough = (sample_size_table(splits(n, n), 5, 0.75) for n in (60, 3000))
    text = sample_size_sentence(short, 0.75)
    assert "4 of 4 criteria are missed" in text
    assert "60 external patients are fewer than" in text
    assert "(an assumption)" in text
    text = sample_size_sentence(enough, 0.75)
    assert "all 4 criteria are met" in text
    assert "3000 external patients are enough" in text


def test_without_external_patients_the_interval_of_those_who_judge_is_planned():
    internal = sample_size_table(splits(300, 0), 5, 0.75)
    assert internal.set_index("criterion").loc["interval_width", ["part", "available"]].tolist() == ["internal", 30]
    text = sample_size_sentence(internal, 0.75)
    assert "The 30 internal validation patients are fewer than" in text
    assert "external" not in text
    everybody = splits(300, 0).assign(split="development")
    table = sample_size_table(everybody, 5, 0.75)
    assert set(table["part"]) == {"development"}
    assert "The 330 development patients" in sample_size_sentence(table, 0.75)
    assert patients_needed(table) == riley_sample_size(5, everybody["label"].mean(), auc=0.75).required


def test_a_study_without_candidates_needs_no_formula():
    table = sample_size_table(splits(300, 90), 0, 0.75)
    assert table["criterion"].tolist() == ["interval_width"]
    assert patients_needed(table) is None
    assert "No variable is a candidate" in sample_size_sentence(table, 0.75)


def test_every_coefficient_that_could_be_estimated_counts():
    kinds = [("continuous", ()), ("binary", "ab"), ("categorical", "abcd"), ("ordinal", "abc")]
    variables = {kind: Variable(type=kind, label="x", role="clinical", levels=tuple(levels)) for kind, levels in kinds}
    assert candidate_parameters(variables) == 1 + 1 + 3 + 1
