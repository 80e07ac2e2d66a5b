"""Features that rise and fall together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from her2study.explain import correlation
from her2study.models.baselines import feature_frame
from tests.models.invented import VARIABLES, invent, invent_radiomics

COHORT, _ = invent()
FEATURES = feature_frame(COHORT, VARIABLES, invent_radiomics(COHORT))


def test_groups_follow_ranks_and_leave_the_unrelated_alone():
    rng = np.random.default_rng(0)
    a = rng.normal(size=100)
    values = pd.DataFrame({"a": a, "b": -np.exp(a), "c": rng.normal(size=100), "d": 1.0})
    groups = correlation.correlated_groups(values)
    assert groups["a"] == groups["b"]
    assert groups[["a", "c", "d"]].nunique() == 3
    assert correlation.correlated_groups(values[["c"]]).tolist() == [1]


def test_correlation_table_is_square_and_puts_the_similar_side_by_side():
    table = correlation.correlation_table(FEATURES, VARIABLES, ["wash_in_f00", "rim", "wash_in_f01"], {"rim": "unused"})
    order = list(dict.fromkeys(table["feature_a"]))
    assert abs(order.index("wash_in_f00") - order.index("wash_in_f01")) == 1
    wide = table.pivot_table(index="feature_a", columns="feature_b", values="r", sort=False)
    assert np.diag(wide.loc[order, order]) == pytest.approx([1, 1, 1])
    assert wide.loc["wash_in_f00", "wash_in_f01"] == pytest.approx(1)
    assert set(table["label_a"]) == {"wash in f00", "wash in f01", "Rim enhancement"}
