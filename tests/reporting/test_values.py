"""values.json, the lines that end a run, and sentences that must follow the interval."""

import json
import math

import pandas as pd
import pytest

from her2study.reporting.judgement import FAILS, HOLDS, UNTESTED
from her2study.reporting.sentences import (
    conclusion,
    printed_claims,
    ranking_sentences,
    saliency_sentences,
    verdict_line,
)
from her2study.reporting.values import claim_values, gather_values, headlines

CLAIMS = pd.DataFrame(
    {
        "id": ["a", "b", "c"],
        "claim": ["A.", "B.", "C."],
        "verdict": [HOLDS, HOLDS, UNTESTED],
        "reason": ["So.", "Thus.", "No data."],
    }
)
PERFORMANCE = pd.DataFrame(
    {
        "split": ["development", "external", "external", "external"],
        "model": ["clinical", "clinical", "svm", "knn"],
        "auc": [0.7, 0.61, 0.6, 0.5],
        "auc_low": [0.6, 0.52, 0.5, 0.4],
        "auc_high": [0.8, 0.70, 0.7, 0.6],
    }
)
NOTHING = pd.DataFrame(columns=["split", "model_a", "model_b", "difference", "difference_low", "difference_high"])
AUDIT = pd.DataFrame(
    [("distance to the best possible AUC, clinical, external", 0.2, 0.1, 0.3)],
    columns=["check", "value", "low", "high"],
)


def test_every_value_has_one_shape_and_is_valid_json():
    values = gather_values(
        {"n": 450, "auc": {"value": 0.81, "low": math.nan, "high": 0.9, "format": ".2f"}, "best": "svm"}
    )
    json.dumps(values, allow_nan=False)
    assert list(values) == ["auc", "best", "n"]
    assert values["auc"]["low"] is None
    assert values["auc"]["text"] == "0.81"
    assert {tuple(value) for value in values.values()} == {("value", "low", "high", "unit", "format", "text")}


def test_claim_values_count_verdicts():
    values = claim_values(CLAIMS)
    assert values["verdict_a"] == HOLDS
    counts = [values[name] for name in ("claims", "claims_hold", "claims_do_not_hold", "claims_not_testable")]
    assert counts == [3, 2, 0, 1]


def test_headlines_name_what_is_there_and_what_is_not():
    lines = headlines(PERFORMANCE, NOTHING, AUDIT, CLAIMS, ["Not part: a.", "Poor.", "Detail."], "svm")
    assert lines == [
        "Not part: a.",
        "Poor.",
        "External validation, AUC of Clinical: 0.61 (0.52 to 0.70)",
        "External validation, AUC of Support vector machine, best baseline: 0.60 (0.50 to 0.70)",
        "External validation, Clinical below the best possible AUC by 0.20 (0.10 to 0.30)",
        "Of 3 claims 2 hold and 1 cannot be tested here",
    ]


def test_the_conclusion_counts_and_warns():
    sentences = conclusion(CLAIMS, simulated=True)
    assert sentences[0] == "Of 3 claims 2 hold and 1 cannot be tested here."
    assert "none about patients" in sentences[-1]
    assert not any("simulated" in sentence for sentence in conclusion(CLAIMS, simulated=False))
    assert verdict_line(CLAIMS.assign(verdict=FAILS)) == "Of 3 claims 3 do not hold"


def ranking(rank_high):
    rows = [("combined", f"Predictor {i}", i, i, rank_high if i == 3 else i) for i in range(1, 6)]
    return pd.DataFrame(rows, columns=["model", "label", "rank", "rank_low", "rank_high"])


def test_a_ranking_in_words():
    (sure,), (unsure,) = ranking_sentences(ranking(3)), ranking_sentences(ranking(5))
    (few,) = ranking_sentences(ranking(3).head(2))
    assert few == "Combined: all predictors, by influence: Predictor 1 and Predictor 2."
    assert sure == "Combined: of 5 predictors the first 3 are Predictor 1, Predictor 2 and Predictor 3."
    assert unsure.endswith("; other explained patients could place outside them Predictor 3 (3 to 5).")


@pytest.mark.parametrize(
    ("check", "low", "high", "reference", "words"),
    [
        ("randomisation", 0.1, 0.3, 0.0, "depend on what the network learned"),
        ("randomisation", 0.6, 0.9, 0.0, "should not be read"),
        ("randomisation", 0.4, 0.6, 0.0, "not certain"),
        ("repeatability", 0.5, 0.7, 0.4, "agree more about one patient"),
        ("repeatability", 0.3, 0.7, 0.4, "do not agree more"),
        ("lesion_overlap", 0.3, 0.5, 0.2, "more than a blob"),
        ("lesion_overlap", 0.3, 0.5, 0.6, "less than a blob"),
        ("lesion_overlap", 0.3, 0.5, 0.4, "about as much"),
        ("agreement", 0.3, 0.5, 0.1, "methods agree"),
        ("agreement", -0.3, -0.1, -0.5, "methods do not agree"),
        ("rim", 0.1, 0.3, 0.0, "more evidence for HER2-positive on the ring"),
        ("rim", -0.3, -0.1, 0.0, "more on the core"),
        ("rim", -0.1, 0.3, 0.0, "do not tell the ring"),
    ],
)
def test_saliency_in_words(check, low, high, reference, words):
    row = {"check": check, "method": "gradcam", "label": "Grad-CAM: of something"}
    row |= {"value": (low + high) / 2, "low": low, "high": high, "reference": reference}
    (sentence,) = saliency_sentences(pd.DataFrame([row]))
    assert words in sentence
    assert sentence.startswith("Grad-CAM: ")
    assert sentence.endswith(").")


def test_of_the_randomised_maps_only_the_last_is_told():
    rows = [("randomisation", method, f"{method}: random {what}", 0.9 if what == "head" else 0.0)
            for method in ("Grad-CAM", "Occlusion") for what in ("head", "stem")]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["check", "method", "label", "value"]).assign(reference=0.0)
    sentences = saliency_sentences(frame.assign(low=frame["value"] - 0.1, high=frame["value"] + 0.1))
    assert [sentence.split(": the maps depend")[0] for sentence in sentences] == ["Grad-CAM", "Occlusion"]


def test_claims_are_printed_in_their_own_measure():
    numbers = {"reproduced": [450.0, 0.7949, math.nan], "reproduced_low": [math.nan, 0.7101, math.nan]}
    numbers |= {"reproduced_high": [math.nan, 0.8802, math.nan], "measure": ["patients", "AUC", ""]}
    printed = printed_claims(CLAIMS.assign(published=["450", "0.809", "-"], **numbers))
    assert printed["here"].tolist() == ["450 patients", "0.795 (0.710 to 0.880) AUC", "–"]
