import json
import re

import pandas as pd
import pytest

from her2study.reporting.model_card import dscore_words, model_card
from her2study.reporting.sheets import sheet_html, sheet_markdown, told
from her2study.study import load_study

VARIABLES = {
    "dscore": {"label": "D-score", "levels": [], "range": [0.01, 0.93], "imputation": 0.25},
    "rim_enhancement": {"label": "Rim enhancement", "levels": ["no", "yes"], "range": None, "imputation": "no"},
}
COMBINED = {
    "null_model": False,
    "terms": [{"label": "log odds of the D-score", "coefficient": 0.87}, {"label": "Rim: yes", "coefficient": 1.2}],
    "variables": VARIABLES,
    "thresholds": {"specificity": 0.61, "youden": 0.42, "sensitivity": 0.2},
    "training": {"fingerprint": "f" * 64, "patients": 123, "positives": 45},
    "missing_values": "median",
    "method": "maximum likelihood",
}
CLINICAL = COMBINED | {"variables": {"rim_enhancement": VARIABLES["rim_enhancement"]}}


def settings(name="hong2025", **network):
    plain = load_study(name, "smoke").model_dump(mode="json")
    plain["network"] |= network
    return plain


def tables():
    head = {"model": "combined", "n": 50, "positives": 15}
    auc = {"auc": 0.715, "auc_low": 0.6, "auc_high": 0.8}
    point = {"rule": "youden", "threshold": 0.42, "fn": 4, "fp": 9, "tp": 11, "tn": 26}
    rates = ("sensitivity", "specificity", "ppv", "npv")
    shares = {f"{rate}{end}": 0.7 for rate in rates for end in ("", "_low", "_high")}
    brier = {"brier": 0.2, "brier_low": 0.1, "brier_high": 0.3}
    return {
        "performance": pd.DataFrame([head | auc | brier | {"split": "external"}]),
        "operating_points": pd.DataFrame([head | point | shares | {"split": "external"}]),
        "centres": pd.DataFrame(
            [head | auc | {"centre": "Centre C", "kind": "centre"},
             head | auc | {"centre": "a new centre", "kind": "prediction", "auc_low": 0.41}]
        ),
        "subgroups": pd.DataFrame(
            [head | auc | {"split": "external", "subgroup": "Age", "label": "below 50", "p_interaction": 0.31},
             head | {"split": "external", "subgroup": "Age", "label": "50 or more"}]
        ),
        "sample_size": pd.DataFrame([{"part": "development", "rule": "little shrinkage", "met": False}]),
        "audit": pd.DataFrame([{"check": "centre alone", "verdict": "attention"}, {"check": "x", "verdict": "passed"}]),
    }  # fmt: skip


def card(frozen=None, given=None, **network):
    frozen = frozen if frozen is not None else {"combined": COMBINED, "clinical": CLINICAL}
    values = {
        "conclusion": "In external patients X (AUC 0.7 (0.6 to 0.8)). In others Y v. Z, p > 0.9.",
        "combined_equation": {"value": "logit(P) = D-score"},
    }
    return sheet_markdown(model_card(settings(**network), tables() if given is None else given, values, frozen))


def test_every_part_of_a_card_is_there():
    text = card()
    parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
    for part in (
        "Model details", "Intended use", "Out of scope", "Training data", "Evaluation", "Performance by centre",
        "Performance in subgroups", "Thresholds", "Ethical considerations", "Caveats",
    ):  # fmt: skip
        assert part in parts
    assert "**SIMULATED PATIENTS**" in text


