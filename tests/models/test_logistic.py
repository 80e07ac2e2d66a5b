"""Logistic regression against R (tests/oracles/logistic.R)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from her2study.models.frozen import predict_frozen
from her2study.models.logistic import (
    CONSTANT,
    SEPARATED,
    UNOBSERVED,
    fit_frozen,
    fit_logit,
    fit_variables,
    imputed_design,
    likelihood_ratio_p,
    screen,
    select_predictors,
    term_rows,
    variance_inflation,
)
from her2study.study import Clinical
from tests.models.invented import ORACLES, VARIABLES, oracle_patients

GOLDEN = pd.read_csv(ORACLES / "logistic.csv").set_index(["analysis", "term", "what"])["value"]
PATIENTS = oracle_patients()
SETTINGS = Clinical(screen_p=1.0, keep_p=0.05)


def test_screen_agrees_with_r():
    rows = screen(PATIENTS, VARIABLES).set_index("term")
    for (term, what), value in GOLDEN["univariable"].items():
        assert rows.loc[term, what] == pytest.approx(value, rel=1e-5), (term, what)


def test_multivariable_model_agrees_with_r():
    design, terms, _ = imputed_design(PATIENTS, VARIABLES, list(VARIABLES))
    fit = fit_logit(design, PATIENTS["label"].to_numpy())
    rows = pd.DataFrame(term_rows(terms, fit, 0.95)).T
    rows["vif"] = variance_inflation(fit.covariance)
    golden = GOLDEN["full"]
    for term in rows.index:
        for what in ("odds_ratio", "odds_ratio_low", "odds_ratio_high", "p", "vif"):
            assert rows.loc[term, what] == pytest.approx(golden[term, what], rel=1e-5), (term, what)
    names = {"age": "age_years", "log(node)": "node_mm", "rim": "rim", "shape": "shape", "curve": "curve"}
    for in_r, name in names.items():
        without = fit_variables(PATIENTS, VARIABLES, [other for other in VARIABLES if other != name])
        assert likelihood_ratio_p(fit, without) == pytest.approx(golden[in_r, "p_drop"], rel=1e-5)


def test_backward_selection_agrees_with_r():
    selection = select_predictors(PATIENTS, VARIABLES, SETTINGS)
    names = {"log(node)": "node_mm", "rim": "rim"}
    assert selection.kept == [names[term] for term, _ in GOLDEN["selected"].index]
    assert selection.notes["age_years"].startswith("left in backward selection (p = 0.")


def test_screening_shuts_out():
    selection = select_predictors(PATIENTS, VARIABLES, Clinical(screen_p=1e-9))
    assert selection.kept == []
    assert set(selection.notes.values()) == {"did not pass the screen"}


def test_frozen_model_predicts_what_r_fits():
    frozen = fit_frozen(PATIENTS, VARIABLES, list(VARIABLES), "clinical")
    golden = GOLDEN["prediction"]
    probability = predict_frozen(frozen, PATIENTS.head(len(golden)))
    assert probability == pytest.approx(golden.to_numpy(), rel=1e-6)


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
    assert rows.loc["log(node_mm)", "note"] == SEPARATED
    assert rows.loc["curve", "note"] == SEPARATED
    assert rows.loc["rim=yes", "note"] == CONSTANT
    assert rows.loc["shape=irregular", "note"] == CONSTANT
    assert rows.loc["shape=round", "odds_ratio"] == pytest.approx((11 / 9) / (9 / 11))
    assert select_predictors(patients, VARIABLES, SETTINGS).kept == []


def test_twins_cannot_be_estimated_together_and_one_leaves():
    twins = PATIENTS.assign(twin=PATIENTS["rim"])
    variables = {"rim": VARIABLES["rim"], "twin": VARIABLES["rim"]}
    assert fit_variables(twins, variables, ["rim", "twin"]) is None
    selection = select_predictors(twins, variables, SETTINGS)
    assert len(selection.kept) == 1
    assert "left: not estimable together with the others" in selection.notes.values()


def test_null_model_gives_everyone_the_prevalence():
    frozen = fit_frozen(PATIENTS, VARIABLES, [], "clinical")
    assert frozen["null_model"]
    assert predict_frozen(frozen, PATIENTS) == pytest.approx(np.full(len(PATIENTS), PATIENTS["label"].mean()))


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
