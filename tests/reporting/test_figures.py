"""Every figure of the design: drawn for varied content, nothing clipped or overlapping, files reproducible."""

import hashlib

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from her2study.reporting import draw, show_figure
from her2study.reporting.figures import FIGURES, write_figure
from her2study.reporting.journals import load_journal
from her2study.reporting.style import GREY, INK, SIMULATED
from her2study.types import StudyError
from tests.reporting.figure_frames import centre_rows, figure_frames
from tests.reporting.geometry import clipped, drawn_texts, overlapping

DESIGN = (
    "cohort_flow workflow network montage montage_all learning_curves algorithms_roc roc precision_recall "
    "calibration decision_curve decision_difference confusion score_distribution forest nomogram correlation "
    "shap_summary shap_bar shap_dependence shap_cases gradcam saliency_sanity subgroups centres failure_cases"
).split()
STRANGERS = (
    "combined",
    "combined_intercept_updated",
    "combined_slope_updated",
    "resnet_with_augmentation_seed_1",
    "resnet_with_augmentation_seed_2",
    "nnU-Net",
    "my_logistic_regression_model_v2",
    "x",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "radiologist",
    "gbm",
    "Swin UNETR 2021",
)
"""Models of anybody: long and short names, names that differ at one end only, twelve of them."""

SIZES = {
    "usual": {},
    "many": {
        "models": (
            "dscore",
            "clinical",
            "combined",
            "oracle_image",
            "a_model_with_a_very_long_name",
            "x",
            "svm",
            "knn",
        ),
        "features": 24,
        "folds": 10,
        "pictures": 16,
    },
    "few": {"n": 6, "models": ("clinical", "svm"), "splits": ("external",), "features": 4, "pictures": 2, "folds": 2},
    "strangers": {"n": 20, "models": STRANGERS, "splits": ("external",), "features": 4, "pictures": 2, "folds": 2},
    "alone": {"n": 20, "models": ("resnet_v2",), "splits": ("all",), "features": 4, "pictures": 2, "folds": 2},
    "no internal": {"n": 20, "models": ("clinical", "combined"), "splits": ("development", "external"), "features": 20},
}
FRAMES = {size: figure_frames(**options) for size, options in SIZES.items()}
ALIKE = {"workflow", "network", "forest", "nomogram", "saliency_sanity"}
"""Figures whose frames are the same at every size."""
EVALUATION = (
    "roc precision_recall calibration decision_curve decision_difference confusion score_distribution centres".split()
)
"""What ``her2study evaluate`` draws of predictions from anywhere."""
BY_SPLIT = {"cohort_flow", "algorithms_roc", "subgroups", *EVALUATION}
VARIED = [
    *[("usual", name) for name in DESIGN],
    *[("many", name) for name in DESIGN if name not in ALIKE],
    *[
        ("few", name)
        for name in DESIGN
        if name not in ALIKE | {"montage", "montage_all", "learning_curves", "failure_cases"}
    ],
    *[("no internal", name) for name in DESIGN if name in BY_SPLIT],
    *[(size, name) for size in ("strangers", "alone") for name in EVALUATION],
]


def test_every_name_of_the_design_has_a_function():
    assert list(FIGURES) == DESIGN


@pytest.mark.parametrize(("size", "name"), VARIED)
def test_no_text_is_clipped_or_overlaps(size, name):
    figure = draw(name, FRAMES[size][name], simulated=True)
    texts = drawn_texts(figure)
    assert clipped(figure, texts) == []
    assert overlapping(texts) == []
    assert SIMULATED in [text for text, _ in texts]
    width_mm, height_mm = figure.get_size_inches() * 25.4
    assert width_mm < 174.1
    assert height_mm < 240


@pytest.mark.parametrize("name", ["roc", "forest", "montage"])
def test_real_patients_are_not_marked(name):
    texts = drawn_texts(draw(name, FRAMES["few"][name], simulated=False))
    assert SIMULATED not in [text for text, _ in texts]


