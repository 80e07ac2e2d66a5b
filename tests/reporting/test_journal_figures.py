"""Every figure at the widths, sizes and fonts of each journal, as a careful author would check it with a ruler."""

import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest
from matplotlib.collections import Collection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from PIL import Image

from her2study.reporting import draw, journals
from her2study.reporting.figures import FIGURES, write_figure
from her2study.reporting.journals import ALWAYS_THERE, load_journal
from her2study.reporting.style import SIMULATED
from tests.reporting.figure_frames import figure_frames
from tests.reporting.geometry import clipped, drawn_artists, drawn_texts, overlapping

JOURNALS = ("acta-radiologica", "nature", "radiology")
USUAL = figure_frames()
MANY = figure_frames(models=("dscore", "clinical", "combined", "svm", "knn"), features=24, folds=10, pictures=16)
ALONE = figure_frames(n=20, models=("resnet_v2",), splits=("all",), features=4, pictures=2, folds=2)
CASES = [
    *[(journal, "usual", name) for journal in ("acta-radiologica", "nature") for name in FIGURES],
    *[("radiology", "usual", name) for name in ("calibration", "centres", "forest", "nomogram", "roc", "subgroups")],
    *[("nature", "many", name) for name in ("calibration", "confusion", "learning_curves", "shap_cases", "subgroups")],
    *[("acta-radiologica", "many", name) for name in ("algorithms_roc", "calibration", "correlation", "montage_all")],
    *[("nature", "alone", name) for name in ("roc", "calibration", "decision_curve", "confusion")],
]
FRAMES = {"usual": USUAL, "many": MANY, "alone": ALONE}


def _check(figure, journal):
    artists = drawn_artists(figure, journal)
    texts = [(text.get_text(), box) for text, box in artists.items()]
    assert clipped(figure, texts) == []
    assert overlapping(texts) == []
    assert SIMULATED in [text for text, _ in texts]
    assert [text for text in artists if text.get_fontsize() < journal.sizes_pt.smallest] == []
    width_mm, height_mm = figure.get_size_inches() * 25.4
    assert height_mm < journal.height_mm + 0.05
    assert min(abs(width_mm - column) for column in journal.columns_mm) < 0.05
    assert [width for width in _line_widths(figure) if 0 < width < journal.lines_pt.thinnest] == []


def _line_widths(figure):
    for artist in figure.findobj(lambda artist: isinstance(artist, Line2D | Patch | Collection)):
        if isinstance(artist, Collection) and not len(artist.get_paths()):
            continue  # the dividers of a colour bar that has none
        widths = artist.get_linewidth()
        yield from widths if hasattr(widths, "__iter__") else [widths]


@pytest.mark.parametrize(("journal", "size", "name"), CASES)
def test_a_figure_keeps_to_the_rules_of_the_journal(journal, size, name):
    journal = load_journal(journal)
    _check(draw(name, FRAMES[size][name], simulated=True, journal=journal), journal)


@pytest.mark.parametrize(
    "name", ["roc", "forest", "subgroups", "centres", "nomogram", "network", "cohort_flow", "shap_bar"]
)
def test_a_wider_font_that_replaces_a_missing_one_fits_too(monkeypatch, name):
    monkeypatch.setattr(journals, "installed_font", lambda families: ALWAYS_THERE)
    journal = load_journal("acta-radiologica")
    figure = draw(name, USUAL[name], simulated=True, journal=journal)
    assert {text.get_fontfamily()[0] for text in figure.findobj(Text) if text.get_text()} == {ALWAYS_THERE}
    _check(figure, journal)


@pytest.mark.parametrize("name", ["cohort_flow", "workflow"])
def test_what_is_written_in_a_box_stays_in_it(name):
    for journal in map(load_journal, JOURNALS):
        figure = draw(name, USUAL[name], simulated=False, journal=journal)
        texts = drawn_texts(figure, journal)
        axes = figure.axes[0]
        to_points = axes.transData.get_matrix()[0, 0] * 72 / figure.dpi
        boxes = [patch.get_bbox() for patch in axes.patches if hasattr(patch, "get_boxstyle")]
        for text, place in texts:
            x, y = place.x0 / to_points + 0.3, (place.y0 + place.y1) / 2 / to_points
            around = [box for box in boxes if box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1]
            assert all(place.x1 / to_points <= box.x1 for box in around), text


