"""The one place for colours, fonts, sizes and printed names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import cycle

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from her2study.evaluation.wording import MODEL_LABELS, updated
from her2study.reporting.lettering import fit
from her2study.words import spell

COLUMN_MM = {"single": 84, "double": 174}
"""Widths of one and two columns of the journal."""

# Okabe and Ito's and Paul Tol's muted colours: told apart with any colour vision.
MODEL_COLOURS = {
    "dscore": "#0072B2",
    "clinical": "#E08A00",
    "combined": "#B22A55",
    "logistic_elastic_net": "#117733",
    "svm": "#332288",
    "random_forest": "#44AA99",
    "xgboost": "#882255",
    "lightgbm": "#999933",
    "knn": "#88CCEE",
    "mlp": "#AA4499",
    "oracle_combined": "#4D4D4D",
    "oracle_image": "#8C8C8C",
    "treat_all": "#6E6E6E",
    "treat_none": "#1A1A1A",
}
REFERENCES = ("treat_all", "treat_none")
"""What a decision curve compares models with."""

SPARE_COLOURS = (
    "#2F4B7C", "#D45087", "#4C9F70", "#8C510A", "#7A5195", "#5FA3DA", "#C9A227", "#661100", "#556B2F", "#B08BD0",
    "#AA8866", "#1B9E9E",
)  # fmt: skip
"""For models that are not named above, in the order of their names."""
CLASS_COLOURS = {0: "#5B7F95", 1: "#C8553D"}
"""Outcome-negative and outcome-positive patients."""

INK, GREY, PALE = "#222222", "#777777", "#E6E9EC"
SEQUENTIAL, DIVERGING = "cividis", "RdBu_r"
DASHES = ("-", "--", "-.", (0, (1, 1.2)), (0, (5, 1, 1, 1, 1, 1)), (0, (7, 2)), (0, (3, 1, 1, 1)))

MODEL_SHORT = {
    "logistic_elastic_net": "Elastic net",
    "svm": "SVM",
    "knn": "k-NN",
    "mlp": "Perceptron",
    "oracle_combined": "Oracle, all",
    "oracle_image": "Oracle, image",
}
"""Names for legends, where the printed name is too long."""
UPDATE_SHORT = {"intercept": "interc.", "intercept and slope": "slope"}
SHORT_MM = 25
"""Width of a name in a legend."""

SPLIT_LABELS = {
    "development": "Development (out-of-fold)",
    "internal": "Internal validation",
    "external": "External validation",
    "all": "All patients",
}
SIMULATED = "SIMULATED PATIENTS"
MARK_MM = 4.5
"""Height of the strip at the top of every figure that is kept free for the mark."""


def model_label(model: str) -> str:
    """The printed name of a model; one this package does not make keeps its author's capitals."""
    if recalibrated := updated(model):
        return f"{model_label(recalibrated[0])}, {recalibrated[1]} updated"
    return MODEL_LABELS.get(model, str(model).replace("_", " ").strip())


def model_short(model: str) -> str:
    """The name of a model in a legend; the middle of a long one goes first, since versions stand at the ends."""
    if recalibrated := updated(model):
        return f"{fit(model_short(recalibrated[0]), SHORT_MM - 11)}, {UPDATE_SHORT[recalibrated[1]]}"
    return fit(MODEL_SHORT.get(model, model_label(model)), SHORT_MM)


def model_shorts(models: Iterable[str]) -> dict[str, str]:
    """Names for the legend of one figure: as :func:`model_short`, numbered where two would look the same."""
    shorts, taken = {}, Counter()
    for model in model_order(models):
        short = model_short(model)
        taken[short] += 1
        shorts[model] = f"{fit(short, SHORT_MM - 4)} ({taken[short]})" if taken[short] > 1 else short
    return shorts


def split_label(split: str) -> str:
    """The printed name of a split."""
    return SPLIT_LABELS.get(split, spell(split))


