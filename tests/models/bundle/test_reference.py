"""Scores that travel without names: the same numbers, nobody's identifier, no order that tells one."""

import numpy as np
import pandas as pd

from her2study.models.bundle.reference import reference_scores


def predictions(names):
    told = [(0, 0.2, 0), (1, 0.7, 0), (0, 0.4, 1), (1, 0.3, 1)]
    rows = [
        (name, "A", "development", model, label, probability + shift, fold)
        for model, shift in (("clinical", 0.0), ("dscore", 0.1))
        for name, (label, probability, fold) in zip(names, told, strict=True)
    ]
    rows += [("out", "C", "external", "clinical", 1, 0.9, -1), ("names0", "A", "development", "svm", 1, 0.9, 0)]
    columns = ["patient_id", "centre", "split", "model", "label", "probability", "fold"]
    return pd.DataFrame(rows, columns=columns).sample(frac=1, random_state=3)


def test_scores_keep_their_numbers_and_their_pairs():
    found = reference_scores(predictions(["a", "b", "c", "d"]), ("dscore", "clinical", "combined"))
    assert list(found.columns) == ["patient", "model", "label", "probability", "fold"]
    assert found.groupby("model").size().to_dict() == {"clinical": 4, "dscore": 4}
    wide = found.pivot_table(index=["patient", "label", "fold"], columns="model", values="probability").reset_index()
    np.testing.assert_allclose(wide["dscore"] - wide["clinical"], 0.1)
    assert set(zip(wide["fold"], wide["label"], wide["clinical"].round(9), strict=True)) == {
        (0, 0, 0.2), (0, 1, 0.7), (1, 0, 0.4), (1, 1, 0.3)
    }  # fmt: skip


def test_nobody_is_found_by_her_place():
    one, other = (predictions(names) for names in (["a", "b", "c", "d"], ["z", "m", "k", "b"]))
    models = ("clinical", "dscore")
    pd.testing.assert_frame_equal(reference_scores(one, models), reference_scores(other, models))
    assert not set("abcd") & set(reference_scores(one, models).astype(str).to_numpy().ravel())
