"""Rows of the logistic table against R (tests/oracles/logistic.R)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from her2study.models.logistic import fit_estimable, fit_logit, imputed_design
from her2study.models.odds import (
    COLLINEAR,
    CONSTANT,
    ONE_CLASS,
    SEPARATED,
    UNOBSERVED,
    model_rows,
    screen,
    screening_p,
    term_rows,
)
from her2study.models.profile import profile_intervals
from tests.models.invented import ORACLES, VARIABLES, oracle_patients

GOLDEN = pd.read_csv(ORACLES / "logistic.csv").set_index(["analysis", "term", "what"])["value"]
PATIENTS = oracle_patients()
LABELS = PATIENTS["label"].to_numpy()


def test_screen_agrees_with_r():
    rows = screen(PATIENTS, VARIABLES).set_index("term")
    for (term, what), value in GOLDEN["univariable"].items():
        assert rows.loc[term, what] == pytest.approx(value, rel=1e-5), (term, what)


def test_rows_of_a_model_agree_with_r():
    design, terms, _ = imputed_design(PATIENTS, VARIABLES, list(VARIABLES))
    rows = model_rows(terms, design, LABELS, fit_logit(design, LABELS), 0.95).set_index("term")
    for term in rows.index:
        for what in ("odds_ratio", "odds_ratio_low", "odds_ratio_high", "p", "vif"):
            assert rows.loc[term, what] == pytest.approx(GOLDEN["full", term, what], rel=1e-5), (term, what)
    assert rows.loc["shape=round", "p_lrt"] == pytest.approx(GOLDEN["full", "shape", "p_drop"], rel=1e-6)
    profile = np.exp(profile_intervals(design, LABELS)[1:])
    assert rows["odds_ratio_profile_low"].to_numpy() == pytest.approx(profile[:, 0])
    assert rows["odds_ratio_profile_high"].to_numpy() == pytest.approx(profile[:, 1])
    assert set(rows["method"]) == {"maximum likelihood"}


def test_a_null_model_has_no_rows():
    empty = np.empty((len(LABELS), 0))
    assert model_rows([], empty, LABELS, fit_logit(empty, LABELS), 0.95).empty
    assert term_rows([], empty, LABELS, None, 0.95) == {}


def test_separation_and_emptiness_are_said_not_crashed_on():
    patients = pd.DataFrame(
        {
            "patient_id": [f"P{i}" for i in range(40)],
            "label": [0, 1] * 20,
            "age_years": np.nan,
            "node_mm": [5.0, 30.0] * 20,  # separates completely
            "rim": ["no"] * 40,
            "shape": ["oval", "round"] * 2 + ["oval"] * 18 + ["round"] * 18,
            "curve": ["persistent"] * 36 + ["persistent", "washout"] * 2,  # separates at one end only
        }
    )
    rows = screen(patients, VARIABLES).set_index("term")
    assert rows.loc["age_years", "note"] == UNOBSERVED
    for term in ("log(node_mm)", "curve"):
        assert (rows.loc[term, "method"], rows.loc[term, "note"]) == ("Firth", SEPARATED)
        low, middle, high = rows.loc[term, ["odds_ratio_low", "odds_ratio", "odds_ratio_high"]]
        assert 0 < low < middle < high < np.inf
        assert (low > 1) == (rows.loc[term, "p_lrt"] < 0.05)  # interval and test belong together
        assert rows.loc[term, "p"] == rows.loc[term, "p_lrt"]
    assert rows.loc["rim=yes", "note"] == CONSTANT
    assert rows.loc["shape=irregular", "note"] == CONSTANT
    assert rows.loc["shape=round", "odds_ratio"] == pytest.approx((11 / 9) / (9 / 11))
    assert screening_p(patients, VARIABLES) == pytest.approx(
        rows.groupby("variable", sort=False)["p_lrt"].first().to_dict(), nan_ok=True
    )


def test_values_known_in_one_class_only_and_levels_that_repeat_are_said():
    known = PATIENTS.assign(
        age_years=PATIENTS["age_years"].where(LABELS == 1), shape=PATIENTS["shape"].where(PATIENTS["shape"] != "oval")
    )
    rows = screen(known, VARIABLES).set_index("term")
    assert rows.loc["age_years", "note"] == ONE_CLASS
    assert rows.loc["shape=round", "note"] == COLLINEAR
    assert rows.loc[["age_years", "shape=round"], ["odds_ratio", "p", "p_lrt"]].isna().all(axis=None)


def test_rows_of_a_separated_model_carry_the_penalised_profile():
    separated = PATIENTS.assign(rim=np.where((LABELS == 1) & (PATIENTS["rim"] == "yes"), "yes", "no"))
    design, terms, _ = imputed_design(separated, VARIABLES, ["rim", "curve"])
    rows = model_rows(terms, design, LABELS, fit_estimable(design, LABELS), 0.95)
    profile = np.exp(profile_intervals(design, LABELS, penalised=True)[1:])
    assert rows[["odds_ratio_low", "odds_ratio_high"]].to_numpy() == pytest.approx(profile)
    assert rows[["odds_ratio_profile_low", "odds_ratio_profile_high"]].to_numpy() == pytest.approx(profile)
    assert rows["p"].tolist() == rows["p_lrt"].tolist()
    assert set(rows["note"]) == {SEPARATED}


@pytest.mark.slow
def test_screen_holds_its_size_under_the_null():
    """Likelihood-ratio p values are uniform: 5% below 0.05 for each variable, within simulation error."""
    rng = np.random.default_rng(3)
    p = [
        screen(PATIENTS.assign(label=rng.permutation(PATIENTS["label"])), VARIABLES)
        .groupby("variable")["p_lrt"]
        .first()
        for _ in range(300)
    ]
    below = (pd.DataFrame(p) < 0.05).mean()
    assert below.between(0.015, 0.10).all(), below