@pytest.mark.parametrize("name", ["score_distribution", "gradcam"])
def test_files_are_the_same_byte_for_byte(tmp_path, name):
    frame = FRAMES["few"][name]
    digests = []
    for attempt in ("first", "second"):
        paths = write_figure(name, frame, tmp_path / attempt, simulated=True)
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in paths])
    assert [path.name for path in paths] == [f"{name}.{ending}" for ending in ("pdf", "svg", "png", "tiff")]
    assert digests[0] == digests[1]
    assert sorted(path.name for path in (tmp_path / "first").iterdir()) == sorted(path.name for path in paths)


def test_what_a_journal_asks_of_the_files(tmp_path):
    pdf, svg, png, tiff = write_figure("roc", FRAMES["usual"]["roc"], tmp_path, simulated=False)
    assert b"/FontFile2" in pdf.read_bytes()  # TrueType, embedded
    assert b"/Type3" not in pdf.read_bytes()
    assert "External validation" in svg.read_text()  # text, not outlines
    with Image.open(png) as picture, Image.open(tiff) as print_ready:
        assert [round(dpi) for dpi in picture.info["dpi"]] == [300, 300]
        assert [round(dpi) for dpi in print_ready.info["dpi"]] == [600, 600]
        assert print_ready.info["compression"] == "tiff_lzw"
        assert abs(print_ready.width / 600 * 25.4 - 174) < 0.2


def test_pages_of_a_figure_are_drawn_by_their_numbers(tmp_path):
    frame = FRAMES["few"]["montage_all"]
    assert write_figure("montage_all_12", frame, tmp_path, True)[0].name == "montage_all_12.pdf"
    texts = [text for text, _ in drawn_texts(draw("montage_all_2", frame, True))]
    assert "Centre A, 3 patients; with findings: 1" in texts
    assert "pieces" in texts
    with pytest.raises(StudyError, match="unknown figure 'montage_none_2'"):
        draw("montage_none_2", frame, True)


def test_drawing_leaves_matplotlib_as_it_was():
    before = mpl.rcParams.copy()
    draw("confusion", FRAMES["few"]["confusion"], simulated=True)
    assert mpl.rcParams == before


def test_a_model_keeps_its_colour_in_every_figure():
    lines = draw("roc", FRAMES["usual"]["roc"], False).axes[0].lines
    curves = draw("decision_curve", FRAMES["usual"]["decision_curve"], False).axes[0].lines
    assert {line.get_color() for line in lines[1:]} == {line.get_color() for line in curves[:3]}


NAMES_INTERVALS = [
    "roc", "precision_recall", "calibration", "decision_curve", "decision_difference", "forest", "saliency_sanity",
    "subgroups", "centres",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES_INTERVALS)
def test_intervals_are_named_by_their_confidence(name):
    texts = "\n".join(text for text, _ in drawn_texts(draw(name, FRAMES["few"][name], False, confidence=0.975)))
    assert "97.5% CI" in texts
    assert "95%" not in texts


def test_a_model_that_one_split_lacks_changes_no_colour():
    frame = FRAMES["usual"]["roc"].replace({"dscore": "a", "clinical": "b", "combined": "c"})
    figure = draw("roc", frame[(frame["split"] != "external") | (frame["model"] != "a")], False)
    first, last = (figure.axes[place].lines for place in (0, 2))
    assert [line.get_color() for line in first[2:]] == [line.get_color() for line in last[1:]]


def test_models_without_room_are_counted():
    texts = [text for text, _ in drawn_texts(draw("calibration", FRAMES["many"]["calibration"], False))]
    assert "4 of 8 models; the tables have all" in texts
    texts = [text for text, _ in drawn_texts(draw("decision_difference", FRAMES["many"]["decision_difference"], False))]
    assert "First 4 of 28 comparisons; the table has all" in texts


def test_bands_are_drawn_only_while_they_can_be_told_apart():
    few, many = (draw("decision_curve", FRAMES[size]["decision_curve"], False) for size in ("usual", "many"))
    assert len(few.axes[0].collections) == 3
    assert len(many.axes[0].collections) == 0
    assert "Band" not in "".join(text for text, _ in drawn_texts(many))


def test_precision_recall_encloses_the_average_precision():
    frame = FRAMES["few"]["precision_recall"]
    axes = draw("precision_recall", frame, False).axes[0]
    prevalence, clinical = axes.lines[:2]
    assert prevalence.get_ydata()[0] == frame["prevalence"].iloc[0]
    assert clinical.get_drawstyle() == "steps-pre"
    recall, precision = clinical.get_data()
    assert np.sum(np.diff(recall) * precision[1:]) == pytest.approx(frame["average_precision"].iloc[0])


