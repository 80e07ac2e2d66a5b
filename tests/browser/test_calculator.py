"""The calculator in Chromium: Python's number to 1e-9 through the page's own inputs, readable and usable by all."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm

import her2study.reporting.site as site
from her2study.models.encoding import design_matrix
from her2study.models.frozen import frozen_terms, predict_frozen
from her2study.models.nomogram import patient_points
from her2study.reporting.site.calculator import calculator_html
from tests.reporting.site.made import MODELS, VARIABLES, frozen_and_fit

SCRIPT = Path(site.__file__).parent / "assets" / "calculator.js"

SET = """(patients) => {
  const root = document.querySelector(".calculator");
  const press = (node) => node.dispatchEvent(new Event("input", { bubbles: true }));
  return patients.map((patient) => {
    for (const box of root.querySelectorAll(".calc-field")) {
      const value = patient[box.dataset.variable];
      const field = box.querySelector("select") || box.querySelector("[type=number]");
      field.value = value === null ? "" : String(value);
      press(field);
    }
    return ["probability", "low", "high"].map((name) => Number(root.dataset[name]));
  });
}"""
"""Types every patient into the fields, one after the other, and reads the results."""


@pytest.fixture
def show(browser_page, tmp_path):
    """A frozen model's calculator on a page of its own, opened from a file."""

    def opened(model, simulated=False, page=browser_page, confidence=0.95):
        fragment = calculator_html(model, None, VARIABLES, simulated, confidence, targets={"sensitivity": 0.9})
        shutil.copy(SCRIPT, tmp_path)
        path = tmp_path / "calculator.html"
        path.write_text(
            "<!doctype html><html lang='en'><meta charset='utf-8'><title>Calculator</title>"
            "<meta name='viewport' content='width=device-width, initial-scale=1'>"
            f"<main><h1>Report</h1>{fragment}</main><script src='calculator.js'></script></html>",
            encoding="utf-8",
        )
        page.goto(path.as_uri())
        return page

    return opened


def drawn_at_random(model, n: int = 200) -> list[dict]:
    """Patients inside and outside the training range, some values unknown."""
    rng = np.random.default_rng(2)
    columns = {}
    for name, variable in model["variables"].items():
        if variable["levels"]:
            values = rng.choice(variable["levels"], n).tolist()
        elif name == "dscore":
            values = rng.random(n).tolist()
        else:
            low, high = variable["range"]
            values = rng.uniform(low / 2 if low > 0 else low * 2, high * 2, n).tolist()
        columns[name] = [None if unknown else value for value, unknown in zip(values, rng.random(n) < 0.1, strict=True)]
    return pd.DataFrame(columns, dtype=object).to_dict("records") if columns else [{}]


def extremes(model) -> list[dict]:
    """Every combination of the ends of every variable; one at a time: far beyond them, and not known."""
    ends, beyond = {}, {}
    for name, variable in model["variables"].items():
        if variable["levels"]:
            ends[name], beyond[name] = [variable["levels"][0], variable["levels"][-1]], [*variable["levels"], None]
        elif name == "dscore":
            ends[name], beyond[name] = [0.0, 1.0], [1e-300, 1e-7, 1 - 1e-7, 0.5, None]
        else:
            positive = any(t["kind"] == "log" for t in model["terms"] if t["variable"] == name)
            ends[name], beyond[name] = variable["range"], [1e-9, 1e9, None] if positive else [-1e6, 0.0, 1e6, None]
    typical = {name: variable["imputation"] for name, variable in model["variables"].items()}
    corners = [dict(zip(ends, corner, strict=True)) for corner in itertools.product(*ends.values())]
    return corners + [typical | {name: value} for name, values in beyond.items() for value in values]


def frame_of(model, people: list[dict]) -> pd.DataFrame:
    """The same patients as a table."""
    table = pd.DataFrame(people, columns=list(model["variables"]), index=range(len(people)))
    numbers = [name for name, variable in model["variables"].items() if not variable["levels"]]
    return table.astype(dict.fromkeys(numbers, float))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("make", [drawn_at_random, extremes])
def test_the_page_computes_what_python_computes(show, name, make):
    model = MODELS[name]()
    people = make(model)
    shown = np.array(show(model).evaluate(SET, people))
    table = frame_of(model, people)
    np.testing.assert_allclose(shown[:, 0], predict_frozen(model, table), rtol=0, atol=1e-9)
    imputation = {key: variable["imputation"] for key, variable in model["variables"].items()}
    rows = np.insert(design_matrix(table, frozen_terms(model), imputation), 0, 1, axis=1)
    error = norm.ppf(0.975) * np.sqrt(np.einsum("ni,ij,nj->n", rows, np.array(model["covariance"]), rows))
    middle = rows @ [model["intercept"], *(term["coefficient"] for term in model["terms"])]
    np.testing.assert_allclose(shown[:, 1:], expit(np.c_[middle - error, middle + error]), rtol=0, atol=1e-9)


