"""Tests of local recalibration against glm and anova of R, and of who calibrates whom."""

import numpy as np
import pandas as pd
import pytest

from her2study.evaluation.local_recalibration import (
    FEWEST,
    choose_update,
    cross_fitted,
    local_equations,
    local_folds,
    local_table,
    locally_recalibrated,
)
from her2study.evaluation.recalibration import recalibrate
from her2study.types import PREDICTION_COLUMNS, StudyError
from tests.evaluation.calibration_golden import SETS, labels_and_probabilities
from tests.evaluation.golden import ORACLES, make_predictions

GOLDEN = pd.read_csv(ORACLES / "local_recalibration.csv").set_index(["set", "what"]).sort_index()


def external(n: int = 90, strength: float = 1.5, shift: float = 1.0) -> pd.DataFrame:
    """A model whose probabilities are too high for the external patients."""
    predictions = make_predictions({"m": strength}, n)
    odds = predictions["probability"] / (1 - predictions["probability"]) * np.exp(shift)
    return predictions.assign(probability=odds / (1 + odds))


@pytest.mark.parametrize("how", ["intercept", "slope"])
@pytest.mark.parametrize("name", SETS)
def test_cross_fitted_probabilities_equal_glm_fitted_without_the_fold(name, how):
    labels, probabilities = labels_and_probabilities(name)
    found = cross_fitted(labels, probabilities, np.arange(len(labels)) % 10, how)
    expected = GOLDEN.loc[(name, f"cross_fitted_{how}")].sort_values("at")["value"]
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("name", SETS)
def test_what_is_asked_for_follows_the_likelihood_ratios_of_anova(name):
    choice = choose_update(*labels_and_probabilities(name))
    p_any, p_slope = (GOLDEN.loc[(name, what), "value"].item() for what in ("p_any", "p_slope"))
    np.testing.assert_allclose(choice[1:], [p_any, p_slope], atol=1e-10)
    assert choice.update == ("original" if p_any >= 0.05 else "slope" if p_slope < 0.05 else "intercept")


def test_all_three_answers_occur():
    answers = {choose_update(*labels_and_probabilities(name)).update for name in SETS}
    assert answers == {"original", "intercept", "slope"}


def test_without_a_slope_only_the_intercept_is_asked_for():
    labels = np.repeat([0, 1], [70, 30])
    wrong = choose_update(labels, np.full(100, 0.7))
    assert (wrong.update, np.isnan(wrong.p_slope)) == ("intercept", True)
    # closed form: twice the gain of the prevalence over 0.7
    gain = 2 * (30 * np.log(0.3 / 0.7) + 70 * np.log(0.7 / 0.3))
    assert gain == pytest.approx(67.78, abs=0.01)
    assert wrong.p_any < 1e-14
    assert choose_update(labels, np.full(100, 0.3)).update == "original"


@pytest.mark.parametrize("how", ["intercept", "slope"])
def test_nobodys_outcome_calibrates_her_own_probability(how):
    rows = external()
    rows = rows[rows["split"] == "external"]
    labels, probabilities = rows["label"].to_numpy(), rows["probability"].to_numpy()
    folds = local_folds(labels)
    before = cross_fitted(labels, probabilities, folds, how)
    for patient in (0, 17, 55):
        turned = labels.copy()
        turned[patient] = 1 - turned[patient]
        after = cross_fitted(turned, probabilities, folds, how)
        own = folds == folds[patient]
        np.testing.assert_array_equal(after[own], before[own])
        assert (np.abs(after[~own] - before[~own]) > 1e-6).all()


def test_updated_models_have_names_of_their_own_and_originals_are_untouched():
    rows = external()
    copy = rows.copy(deep=True)
    updated = locally_recalibrated(rows, ["m"])
    pd.testing.assert_frame_equal(rows, copy)
    assert updated.columns.tolist() == list(PREDICTION_COLUMNS)
    assert set(updated["model"]) == {"m_intercept_local", "m_slope_local"}
    assert set(updated["split"]) == {"external"}
    assert len(updated) == 2 * 90
    shuffled = locally_recalibrated(rows.sample(frac=1, random_state=3), ["m"])
    pd.testing.assert_frame_equal(updated, shuffled)  # no result depends on the order of rows
    other = locally_recalibrated(rows, ["m"], seed=1)
    assert not np.allclose(updated["probability"], other["probability"])


def test_the_training_patients_have_no_part():
    rows = external()
    turned = rows.assign(label=rows["label"].where(rows["split"] == "external", 1 - rows["label"]))
    pd.testing.assert_frame_equal(locally_recalibrated(rows, ["m"]), locally_recalibrated(turned, ["m"]))
    pd.testing.assert_frame_equal(local_table(rows, ["m"], {}), local_table(turned, ["m"], {}))


def test_the_equation_for_later_patients_is_that_of_all_and_moves_the_threshold_along():
    rows = external()
    table = local_table(rows, ["m"], {"m": 0.5})
    here = rows[rows["split"] == "external"]
    for row in table.itertuples():
        update = recalibrate(here["label"], here["probability"], row.how)
        np.testing.assert_array_equal([row.intercept, row.slope], [update.intercept.estimate, update.slope.estimate])
        np.testing.assert_array_equal(
            here["probability"] >= row.threshold, update.apply(here["probability"]) >= row.updated_threshold
        )
    assert table["note"].tolist() == ["", ""]
    stored = local_equations(table, {"m": {"youden": 0.5, "sensitivity": 0.2}})
    assert [each["model"] for each in stored] == ["m_intercept_local", "m_slope_local"]
    assert stored[0]["thresholds"]["youden"] == table["updated_threshold"][0]
    assert stored[1]["patients"] == 90


def test_too_few_patients_of_a_class_are_not_updated_and_the_table_says_why():
    rows = external(27)  # 9 positives
    assert FEWEST == 10
    assert locally_recalibrated(rows, ["m"]).empty
    table = local_table(rows, ["m"], {"m": 0.5})
    assert (
        table["note"].str.startswith("local recalibration: 9 positive and 18 negative patients; an update needs").all()
    )
    assert table[["intercept", "slope", "updated_threshold"]].isna().all(axis=None)
    assert local_equations(table, {"m": {"youden": 0.5}}) == []


def test_a_constant_model_gets_no_slope():
    rows = external().assign(probability=0.4)
    assert set(locally_recalibrated(rows, ["m"])["model"]) == {"m_intercept_local"}
    notes = local_table(rows, ["m"], {}).set_index("how")["note"]
    assert notes["intercept"] == ""
    assert "constant or separate the classes" in notes["slope"]


def test_a_model_without_external_patients_is_refused():
    rows = external()
    with pytest.raises(StudyError, match="no external patients of the model 'm'"):
        locally_recalibrated(rows[rows["split"] == "development"], ["m"])
