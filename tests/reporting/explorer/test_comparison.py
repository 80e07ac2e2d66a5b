import pandas as pd
import pytest

from her2study.evaluation.compare import compare_models
from her2study.reporting.explorer.comparison import comparison
from tests.reporting.explorer.explored import explored


@pytest.fixture(scope="module")
def study():
    extra = explored()
    svm = extra.predictions[extra.predictions["model"] == "dscore"]
    other = svm.assign(model="svm", probability=(svm["probability"] + 0.1 * svm["label"]).clip(0, 1) ** 2)
    return extra._replace(predictions=pd.concat([extra.predictions, other], ignore_index=True))


@pytest.fixture
def part(study):
    return comparison(study.predictions, 0.95, True)


@pytest.mark.parametrize("split", ["internal", "external"])
@pytest.mark.parametrize(("a", "b"), [("combined", "dscore"), ("svm", "combined"), ("svm", "dscore")])
def test_the_numbers_are_delongs(part, study, a, b, split):
    part.a.value, part.b.value, part.split.value = a, b, split
    test = eval(part.code, {"compare_models": compare_models, "predictions": study.predictions})
    assert test == compare_models(study.predictions, a, b, split)
    shown = part.shown.value.replace("−", "-")
    assert f"{test.difference:.3f} ({test.low:.3f} to {test.high:.3f})" in shown
    assert f"<b>{test.z:.2f}</b>" in shown
    assert "Holm" not in shown  # one test: nothing is adjusted


def test_nested_models_are_refused_on_the_patients_they_were_developed_on(part):
    part.a.value, part.b.value, part.split.value = "combined", "dscore", "development"
    assert "nested" in part.said
    assert "DeLong, paired" not in part.shown.value
    assert "AUC" in part.shown.value  # both curves are still there
    part.split.value = "external"
    assert part.said == ""


def test_what_speaks_against_a_small_p_is_said(part):
    part.a.value, part.b.value, part.split.value = "svm", "dscore", "development"
    assert "the models learnt from these patients in other folds" in part.shown.value
    part.split.value = "external"
    assert "fewer than 30 patients in a class" in part.shown.value


def test_a_model_beside_itself(part):
    part.b.value = part.a.value
    assert "does not differ from itself" in part.shown.value


def test_one_model_alone_has_no_comparison(study):
    alone = study.predictions[study.predictions["model"] == "dscore"]
    assert "one model only" in comparison(alone, 0.95, False).children[1].value