@pytest.mark.parametrize(("journal", "letters"), [("nature", ["a", "b", "c"]), ("radiology", ["A", "B", "C"])])
def test_panels_are_lettered_as_the_journal_does(journal, letters):
    journal = load_journal(journal)
    figure = draw("roc", USUAL["roc"], False, journal=journal)
    bold = [
        text
        for text in figure.findobj(Text)
        if re.fullmatch(r"[A-Za-z]", text.get_text()) and text.get_weight() == "bold"
    ]
    assert [text.get_text() for text in bold] == letters
    assert {text.get_fontsize() for text in bold} == {journal.sizes_pt.letter}


LETTERED = ["roc", "calibration", "confusion", "score_distribution", "decision_curve", "learning_curves", "gradcam"]


@pytest.mark.parametrize("name", LETTERED)
def test_figures_of_several_panels_have_letters_and_single_panels_none(name):
    journal = load_journal("nature").model_copy(update={"letters": journals.Letters(form="(a)")})
    texts = [text for text, _ in drawn_texts(draw(name, USUAL[name], False, journal=journal), journal)]
    assert {"(a)", "(b)"} <= {text.strip() for text in texts}
    if name in ("roc", "calibration"):
        texts = [text for text, _ in drawn_texts(draw(name, ALONE[name], False, journal=journal), journal)]
        assert "(a)" not in texts


def test_files_for_a_journal(tmp_path):
    journal = load_journal("nature").model_copy(update={"raster_dpi": {"png": 250, "tiff": 600}})
    pdf, svg, png, tiff = write_figure("roc", USUAL["roc"], tmp_path, simulated=True, journal=journal)
    assert b"/FontFile2" in pdf.read_bytes()  # TrueType, embedded
    assert b"/Type3" not in pdf.read_bytes()
    written = ["".join(text.itertext()) for text in ElementTree.parse(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {SIMULATED, "External validation", "1 − specificity", "c"} <= set(written)
    wanted_too = "font-family: Arial, 'Liberation Sans'" in svg.read_text(encoding="utf-8")
    assert wanted_too == (journal.font == "Liberation Sans")
    with Image.open(png) as picture, Image.open(tiff) as print_ready:
        assert [round(picture.info["dpi"][0]), round(print_ready.info["dpi"][0])] == [250, 600]
        assert abs(picture.width / 250 * 25.4 - 183) < 0.3
        assert abs(print_ready.width / 600 * 25.4 - 183) < 0.2
    only = load_journal("nature").model_copy(update={"vector": ("pdf",), "raster_dpi": {}})
    assert [path.name for path in write_figure("roc", USUAL["roc"], tmp_path / "only", False, journal=only)] == [
        "roc.pdf"
    ]


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="needs pdftotext and pdffonts (poppler-utils)")
@pytest.mark.parametrize("journal", [*JOURNALS, "default"])
def test_text_of_a_pdf_can_be_selected_and_its_fonts_are_embedded(tmp_path, journal):
    journal = load_journal(journal).model_copy(update={"vector": ("pdf",), "raster_dpi": {}})
    for name in ("decision_curve", "forest"):
        (path,) = write_figure(name, USUAL[name], tmp_path, simulated=True, journal=journal)
        said = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout
        assert SIMULATED in said
        assert {"decision_curve": "Threshold probability", "forest": "Multivariable"}[name] in said
        fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
        assert fonts
        for font in fonts:
            assert "TrueType" in font
            assert re.search(r"(Identity-H|Custom|WinAnsi)\s+yes", font), font


def test_the_default_journal_is_the_look_without_one():
    plain, default = (draw("roc", USUAL["roc"], True, journal=journal) for journal in (None, load_journal()))
    boxes = [[(text, box.bounds) for text, box in drawn_texts(figure)] for figure in (plain, default)]
    assert boxes[0] == boxes[1]