def model_order(models: Iterable[str]) -> list[str]:
    """The distinct models: those of :data:`MODEL_LABELS` in that order, then others by name, treat all and none last.

    A recalibrated model stands behind the one it came from.
    """
    rank = {model: place for place, model in enumerate(MODEL_LABELS)}

    def place(model: str) -> tuple[bool, int, str, str]:
        base = (updated(model) or (model,))[0]
        return model in REFERENCES, rank.get(base, len(rank)), base, model

    return sorted(set(models), key=place)


def split_order(splits: Iterable[str]) -> list[str]:
    """The distinct splits in reading order, unknown ones last."""
    rank = {split: place for place, split in enumerate(SPLIT_LABELS)}
    return sorted(set(splits), key=lambda split: (rank.get(split, len(rank)), split))


def model_colours(models: Iterable[str]) -> dict[str, str]:
    """One colour a model, the same in every figure; unknown models take spare colours by name among those shown."""
    spare = cycle(SPARE_COLOURS)
    unknown = {model: next(spare) for model in sorted(set(models) - set(MODEL_COLOURS))}
    return {model: MODEL_COLOURS.get(model) or unknown[model] for model in model_order(models)}


def model_dashes(models: Iterable[str]) -> dict[str, object]:
    """One line style a model, so that curves stay apart in greyscale; the main models are solid or dashed."""
    fixed = {"combined": "-", "dscore": "--", "clinical": "-.", "treat_all": (0, (4, 2)), "treat_none": "-"}
    others = cycle(DASHES)
    return {model: fixed.get(model) or next(others) for model in model_order(models)}


@contextmanager
def journal_style() -> Iterator[None]:
    """Fonts, line widths and file options of the journal, for the block only.

    The font is the one that ships with matplotlib, so that figures are the same on every machine;
    it is embedded as TrueType in PDF and kept as text in SVG.
    """
    settings = {
        "font.family": "DejaVu Sans",
        "font.size": 7,
        "axes.titlesize": 8,
        "axes.titleweight": "regular",
        "axes.titlelocation": "left",
        "axes.labelsize": 7.5,
        "axes.labelcolor": INK,
        "axes.edgecolor": GREY,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": True,
        "text.hinting": "no_hinting",  # else text is wider at low resolutions than the layout allows for
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "legend.fontsize": 7,
        "legend.frameon": False,
        "legend.handlelength": 2.2,
        "legend.borderaxespad": 0.3,
        "lines.linewidth": 1.3,
        "text.color": INK,
        "image.interpolation": "nearest",
        "pdf.fonttype": 42,
        "svg.fonttype": "none",
        "svg.hashsalt": "her2study",
        "path.simplify": True,
        "figure.dpi": 100,
    }
    with mpl.rc_context({**mpl.rcParamsDefault, **settings} | {"backend": mpl.rcParams["backend"]}):
        yield


def new_figure(height_mm: float, width_mm: float = COLUMN_MM["double"]) -> Figure:
    """An empty figure with room for the SIMULATED mark above its panels."""
    width, height = width_mm / 25.4, (height_mm + MARK_MM) / 25.4
    figure = Figure(figsize=(width, height), facecolor="white")
    figure.set_layout_engine("constrained", rect=(0, 0, 1, 1 - MARK_MM / 25.4 / height), w_pad=0.04, h_pad=0.04)
    return figure


def mark_simulated(figure: Figure) -> None:
    """Tag the top right margin: these are not patients."""
    height_mm = figure.get_size_inches()[1] * 25.4
    figure.text(
        1 - 0.6 / (figure.get_size_inches()[0] * 25.4),
        1 - MARK_MM / 2 / height_mm,
        SIMULATED,
        ha="right",
        va="center",
        fontsize=6,
        color="white",
        weight="bold",
        bbox={"facecolor": GREY, "edgecolor": "none", "boxstyle": "square,pad=0.25"},
        gid="simulated-mark",
    )


def letter(axes: Axes, text: str, title: str = "") -> None:
    """Put a bold panel letter and the panel's title, of one or more lines, above the left end of a panel."""
    indent = 11 if text else 0
    look = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom", "fontsize": 7.5}
    if text:
        below = "\n" * title.count("\n")  # keeps the letter on the title's first line
        axes.annotate(text + below, (0, 1), (0, 4), weight="bold", **look)
    if title:
        axes.annotate(title, (0, 1), (indent, 4), **look)