def test_differences_keep_zero_in_the_middle_of_one_scale():
    figure = draw("decision_difference", FRAMES["usual"]["decision_difference"], False)
    limits = {axes.get_ylim() for axes in figure.axes}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == -high


def test_centres_show_what_was_pooled_and_why_not():
    usual = FRAMES["usual"]["centres"]
    figure = draw("centres", usual, False)
    texts = [text for text, _ in drawn_texts(figure)]
    assert texts.count("I² 32%, τ² 0.041, p for heterogeneity 0.210") == 3
    assert "(0.52 to 0.88)" in texts
    assert len(figure.axes[1].patches) == 3  # a diamond a model
    one = centre_rows(np.random.default_rng(0), ("svm",), ("Centre A",))
    assert "fewer than two centres can be pooled" in [text for text, _ in drawn_texts(draw("centres", one, False))]


def test_more_centres_than_a_page_holds_are_counted_and_the_pool_stays():
    hospitals = [f"A hospital with quite a long name, no. {place}" for place in range(90)]
    figure = draw("centres", centre_rows(np.random.default_rng(0), ("a", "b"), hospitals), True)
    texts = drawn_texts(figure)
    assert clipped(figure, texts) == []
    assert overlapping(texts) == []
    words = [text for text, _ in texts]
    assert "1 of 2 models, the 63 largest of 90 centres; the table has all" in words
    assert {"Pooled", "Prediction interval"} <= set(words)


def test_printed_thousands_are_numbers_and_no_categories():
    value = np.linspace(900, 2400, 40)
    part = {"model": "combined", "feature": "energy", "label": "Energy", "shap": value / 1000, "centre": "A"}
    frame = pd.DataFrame({**part, "value": value, "value_label": [f"{number:,.0f}" for number in value]})
    ticks = draw("shap_dependence", frame, False).axes[0].get_xticks()
    assert len(ticks) < 6


def test_a_figure_on_a_notebook_page(capsys):
    show_figure("confusion", FRAMES["few"]["confusion"], simulated=True)
    assert "IPython.core.display.Image" in capsys.readouterr().out


def test_an_unknown_figure_and_an_empty_frame_are_told():
    with pytest.raises(StudyError, match="did you mean 'roc'"):
        draw("rocs", FRAMES["few"]["roc"], False)
    with pytest.raises(StudyError, match="no rows"):
        draw("roc", FRAMES["few"]["roc"].head(0), False)


def test_subgroups_of_all_splits_share_one_scale_and_p_values_have_their_models_marker():
    figure = draw("subgroups", FRAMES["usual"]["subgroups"], False)
    assert len({axes.get_xlim() for axes in figure.axes[1:]}) == 1
    page = figure.axes[0]
    assert {text.get_color() for text in page.texts} <= {INK, GREY}
    markers = {line.get_marker() for line in page.lines} - {"None"}
    assert markers == {"o", "s", "D"}


def test_small_thresholds_are_told_from_zero():
    frame = FRAMES["usual"]["confusion"].assign(threshold=0.0004)
    texts = [text for text, _ in drawn_texts(draw("confusion", frame, False))]
    assert "Combined, threshold 0.0004" in texts
    assert "Combined, threshold 0.37" in [
        text for text, _ in drawn_texts(draw("confusion", frame.assign(threshold=0.366), False))
    ]


def test_identifiers_of_the_code_are_not_printed():
    frame = FRAMES["usual"]["network"].assign(detail="pre, wash_in, wash_out; 3x3x3 convolution")
    texts = [text for text, _ in drawn_texts(draw("network", frame, False))]
    assert not [text for text in texts if "_" in text or "x3" in text]
    assert any("wash-in" in text for text in texts)


def test_panels_of_a_fixed_shape_come_to_rest_below_the_strip():
    frame = figure_frames(n=20, splits=("external",))["calibration"]
    journal = load_journal("nature")
    figure = draw("calibration", frame, True, journal=journal)
    boxes = dict(drawn_texts(figure, journal))
    assert boxes["a"].y1 < boxes["External validation"].y0
