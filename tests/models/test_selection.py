"""Selection of predictors against R, and repeated in bootstrap resamples."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from her2study.models import clinical
from her2study.models.frozen import linear_predictor
from her2study.models.logistic import fit_frozen, imputed_design
from her2study.models.selection import (
    in_words,
    inclusion_table,
    refitted_logits,
    resampled_models,
    select_predictors,
)
from her2study.study import Clinical
from her2study.types import StudyError
from tests.models.invented import ORACLES, VARIABLES, oracle_patients
from tests.models.regression_golden import golden

GOLDEN = pd.read_csv(ORACLES / "logistic.csv").set_index(["analysis", "term", "what"])["value"]
PATIENTS = oracle_patients()
SETTINGS = Clinical(screen_p=1.0, keep_p=0.05)
DEVELOP = partial(clinical.develop, variables=VARIABLES, settings=SETTINGS)


def test_backward_selection_agrees_with_r():
    selection = select_predictors(PATIENTS, VARIABLES, SETTINGS)
    names = {"log(node)": "node_mm", "rim": "rim"}
    assert selection.kept == [names[term] for term, _ in GOLDEN["selected"].index]
    assert selection.notes["age_years"].startswith("left in backward selection (p = 0.")


def test_screening_shuts_out():
    selection = select_predictors(PATIENTS, VARIABLES, Clinical(screen_p=1e-9))
    assert selection.kept == []
    assert set(selection.notes.values()) == {"did not pass the screen"}


def test_selection_by_aic_is_that_of_step():
    """The same variables as R's step(direction = "backward"), which here keeps one more than p < 0.05 does."""
    selection = select_predictors(PATIENTS, VARIABLES, Clinical(screen_p=1.0, selection="aic"))
    names = {"node": "node_mm", "rim": "rim", "curve": "curve"}
    kept = golden("patients", "step")
    assert selection.kept == [name for term, name in names.items() if (term, "kept") in kept.index]
    assert set(selection.kept) > set(select_predictors(PATIENTS, VARIABLES, SETTINGS).kept)
    assert selection.notes["age_years"].startswith("left: AIC 1.")
    labels = PATIENTS["label"].to_numpy()
    frozen = fit_frozen(PATIENTS, VARIABLES, selection.kept, "clinical")
    odds = linear_predictor(frozen, PATIENTS)
    aic = -2 * (labels @ odds - np.logaddexp(0, odds).sum()) + 2 * (1 + len(frozen["terms"]))
    assert aic == pytest.approx(kept["model", "aic"], rel=1e-10)


def test_twins_cannot_be_estimated_together_and_one_leaves():
    twins = PATIENTS.assign(twin=PATIENTS["rim"])
    variables = {"rim": VARIABLES["rim"], "twin": VARIABLES["rim"]}
    assert imputed_design(twins, variables, ["rim", "twin"])[0].shape[1] == 2
    selection = select_predictors(twins, variables, SETTINGS)
    assert len(selection.kept) == 1
    assert "left: not estimable together with the others" in selection.notes.values()


@pytest.mark.parametrize("rule", ["backward", "aic"])
def test_a_separating_level_competes_with_firths_likelihood(rule):
    labels = PATIENTS["label"] == 1
    separated = PATIENTS.assign(rim=np.where(labels & (PATIENTS["rim"] == "yes"), "yes", "no"))
    settings = Clinical(selection=rule)
    assert "rim" in select_predictors(separated, VARIABLES, settings).kept
    assert clinical.develop(separated, VARIABLES, settings)["method"] == "Firth"


@pytest.mark.parametrize("rule", ["backward", "aic"])
@pytest.mark.parametrize("n", [5, 8, 12, 20])
def test_hardly_any_patients_give_some_model(n, rule):
    for start in range(0, 200, 40):
        few = PATIENTS.iloc[start : start + n].reset_index(drop=True)
        if few["label"].nunique() == 2:
            frozen = clinical.develop(few, VARIABLES, Clinical(screen_p=1.0, keep_p=0.5, selection=rule))
            assert np.isfinite(linear_predictor(frozen, PATIENTS)).all()


def test_resamples_are_the_same_for_any_number_of_workers_and_each_selects_anew():
    one, two = (resampled_models(PATIENTS, DEVELOP, 6, seed=3, workers=workers) for workers in (1, 2))
    assert one.frozen == two.frozen
    assert (one.draws == two.draws).all()
    assert one.failed == 0
    assert len({tuple(frozen["variables"]) for frozen in one.frozen}) > 1
    first = DEVELOP(PATIENTS.iloc[one.draws[0]].reset_index(drop=True))
    assert first == one.frozen[0]
    logits = refitted_logits(one, PATIENTS)
    assert logits.shape == (6, 220)
    assert logits[0] == pytest.approx(linear_predictor(first, PATIENTS))
    assert in_words(one).startswith("6 of 6 resamples gave a model")


def test_inclusion_counts_what_was_selected():
    resampled = resampled_models(PATIENTS, DEVELOP, 20, seed=1, workers=1)
    table = inclusion_table(resampled, VARIABLES).set_index("variable")
    assert table["selected"].is_monotonic_decreasing
    for name, row in table.iterrows():
        assert row["selected"] == sum(name in frozen["variables"] for frozen in resampled.frozen)
        low, high = proportion_confint(row["selected"], 20, method="wilson")
        assert (row["frequency_low"], row["frequency_high"]) == pytest.approx((low, high))
    assert table.loc["node_mm", "frequency"] > table.loc["age_years", "frequency"]
    assert set(table["model"]) == {"clinical"}


def test_resamples_of_one_class_are_counted_not_hidden():
    few = PATIENTS.groupby("label").head(2).reset_index(drop=True)
    resampled = resampled_models(few, DEVELOP, 24, seed=0, workers=1)
    of_two_classes = [len(set(few["label"].to_numpy()[draw])) == 2 for draw in resampled.draws]
    assert all(of_two_classes)
    assert 0 < resampled.failed == 24 - len(resampled.frozen)
    with pytest.raises(StudyError, match="none of 5 bootstrap resamples"):
        resampled_models(few[few["label"] == 1], DEVELOP, 5, seed=0, workers=1)