@pytest.mark.parametrize(("root", "run"), [("finished", "hong2025-smoke"), ("finished_public", "mamamia-smoke")])
def test_the_report_s_calculator_is_the_frozen_model_of_the_run(request, browser_page, axe, root, run):
    results = request.getfixturevalue(root) / run
    frozen = next(path for name in ("combined", "clinical") if (path := results / "frozen" / f"{name}.json").is_file())
    model = json.loads(frozen.read_text(encoding="utf-8"))
    browser_page.goto((results / "report" / "calculator.html").as_uri())
    people = drawn_at_random(model) + extremes(model)
    shown = np.array(browser_page.evaluate(SET, people))
    np.testing.assert_allclose(shown[:, 0], predict_frozen(model, frame_of(model, people)), rtol=0, atol=1e-9)
    assert ("SIMULATED" in browser_page.locator(".calculator").inner_text()) == (root == "finished")
    assert "Research use only" in browser_page.locator(".calculator").inner_text()
    assert axe(browser_page) == []


def test_the_interval_is_that_of_statsmodels(show):
    model, fit = frozen_and_fit("age_years", "volume_ml", "node", dscore=True)
    people = drawn_at_random(model, 20)
    terms = frozen_terms(model)
    imputation = {key: variable["imputation"] for key, variable in model["variables"].items()}
    rows = np.insert(design_matrix(frame_of(model, people), terms, imputation), 0, 1, axis=1)
    expected = fit.get_prediction(rows).conf_int(alpha=0.1)  # endpoints of the linear predictor, transformed
    shown = np.array(show(model, confidence=0.9).evaluate(SET, people))
    np.testing.assert_allclose(shown[:, 1:], expected, rtol=0, atol=1e-9)


def test_a_slider_moves_everything(show):
    model = MODELS["all_kinds"]()
    page = show(model)
    look = {
        "probability": page.locator("[data-out=probability]"),
        "bar": page.locator("[data-contribution=volume_ml] [data-out=log-odds]"),
        "dot": page.locator(".wide [data-axis=volume_ml] .marker"),
        "total": page.locator(".wide [data-axis=total] .marker"),
    }

    def state():
        return {key: place.get_attribute("style") or place.inner_text() for key, place in look.items()}

    before = state()
    slider = page.get_by_role("slider", name="Tumour volume")
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    after = state()
    assert not {key for key in before if before[key] == after[key]}
    assert slider.input_value() == page.get_by_role("spinbutton", name="Tumour volume").input_value()
    assert slider.get_attribute("aria-valuetext").endswith(" ml")
    page.get_by_role("button", name="Back to the typical patient").click()
    assert state() == before


def test_markers_stand_at_the_points_of_python(show, browser_page):
    model = MODELS["all_kinds"]()
    browser_page.emulate_media(reduced_motion="reduce")  # else they glide there
    page = show(model)
    person = {name: variable["imputation"] for name, variable in model["variables"].items()}
    person |= {"dscore": 0.8, "volume_ml": 7.0}
    page.evaluate(SET, [person])
    total = patient_points(model, frame_of(model, [person]))[0]
    assert page.locator(".wide [data-axis=total_points] .marker text").text_content() == f"{total:.1f}"
    axis = page.locator(".wide [data-axis=total_points]")
    left, right, points = (float(axis.get_attribute(f"data-{key}")) for key in ("left", "right", "points"))
    x = float(axis.locator(".marker").get_attribute("style").split("(")[1].split("px")[0])
    assert x == pytest.approx(left + (right - left) * total / points, abs=0.01)
    seven = page.locator(".wide [data-axis=volume_ml] .label", has_text="7").last
    marker = page.locator(".wide [data-axis=volume_ml] .marker circle")
    middles = [box["x"] + box["width"] / 2 for box in (seven.bounding_box(), marker.bounding_box())]
    assert middles[0] == pytest.approx(middles[1], abs=1)  # under its own tick


def test_the_verdict_follows_each_threshold(show):
    model = MODELS["all_kinds"]()
    page = show(model)
    for dscore in (0.0, 0.3, 0.6, 1.0):
        people = [{name: v["imputation"] for name, v in model["variables"].items()} | {"dscore": dscore}]
        page.evaluate(SET, people)
        probability = predict_frozen(model, frame_of(model, people))[0]
        for rule, threshold in model["thresholds"].items():
            words = page.locator(f"[data-rule={rule}] [data-out=verdict]").inner_text()
            assert words == ("● called HER2-positive" if probability >= threshold else "○ not called HER2-positive")
    assert "at least 90%" in page.locator("[data-rule=sensitivity]").inner_text()


def test_a_probability_equal_to_the_threshold_is_positive(show):
    model = MODELS["null"]()
    model["thresholds"] = {"youden": float(predict_frozen(model, pd.DataFrame(index=[0]))[0])}
    page = show(model)
    assert page.locator("[data-out=verdict]").inner_text() == "● called HER2-positive"
    assert page.locator("[data-out=doubt]").is_visible()


