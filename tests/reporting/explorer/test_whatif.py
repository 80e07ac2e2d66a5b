import numpy as np
import pandas as pd
import pytest

from her2study.models.frozen import predict_frozen
from her2study.reporting.explorer.whatif import frozen_interval, outside, slider_range, what_if
from tests.reporting.explorer.explored import explored


@pytest.fixture(scope="module")
def study():
    return explored()


@pytest.fixture
def part(study):
    return what_if(study.chooser(), study.frozen["combined"], study.inputs, 0.95, True)


def shown(part) -> float:
    return float(part.answer.value.partition('her2-big">')[2].partition("<")[0])


def test_it_starts_at_the_patient(part, study):
    own = study.inputs[study.inputs["patient_id"] == part.chooser.value]
    assert shown(part) == pytest.approx(float(predict_frozen(study.frozen["combined"], own)[0]), abs=5e-4)


def test_every_slider_moves_the_number_as_python_says(part, study):
    for name, control in part.controls.items():
        part.back.click()
        before = shown(part)
        options = getattr(control, "options", None)
        control.value = next(o for o in options if o != control.value) if options else (control.min + control.max) / 2
        said = eval(part.code, {"predict_frozen": predict_frozen, "frozen": study.frozen, "pd": pd})
        assert shown(part) == pytest.approx(float(said[0]), abs=5e-4)
        assert shown(part) != before, name


def test_back_and_another_patient(part, study):
    start = shown(part)
    part.controls["dscore"].value = 0.999
    assert shown(part) != start
    part.back.click()
    assert shown(part) == start
    part.controls["dscore"].value = 0.999
    part.chooser.value = "P002"
    own = study.inputs[study.inputs["patient_id"] == "P002"]
    assert shown(part) == pytest.approx(float(predict_frozen(study.frozen["combined"], own)[0]), abs=5e-4)


def test_a_browsers_rounding_is_no_change(part):
    exact = part.given["dscore"]
    part.controls["dscore"].value = round(exact, 3)
    assert part.given["dscore"] == exact
    part.controls["dscore"].value = round(exact, 3) + (0.002 if exact < 0.5 else -0.002)
    assert part.given["dscore"] != exact


def test_the_interval_is_the_delta_method():
    model = {
        "model": "m",
        "intercept": -1.0,
        "terms": [{"name": "x", "variable": "x", "kind": "value", "label": "x", "levels": [], "level": None,
                   "coefficient": 0.5}],
        "covariance": [[0.04, -0.01], [-0.01, 0.09]],
        "variables": {"x": {"label": "x", "levels": [], "imputation": 0.0, "range": [0.0, 4.0]}},
        "null_model": False,
    }  # fmt: skip
    error = np.sqrt(0.04 + 2 * 3 * -0.01 + 9 * 0.09)
    expected = 1 / (1 + np.exp(-(0.5 + np.array([0, -1, 1]) * 1.959963984540054 * error)))
    np.testing.assert_allclose(frozen_interval(model, {"x": 3.0}), expected, rtol=1e-12)
    assert outside(model, {"x": 3.0}) == []
    assert outside(model, {"x": 4.5}) == ["x"]


def test_outside_the_training_range_is_said(part):
    numeric = next(name for name, c in part.controls.items() if name != "dscore" and hasattr(c, "max"))
    assert "Outside" not in part.answer.value or part.given[numeric] > 0
    part.controls[numeric].value = part.controls[numeric].max
    assert "Outside the range of the training patients" in part.answer.value


def test_a_logarithm_keeps_its_slider_above_zero(study):
    frozen = study.frozen["combined"]
    logged = [term["variable"] for term in frozen["terms"] if term["kind"] == "log"]
    assert logged
    for name in logged:
        assert slider_range(name, frozen)[0] > 0


@pytest.mark.parametrize("frozen", [None, {"null_model": True}], ids=["no model", "no predictor"])
def test_without_a_model_it_says_so(study, frozen):
    assert "nothing to turn" in what_if(study.chooser(), frozen, study.inputs, 0.95, False).children[1].value