def test_numbers_come_from_the_model_and_the_tables():
    text = card()
    assert "123 development patients, 45 of them positive" in text
    assert "- In external patients X (AUC 0.7 (0.6 to 0.8)).\n- In others Y v. Z, p > 0.9.\n" in text
    assert "Equation: logit(P) = D-score." in text
    assert "| D-score | 0.01 to 0.93 | 0.25 |" in text
    assert "0.72 (0.60 to 0.80)" in text
    assert "misses 4 of 15 positive patients and calls 9 of 35 negative patients positive" in text
    assert "In a further centre like these an AUC between 0.41 and 0.80 is expected." in text
    assert "In 1 of 2 levels there are too few patients" in text
    assert "1 of 1 criteria of sample size is not met (development: little shrinkage)" in text
    assert "1 check of the audit asks for attention: centre alone." in text
    order = [text.index(f"| {rule}") for rule in ("Largest sum", "Sensitivity of 90%", "Specificity of 90%")]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("share", "said", "unsaid"),
    [
        (1.0, "convolutions of a 3D residual network alone", "measurements"),
        (0.5, "50% of its logit comes from the convolutions", "radiomics by another name"),
        (0.1, "the other 90% comes from a logistic regression on measurements", "alone"),
        (0.0, "no part that was learned from images; the other 100%", "alone"),
    ],
)
def test_what_the_dscore_is_made_of_follows_the_settings(share, said, unsaid):
    text = " ".join(dscore_words({"learned_share": share}))
    assert said in text
    assert unsaid not in text
    assert ("radiomics by another name" in text) == (share < 0.5)
    taught = " ".join(dscore_words({"learned_share": share, "objective": "measurements"}))
    assert ("not trained on the outcome" in taught) == (share > 0)


def test_people_are_left_what_only_they_can_say():
    assert card().count("Open, for the authors: ") == 3


def test_a_predictor_that_a_centre_does_not_record_is_named():
    row = {"variable": "rim_enhancement", "label": "Rim enhancement"}
    missing = pd.DataFrame([row | {"centre": "C", "percent": 100.0}, row | {"centre": "D", "percent": 49.0}])
    text = card(given=tables() | {"missingness": missing})
    assert "Rim enhancement is a predictor and not recorded in most or all patients of Centre C: there" in text
    other = missing.assign(variable="age_years")
    assert "not recorded in most" not in card(given=tables() | {"missingness": other})


def test_a_model_without_predictors_says_so():
    nothing = COMBINED | {"null_model": True, "terms": [], "variables": {}}
    text = card({"combined": nothing})
    assert "gives every patient the same probability" in text
    assert "Equation" not in text
    assert "D-score is" not in text


def test_the_clinical_model_stands_in_where_there_is_no_network():
    text = card({"clinical": CLINICAL})
    assert text.startswith("# Model card: clinical model of hong2025")
    assert "The D-score is" not in text


def test_nothing_is_assumed_to_exist():
    text = card(given={})
    assert "Not in these results." in text
    assert "These results hold no frozen model." in card({})


def test_values_are_read_in_both_shapes():
    assert told({"a": "D-score"}, "a") == told({"a": {"value": "D-score", "text": "D−score"}}, "a") == "D-score"
    assert told({"a": {"value": 0.5, "text": "0.50"}}, "a") == "0.50"
    assert told({}, "a") == ""


@pytest.mark.parametrize(("name", "fixture"), [("hong2025", "finished"), ("mamamia", "finished_public")])
def test_of_a_finished_run(name, fixture, request):
    results = request.getfixturevalue(fixture) / f"{name}-smoke"
    stored = {path.stem: pd.read_csv(path).drop(columns="patients") for path in (results / "tables").glob("*.csv")}
    values = json.loads((results / "values.json").read_text())
    frozen = {path.stem: json.loads(path.read_text()) for path in sorted((results / "frozen").glob("c*.json"))}
    sheet = model_card(settings(name), stored, values, frozen)
    text = sheet_markdown(sheet)
    assert not re.search(r"\bnan\b|None", text)
    assert ("SIMULATED" in text + sheet_html(sheet, "card")) == (name == "hong2025")
    model = "combined" if name == "hong2025" else "clinical"
    assert f"{frozen[model]['training']['patients']} development patients" in text