def test_outside_the_training_range_is_said_beside_the_field_and_the_result(show):
    page = show(MODELS["all_kinds"]())
    assert page.locator(".calc-warning:visible").count() == 0
    age = page.get_by_role("spinbutton", name="Age")
    age.fill("110")
    warnings = page.locator(".calc-warning:visible").all_inner_texts()
    assert len(warnings) == 2
    assert all("Outside" in words for words in warnings)
    assert page.locator(".wide [data-axis=age_years] .marker.beyond").count() == 1  # the total's scale reaches further
    age.fill("55")
    assert page.locator(".calc-warning:visible").count() == 0


def test_a_category_that_training_never_had_is_said(show):
    page = show(MODELS["unseen"]())
    page.get_by_role("combobox", name="Shape").select_option("ring & rim")
    assert "No training patient was “ring & rim”" in page.locator(".calc-warning").first.inner_text()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("Tumour volume", "0", "above 0"), ("Tumour volume", "-3", "above 0"), ("D-score", "1.2", "between 0 and 1")],
)
def test_an_impossible_value_gives_no_number(show, field, value, said):
    page = show(MODELS["all_kinds"]())
    number = page.get_by_role("spinbutton", name=field)
    number.fill(value)
    assert said in page.locator(".calc-warning:visible").inner_text()
    assert number.get_attribute("aria-invalid") == "true"
    assert page.locator("[data-out=probability]").inner_text() == "–"
    assert page.locator(".calculator").get_attribute("data-probability") is None
    number.fill("0.5")
    assert page.locator("[data-out=probability]").inner_text().endswith("%")


def test_not_known_is_imputed_and_can_be_taken_back(show):
    model = MODELS["all_kinds"]()
    page = show(model)
    number = page.get_by_role("spinbutton", name="Age")
    number.fill("80")
    known = page.locator(".calculator").get_attribute("data-probability")
    page.get_by_role("checkbox", name=re.compile("not known.*Age")).check()
    people = page.evaluate("""() => Object.fromEntries([...document.querySelectorAll(".calc-field")].map((box) =>
        [box.dataset.variable, (box.querySelector("select") || box.querySelector("[type=number]")).value]))""")
    assert people["age_years"] == ""
    table = frame_of(model, [{name: value or None for name, value in people.items()}])
    shown = float(page.locator(".calculator").get_attribute("data-probability"))
    assert shown == pytest.approx(predict_frozen(model, table)[0], abs=1e-9)
    page.get_by_role("checkbox", name=re.compile("not known.*Age")).uncheck()
    assert page.locator(".calculator").get_attribute("data-probability") == known


def test_screen_readers_hear_the_result_once_the_sliders_rest(show):
    page = show(MODELS["all_kinds"]())
    page.get_by_role("spinbutton", name="D-score").fill("0.9")
    status = page.get_by_role("status")
    page.wait_for_function("document.querySelector('[data-out=spoken]').textContent.length > 0")
    shown = page.locator("[data-out=probability]").inner_text()
    assert f"Probability of HER2-positive {shown}. 95% confidence interval" in status.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["all_kinds", "null", "unseen"])
def test_axe_finds_nothing_serious(show, axe, name, scheme):
    page = show(MODELS[name](), simulated=True)
    page.emulate_media(color_scheme=scheme)
    assert axe(page) == []


@pytest.mark.parametrize("width", [320, 375, 700, 1280])
def test_no_width_needs_sideways_scrolling(show, browser_page, width):
    browser_page.set_viewport_size({"width": width, "height": 800})
    page = show(MODELS["all_kinds"]())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".calc-nomogram:visible").count() == 1


@pytest.mark.parametrize("width", [375, 1280])
def test_no_word_of_the_nomogram_is_clipped_or_lies_on_another(show, browser_page, width):
    browser_page.set_viewport_size({"width": width, "height": 800})
    page = show(MODELS["all_kinds"]())
    page.add_style_tag(content=".calc-nomogram { font-family: 'DejaVu Sans', Verdana, sans-serif; }")  # wide letters
    drawing = page.locator(".calc-nomogram:visible")
    around = drawing.bounding_box()
    for axis in drawing.locator(".axis").all():
        boxes = [text.bounding_box() for text in axis.locator(".label, .name").all()]
        for box in boxes:
            assert around["x"] - 1 <= box["x"]
            assert box["x"] + box["width"] <= around["x"] + around["width"] + 1
        for one, other in itertools.combinations(boxes, 2):
            beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
            above = abs(one["y"] - other["y"]) >= 0.65 * one["height"]  # a third of the box is halo and leading
            assert beside or above, axis.get_attribute("data-axis")


def test_without_javascript_the_page_still_reads(show, browser):
    context = browser.new_context(java_script_enabled=False)
    page = show(MODELS["all_kinds"](), simulated=True, page=context.new_page())
    words = page.locator("main").inner_text()
    assert "Sliders need JavaScript" in words
    assert "SIMULATED PATIENTS" in words
    assert page.locator(".calc-live:visible").count() == 0
    assert page.locator(".calc-nomogram:visible").count() == 1
    assert page.locator(".calc-points table:visible").count() == len(VARIABLES) + 2
    assert page.locator(".calc-equation tbody tr").count() == 10
    context.close()
