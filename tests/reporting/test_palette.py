"""Colours told apart by any eye and on any printer: distances as seen with each kind of colour vision."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from skimage.color import deltaE_ciede2000, rgb2lab

from her2study.reporting.figures.decision import PAIR_COLOURS
from her2study.reporting.figures.dependence import CENTRE_COLOURS
from her2study.reporting.style import (
    ACCENT,
    CLASS_COLOURS,
    INK,
    MODEL_COLOURS,
    REFERENCES,
    legible_on,
    luminance,
    model_dashes,
)

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
VISIONS = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
EYES = pytest.mark.parametrize("vision", VISIONS)
MODELS = [model for model in MODEL_COLOURS if model not in REFERENCES]
MAIN = ["combined", "dscore", "clinical"]


def _seen(colour: str, vision: str) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(VISIONS[vision]) @ linear, 0, 1)
    return rgb2lab(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055))


def _distance(a: str, b: str, vision: str) -> float:
    return float(deltaE_ciede2000(_seen(a, vision), _seen(b, vision)))


def _lightness(colour: str) -> float:
    return float(rgb2lab(np.array(to_rgb(colour)))[0])


def test_the_simulated_eye_confuses_red_and_green_and_ours_does_not():
    red, green = "#C0392B", "#7A7A1F"
    assert _distance(red, green, "deuteranopia") < 0.4 * _distance(red, green, "usual")


@EYES
def test_the_three_main_models_differ_at_a_glance(vision):
    assert min(_distance(MODEL_COLOURS[a], MODEL_COLOURS[b], vision) for a, b in combinations(MAIN, 2)) > 15


@EYES
def test_any_two_models_differ_by_colour_or_dash(vision):
    dashes = model_dashes(MODELS)
    alike = [
        pair
        for pair in combinations(MODELS, 2)
        if dashes[pair[0]] == dashes[pair[1]] and _distance(*(MODEL_COLOURS[m] for m in pair), vision) < 15
    ]
    assert alike == []


@pytest.mark.parametrize("shown", [MAIN, [*MAIN, "random_forest"], MODELS[:-2], MODELS, [*MAIN, *REFERENCES]])
def test_lines_are_told_apart_without_colour(shown):
    dashes = model_dashes(shown)
    alike = [
        pair
        for pair in combinations(shown, 2)
        if dashes[pair[0]] == dashes[pair[1]]
        and abs(_lightness(MODEL_COLOURS[pair[0]]) - _lightness(MODEL_COLOURS[pair[1]])) < 15
    ]
    assert alike == []


@EYES
def test_the_two_classes_differ_in_colour_and_lightness(vision):
    negative, positive = CLASS_COLOURS.values()
    assert _distance(negative, positive, vision) > 20
    assert abs(_lightness(negative) - _lightness(positive)) > 20


def test_a_model_owns_its_colour():
    assert not {ACCENT, *PAIR_COLOURS, *CENTRE_COLOURS, *CLASS_COLOURS.values()} & {MODEL_COLOURS[m] for m in MAIN}
    assert len(set(MODEL_COLOURS.values())) == len(MODEL_COLOURS)


def test_writing_is_legible_on_any_ground():
    for ground in np.random.default_rng(0).uniform(size=(50, 3)):
        contrast = sorted((luminance(ground) + 0.05, luminance(legible_on(ground)) + 0.05))
        assert contrast[1] / contrast[0] > 3.9  # what the better of white and ink reaches on the worst grey
    assert legible_on("white") == INK
    assert legible_on("black") == "white"
