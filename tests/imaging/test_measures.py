import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from her2study.imaging.measures import describe_features, family_table, feature_properties

RNG = np.random.default_rng(0)
N = 80
VOLUME = RNG.lognormal(size=N)
CENTRE = pd.Series(np.repeat(["A", "B"], N // 2))
FEATURES = pd.DataFrame(
    {
        "patient_id": [f"P{i:02d}" for i in range(N)],
        "shape_volume_ml": VOLUME,
        "twin": np.exp(VOLUME),
        "mirror": -VOLUME,
        "own": RNG.normal(size=N),
        "scanner": RNG.normal(size=N) + 5 * (CENTRE == "B"),
    }
)
FEATURES.loc[0, "own"] = np.nan
DICTIONARY = pd.DataFrame({"feature": list(FEATURES)[1:]}).assign(
    label=lambda d: d["feature"].str.upper(), family="f", image="i"
)


def test_features_that_say_the_same_share_a_group_and_others_do_not():
    group = feature_properties(FEATURES, DICTIONARY, CENTRE).set_index("feature")["group"]
    assert group["shape_volume_ml"] == group["twin"] == group["mirror"]
    assert group.nunique() == 3


def test_size_and_centre_are_found():
    found = feature_properties(FEATURES, DICTIONARY, CENTRE).set_index("feature")
    assert found.loc["mirror", "size_correlation"] == pytest.approx(-1)
    expected = spearmanr(FEATURES["scanner"], VOLUME).statistic
    assert found.loc["scanner", "size_correlation"] == pytest.approx(expected)
    # All ranks of B above all of A: group means a quarter of n from the middle, variance (n^2 - 1) / 12.
    assert found.loc["scanner", "centre_share"] == pytest.approx((N / 4) ** 2 / ((N**2 - 1) / 12), rel=0.02)
    assert found.loc["own", "centre_share"] < 0.05
    assert found["missing"].to_dict()["own"] == 1


def test_a_constant_feature_is_neither_size_nor_centre():
    found = feature_properties(FEATURES.assign(own=1.0), DICTIONARY, CENTRE).set_index("feature").loc["own"]
    assert (found["size_correlation"], found["centre_share"]) == (0, 0)


def test_table_and_sentences_count():
    properties = feature_properties(FEATURES, DICTIONARY, CENTRE)
    assert family_table(properties).iloc[0].to_dict() == {
        "family": "f",
        "image": "i",
        "features": 5,
        "groups": 3,
        "missing_values": 1,
        "follows_size": 3,
        "differs_by_centre": 1,
    }
    text = describe_features(properties, N)
    assert "5 features were measured in 80 lesions; 1 of the 400 values" in text
    assert "3 groups" in text
    assert "'SCANNER'" in text
