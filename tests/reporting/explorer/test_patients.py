import numpy as np
import pandas as pd
import pytest

from her2study.reporting.explorer.patients import ALL, choose, choose_line, column_words
from her2study.types import StudyError
from tests.models.invented import VARIABLES
from tests.reporting.explorer.explored import explored


@pytest.fixture(scope="module")
def patients() -> pd.DataFrame:
    return explored().patients


def test_the_error_is_the_distance_from_the_truth(patients):
    row = patients[patients["label"] == 1].iloc[0]
    assert row["error_dscore"] == pytest.approx(1 - row["probability_dscore"])
    row = patients[patients["label"] == 0].iloc[0]
    assert row["error_dscore"] == pytest.approx(row["probability_dscore"])


def test_every_patient_stands_there_once(patients):
    assert patients["patient_id"].is_unique
    assert len(patients) == 120
    assert patients.loc[patients["saliency_map"] == "yes", "patient_id"].tolist() == ["P001"]


@pytest.mark.parametrize("largest_first", [True, False])
@pytest.mark.parametrize("by", ["error_combined", "age_years", "shape", "patient_id", "centre"])
def test_missing_values_come_last_whatever_the_order(patients, by, largest_first):
    values = choose(patients, by, largest_first)[by]
    known = values[values.notna()]
    assert len(values) == len(patients)
    assert values.notna().tolist() == sorted(values.notna(), reverse=True)
    codes = known.cat.codes if by == "shape" else known
    assert codes.is_monotonic_decreasing if largest_first else codes.is_monotonic_increasing


def test_levels_are_in_the_order_of_the_settings(patients):
    shapes = choose(patients, "shape", largest_first=False)["shape"].dropna()
    assert list(dict.fromkeys(shapes)) == ["oval", "round", "irregular"]


@pytest.mark.parametrize(
    "asked",
    [
        ("error_dscore", True, ALL, ALL, None),
        ("error_dscore", True, "external", 1, (0.25, 0.75)),
        ("age_years", False, "development", ALL, (40.0, 60.0)),
        ("shape", True, ALL, 0, "round"),
        ("patient_id", False, ALL, ALL, None),
    ],
)
def test_the_line_finds_the_same_patients(patients, asked):
    found = eval(choose_line(*asked), {"patients": patients})
    assert 0 < len(found) <= 120
    assert found["patient_id"].tolist() == choose(patients, *asked)["patient_id"].tolist()


def test_an_unknown_column_is_named_with_the_nearest(patients):
    with pytest.raises(StudyError, match=r"no column 'age'.*"):
        choose(patients, "age")


def test_columns_are_named_in_print(patients):
    words = column_words(patients, VARIABLES)
    assert words["error_combined"] == "Error: Combined"
    assert words["node_mm"] == "Node diameter (mm)"
    assert not set(words) - set(patients)
    assert np.all([label != name for name, label in words.items()])
