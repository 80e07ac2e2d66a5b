"""The fragment of the calculator: what it carries, what it says, what it refuses. Its numbers: tests/browser/."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from her2study.models.frozen import predict_frozen
from her2study.models.nomogram import nomogram
from her2study.reporting.site.calculator import bare, calculator_data, calculator_html, percent, plain
from her2study.types import StudyError
from tests.reporting.site.made import MODELS, VARIABLES, all_kinds, frozen_model


class Words(HTMLParser):
    """The text a reader sees, without styles and data."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self._hidden += tag in ("style", "script")

    def handle_endtag(self, tag):
        self._hidden -= tag in ("style", "script")

    def handle_data(self, data):
        if not self._hidden:
            self.parts.append(data)

    def __str__(self) -> str:
        return " ".join(" ".join(self.parts).split())


def words(model, simulated=False, **more) -> str:
    return str(Words(calculator_html(model, None, VARIABLES, simulated, **more)))


def carried(html: str) -> dict:
    return json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.S)[1])


@pytest.mark.parametrize("name", MODELS)
def test_it_always_says_what_it_is_for_and_whose_patients_they_are(name):
    assert "Research use only" in words(MODELS[name]())
    assert "SIMULATED" not in words(MODELS[name]())
    assert "SIMULATED PATIENTS" in words(MODELS[name](), simulated=True)


def test_without_a_model_there_is_a_sentence_and_no_form():
    html = calculator_html(None, None, {}, True)
    assert "froze no logistic model" in html
    assert "<form" not in html
    assert "SIMULATED" in html


def test_a_null_model_gives_everyone_one_probability():
    model = MODELS["null"]()
    prevalence = model["training"]["positives"] / model["training"]["patients"]
    assert f"the same probability, {percent(prevalence)}" in words(model)
    assert carried(calculator_html(model, None, {}, False))["fields"] == []


def test_numbers_travel_with_every_digit():
    model = all_kinds()
    data = carried(calculator_html(model, None, VARIABLES, False))
    assert data["intercept"] == model["intercept"]
    assert [term["coefficient"] for term in data["terms"]] == [term["coefficient"] for term in model["terms"]]
    assert data["covariance"] == model["covariance"]
    assert data["z"] == pytest.approx(1.959963984540054)  # tabulated
    unknown = pd.DataFrame({name: [None] for name in model["variables"]})
    assert data["typical"]["probability"] == pytest.approx(predict_frozen(model, unknown)[0], abs=1e-15)


def test_names_cannot_break_out_of_the_page():
    levels = ("round", '</script><script>alert("x")</script>')
    model = frozen_model("shape", "age_years")
    text = json.dumps(model).replace("oval <lobed>", json.dumps(levels[1])[1:-1])
    html = calculator_html(json.loads(text), None, VARIABLES, False)
    assert "<script>alert" not in html
    assert html.count("</script>") == 1
    assert levels[1] in carried(html)["fields"][0]["levels"]


def test_units_ranges_and_what_stands_for_unknown_are_said():
    said = words(all_kinds())
    model = all_kinds()
    low, high = model["variables"]["age_years"]["range"]
    assert f"Age (years) not known : Age In training {low:.0f} to {high:.0f} years. Not known counts as" in said
    assert "Grade low intermediate high not known Not known counts as" in said


def test_the_equation_by_hand_is_python_s():
    """The printed coefficients, applied as printed, give the probability to the printed digits."""
    model = frozen_model("age_years", "volume_ml", dscore=True)
    said = words(model)
    number = r"([−\d.]+)"
    found = re.search(
        rf"Intercept 1 {number} log odds of the D-score .*? {number} Age \(years\) the value itself {number} "
        rf"Tumour volume \(log ml\) natural logarithm of the value {number}", said
    )  # fmt: skip
    intercept, dscore, age, volume = (float(text.replace("−", "-")) for text in found.groups())
    s = intercept + dscore * np.log(0.4 / 0.6) + age * 61 + volume * np.log(3.5)
    person = pd.DataFrame({"dscore": [0.4], "age_years": [61.0], "volume_ml": [3.5]})
    assert 1 / (1 + np.exp(-s)) == pytest.approx(predict_frozen(model, person)[0], abs=1e-4)


