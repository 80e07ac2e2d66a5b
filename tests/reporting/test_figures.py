"""Every figure of the design: drawn for varied content, nothing clipped or overlapping, files reproducible."""

import hashlib

import matplotlib as mpl
import pytest
from PIL import Image

from her2study.reporting import draw, show_figure
from her2study.reporting.figures import FIGURES, write_figure
from her2study.reporting.style import SIMULATED
from her2study.types import StudyError
from tests.reporting.figure_frames import figure_frames
from tests.reporting.geometry import clipped, drawn_texts, overlapping

DESIGN = (
    "cohort_flow workflow network montage learning_curves algorithms_roc roc calibration decision_curve confusion "
    "score_distribution forest nomogram correlation shap_summary shap_bar shap_dependence shap_cases gradcam "
    "saliency_sanity subgroups failure_cases"
).split()
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
    "no internal": {"n": 20, "models": ("clinical", "combined"), "splits": ("development", "external"), "features": 20},
}
FRAMES = {size: figure_frames(**options) for size, options in SIZES.items()}
ALIKE = {"workflow", "network", "forest", "nomogram", "saliency_sanity"}
"""Figures whose frames are the same at every size."""
BY_SPLIT = {"cohort_flow", "algorithms_roc", "roc", "calibration", "decision_curve", "confusion", "subgroups"}
VARIED = [
    *[("usual", name) for name in DESIGN],
    *[("many", name) for name in DESIGN if name not in ALIKE],
    *[("few", name) for name in DESIGN if name not in ALIKE | {"montage", "learning_curves", "failure_cases"}],
    *[("no internal", name) for name in DESIGN if name in BY_SPLIT],
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


def test_drawing_leaves_matplotlib_as_it_was():
    before = mpl.rcParams.copy()
    draw("confusion", FRAMES["few"]["confusion"], simulated=True)
    assert mpl.rcParams == before


def test_a_model_keeps_its_colour_in_every_figure():
    lines = draw("roc", FRAMES["usual"]["roc"], False).axes[0].lines
    curves = draw("decision_curve", FRAMES["usual"]["decision_curve"], False).axes[0].lines
    assert {line.get_color() for line in lines[1:]} == {line.get_color() for line in curves[:3]}


def test_a_figure_on_a_notebook_page(capsys):
    show_figure("confusion", FRAMES["few"]["confusion"], simulated=True)
    assert "IPython.core.display.Image" in capsys.readouterr().out


def test_an_unknown_figure_and_an_empty_frame_are_told():
    with pytest.raises(StudyError, match="did you mean 'roc'"):
        draw("rocs", FRAMES["few"]["roc"], False)
    with pytest.raises(StudyError, match="no rows"):
        draw("roc", FRAMES["few"]["roc"].head(0), False)
