"""Variables as numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from her2study.models.encoding import Encoder, encode, feature_term, imputation_values, variable_terms
from her2study.types import StudyError
from tests.models.invented import VARIABLES

PATIENTS = pd.DataFrame(
    {
        "age_years": [40.0, 50.0, np.nan, 70.0],
        "node_mm": [np.e, 1.0, np.e**2, np.nan],
        "rim": ["no", "yes", None, "yes"],
        "shape": ["oval", None, "irregular", "irregular"],
        "curve": ["washout", "persistent", "plateau", None],
        "wash_in_mean": [1.0, 2.0, 4.0, np.nan],
    },
    index=["P1", "P2", "P3", "P4"],
)


def test_each_type_becomes_its_numbers():
    encoder = Encoder(VARIABLES).fit(PATIENTS)
    frame = pd.DataFrame(encoder.transform(PATIENTS), columns=encoder.get_feature_names_out())
    # "round" is in no patient: its column does not vary and is left out
    assert list(frame) == ["age_years", "log(node_mm)", "rim=yes", "shape=irregular", "curve", "wash_in_mean"]
    assert frame["age_years"].tolist() == [40, 50, 50, 70]  # median 50
    assert frame["log(node_mm)"].tolist() == pytest.approx([1, 0, 2, 1])  # median of e is 1 as a logarithm
    assert frame["rim=yes"].tolist() == [0, 1, 1, 1]  # most frequent: yes
    assert frame["shape=irregular"].tolist() == [0, 1, 1, 1]
    assert frame["curve"].tolist() == [2, 0, 1, 0]  # tie of three: the earlier level
    assert frame["wash_in_mean"].tolist() == [1, 2, 4, 2]


def test_imputation_comes_from_the_fitted_patients_only():
    encoder = Encoder(VARIABLES).fit(PATIENTS.iloc[:2])
    new = PATIENTS.iloc[2:].assign(age_years=[np.nan, np.nan])
    assert encoder.transform(new)[:, 0].tolist() == [45, 45]
    assert encoder.imputation_["rim"] == "no"


def test_labels_name_level_reference_and_unit():
    labels = [term.label for name, variable in VARIABLES.items() for term in variable_terms(name, variable)]
    assert labels == [
        "Age (years)",
        "Node diameter (log mm)",
        "Rim enhancement: yes (v. no)",
        "Shape: round (v. oval)",
        "Shape: irregular (v. oval)",
        "Kinetic curve (per level)",
    ]
    assert feature_term("wash_in_mean").label == "wash in mean"


def test_a_variable_nobody_has_is_left_out():
    empty = PATIENTS.assign(age_years=np.nan, rim=None, wash_in_mean=np.nan)
    encoder = Encoder(VARIABLES).fit(empty)
    assert list(encoder.get_feature_names_out()) == ["log(node_mm)", "shape=irregular", "curve"]
    assert imputation_values(empty, variable_terms("rim", VARIABLES["rim"])) == {"rim": "no"}


def test_an_unknown_level_is_refused_with_its_patient():
    (term, _) = variable_terms("shape", VARIABLES["shape"])
    with pytest.raises(StudyError, match=r"'shape', patient P2: value 'star' is none of the levels oval, round"):
        encode(term, pd.Series(["oval", "star"], index=["P1", "P2"]))


def test_a_value_without_logarithm_is_refused():
    (term,) = variable_terms("node_mm", VARIABLES["node_mm"])
    with pytest.raises(StudyError, match=r"'node_mm', patient P2: value 0 has no logarithm.*log: false"):
        encode(term, pd.Series([np.nan, 0.0], index=["P1", "P2"]))
