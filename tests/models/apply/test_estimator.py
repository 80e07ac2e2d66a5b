"""The bundle as an object in the manner of scikit-learn."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import her2study
from her2study.models.apply.estimator import FlaggedWarning
from her2study.types import StudyError
from tests.models.apply.hospital import bundle_of, hospital, write

TABLE = pd.DataFrame({"rim": ["yes", "no"], "node_mm": [12, 5.5]}, index=["P3", "P1"])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return her2study.load_bundle(write(bundle_of(2), tmp_path_factory.mktemp("bundle")))


def test_it_predicts_from_a_table_in_the_order_of_its_rows(model):
    found = model.predict_proba(TABLE)
    expected = expit(-3 + 0.7 * np.array([1, 0]) + 1.1 * np.log([12, 5.5]))
    np.testing.assert_allclose(found, np.column_stack([1 - expected, expected]), atol=1e-12)
    assert model.predict(TABLE).tolist() == (expected >= 0.3).astype(int).tolist()
    assert model.predict(TABLE, rule="sensitivity").tolist() == (expected >= 0.1).astype(int).tolist()
    assert model.classes_.tolist() == [0, 1]
    assert model.feature_names_in_.tolist() == ["rim", "node_mm"]


def test_with_scans_the_combined_model_answers_and_unscored_rows_are_missing(model, tmp_path):
    data = hospital(tmp_path, scans=("P1",))
    with pytest.warns(
        FlaggedWarning, match="1 of 2 patients could not be scored by the model 'combined'.*P3.*no scans"
    ):
        found = model.predict_proba(TABLE, data)
    assert np.isnan(found[0]).all()
    assert 0 < found[1, 1] < 1
    with pytest.warns(FlaggedWarning), pytest.raises(StudyError, match="'P3' cannot be scored"):
        model.predict(TABLE, data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FlaggedWarning)
        assert model.predict(TABLE.loc[["P1"]], data).shape == (1,)


def test_who_is_unlike_the_training_patients_is_warned_of(model):
    with pytest.warns(FlaggedWarning, match="Node \\(mm\\) 80 is outside the training range 3 to 40"):
        model.predict_proba(TABLE.assign(node_mm=[80, 10]))
    with pytest.warns(FlaggedWarning, match="'maybe': training knew no, yes"):
        model.predict_proba(TABLE.assign(rim=["maybe", "no"]))


def test_there_is_no_way_to_fit_it(model):
    assert not [name for name in dir(model) if "fit" in name]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: m.predict_proba(TABLE.drop(columns="rim")), "lacks the column 'rim'"),
        (lambda m: m.predict(TABLE, rule="yuden"), "did you mean 'youden'"),
        (lambda m: m.predict_proba(pd.concat([TABLE, TABLE])), "patient 'P3' has two rows"),
    ],
)
def test_misuse_is_told(model, call, words):
    with pytest.raises(StudyError, match=words):
        call(model)


def test_a_bundle_of_networks_alone_asks_for_scans(tmp_path):
    model = her2study.load_bundle(write(bundle_of(2, logistic={}, thresholds={"dscore": {"youden": 0.4}}), tmp_path))
    with pytest.raises(StudyError, match="needs scans; give images=FOLDER"):
        model.predict_proba(TABLE)
