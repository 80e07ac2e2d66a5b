import numpy as np
import pandas as pd
import pytest

from her2study.explain.attribution import explain_linear
from her2study.models.frozen import predict_frozen
from her2study.reporting.explorer.shap_part import bars, shap_waterfall, shortened, stored_explanation, waterfall
from her2study.types import StudyError
from tests.reporting.explorer.explored import explored

STORED = pd.DataFrame(
    {
        "model": "svm",
        "unit": "probability",
        "feature": ["a", "b", "c"],
        "label": ["Feature a", "Feature b", "Feature c"],
        "patient_id": "P001",
        "shap": [0.2, -0.05, 0.1],
    }
)


@pytest.fixture(scope="module")
def study():
    return explored()


def test_bars_lead_from_the_average_to_the_patients_own(study):
    explained = explain_linear(study.frozen["combined"], study.inputs, study.splits, ["P003"])
    table = bars(explained)
    assert table["start"].iloc[0] == pytest.approx(explained["base_value"].iloc[0])
    np.testing.assert_allclose(table["end"].to_numpy()[:-1], table["start"].to_numpy()[1:])
    own = float(predict_frozen(study.frozen["combined"], study.inputs[study.inputs["patient_id"] == "P003"])[0])
    assert 1 / (1 + np.exp(-table["end"].iloc[-1])) == pytest.approx(own)
    assert table["shap"].abs().is_monotonic_increasing  # the largest is drawn last, on top


def test_small_ones_are_added_up(study):
    explained = explain_linear(study.frozen["combined"], study.inputs, study.splits, ["P003"])
    many = pd.concat([explained] * 6, ignore_index=True)
    table = bars(many, most=4)
    assert len(table) == 4
    assert table["label"].iloc[0] == f"{len(many) - 3} others"
    assert table["shap"].sum() == pytest.approx(many["shap"].sum())


def test_stored_values_end_at_the_models_probability(study):
    patients = study.patients.assign(probability_svm=0.6)
    explained = stored_explanation(STORED, patients, "svm", "P001")
    assert explained["base_value"].iloc[0] == pytest.approx(0.6 - 0.25)
    assert bars(explained)["end"].iloc[-1] == pytest.approx(0.6)
    assert "0.60" in waterfall(explained, "P001")
    with pytest.raises(StudyError, match=r"explained for 1 patients.*P002 is not among them"):
        stored_explanation(STORED, patients, "svm", "P002")


def test_the_part_follows_patient_and_model(study):
    chooser = study.chooser()
    chooser.table = study.patients.assign(probability_svm=0.6)
    part = shap_waterfall(chooser, study.frozen, study.inputs, study.splits, STORED, True)
    first = part.plot.value
    chooser.value = "P001"
    assert part.plot.value != first
    part.model.value = "svm"
    assert "Feature a" in part.plot.value
    chooser.value = "P002"
    assert "is not among them" in part.said
    assert part.plot.value == ""
    part.model.value = "combined"
    assert part.said == ""
    shown = eval(
        part.code,
        {"explain_linear": explain_linear, "frozen": study.frozen, "inputs": study.inputs, "splits": study.splits},
    )
    assert f"predicted {shown['probability'].iloc[0]:.2f}" in part.plot.value


def test_without_predictors_there_is_nothing_to_explain(study):
    empty = {"clinical": {"null_model": True}}
    part = shap_waterfall(study.chooser(), empty, study.inputs, study.splits, STORED.head(0), False)
    assert "No predictor entered" in part.children[1].value


def test_a_long_label_keeps_its_value():
    text = shortened("A very long name of a feature that nobody could ever read in a plot = 0.123")
    assert len(text) <= 52
    assert text.endswith("… = 0.123")
    assert shortened("Age = 51") == "Age = 51"
