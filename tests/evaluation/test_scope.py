"""Tests of what is compared and at which thresholds, and that every decision is told."""

import pytest

from her2study.evaluation.scope import Settings, make_plan
from her2study.types import StudyError
from tests.evaluation.golden import make_predictions


def predictions(*models, splits=("development", "internal", "external")):
    frame = make_predictions({model: 4.0 if model == models[-1] else 0.0 for model in models}, n=30)
    return frame[frame["split"].isin(splits)]


def test_up_to_six_models_are_all_compared_in_the_order_given():
    plan, told = make_plan(predictions("a", "b", "c"), Settings(models=("c", "a", "b")))
    assert plan.pairs == (("c", "a"), ("c", "b"), ("a", "b"))
    assert "All 3 pairs" in told[0]


def test_more_models_are_compared_with_the_best_of_development():
    seven = predictions(*"abcdefg")
    plan, told = make_plan(seven, Settings())
    assert plan.pairs == tuple((model, "g") for model in "abcdef")
    assert "each with g, the one with the highest AUC in development" in told[0]


def test_the_best_is_never_chosen_on_the_patients_who_judge():
    seven = predictions(*"abcdefg", splits=["external"])
    plan, told = make_plan(seven, Settings(models=tuple("cabdefg")))
    assert {b for _, b in plan.pairs} == {"c"}
    assert "the first of the table" in told[0]


def test_a_nested_pair_stands_larger_first_and_is_always_compared():
    two = predictions("a", "b")
    plan, told = make_plan(two, Settings(nested=(("b", "a"),)))
    assert plan.pairs == (("b", "a"),)
    assert "b contains a" in told[0]
    given, _ = make_plan(predictions("a", "b", "c"), Settings(nested=(("b", "a"),), pairs=(("a", "c"),)))
    assert given.pairs == (("a", "c"),)


def test_a_plan_may_be_planned_again():
    plan, _ = make_plan(predictions("a", "b", "c"), Settings(nested=(("b", "a"),)))
    assert make_plan(predictions("a", "b", "c"), plan)[0] == plan


def test_models_of_the_packages_own_studies_are_known_to_be_nested():
    plan, told = make_plan(predictions("clinical", "combined", "dscore"), Settings())
    assert ("combined", "clinical") in plan.nested
    assert "taken to contain dscore and clinical" in " ".join(told)
    plan, _ = make_plan(predictions("clinical", "combined"), Settings())
    assert not plan.nested


def test_given_thresholds_are_kept_and_others_chosen_on_development():
    plan, told = make_plan(predictions("a", "b"), Settings(thresholds={"a": 0.4}, rule="sensitivity", target=0.9))
    assert plan.thresholds["a"] == 0.4
    assert set(plan.thresholds) == {"a", "b"}
    assert "a sensitivity of at least 0.9" in told[-1]


def test_without_development_no_threshold_is_chosen():
    plan, told = make_plan(predictions("a", "b", splits=["external"]), Settings())
    assert plan.thresholds == {}
    assert "never chosen on internal or external patients" in told[-1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(rule="youden"), "--rule youden: there are no development rows, and a threshold is never chosen on"),
        (Settings(pairs=(("a", "bb"),)), "--pairs: unknown model 'bb'; did you mean 'b'"),
        (Settings(nested=(("a", "z"),)), "--nested: unknown model 'z'"),
        (Settings(thresholds={"z": 0.5}), "--threshold: unknown model 'z'"),
    ],
)
def test_what_cannot_be_meant_is_explained(settings, message):
    with pytest.raises(StudyError, match=message):
        make_plan(predictions("a", "b", splits=["external"]), settings)
