"""Tests of the comparison of new patients with training patients of whom only Table 1 is known."""

import numpy as np
import pandas as pd
import pytest

from her2study.cohort.case_mix import case_mix_table, notable
from her2study.cohort.comparison import standardised_difference
from her2study.cohort.describe import describe_groups
from her2study.study import Variable

VARIABLES = {
    "age_years": Variable(type="continuous", label="Age", unit="years", role="clinical"),
    "volume_ml": Variable(type="continuous", label="Volume", unit="ml", role="mri_reading", log=True),
    "field_t": Variable(type="continuous", label="Field", unit="T", role="acquisition"),
    "grade": Variable(type="ordinal", label="Grade", role="pathology", levels=("low", "middle", "high")),
    "rim": Variable(type="binary", label="Rim", role="mri_reading", levels=("no", "yes")),
}


def women(n: int, seed: int, older: float) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age_years": 50 + older + 10 * rng.normal(size=n),
            "volume_ml": np.exp(1 + rng.normal(size=n)),
            "field_t": rng.choice([1.5, 3.0], n, p=[0.7, 0.3]),
            "grade": rng.choice(["low", "middle", "high"], n, p=[0.2, 0.5, 0.3]),
            "rim": rng.choice(["no", "yes"], n),
        }
    ).astype({"grade": "str", "rim": "str"})
    frame.loc[:3, ["age_years", "grade"]] = None
    return frame


def table_one(patients: pd.DataFrame, variables=VARIABLES) -> pd.DataFrame:
    """What a bundle holds of them, read back from text: empty levels are missing."""
    told = describe_groups(patients, pd.Series("development", patients.index), ["development"], variables)
    return told.replace({"level": {"": None}})


def test_differences_from_table_one_equal_those_from_the_patients_themselves():
    old, new = women(120, 1, 0), women(60, 2, 8)
    table = case_mix_table(table_one(old), new, VARIABLES).drop_duplicates("variable").set_index("variable")
    for name in ("age_years", "volume_ml", "grade", "rim"):
        expected = standardised_difference([old[name], new[name]], VARIABLES[name])
        assert table.loc[name, "smd"] == pytest.approx(expected, rel=1e-12)
    field = VARIABLES["field_t"].model_copy(update={"type": "categorical", "levels": ("1.5", "3")})
    expected = standardised_difference([frame["field_t"].map("{:g}".format) for frame in (old, new)], field)
    assert table.loc["field_t", "smd"] == pytest.approx(expected, rel=1e-12)
    assert table.loc["age_years", "training_missing_percent"] == pytest.approx(100 * 4 / 120)
    assert table.loc["age_years", "new_missing_percent"] == pytest.approx(100 * 4 / 60)
    assert notable(table.reset_index())[0].startswith("Age (1.09)")


def test_new_patients_are_printed_as_the_training_patients():
    old, new = women(120, 1, 0), women(60, 2, 8)
    table = case_mix_table(table_one(old), new, VARIABLES).set_index(["variable", "level"])
    age = new["age_years"].dropna()
    assert table.loc[("age_years", ""), "new"] == f"{age.mean():.1f} ({age.std():.1f})"
    assert "–" in table.loc[("volume_ml", ""), "new"]  # median and quartiles, as in training
    yes = (new["rim"] == "yes").sum()
    assert table.loc[("rim", "yes"), "new"] == f"{yes} ({100 * yes / 60:.1f}%)"
    assert table.loc[("field_t", "3"), "new"].startswith(f"{(new['field_t'] == 3).sum()} (")


def test_what_nobody_recorded_here_is_missing_in_everybody():
    old, new = women(120, 1, 0), women(60, 2, 8).drop(columns="rim").assign(age_years=np.nan)
    table = case_mix_table(table_one(old), new, VARIABLES).drop_duplicates("variable").set_index("variable")
    for name in ("rim", "age_years"):
        assert table.loc[name, "new_missing_percent"] == 100
        assert np.isnan(table.loc[name, "smd"])
        assert table.loc[name, "new"] == ""


def test_a_value_that_no_training_patient_had_counts():
    old, new = women(120, 1, 0), women(60, 2, 0).assign(field_t=7.0)
    table = case_mix_table(table_one(old), new, VARIABLES).set_index(["variable", "level"])
    assert table.loc[("field_t", "7"), "new"] == "60 (100.0%)"
    assert table.loc[("field_t", "7"), "training"] == ""
    assert np.isinf(table.loc[("field_t", "7"), "smd"])
    assert "Field (no value in common)" in notable(table.reset_index())