def test_points_are_those_of_the_nomogram():
    model = all_kinds()
    axes = nomogram(model)
    said = words(model)
    for row in axes[axes["variable"] == "volume_ml"].itertuples():
        assert f" {row.value_label} {row.points:.1f} " in said
    assert calculator_html(model, axes, VARIABLES, False) == calculator_html(model, None, VARIABLES, False)


def test_another_model_s_nomogram_is_not_drawn():
    model, other = frozen_model("age_years", "node"), nomogram(frozen_model("volume_ml"))
    assert calculator_html(model, other, VARIABLES, False) == calculator_html(model, None, VARIABLES, False)


def test_a_predictor_without_a_range_leaves_the_nomogram_out():
    model = frozen_model("age_years", "volume_ml")
    model["variables"]["age_years"]["range"] = None
    html = calculator_html(model, None, VARIABLES, False)
    assert "<svg" not in html
    assert carried(html)["points"] is None
    assert "Not known counts as the median" in html


def test_thresholds_are_said_in_words_from_low_to_high():
    said = words(all_kinds(), targets={"sensitivity": 0.9})
    places = [
        said.index(rule)
        for rule in ("Stated sensitivity of at least 90%: positive from 15.0%", "(Youden): positive from 40.0%",
                     "Stated specificity: positive from 70.0%")
    ]  # fmt: skip
    assert places == sorted(places)
    assert "frozen thresholds" not in words(MODELS["one_class"]())


def test_plain_settings_do_as_well_as_variables():
    model = all_kinds()
    settings = {name: variable.model_dump() for name, variable in VARIABLES.items()}
    assert calculator_html(model, None, settings, False) == calculator_html(model, None, VARIABLES, False)


def test_a_level_that_training_never_had_is_known_to_the_page():
    fields = {field["name"]: field for field in calculator_data(MODELS["unseen"](), VARIABLES, None)["fields"]}
    assert fields["shape"]["unseen"] == ["ring & rim"]
    assert all(not field.get("unseen") for field in calculator_data(all_kinds(), VARIABLES, None)["fields"])


def test_an_unknown_kind_of_term_is_refused_by_name():
    model = frozen_model("age_years")
    model["terms"][0]["kind"] = "spline"
    with pytest.raises(StudyError, match=r"frozen/clinical.json, term 'age_years': .*'spline'.*value, log"):
        calculator_html(model, None, VARIABLES, False)


def test_steps_suit_what_was_measured():
    fields = {
        field["name"]: field for field in calculator_data(all_kinds(), VARIABLES, nomogram(all_kinds()))["fields"]
    }
    assert (fields["age_years"]["step"], fields["dscore"]["step"]) == (1.0, 0.001)
    assert (fields["dscore"]["low"], fields["dscore"]["high"]) == (0.0, 1.0)
    assert fields["volume_ml"]["low"] > 0  # has a logarithm
    for field in fields.values():
        if not field["levels"]:
            low, high = field["range"]
            assert field["low"] <= low < high <= field["high"] or field["name"] == "dscore"
            assert field["low"] <= field["start"] <= field["high"]


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.2345, "23.5%"), (0.5, "50.0%"), (0.99, "99.0%"), (0.00023, "0.023%"), (0.9998, "99.980%"), (0.005, "0.50%"),
     (1e-9, "< 0.0001%"), (1 - 1e-9, "> 99.9999%"), (1e-6, "0.0001%")],
)  # fmt: skip
def test_percentages_keep_two_digits_near_the_ends(p, text):
    assert percent(p) == text


@pytest.mark.parametrize(
    ("value", "short", "exact"),
    [(8.0, "8", "8"), (0.00044628, "0.000446", "0.00044628"), (1234.5, "1230", "1234.5"), (-2.536, "−2.54", "-2.536"),
     (1e-6, "0.000001", "0.000001")],
)  # fmt: skip
def test_numbers_have_no_exponent(value, short, exact):
    assert plain(value) == short
    assert bare(value) == exact


def test_how_it_was_fitted_is_said_where_it_is_known():
    model = all_kinds()
    assert "by maximum likelihood." in words(model)
    assert "by Firth’s penalised likelihood." in words(model | {"method": "Firth"})
    del model["method"]
    assert "of them HER2-positive." in words(model)
